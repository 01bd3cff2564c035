//! A stopped thread's call, changed: which register holds what is the machine's.

use nix::{errno::Errno, sys::ptrace, unistd::Pid};

use nix::sys::ptrace::regset::NT_PRSTATUS as General;

/// Sets an argument of the call that a thread is in (syscall(2), the calling conventions).
pub(super) fn set_argument(tid: i32, argument: usize, value: u64) -> Result<(), Errno> {
    change(tid, |registers| {
        #[cfg(target_arch = "x86_64")]
        match argument {
            0 => registers.rdi = value,
            1 => registers.rsi = value,
            2 => registers.rdx = value,
            3 => registers.r10 = value,
            4 => registers.r8 = value,
            _ => registers.r9 = value,
        }
        #[cfg(target_arch = "aarch64")]
        {
            registers.regs[argument] = value;
        }
    })
}

/// Sets what the call returns at whose exit a thread is stopped.
pub(super) fn set_result(tid: i32, result: i64) -> Result<(), Errno> {
    change(tid, |registers| {
        #[cfg(target_arch = "x86_64")]
        {
            registers.rax = result as u64;
        }
        #[cfg(target_arch = "aarch64")]
        {
            registers.regs[0] = result as u64;
        }
    })
}

/// Has the kernel skip the call that a thread is about to make, and return this instead:
/// call number -1 (seccomp(2), SECCOMP_RET_TRACE).
pub(super) fn skip(tid: i32, result: i64) -> Result<(), Errno> {
    #[cfg(target_arch = "aarch64")]
    {
        // The number isn't among the general registers there.
        let mut number: i32 = -1;
        let mut part = libc::iovec { iov_base: (&raw mut number).cast(), iov_len: size_of::<i32>() };
        const NT_ARM_SYSTEM_CALL: usize = 0x404;
        const PTRACE_SETREGSET: libc::c_uint = 0x4205;
        // SAFETY: the kernel reads one iovec and the four bytes that it names.
        unsafe {
            super::ptrace::ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, (&raw mut part) as usize)
        }?;
    }
    change(tid, |registers| {
        #[cfg(target_arch = "x86_64")]
        {
            registers.orig_rax = u64::MAX;
            registers.rax = result as u64;
        }
        #[cfg(target_arch = "aarch64")]
        {
            registers.regs[0] = result as u64;
        }
    })
}

fn change(tid: i32, change: impl FnOnce(&mut libc::user_regs_struct)) -> Result<(), Errno> {
    let tid = Pid::from_raw(tid);
    let mut registers = ptrace::getregset::<General>(tid)?;
    change(&mut registers);
    ptrace::setregset::<General>(tid, registers)
}
