//! What the stage and a driver say to each other, over a stream socket that the
//! driver finds as descriptor 3. `docs/wire.md` says the same to authors of
//! drivers.

mod answer;
mod batch;
mod inbox;

pub use answer::{Abilities, Answer, Hello, Reply};
pub use batch::{Order, Step, decode_steps, encode_batch, number};
pub use inbox::{Inbox, Message};

/// The version of the protocol, in the greeting.
pub const VERSION: u32 = 1;

/// The descriptor on which a driver finds its end of the control socket.
pub const CONTROL_FD: i32 = 3;

/// A message that isn't of the protocol's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "not a message of wire version {VERSION}: {}", self.0)
    }
}

impl std::error::Error for Malformed {}
