//! The loop of a built-in driver: take a batch, carry its steps out, answer.

use std::{
    io::IoSlice,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{ControlMessage, MsgFlags, send, sendmsg},
};

use super::{Builtin, call, failed, not_open, raw, receive_more};
use crate::{
    outcome::Readiness,
    wire::{Answer, Order, Reply, Step, decode_steps, number},
};

/// Longer than any case: what `sleep` sleeps.
const LONG: Duration = Duration::from_secs(100 * 24 * 3600);

/// Bytes taken from the control socket at once.
const GULP: usize = 8 * 1024;

/// More than most answers have without their data (bytes).
const LINE: usize = 128;

/// An `await` that hasn't been answered.
struct Watch {
    id: u64,
    channel: String,
    descriptor: i32,
    readiness: Readiness,
}

/// Takes orders over the descriptor `control`, as long as they come.
#[unsafe(link_section = "pipelab_actor")]
pub(super) fn serve(driver: &mut dyn Builtin, control: i32, greeting: &[u8]) -> ! {
    say(control, greeting);
    let mut watches: Vec<Watch> = Vec::new();
    let mut orders = Orders::over(control);
    let mut answer = Vec::with_capacity(LINE);
    loop {
        if !watches.is_empty() && orders.is_empty() && !wait_for_orders(control, &mut watches) {
            continue;
        }
        for Step { id, order } in orders.receive() {
            let channel = order.channel().map(str::to_owned);
            let mut attached = None;
            let reply = match order {
                Order::Call { call, words } if !driver.makes_calls() => {
                    let (reply, fd) = call::carry_out_beside(driver, &call, &words);
                    attached = fd;
                    reply
                }
                Order::Await { .. } if !driver.has_event_loop() => Reply::Unsupported,
                Order::Await { channel, readiness } => match driver.descriptor(&channel) {
                    Some(descriptor) => {
                        watches.push(Watch { id, channel, descriptor, readiness });
                        continue;
                    }
                    None => not_open(&channel),
                },
                Order::Exit { status } => driver.exit(status),
                Order::Sleep => loop {
                    std::thread::sleep(LONG);
                },
                Order::Spin => loop {
                    std::hint::spin_loop();
                },
                Order::Reset => driver.reset(),
                order => {
                    if let Order::Close { channel } = &order {
                        give_up(control, &mut watches, channel);
                    }
                    driver.carry_out(order)
                }
            };
            let held = channel.as_deref().and_then(|channel| driver.held(channel));
            let descriptor = channel.and_then(|channel| driver.descriptor(&channel));
            let queued = descriptor.and_then(|fd| raw::queued(fd).ok()).map(|bytes| bytes as u64);
            answer.clear();
            Answer { id, reply, queued, held }.encode_to(&mut answer);
            match attached.or_else(|| driver.attached()) {
                None => say(control, &answer),
                Some(fd) => say_with(control, &answer, &fd),
            }
        }
    }
}

/// Nothing can become ready on a descriptor that is about to be closed.
fn give_up(control: i32, watches: &mut Vec<Watch>, channel: &str) {
    for watch in watches.extract_if(.., |watch| watch.channel == channel) {
        let reply = failed(Errno::EBADF, None, 0, vec![]);
        say(control, &Answer { id: watch.id, reply, queued: None, held: None }.encode());
    }
}

/// Waits for a batch or for a watched channel; answers the watches that came
/// true. True if a batch waits.
fn wait_for_orders(control: i32, watches: &mut Vec<Watch>) -> bool {
    // SAFETY: the control socket stays open as long as orders are taken, and a
    // watched descriptor that was closed meanwhile only makes poll say NVAL.
    let borrow = |fd: i32| unsafe { BorrowedFd::borrow_raw(fd) };
    let mut polled = vec![PollFd::new(borrow(control), PollFlags::POLLIN)];
    polled.extend(watches.iter().map(|watch| {
        let events = match watch.readiness {
            Readiness::Read => PollFlags::POLLIN,
            Readiness::Write => PollFlags::POLLOUT,
        };
        PollFd::new(borrow(watch.descriptor), events)
    }));
    if poll(&mut polled, PollTimeout::NONE).is_err() {
        return false;
    }
    let fired: Vec<bool> = polled.iter().map(|fd| fd.any().unwrap_or(false)).collect();
    for (watch, _) in watches.iter().zip(&fired[1..]).filter(|(_, fired)| **fired) {
        say(control, &Answer { id: watch.id, reply: Reply::DONE, queued: None, held: None }.encode());
    }
    let mut ready = fired[1..].iter();
    watches.retain(|_| !ready.next().expect("one for each watch"));
    fired[0]
}

/// What came over the control socket and hasn't been carried out.
pub(crate) struct Orders {
    control: i32,
    taken: Vec<u8>,
}

impl Orders {
    /// Those that come over this descriptor.
    pub(crate) fn over(control: i32) -> Orders {
        Orders { control, taken: Vec::with_capacity(GULP) }
    }

    fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// The next batch. Ends the process at end of file: the stage is gone or wants
    /// no more.
    #[unsafe(link_section = "pipelab_actor")]
    pub(crate) fn receive(&mut self) -> Vec<Step> {
        loop {
            let batch = self.batch();
            if let Some((start, end)) = batch
                && end <= self.taken.len()
            {
                let steps = decode_steps(&self.taken[start..end]).unwrap_or_else(|_| leave(72));
                self.taken.drain(..end);
                return steps;
            }
            let room = batch.map_or(0, |(_, end)| end - self.taken.len()).max(GULP);
            match receive_more(self.control, &mut self.taken, room) {
                Ok(0) => leave(0),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => leave(71),
            }
        }
    }

    /// Where the body of the first batch starts and ends, once its head is here.
    #[unsafe(link_section = "pipelab_actor")]
    fn batch(&self) -> Option<(usize, usize)> {
        let start = self.taken.iter().position(|&byte| byte == b'\n')? + 1;
        let line = &self.taken[..start - 1];
        let word = line.iter().rposition(|&byte| byte == b' ').map_or(0, |space| space + 1);
        let length = number(&line[word..]).unwrap_or_else(|| leave(72));
        Some((start, start + length as usize))
    }
}

/// Sends a whole message.
#[unsafe(link_section = "pipelab_actor")]
pub(crate) fn say(control: i32, mut message: &[u8]) {
    while !message.is_empty() {
        match send(control, message, MsgFlags::MSG_NOSIGNAL) {
            Ok(sent) => message = &message[sent..],
            Err(Errno::EINTR) => {}
            Err(_) => leave(71),
        }
    }
}

/// Sends a short message, and a descriptor with it.
fn say_with(control: i32, message: &[u8], fd: &OwnedFd) {
    let (bytes, fds) = ([IoSlice::new(message)], [fd.as_raw_fd()]);
    let rights = [ControlMessage::ScmRights(&fds)];
    match sendmsg::<()>(control, &bytes, &rights, MsgFlags::MSG_NOSIGNAL, None) {
        Ok(sent) => say(control, &message[sent..]),
        Err(_) => leave(71),
    }
}

/// Ends the process at once, without any runtime's flushing.
#[unsafe(link_section = "pipelab_actor")]
pub(crate) fn leave(status: i32) -> ! {
    // SAFETY: _exit takes any status and doesn't return.
    unsafe { libc::_exit(status) }
}
