//! `nonblock` of a program: what it marks, and its mistakes.

use rstest::rstest;

use super::mistakes::assert_mistake;

/// A program with streams on a channel, and this line of its table.
fn scenario(line: &str) -> String {
    format!(
        "[channels]\nc = \"pipe\"\n[actors.p]\ncommand = [\"cat\"]\nstdin = \"c\"\nstderr = \"c\"\n\
         fds = {{ 5 = \"c read\" }}\n{line}\n[actors]\nr = \"raw\"\nscript = \"p start\"\n"
    )
}

#[rstest]
#[case("[\"stdn\"]", "no descriptor is called `stdn`", 13, "did you mean `stdin`?")]
#[case("[\"input\"]", "no descriptor is called `input`", 13, "there are `stdin`, `stdout`, `stderr` and `5`")]
#[case(
    "[\"stdout\"]",
    "`stdout` of the program leads to no channel",
    13,
    "give it a channel, `stdout = \"CHANNEL\"`, or leave it out here"
)]
#[case(
    "[1]",
    "`stdout` of the program leads to no channel",
    13,
    "give it a channel, `stdout = \"CHANNEL\"`, or leave it out here"
)]
#[case(
    "[7]",
    "`7` of the program leads to no channel",
    13,
    "give it a channel, `fds = { 7 = \"CHANNEL read\" }`, or leave it out here"
)]
#[case("[\"stdin\", 0]", "`stdin` twice", 22, "leave out one of them")]
#[case(
    "\"stdin\"",
    "`actors.NAME.nonblock` takes an array of names (`stdin`, `stdout`, `stderr`) and numbers of descriptors, not a string",
    12,
    "for example `nonblock = [\"stdin\", 3]`"
)]
fn mistakes(#[case] value: &str, #[case] message: &str, #[case] column: usize, #[case] help: &str) {
    assert_mistake(&scenario(&format!("nonblock = {value}")), message, (8, column), help);
}
