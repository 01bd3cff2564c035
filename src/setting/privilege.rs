//! What a call needs of the machine and of whoever runs it, and doesn't have here.

use nix::{
    sys::resource::{Resource, getrlimit},
    unistd::geteuid,
};

use crate::outcome::Called;

/// Why a call can't succeed here, and a way out.
pub fn missing(called: &Called) -> Option<(String, String)> {
    let number = called.words.iter().find_map(|word| word.parse::<u64>().ok());
    match (called.call.name(), number) {
        // A fresh id may be any.
        ("setresuid" | "fchown", id) if !may_become(id.unwrap_or(i32::MAX as u64)) => {
            let reason = "only root, where all numbers are mapped, may be any other user";
            Some((reason.to_owned(), "run it as root (user_namespaces(7))".to_owned()))
        }
        ("setrlimit", Some(limit)) => {
            let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
            let reason = || format!("the limit of open files is {hard}, and {limit} are needed");
            (limit > hard).then(|| (reason(), "raise it (ulimit -Hn)".to_owned()))
        }
        _ => None,
    }
}

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
