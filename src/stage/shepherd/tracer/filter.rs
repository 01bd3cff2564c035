//! The seccomp(2) filter that stops a program at the calls of the table, and at no other.

use std::{collections::BTreeMap, env::consts::ARCH};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::trace::TRACED;

/// What the kernel's filter language returns (seccomp(2)).
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
/// BPF_RET | BPF_K.
const RETURN: u16 = 0x06;

/// # Errors
/// In words: there is no such filter for this machine.
pub(super) fn filter() -> Result<BpfProgram, String> {
    let mut rules = BTreeMap::new();
    for call in TRACED {
        let only = call.only().iter().map(|value| {
            let condition =
                SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *value as u64)?;
            SeccompRule::new(vec![condition])
        });
        let only: Vec<SeccompRule> =
            only.collect::<Result<_, _>>().map_err(|error: seccompiler::BackendError| error.to_string())?;
        #[allow(clippy::useless_conversion, reason = "a long has 32 bits on some machines")]
        rules.extend(call.numbers.iter().map(|number| (i64::from(*number), only.clone())));
    }
    // As which a poll(2) goes on that was interrupted.
    rules.insert(libc::SYS_restart_syscall, vec![]);
    let arch = ARCH.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trace(0), arch);
    let mut program: BpfProgram =
        filter.and_then(TryInto::try_into).map_err(|error: seccompiler::BackendError| error.to_string())?;
    // A program of another architecture would be killed by it. It is let through, unseen.
    for instruction in &mut program {
        if instruction.code == RETURN && instruction.k == KILL {
            instruction.k = ALLOW;
        }
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_kills_nobody() {
        let program = filter().expect("there is one for this machine");
        assert!(program.iter().all(|it| it.code != RETURN || it.k != KILL));
        let traces = |it: &&seccompiler::sock_filter| it.code == RETURN && it.k == libc::SECCOMP_RET_TRACE;
        assert!(program.iter().filter(traces).count() > 0);
    }
}
