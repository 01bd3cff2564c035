//! What `[expect]` wants of a count.

use rstest::rstest;

use super::{
    super::{Quantity, Wanted},
    *,
};
use crate::outcome::Count;

fn with_expect(value: &str) -> String {
    with_script("raw", "w sleep") + &format!("[params]\nn = [\"page+1\"]\n[expect]\nlost = {value}\n")
}

fn wanted(value: &str) -> Wanted {
    let text = with_expect(value).replace("w sleep", "w sleep when {n} > 0");
    cases_of(&text)[0].expect.bytes[0].wanted.clone()
}

/// 100 accepted, 40 delivered, and nobody knows how many are queued.
fn of(quantity: Quantity) -> Count {
    match quantity {
        Quantity::Accepted => Count::Known(100),
        Quantity::Delivered => Count::Known(40),
        Quantity::Queued => Count::Unknown("nobody could look".to_owned()),
        _ => Count::Known(0),
    }
}

#[rstest]
#[case("0", &[0], &[1], "0")]
#[case("\"n\"", &[4097], &[4096, 4098], "page+1 = 4097")]
#[case("\"> 0\"", &[1, 5000], &[0], "> 0")]
#[case("\">= 1\"", &[1, 2], &[0], ">= 1")]
#[case("\"<= capacity\"", &[0, 65536], &[65537], "<= capacity = 65536")]
#[case("\"<n\"", &[0, 4096], &[4097], "< page+1 = 4097")]
#[case("\"== 3\"", &[3], &[2, 4], "== 3")]
#[case("\"!= 3\"", &[2, 4], &[3], "!= 3")]
#[case("\"1 to 4096\"", &[1, 4096], &[0, 4097], "1 to 4096")]
#[case("\"1 to page\"", &[1, 4096], &[0, 4097], "1 to page = 1 to 4096")]
#[case("\"page to n\"", &[4096, 4097], &[4095, 4098], "page to page+1 = 4096 to 4097")]
#[case("\"accepted\"", &[100], &[0, 99, 101], "accepted = 100")]
#[case("\"accepted - delivered\"", &[60], &[59, 61], "accepted - delivered = 60")]
#[case("\"< accepted\"", &[99], &[100], "< accepted = 100")]
#[case("\"delivered to accepted\"", &[40, 100], &[39, 101], "delivered to accepted = 40 to 100")]
#[case("\"!= queued\"", &[], &[0, 1], "!= queued = unknown (nobody could look)")]
#[case("\"accepted/kernel\"", &[], &[0, 1], "accepted/kernel = division by zero")]
fn counts_that_are_as_wanted(
    #[case] value: &str,
    #[case] right: &[u64],
    #[case] wrong: &[u64],
    #[case] told: &str,
) {
    let wanted = wanted(value);
    let allows = |seen: u64| wanted.allows(&Count::Known(seen), &of);
    assert!(right.iter().all(|seen| allows(*seen)), "{wanted:?}");
    assert!(!wrong.iter().any(|seen| allows(*seen)), "{wanted:?}");
    assert!(!wanted.allows(&Count::Unknown("dead".to_owned()), &of));
    assert_eq!(wanted.told(&of), told);
}

#[rstest]
#[case("\"> \"", "an empty expression", 10)]
#[case("\"> 1 > 2\"", "`>` in an expression", 13)]
#[case("\"1 to\"", "unexpected `to` in an expression", 11)]
#[case("\"4/(page-page)\"", "division by zero", 11)]
#[case("\"page to 1\"", "no count is 4096 to 1", 8)]
#[case("\"5 to 1\"", "no count is 5 to 1", 8)]
#[case("\"> -1\"", "`lost` can't be -1 bytes", 8)]
#[case("\"0 to -1\"", "`lost` can't be -1 bytes", 8)]
#[case("\"lost\"", "`lost` compared with itself", 9)]
#[case("\"<= 2*lost\"", "`lost` compared with itself", 14)]
#[case("\"acepted\"", "no parameter or symbol is called `acepted`", 9)]
fn values_that_say_nothing(#[case] value: &str, #[case] message: &str, #[case] column: usize) {
    let text = with_expect(value).replace("w sleep", "w sleep when {n} > 0");
    let (problem, at) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), at), (message, (14, column)));
    assert!(problem.help.is_some());
}
