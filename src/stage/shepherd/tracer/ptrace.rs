//! ptrace(2), as far as the tracer needs what nix has no function for: signals beyond
//! those with names, PTRACE_LISTEN, PTRACE_GET_SYSCALL_INFO on every C library.

use nix::errno::Errno;

/// `struct ptrace_syscall_info` (kernel `include/uapi/linux/ptrace.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct SyscallInfo {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    /// Of an entry: number and arguments; of an exit: the result.
    body: [u64; 8],
}

const PTRACE_GET_SYSCALL_INFO: libc::c_uint = 0x420e;
const PTRACE_LISTEN: libc::c_uint = 0x4208;
/// `PTRACE_SYSCALL_INFO_EXIT`, `PTRACE_SYSCALL_INFO_SECCOMP`.
const EXIT: u8 = 2;
const SECCOMP: u8 = 3;

/// How a stopped thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// To the next event.
    On,
    /// To the exit of the call that it is in.
    ToExit,
    /// It stays stopped, as job control has it, and events are told (`PTRACE_LISTEN`).
    Listening,
}

/// Lets a thread go on, with a signal if that isn't 0. One that was killed is gone.
pub(super) fn resume(tid: i32, how: Resume, signal: i32) {
    let request = match how {
        Resume::On => libc::PTRACE_CONT as libc::c_uint,
        Resume::ToExit => libc::PTRACE_SYSCALL as libc::c_uint,
        Resume::Listening => PTRACE_LISTEN,
    };
    // SAFETY: takes numbers.
    let _ = unsafe { ptrace(request, tid, 0, signal as usize) };
}

/// The call at whose entry a thread was stopped by the filter: number and arguments.
pub(super) fn entry(tid: i32) -> Result<(u64, [u64; 6]), Errno> {
    let info = syscall_info(tid)?;
    let [number, args @ .., _] = info.body;
    if info.op == SECCOMP { Ok((number, args)) } else { Err(Errno::EINVAL) }
}

/// What the call returns at whose exit a thread is stopped.
pub(super) fn result(tid: i32) -> Result<i64, Errno> {
    let info = syscall_info(tid)?;
    if info.op == EXIT { Ok(info.body[0] as i64) } else { Err(Errno::EINVAL) }
}

fn syscall_info(tid: i32) -> Result<SyscallInfo, Errno> {
    let mut info = SyscallInfo::default();
    let size = size_of::<SyscallInfo>();
    // SAFETY: the kernel writes at most `size` bytes.
    unsafe { ptrace(PTRACE_GET_SYSCALL_INFO, tid, size, (&raw mut info) as usize) }.map(|_| info)
}

/// # Safety
/// As the request takes its arguments.
pub(super) unsafe fn ptrace(
    request: libc::c_uint,
    tid: i32,
    address: usize,
    data: usize,
) -> Result<i64, Errno> {
    // SAFETY: the caller's. By syscall(2), since the C libraries differ in their prototype.
    Errno::result(unsafe { libc::syscall(libc::SYS_ptrace, request as libc::c_long, tid, address, data) })
}
