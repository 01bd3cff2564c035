//! The tables of "Python 3 BrokenPipeError woes" (2018-01-04), as printed there
//! for CPython 3.5 and 3.6, against what the scenario gives on CPython 3.6. The
//! expectations are the article's, not the snapshot's.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use pipelab::{
    driver::{Catalog, Version},
    outcome::{Judged, Verb},
    runner::{Lab, find},
    scenario::Overrides,
    stage::Launch,
};
use rstest::rstest;

use crate::support::{no_fork, options, spawn};

fn play(n: u64, mode: &str) -> Option<Judged> {
    let here = !Catalog::discover(&["python"], &Default::default())
        .find("python", &Version::Named("3.6".into()))
        .is_empty();
    if !here {
        eprintln!("SKIPPED: no CPython 3.6 here; `pyenv install 3.6` brings one");
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/articles/000/experiment.toml");
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

/// Sends three messages by the recipe that `docs/articles/000.md` explains. It starts when
/// it is told to, and says so whenever nobody reads.
const SENDER: &str = r#"
import sys
sys.path.insert(0, sys.argv[1])
from right_recipe import send

def wait_for_reader():
    print("gone", flush=True)
    sys.stdin.readline()

sink = open(sys.argv[2], "wb", buffering=0)
sys.stdin.readline()
for size, letter in (1, b"a"), (4096, b"b"), (200000, b"c"):
    send(sink, letter * size, wait_for_reader)
"#;

/// The recipe itself, not its scenario: on every Python here, over a real FIFO whose
/// reader leaves before the first message and in the middle of the last.
#[test]
fn the_right_recipe_is_right_as_a_program() {
    let catalog = Catalog::discover(&["python"], &Default::default());
    let mut played = 0;
    for runtime in &catalog.runtimes {
        let Launch::Program { command, .. } = &*runtime.launch else { continue };
        let dir = tempfile::tempdir().expect("a directory");
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/articles/000");
        let mut python = Command::new(&command[0]);
        python.args(["-B", "-c", SENDER]).args([&recipe, &fifo]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut sender = spawn(&mut python).expect("Python starts");
        let mut tell = sender.stdin.take().expect("piped");
        let mut said = BufReader::new(sender.stdout.take().expect("piped")).lines();
        let mut gone = || said.next().expect("it says something").expect("text");

        // No fork of another test may hold a copy of the ends that are closed here.
        let quiet = no_fork();
        drop(File::open(&fifo).expect("the sender opens the other end"));
        writeln!(tell, "start").expect("it listens");
        assert_eq!(gone(), "gone", "{}", runtime.full_version);
        let mut first = File::open(&fifo).expect("a reader again");
        writeln!(tell, "go on").expect("it listens");
        let mut seen = vec![0; 50_000];
        first.read_exact(&mut seen).expect("messages");
        drop(first);
        drop(quiet);
        assert_eq!(gone(), "gone", "{}", runtime.full_version);
        let mut second = File::open(&fifo).expect("a reader again");
        writeln!(tell, "go on").expect("it listens");
        second.read_to_end(&mut seen).expect("the rest");
        assert!(sender.wait().expect("it ends").success());

        let sent: Vec<u8> = [(1, b'a'), (4096, b'b'), (200_000, b'c')]
            .iter()
            .flat_map(|&(size, letter)| std::iter::repeat_n(letter, size))
            .collect();
        assert!(seen == sent, "{}: {} bytes of {}", runtime.full_version, seen.len(), sent.len());
        played += 1;
    }
    if played == 0 {
        eprintln!("SKIPPED: no Python here");
    }
}
