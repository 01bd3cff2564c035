//! Steps that can only fail: handles that aren't there, actors that no step has made.

use rstest::rstest;

use super::*;

/// Actors `a` and `c`, a fork `b`, a FIFO `log`, and this script, whose first line is
/// the file's line 10.
fn with_handles(script: &str) -> String {
    let head = "[channels]\nlog = \"fifo\"\n\n[actors]\na = \"raw\"\nb = \"raw:fork\"\nc = \"raw\"\n";
    format!("{head}\nscript = '''\n{script}\n'''\n")
}

#[rstest]
#[case("a pipe r w\na fork b\nc read r 1", "`c` doesn't hold `r`", (12, 8), "let `a` do this, or fork `c` from it after `r` is made")]
#[case("a fork b\na pipe r w\nb read r 1", "`b` doesn't hold `r`", (12, 8), "let `a` do this, or fork `b` from it after `r` is made")]
#[case("a pipe r w\na fork b\nb dup r s\na read s 1", "`a` doesn't hold `s`", (13, 8), "let `b` do this, or fork `a` from it after `s` is made")]
#[case("a fork b\na read r 1\na pipe r w", "`r` isn't made yet", (11, 8), "move one of the two steps")]
#[case("a fork b\na pipe r w null -> EFAULT\na read r 1", "no step of this case makes `r`", (12, 8), "make it above, by a step that succeeds")]
#[case("a fork b\na pipe r w null -> EFAULT\na close r -> EBADF", "no step of this case makes `r`", (12, 9), "make it above, by a step that succeeds")]
#[case("a fork b\na pipe r w when 1 > 2\na read r 1", "no step of this case makes `r`", (12, 8), "make it above, by a step that succeeds")]
#[case("a fork b\na pipe r w\na poll r in s\na dup r s", "`s` isn't made yet", (12, 13), "move one of the two steps")]
#[case("a fork b\na pipe r w\na poll log in", "`a` hasn't `log` open", (12, 8), "write `a open log read|write|both` above")]
#[case("a fork b\na pipe r w\na open log both\na close log\na poll log in", "`a` hasn't `log` open", (14, 8), "write `a open log read|write|both` above")]
#[case("a fork b\na pipe r w\na close r\na read r 1", "`a` has closed `r`", (13, 8), "if the step is to show that, say so: `-> EBADF`")]
#[case("a fork b\na pipe r w\na close r\na close r -> EIO", "`a` has closed `r`", (13, 9), "if the step is to show that, say so: `-> EBADF`")]
#[case("a pipe r w\na close r\na fork b\nb read r 1 -> ok 1", "`b` has closed `r`", (13, 8), "if the step is to show that, say so: `-> EBADF`")]
#[case("a pipe r w\na fork c\na fork b", "`c` can't be forked: it has a process of its own", (11, 8), "declare it as `c = \"raw:fork\"`")]
#[case("a fork a\na fork b", "`a` can't be forked: it has a process of its own", (10, 8), "declare it as `a = \"raw:fork\"`")]
#[case("a fork b\nc fork b", "`b` is forked twice", (11, 8), "an actor is one process: declare another for this one")]
#[case("a pipe r w\nb read r 1\na fork b", "`b` isn't there before a step forks it", (11, 1), "write `ACTOR fork b` above, of an actor that holds what it needs")]
#[case("b kill SIGTERM\na fork b", "`b` isn't there before a step forks it", (10, 1), "write `ACTOR fork b` above, of an actor that holds what it needs")]
#[case("a fork b\na pipe log w", "`log` is a declared channel already", (11, 8), "give the handle another name; what `open` gives goes by the channel's")]
#[case("a pipe r w\na read r 1", "no step forks `b`", (6, 5), "write `ACTOR fork b` into the script, or leave it out")]
#[case("a fork b -> EAGAIN\nb sleep", "`b` isn't there before a step forks it", (11, 1), "write `ACTOR fork b` above, of an actor that holds what it needs")]
#[case("b fork b", "`b` isn't there before a step forks it", (10, 1), "write `ACTOR fork b` above, of an actor that holds what it needs")]
fn a_step_that_can_only_fail(
    #[case] script: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    let text = with_handles(script);
    let (problem, at) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), at), (message, position));
    assert_eq!(problem.help.as_deref(), Some(help));
}

/// Below a step that makes `b`.
#[rstest]
#[case("a pipe r w\na accept r x", "`accept` can't work on `r`: it is a pipe, not a socket that listens", (12, 10), "ENOTSOCK")]
#[case("a socketpair s t stream\na accept s x", "`accept` can't work on `s`: it is a socket, not a socket that listens", (12, 10), "EINVAL")]
#[case("a socketpair s t stream\na listen s 1 -> EINVAL\na accept s x", "`accept` can't work on `s`: it is a socket, not a socket that listens", (13, 10), "EINVAL")]
#[case("a socketpair s t stream\na socketpair u v stream\na splice s u 10", "`splice` can't work on `s`: it is a socket, not a pipe", (13, 10), "EINVAL")]
#[case("a pipe r w\na socketpair s t stream\na tee r s 10", "`tee` can't work on `s`: it is a socket, not a pipe", (13, 9), "EINVAL")]
#[case("a socketpair s t dgram\na vmsplice s 10", "`vmsplice` can't work on `s`: it is a socket, not a pipe", (12, 12), "EBADF")]
#[case("a pipe r w\na send w 10", "`send` can't work on `w`: it is a pipe, not a socket", (12, 8), "ENOTSOCK")]
#[case("a pipe r w\na send w 10 -> EPIPE", "`send` can't work on `w`: it is a pipe, not a socket", (12, 8), "ENOTSOCK")]
#[case("a open log both\na shutdown log both", "`shutdown` can't work on `log`: it is a pipe, not a socket", (12, 12), "ENOTSOCK")]
#[case("a pipe r w\na dup r x\na bind x here", "`bind` can't work on `x`: it is a pipe, not a socket", (13, 8), "ENOTSOCK")]
#[case("a epoll_create e\na getpipe_sz e", "`getpipe_sz` can't work on `e`: it is an epoll set, not a pipe", (12, 14), "EBADF")]
#[case("a pipe r w\na epoll_wait r now", "`epoll_wait` can't work on `r`: it is a pipe, not an epoll set", (12, 14), "EINVAL")]
#[case("a pty m t\na recv t 10", "`recv` can't work on `t`: it is a terminal, not a socket", (12, 8), "ENOTSOCK")]
#[case("a devnull n\na setpipe_sz n page", "`setpipe_sz` can't work on `n`: it is a file, not a pipe", (12, 14), "EBADF")]
fn a_call_on_the_wrong_kind(
    #[case] script: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] errno: &str,
) {
    let (problem, at) = mistake_of(&with_handles(&format!("a fork b\n{script}")));
    assert_eq!((problem.message.as_str(), at), (message, position));
    assert_eq!(
        problem.help.as_deref(),
        Some(format!("if the step is to show that, say so: `-> {errno}`").as_str())
    );
    // And so it is played.
    let last = script.lines().last().and_then(|line| line.split(" -> ").next()).expect("a step");
    let steps = &script[..script.rfind('\n').expect("several") + 1];
    cases_of(&with_handles(&format!("a fork b\n{steps}{last} -> {errno}")));
}

/// What may look like one of the above and isn't, or can't be known.
#[rstest]
#[case("a pipe r w\na fork b\nb read r 1")]
#[case("a pipe r w\na dup r s\na close r\na fork b\nb read s 1")]
#[case("a fork b\na pipe r w\na close r\na close r -> EBADF")]
#[case("a fork b\na pipe r w\na close r\na close r -> failed")]
#[case("a fork b\na pipe r w\na close w\na fill w 1 -> ok 0 says calls=1 EBADF")]
#[case("a fork b\na pipe r w\na close r\na poll r in now -> says nval")]
#[case("a fork b\na pipe r w\na close r -> EIO\na read r 1")]
// A descriptor may have the number of the closed one.
#[case("a fork b\na pipe r w\na close r\na pipe s t\na read r 1")]
#[case("a fork b\na pipe r w if failed\na read r 1")]
#[case("a fork b\na pipe r w -> ok or EMFILE\na read r 1")]
#[case("a fork b\na pipe r w\na close r if failed\na read r 1")]
#[case("a fork b if failed\na fork b unless failed\nb sleep")]
#[case("a pipe r w\na fork b if failed\nb read r 1")]
#[case("a pipe r w\na fork b if failed\nc fork b unless failed\nb read r 1")]
#[case("a fork b\na open log both\na pipe r w\na fionread log\na getpipe_sz log")]
#[case("a fork b when 1 > 2\na sleep")]
// The sign that parts steps needs no space.
#[case("a fork b; pipe r w; write w 10; read r 10")]
#[case("a pipe r w;fork b;write w 10")]
#[case("a fork b\na pipe r w\na read r 1 -> blocked then ok 1 by a write")]
#[case("a fork b\na socket s unix stream\na bind s here\na listen s 1\na accept s x")]
#[case("a fork b\na socket s unix stream\na bind s here\na listen s 1 if failed\na accept s x")]
#[case("a socket s unix stream\na bind s here\na fork b\nb listen s 1\na accept s x")]
#[case("a fork b\na socketpair s t dgram\na accept s x -> EOPNOTSUPP")]
#[case("a fork b\na pipe r w\na socketpair s t stream\na splice s w 10\na splice r t 10")]
// It may have come here in a message.
#[case("a fork b\na socketpair s t stream\na recvmsg s 1 take x\na listen x 1\na accept t y")]
#[case("a fork b\na socketpair s t stream\na recvmsg s 1 take x\na accept x y\na getpipe_sz x")]
fn no_mistake(#[case] script: &str) {
    cases_of(&with_handles(script));
}

#[test]
fn both_places_are_shown() {
    let text = with_handles("a pipe r w\na fork b\nc read r 1");
    let (problem, _) = mistake_of(&text);
    let shown: Vec<_> =
        problem.labels.iter().map(|label| (&text[label.span.clone()], label.text.as_str())).collect();
    assert_eq!(shown, [("r", "not a handle of this actor"), ("a pipe r w", "made here")]);
}

#[test]
fn a_mistake_of_some_cases_names_them() {
    let text = with_handles("a fork b\na pipe r w when {n} > 1\na read r 1") + "[params]\nn = [1, 2]\n";
    let (problem, at) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), at), ("no step of this case makes `r`", (12, 8)));
    assert_eq!(problem.when.as_deref(), Some("n = 1"));
}

#[test]
fn a_handle_of_which_one_step_told_is_told_of_once() {
    let (problem, at) = mistake_of(&with_handles("a pipe r w\na fork b\nc read r 1\nc read r 2\nc close r"));
    assert_eq!((problem.message.as_str(), at), ("`c` doesn't hold `r`", (12, 8)));
}

/// A copy runs what its maker runs.
#[test]
fn a_copy_has_its_makers_driver() {
    let text = "[actors]\na = \"stdio\"\nb = \"raw:fork\"\nscript = '''\na fork b\n'''\n";
    let (problem, at) = mistake_of(text);
    let expected = ("`b` can't be a copy: it is to run another driver", (5, 8));
    assert_eq!((problem.message.as_str(), at), expected);
    assert_eq!(problem.help.as_deref(), Some("declare it as `b = \"stdio:fork\"`"));
    cases_of(&text.replace("raw:fork", "stdio:fork"));
}

/// Calls that a program makes beside its runtime.
#[rstest]
#[case("stdio", "a getfl log", None)]
#[case("rust", "a setfl log nonblock", None)]
#[case("rust", "a dup log x", Some(("`rust` can't `dup`", "a driver that can: `raw`")))]
#[case("python", "a getfl log", Some(("`python` can't `getfl`", "a driver that can: `raw`, `stdio` and `rust`")))]
fn not_every_driver_makes_every_call(
    #[case] driver: &str,
    #[case] step: &str,
    #[case] mistake: Option<(&str, &str)>,
) {
    let head = format!("[channels]\nlog = \"fifo\"\n[actors]\na = \"{driver}\"\nscript = '''\n");
    let text = format!("{head}a open log both\n{step}\n'''\n");
    match mistake {
        None => drop(cases_of(&text)),
        Some((message, help)) => {
            let (problem, _) = mistake_of(&text);
            assert_eq!((problem.message.as_str(), problem.help.as_deref()), (message, Some(help)));
        }
    }
}
