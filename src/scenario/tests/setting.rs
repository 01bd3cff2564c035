//! What `[setting]` makes of a case.

use rstest::rstest;

use super::*;
use crate::{
    outcome::Action,
    setting::{LimitKind, Sigpipe, User},
};

#[rstest]
#[case("sigpipe = \"ignore\"\ncpu_budget = \"2 s\"", Sigpipe::Ignore, 2000)]
#[case("sigpipe = \"default\"\ncpu_budget = 300", Sigpipe::Default, 300)]
#[case("cpu_budget = \"500 ms\"", Sigpipe::Runtime, 500)]
fn the_setting(#[case] keys: &str, #[case] sigpipe: Sigpipe, #[case] budget_ms: u64) {
    let case = &cases_of(&format!("{}[setting]\n{keys}\n", with_script("raw", "w sleep")))[0];
    assert_eq!((case.plan.setting.sigpipe, case.plan.setting.budget_ms), (sigpipe, budget_ms));
}

#[test]
fn users_limits_and_a_queue_length_of_the_setting() {
    let keys =
        "user = 12\nlimits = { nofile = \"2*{n}\", fsize = \"unlimited\" }\nmax_dgram_qlen = \"{n}+1\"\n";
    let text = with_script("raw", "w sleep") + "[params]\nn = [20, 30]\n[setting]\n" + keys;
    for (case, n) in cases_of(&text).iter().zip([20, 30]) {
        let setting = &case.plan.setting;
        assert!(matches!(setting.user, Some(User::Is { uid: 12, .. })), "{setting:?}");
        let limits = [(LimitKind::Fsize, u64::MAX), (LimitKind::Nofile, 2 * n)];
        assert_eq!(setting.limits, limits);
        assert_eq!(setting.max_dgram_qlen, Some(n as u32 + 1));
    }
}

#[test]
fn qlen_is_the_settings() {
    let text = with_script("raw", "w open log write\nw write log qlen");
    let written = |tail: &str| match cases_of(&format!("{text}{tail}"))[0].plan.steps[1].action {
        Action::Write { bytes, .. } => bytes,
        ref other => panic!("{other:?}"),
    };
    assert_ne!(written(""), 7);
    assert_eq!(written("[setting]\nmax_dgram_qlen = 7\n"), 7);
}

#[test]
fn another_users_actors_cant_open_a_declared_pipe() {
    let text = with_script("raw", "w sleep").replace("\"fifo\"", "\"pipe\"") + "[setting]\nuser = 12\n";
    let problems = mistakes_of(&text);
    assert_eq!(problems.list.len(), 1, "{problems}");
    assert_eq!(problems.list[0].message, "`log` can't be opened by actors of another user");
    assert!(problems.list[0].help.as_ref().unwrap().contains("make it a `fifo`"));
}

#[test]
fn the_setting_may_be_a_parameter() {
    let text = with_script("raw", "w sleep")
        + "[params]\nsig = [\"runtime\", \"ignore\"]\n[setting]\nsigpipe = \"{sig}\"\n";
    let dispositions: Vec<Sigpipe> = cases_of(&text).iter().map(|case| case.plan.setting.sigpipe).collect();
    assert_eq!(dispositions, [Sigpipe::Runtime, Sigpipe::Ignore]);
}
