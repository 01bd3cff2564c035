//! Mistakes about programs that an actor starts.

use rstest::rstest;

use super::{cases_of, mistakes_of};

const ACTORS: &str = "parent = \"python:binary\"\nother = \"raw\"\n\
    log = { command = [\"sh\"], by = \"parent\", stdout = \"pipe\" }\ncat = { command = [\"cat\"] }\n";

fn scenario(script: &str) -> String {
    format!("script = '''\n{script}\n'''\n[actors]\n{ACTORS}")
}

#[test]
fn its_pipes_are_channels() {
    let text = scenario("parent spawn log\nparent read log.stdout 10\nlog kill\nparent wait log")
        + "[expect.log.stdout]\nstream = \"x\"\n";
    assert_eq!(cases_of(&text).len(), 1);
    let quoted = text.replace("[expect.log.stdout]", "[expect.\"log.stdout\"]");
    assert_eq!(cases_of(&quoted).len(), 1);
}

/// Each with the place, and a part of the way out.
#[rstest]
#[case("parent spawn lgo", "no program is called `lgo`", (2, 14), "did you mean `log`?")]
#[case("parent spawn", "`spawn` without a program", (2, 8), "ACTOR spawn CHILD")]
#[case("parent spawn cat", "`cat` is started by nobody but itself", (2, 14), "`by = \"parent\"`")]
#[case("parent spawn other", "`other` isn't a program, but an actor with a driver", (2, 14), "`command`")]
#[case("other spawn log", "`raw` can't `spawn`", (2, 7), "a driver that can: ")]
#[case("log start", "`log` is started by `parent`", (2, 5), "parent spawn log")]
#[case("parent spawn log\nlog fault 1st write log.stdout EPIPE", "`log` is started by `parent`", (3, 5), "takes `kill` and `run`")]
#[case("parent spawn log\nlog cut 1st write log.stdout 1", "`log` is started by `parent`", (3, 5), "takes `kill` and `run`")]
#[case("parent spawn log\nlog hold 1st write log.stdout", "`log` is started by `parent`", (3, 5), "takes `kill` and `run`")]
#[case("parent spawn log\nlog release", "`log` is started by `parent`", (3, 5), "takes `kill` and `run`")]
#[case("parent spawn log\nlog run until 1st write log.stdout", "`log` is started by `parent`", (3, 5), "write `log run`")]
#[case("parent spawn log\nparent spawn log", "`log` is started twice", (3, 1), "another program")]
#[case("parent wait log", "`log` isn't there before `parent` starts it", (2, 1), "parent spawn log")]
#[case("log kill", "`log` isn't there before `parent` starts it", (2, 1), "parent spawn log")]
#[case("parent read log.stdout 1", "`parent` can't read `log.stdout`: it doesn't hold it", (2, 13), "parent spawn log")]
#[case("parent spawn log\nparent read log.stderr 1", "`stderr` of `log` is no pipe to `parent`", (3, 13), "stderr = \"pipe\"")]
#[case("parent spawn log\nparent read log.stdotu 1", "`log` has no stream `stdotu`", (3, 13), "did you mean `stdout`?")]
#[case("parent spawn log\nparent communicate log 5", "`stdin` of `log` is no pipe to `parent`", (3, 8), "stdin = \"pipe\"")]
fn in_a_step(
    #[case] script: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    let problems = mistakes_of(&scenario(script));
    let problem = problems.list.iter().find(|problem| problem.message == message);
    let problem = problem.unwrap_or_else(|| panic!("not this mistake:\n{problems}"));
    assert_eq!(problems.position(problem), position, "{problems}");
    assert!(problem.help.as_deref().is_some_and(|way_out| way_out.contains(help)), "{problems}");
}

#[rstest]
#[case("by = \"parent\"", "by = \"praent\"", "no actor is called `praent`", "did you mean `parent`?")]
#[case("by = \"parent\"", "by = \"cat\"", "`cat` is a program itself", "an actor with a driver")]
#[case("stdout = \"pipe\"", "stdout = \"log\"", "`log` of a program that another actor starts", "`pipe`")]
#[case(
    "stdout = \"pipe\"",
    "stdout = \"stdout\"",
    "`stdout` of a program that another actor starts",
    "`pipe`"
)]
#[case(
    "stdout = \"pipe\"",
    "fds = {}",
    "descriptors of a program that another actor starts",
    "standard input"
)]
#[case(
    "stdout = \"pipe\"",
    "stdout = \"pipe\", nonblock = [\"stdout\"]",
    "non-blocking descriptors of a program that another actor starts",
    "leave out `by`"
)]
#[case(
    "stdout = \"pipe\"",
    "stdout = \"pipe\", trace = true",
    "the calls of a program that another actor starts",
    "leave out `by`"
)]
#[case("by = \"parent\", ", "", "a pipe to whom?", "by = \"ACTOR\"")]
fn in_a_declaration(#[case] from: &str, #[case] to: &str, #[case] message: &str, #[case] help: &str) {
    let problems = mistakes_of(&scenario("other sleep").replace(from, to));
    let problem = problems.list.iter().find(|problem| problem.message == message);
    let problem = problem.unwrap_or_else(|| panic!("not this mistake:\n{problems}"));
    assert!(problem.help.as_deref().is_some_and(|way_out| way_out.contains(help)), "{problems}");
}
