//! Actors that are threads: who is one of whose, and what they share.

use rstest::rstest;

use super::*;

/// Actors `a`, a thread `b`, a fork `c`, a FIFO `log`, and this script, whose first line is
/// the file's line 11.
fn with_threads(script: &str) -> String {
    let actors = "[actors]\na = \"raw\"\nb = \"raw:thread\"\nc = \"raw:fork\"\nd = \"raw\"\n";
    format!("[channels]\nlog = \"fifo\"\n\n{actors}\nscript = '''\n{script}\n'''\n")
}

#[rstest]
#[case("a fork c\na fork b\na thread b", "`b` isn't a `fork`: a step `thread` makes it", (12, 8), "declare it as `b = \"raw:fork\"`, or write `a thread b`")]
#[case("a thread b\na thread c\na fork c", "`c` isn't a `thread`: a step `fork` makes it", (12, 10), "declare it as `c = \"raw:thread\"`, or write `a fork c`")]
#[case("a fork c\na thread d\na thread b", "`d` can't be a thread: it has a process of its own", (12, 10), "declare it as `d = \"raw:thread\"`")]
#[case("a fork c\nd thread b\na thread b", "`b` is started twice", (13, 10), "an actor is one thread: declare another for this one")]
#[case("a fork c\nb sleep\na thread b", "`b` isn't there before a step starts it", (12, 1), "write `ACTOR thread b` above, of an actor whose process it is to be part of")]
#[case("a fork c", "no step starts `b`", (6, 5), "write `ACTOR thread b` into the script, or leave it out")]
#[case("a fork c\na thread b\nb pipe r w\nc read r 1", "`c` doesn't hold `r`", (14, 8), "let `b` do this, or fork `c` from it after `r` is made")]
#[case("a fork c\na thread b\nb pipe r w\na close r\nb read r 1", "`b` has closed `r`", (15, 8), "if the step is to show that, say so: `-> EBADF`")]
#[case("a fork c\na thread b\nb exit\na sleep", "`a` has ended before this step", (14, 3), "move the step up, or leave it out")]
#[case("a fork c\na thread b\nb kill\na sleep", "`a` has ended before this step", (14, 3), "move the step up, or leave it out")]
#[case("a fork c\na thread b\nd open log both\nb read log 1", "`b` can't read `log`: it never opened it", (14, 8), "write `b open log read` above")]
#[case("a fork c\na pipe r w\na thread b\na exec", "`a` can't be replaced: it would end `b`", (14, 3), "let a process of one thread do this, as a `fork` of this one is")]
fn what_threads_cant_do(
    #[case] script: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    let (problem, at) = mistake_of(&with_threads(script));
    assert_eq!((problem.message.as_str(), at), (message, position));
    assert_eq!(problem.help.as_deref(), Some(help));
}

#[rstest]
#[case("a fork c\na thread b\na pipe r w\nb read r 1\nb pipe s t\na read s 1")]
#[case("a fork c\na thread b\na open log both\nb write log 1\nb close log")]
#[case("a open log both\na fork c\nc read log 1\na thread b")]
#[case(
    "a fork c\na pipe r w\na thread b if failed\nd thread b unless failed\nb read r 1\nb pipe s t\na read s 1"
)]
#[case("a fork c\na thread b -> ok or EAGAIN\nb exit\na sleep")]
#[case(
    "a fork c\na thread b\na pipe r w\na pipe s t\na close r\nb dup2 s r -> EBADF\nb dup2 s w\nb read w 1"
)]
#[case("a pipe r w\na fork c\nc exec\nc read r 1\na thread b")]
#[case("a fork c\na pipe r w\na thread b if failed\na exec")]
fn what_threads_can_do(#[case] script: &str) {
    cases_of(&with_threads(script));
}
