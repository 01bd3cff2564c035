//! The tables of "Python 3 BrokenPipeError woes" (2018-01-04), as printed there
//! for CPython 3.5 and 3.6, against what the scenario gives on CPython 3.6. The
//! expectations are the article's, not the snapshot's.

use std::path::Path;

use pipelab::{
    driver::{Catalog, Version},
    outcome::{Judged, Verb},
    runner::{Lab, find},
    scenario::Overrides,
};
use rstest::rstest;

use crate::support::options;

fn play(n: u64, mode: &str) -> Option<Judged> {
    let here = !Catalog::discover(&["python"], &[]).find("python", &Version::Named("3.6".into())).is_empty();
    if !here {
        eprintln!("SKIPPED: no CPython 3.6 here; `pyenv install 3.6` brings one");
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/fifo/article-python.toml");
    let mut overrides = Overrides::default();
    overrides.set(&format!("n={n}")).expect("a value");
    overrides.set(&format!("writer=python@3.6:{mode}")).expect("a value");
    let mut lab = Lab::open(&options()).expect("a stage");
    let loaded = lab.load(&find(&[path]).expect("the scenario"), &overrides).expect("it loads");
    assert_eq!(loaded[0].cases.len(), 1);
    let case = loaded[0].cases.maker().case(0);
    Some(lab.play(&case.into(), None).expect("it plays"))
}

#[rstest]
#[case::text_1("text", 1, Verb::Flush, 1)]
#[case::text_4096("text", 4096, Verb::Flush, 4096)]
#[case::text_4097("text", 4097, Verb::Flush, 0)]
#[case::text_8192("text", 8192, Verb::Flush, 0)]
#[case::text_8193("text", 8193, Verb::Write, 0)]
#[case::binary_1("binary", 1, Verb::Flush, 1)]
#[case::binary_4096("binary", 4096, Verb::Flush, 4096)]
#[case::binary_4097("binary", 4097, Verb::Write, 0)]
#[case::binary_8192("binary", 8192, Verb::Write, 0)]
#[case::binary_8193("binary", 8193, Verb::Write, 0)]
fn the_articles_row_comes_out(#[case] mode: &str, #[case] n: u64, #[case] raised: Verb, #[case] read: u64) {
    let Some(judged) = play(n, mode) else { return };
    let played = judged.played.expect("it was played");
    let error = played.error_at.expect("an error");
    assert_eq!((error.verb, error.error.as_deref()), (raised, Some("BrokenPipeError")));
    let ledger = &played.ledgers[0];
    assert_eq!((ledger.offered, ledger.delivered), (n, read));
    // Not only as many: the right ones.
    assert_eq!((ledger.first_wrong, ledger.duplicated_bytes(), ledger.foreign_bytes()), (None, 0, 0));
}
