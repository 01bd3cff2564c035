//! What a call needs of the machine and of whoever runs it, and doesn't have here.

use nix::{
    sys::resource::{Resource, getrlimit},
    unistd::{getegid, geteuid},
};

use super::{
    Setting, User,
    limits::UNLIMITED,
    user::{Ids, reaches},
};
use crate::outcome::Called;

/// Why a call can't succeed here, and a way out.
pub fn missing(called: &Called) -> Option<(String, String)> {
    let number = called.words.iter().find_map(|word| word.parse::<u64>().ok());
    match (called.call.name(), number) {
        ("setresuid" | "fchown", id) if !may_become(id.unwrap_or(ANYBODY)) => Some(no_other_user()),
        ("setrlimit", Some(limit)) => {
            let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
            let reason = || format!("the limit of open files is {hard}, and {limit} are needed");
            (limit > hard).then(|| (reason(), "raise it (ulimit -Hn)".to_owned()))
        }
        _ => None,
    }
}

/// Why the actors can't start in this setting, and a way out.
pub fn lacking(setting: &Setting) -> Option<(String, String)> {
    let refused = match setting.user {
        None => false,
        Some(User::Is { uid, gid }) => {
            (uid, gid) != (geteuid().as_raw(), getegid().as_raw()) && !may_become(uid.into())
        }
        Some(User::Fresh) => !may_become(ANYBODY),
    };
    let too_high = setting.limits.iter().find_map(|(kind, bound)| {
        let (_, hard) = getrlimit(kind.info().resource).ok().filter(|(_, hard)| bound > hard)?;
        let bound = if *bound == UNLIMITED { "no limit is".to_owned() } else { format!("{bound} are") };
        let name = kind.info().name;
        Some((
            format!("the hard limit `{name}` is {hard}, and {bound} needed"),
            "raise it (ulimit -H)".into(),
        ))
    });
    refused.then(no_other_user).or(too_high)
}

/// Why the actors' user can't run a program, and a way out.
pub fn unreachable(setting: &Setting, program: &str) -> Option<(String, String)> {
    let ids: Ids = match setting.user? {
        User::Is { uid, gid } => (uid, gid),
        User::Fresh => (ANYBODY as u32, ANYBODY as u32),
    };
    // What is looked up on PATH is where everybody finds it.
    let refused = program.contains('/') && !reaches(ids, program.as_ref());
    refused.then(|| {
        let reason = format!("the actors' user may not run {program}");
        (reason, "install it where everybody may run it".to_owned())
    })
}

fn no_other_user() -> (String, String) {
    let reason = "only root, where all numbers are mapped, may be any other user";
    (reason.to_owned(), "run it as root (user_namespaces(7))".to_owned())
}

/// A fresh id may be any.
const ANYBODY: u64 = i32::MAX as u64;

/// This process is root, and the id is one of its user namespace.
fn may_become(id: u64) -> bool {
    let mapped = |line: &str| {
        let mut fields = line.split_whitespace().map(str::parse::<u64>);
        match (fields.next(), fields.next(), fields.next()) {
            (Some(Ok(first)), Some(_), Some(Ok(count))) => id.checked_sub(first).is_some_and(|at| at < count),
            _ => false,
        }
    };
    let map = std::fs::read_to_string("/proc/self/uid_map");
    geteuid().is_root() && map.is_ok_and(|map| map.lines().any(mapped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Call;

    fn missing_for(name: &str, words: &[&str]) -> Option<String> {
        let call = Call::named(name).expect("it is in the call table");
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        missing(&Called { call, words }).map(|(reason, _)| reason)
    }

    #[test]
    fn a_limit_beyond_the_hard_one_is_missing() {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("it has one");
        assert_eq!(missing_for("setrlimit", &["nofile", &hard.to_string()]), None);
        let more = hard + 1;
        let reason = format!("the limit of open files is {hard}, and {more} are needed");
        assert_eq!(missing_for("setrlimit", &["nofile", &more.to_string()]), Some(reason));
    }

    #[test]
    fn another_user_is_missing_where_it_isnt_mapped() {
        // -1 is nobody's number (setresuid(2)).
        for call in [&["4294967295"][..], &["4294967295", "undumpable"]] {
            assert!(missing_for("setresuid", call).is_some());
        }
        assert_eq!(missing_for("setresuid", &["0"]).is_none(), geteuid().is_root());
        assert_eq!(missing_for("fchown", &["r", "0"]).is_none(), geteuid().is_root());
    }
}
