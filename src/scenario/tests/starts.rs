//! Mistakes about the start of a program, and what it starts.

use rstest::rstest;

use super::{cases_of, mistakes::assert_mistake};

/// A scenario with this command in line 4 and these steps from line 7 on.
fn with(command: &str, steps: &str) -> String {
    format!(
        "[channels]\nout = \"pipe\"\n[actors]\ncat = {{ command = {command}, stdout = \"out\" }}\n\
         r = \"raw\"\nscript = '''\n{steps}\nr open out read\n'''\n"
    )
}

#[rstest]
#[case("cat run until 1st write out\ncat start", (7, 1))]
#[case("cat run", (7, 1))]
#[case("cat hold 1st write out\ncat release\ncat start", (8, 1))]
#[case("cat kill SIGTERM\ncat start", (7, 1))]
fn nothing_is_done_with_what_doesnt_run(#[case] steps: &str, #[case] position: (usize, usize)) {
    let message = "`cat` doesn't run before its step `start`";
    assert_mistake(&with("\"cat\"", steps), message, position, "write `cat start` above");
}

#[test]
fn a_program_is_started_once() {
    let help = "an actor is one process: declare another program for this one";
    for second in ["cat start", "cat run; start"] {
        let text = with("\"cat\"", &format!("cat start\n{second}"));
        let column = if second.contains(';') { 10 } else { 5 };
        assert_mistake(&text, "`cat` is started twice", (8, column), help);
    }
    let text = with("\"cat\"", "cat start\ncat start when page > 1");
    assert_mistake(&text, "`cat` is started twice", (8, 5), help);
    for steps in [
        "cat fault 1st write out EIO\ncat start",
        "cat start\ncat start if failed",
        "cat start when page > 1\ncat start when page <= 1",
        "cat start repeat 3 until ok",
    ] {
        assert_eq!(cases_of(&with("\"cat\"", steps)).len(), 1, "{steps}");
    }
}

#[rstest]
#[case("\"\"")]
#[case("\" \"")]
#[case("[]")]
#[case("[\"\"]")]
#[case("[\"\", \"x\"]")]
fn an_empty_command_is_a_mistake(#[case] command: &str) {
    let help = "name a program, for example `command = [\"cat\"]`";
    assert_mistake(&with(command, "cat start"), "the program `cat` has no command", (4, 19), help);
}

#[rstest]
#[case("\"{c}\"")]
#[case("[\"{c}\", \"x\"]")]
fn a_command_that_parameters_leave_empty_is_a_mistake(#[case] command: &str) {
    let text = with(command, "cat start") + "[params]\nc = [\"cat\", \"\"]\n";
    let help = "name a program, for example `command = [\"cat\"]`";
    let column = if command.starts_with('[') { 20 } else { 19 };
    assert_mistake(&text, "the program `cat` has no command", (4, column), help);
}
