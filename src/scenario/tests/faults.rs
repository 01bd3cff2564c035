//! Mistakes in steps that a program's calls are stopped for.

use rstest::rstest;

use super::{cases_of, mistakes_of};
use crate::{
    outcome::Action,
    trace::{Effect, TRACED},
};

/// A scenario with this as its last step, in line 8.
fn with_step(step: &str) -> String {
    format!(
        "[channels]\nout = \"pipe\"\n[actors]\n\
         cat = {{ command = [\"cat\"], stdout = \"out\" }}\nr = \"raw\"\n\
         script = '''\nr open out read\n{step}\n'''\n"
    )
}

#[rstest]
#[case("cat fault 2nd wriet out EAGAIN", "no call that is traced is called `wriet`", (8, 15), "did you mean `write`?")]
#[case("cat fault 2 write out EAGAIN", "`2` isn't a place in a row", (8, 11), "calls are counted from the program's start: `2nd`")]
#[case("cat fault 2th write out EAGAIN", "`2th` isn't a place in a row", (8, 11), "calls are counted from the program's start: `2nd`")]
#[case("cat fault 0th write out EAGAIN", "`0th` isn't a place in a row", (8, 11), "calls are counted from the program's start: `1st`")]
#[case("cat fault 1st write uot EAGAIN", "no channel is called `uot`", (8, 21), "did you mean `out`?")]
#[case("cat fault 1st write out EAGIAN", "no errno is called `EAGIAN`", (8, 25), "did you mean `EAGAIN`?")]
#[case("cat fault 1st write out", "`fault` without an errno", (8, 5), "the form is `PROGRAM fault NTH CALL CHANNEL ERRNO`")]
#[case("cat hold 1st write", "`hold` without which call on which channel", (8, 5), "the form is `PROGRAM hold NTH CALL CHANNEL`")]
#[case("cat hold 1st write out 5", "unexpected `5`", (8, 24), "the form is `PROGRAM hold NTH CALL CHANNEL`")]
#[case("cat cut 1st write out", "`cut` without a size", (8, 5), "the form is `PROGRAM cut NTH CALL CHANNEL SIZE`")]
#[case("cat run untl 1st write out", "unexpected `untl`", (8, 9), "the form is `PROGRAM run [until NTH CALL CHANNEL]`")]
#[case("r hold 1st write out", "`raw` can't `hold`", (8, 3), "a driver that can: `program`")]
fn mistakes_have_a_place_and_a_way_out(
    #[case] step: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    super::mistakes::assert_mistake(&with_step(step), message, position, help);
}

#[test]
fn only_what_moves_a_number_of_bytes_is_cut() {
    for call in TRACED {
        let text = with_step(&format!("cat cut 1st {} out 10", call.name));
        match call.can_be_cut() {
            true => assert_eq!(cases_of(&text).len(), 1, "{}", call.name),
            false => assert_eq!(mistakes_of(&text).list[0].rule, "cut", "{}", call.name),
        }
    }
}

#[test]
fn a_fault_is_read_as_it_is_written() {
    let cases = cases_of(&with_step("cat fault 12th writev out EWOULDBLOCK -> ok"));
    let Action::Inject(injection) = &cases[0].steps[1].planned.action else { panic!("a fault") };
    assert_eq!(injection.effect, Effect::Fails(libc::EAGAIN));
    assert_eq!((injection.at.nth, injection.at.call.name(), injection.at.channel), (12, "writev", 0));
    assert_eq!(crate::trace::Injection::of(&injection.words()), Some(*injection));
    assert!(cases[0].plan.traces(0), "its calls have to be seen");
}
