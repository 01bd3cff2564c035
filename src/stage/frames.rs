//! Values over the socket between runner and stage: each its length in 4 bytes,
//! then postcard. Several lie in a buffer on both sides, so that a case costs no
//! system call of its own.

use std::{
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{MsgFlags, recv, send},
};
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of a length.
const HEAD: usize = 4;

/// Bytes received at once.
const GULP: usize = 256 * 1024;

/// One end of the socket, with what has come and what is to go.
#[derive(Debug)]
pub(super) struct Frames {
    socket: UnixStream,
    incoming: Vec<u8>,
    /// Of `incoming`: what has been taken, and what has come.
    taken: usize,
    come: usize,
    outgoing: Vec<u8>,
    sent: usize,
}

impl Frames {
    pub(super) fn new(socket: UnixStream) -> Frames {
        Frames { socket, incoming: Vec::new(), taken: 0, come: 0, outgoing: Vec::new(), sent: 0 }
    }

    /// Adds a value to what is to go.
    pub(super) fn push(&mut self, value: &impl Serialize) -> io::Result<()> {
        let start = self.outgoing.len();
        let mut bytes = std::mem::take(&mut self.outgoing);
        bytes.extend_from_slice(&[0; HEAD]);
        self.outgoing = postcard::to_extend(value, bytes).map_err(io::Error::other)?;
        let length = u32::try_from(self.outgoing.len() - start - HEAD).map_err(io::Error::other)?;
        self.outgoing[start..start + HEAD].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }

    /// Bytes that are to go.
    pub(super) fn unsent(&self) -> usize {
        self.outgoing.len() - self.sent
    }

    /// Sends what the socket has room for now.
    pub(super) fn send_some(&mut self) -> io::Result<()> {
        self.send(MsgFlags::MSG_DONTWAIT)
    }

    /// Sends all.
    pub(super) fn send_all(&mut self) -> io::Result<()> {
        self.send(MsgFlags::empty())
    }

    fn send(&mut self, flags: MsgFlags) -> io::Result<()> {
        while self.unsent() > 0 {
            let rest = &self.outgoing[self.sent..];
            match send(self.socket.as_raw_fd(), rest, flags | MsgFlags::MSG_NOSIGNAL) {
                Ok(sent) => self.sent += sent,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        Ok(())
    }

    /// The next value that has come whole.
    pub(super) fn take<Value: DeserializeOwned>(&mut self) -> io::Result<Option<Value>> {
        let waiting = &self.incoming[self.taken..self.come];
        let Some((head, rest)) = waiting.split_first_chunk::<HEAD>() else { return Ok(None) };
        let Some(body) = rest.get(..u32::from_le_bytes(*head) as usize) else { return Ok(None) };
        let value = postcard::from_bytes(body).map_err(io::Error::other)?;
        self.taken += HEAD + body.len();
        Ok(Some(value))
    }

    /// Receives some; false at end of file. Sends the rest of what was begun, so that
    /// two sides that both have much to say don't wait for each other.
    pub(super) fn receive(&mut self) -> io::Result<bool> {
        loop {
            let mut events = PollFlags::POLLIN;
            if self.sent > 0 {
                self.send_some()?;
                if self.unsent() > 0 {
                    events |= PollFlags::POLLOUT;
                }
            }
            if let Some(open) = self.receive_some()? {
                return Ok(open);
            }
            let _ = poll(&mut [PollFd::new(self.socket.as_fd(), events)], PollTimeout::NONE);
        }
    }

    /// Receives what is there: nothing is `None`, end of file `false`.
    pub(super) fn receive_some(&mut self) -> io::Result<Option<bool>> {
        self.incoming.copy_within(self.taken..self.come, 0);
        self.come -= self.taken;
        self.taken = 0;
        let wanted = self.come + GULP;
        if self.incoming.len() < wanted {
            // Zeroed by the system as it is touched: in the stage, every page that was is
            // copied to each fork.
            let mut longer = vec![0; wanted.next_power_of_two()];
            longer[..self.come].copy_from_slice(&self.incoming[..self.come]);
            self.incoming = longer;
        }
        loop {
            let room = &mut self.incoming[self.come..];
            match recv(self.socket.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Ok(Some(false)),
                Ok(length) => {
                    self.come += length;
                    return Ok(Some(true));
                }
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Frames {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_in_order_and_whole() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut ours, mut theirs) = (Frames::new(ours), Frames::new(theirs));
        let values: Vec<Vec<u8>> = (0..50).map(|n| vec![n; n as usize * 100]).collect();
        for value in &values {
            ours.push(value).unwrap();
        }
        let mut seen: Vec<Vec<u8>> = Vec::new();
        while seen.len() < values.len() {
            ours.send_some().unwrap();
            match theirs.take().unwrap() {
                Some(value) => seen.push(value),
                None => assert!(theirs.receive().unwrap()),
            }
        }
        assert_eq!(seen, values);
        drop(ours);
        assert!(!theirs.receive().unwrap(), "end of file");
    }

    #[test]
    fn two_sides_with_much_to_say_dont_wait_for_each_other() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let much = vec![7u8; 4 << 20];
        let talk = |socket: UnixStream, much: Vec<u8>| {
            let mut frames = Frames::new(socket);
            frames.push(&much).unwrap();
            frames.send_some().unwrap();
            loop {
                if let Some(value) = frames.take::<Vec<u8>>().unwrap() {
                    frames.send_all().unwrap();
                    return value.len();
                }
                frames.receive().unwrap();
            }
        };
        let other = std::thread::spawn({
            let much = much.clone();
            move || talk(theirs, much)
        });
        assert_eq!((talk(ours, much), other.join().unwrap()), (4 << 20, 4 << 20));
    }
}
