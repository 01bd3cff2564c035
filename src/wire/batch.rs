//! Stage to driver: batches of steps.

use std::io::Write;

use crate::outcome::{Access, Amount, Readiness};

use super::Malformed;

/// One step as it travels: what to do, on which channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Grows during a case; the answer carries it back.
    pub id: u64,
    pub order: Order,
}

/// What a driver is told to do. Sizes are bytes; channels go by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Open {
        channel: String,
        access: Access,
        nonblock: bool,
        path: String,
    },
    /// Hand `payload` to the runtime in calls of `piece` bytes.
    Write {
        channel: String,
        piece: u64,
        payload: Vec<u8>,
    },
    Flush {
        channel: String,
    },
    Read {
        channel: String,
        amount: Amount,
    },
    Close {
        channel: String,
    },
    Await {
        channel: String,
        readiness: Readiness,
    },
    Sleep,
    Spin,
    Exit {
        status: u8,
    },
    /// A system call on handles. Words hold no space; a payload is `LENGTH@WRITER:OFFSET` of
    /// position-coded bytes, which the driver makes itself.
    Call {
        call: String,
        words: Vec<String>,
    },
    /// The case is over: close all, drop all, and say whether anything was left.
    Reset,
}

impl Order {
    /// The channel that it works on.
    pub fn channel(&self) -> Option<&str> {
        match self {
            Order::Open { channel, .. }
            | Order::Write { channel, .. }
            | Order::Flush { channel }
            | Order::Read { channel, .. }
            | Order::Close { channel }
            | Order::Await { channel, .. } => Some(channel),
            Order::Sleep | Order::Spin | Order::Exit { .. } | Order::Call { .. } | Order::Reset => None,
        }
    }
}

/// More than the head of any batch has (bytes).
const HEAD: usize = 64;

/// Puts a whole batch into `body`, instead of what it held. Where it begins there.
pub fn encode_batch(steps: &[Step], body: &mut Vec<u8>) -> usize {
    body.clear();
    // Room for the head, whose length shows only at the end.
    body.resize(HEAD, 0);
    for Step { id, order } in steps {
        // Writing to memory doesn't fail.
        let _ = match order {
            Order::Open { channel, access, nonblock, path } => {
                let block = if *nonblock { "nonblock" } else { "block" };
                writeln!(body, "{id} open {channel} {} {block} {path}", access.name())
            }
            Order::Write { channel, piece, payload } => {
                writeln!(body, "{id} write {channel} {} {piece}", payload.len())
            }
            Order::Flush { channel } => writeln!(body, "{id} flush {channel}"),
            Order::Read { channel, amount: Amount::Bytes(bytes) } => {
                writeln!(body, "{id} read {channel} {bytes}")
            }
            Order::Read { channel, amount: Amount::Available } => {
                writeln!(body, "{id} read {channel} available")
            }
            Order::Read { channel, amount: Amount::ToEof } => writeln!(body, "{id} read {channel} to-eof"),
            Order::Close { channel } => writeln!(body, "{id} close {channel}"),
            Order::Await { channel, readiness: Readiness::Read } => {
                writeln!(body, "{id} await {channel} read")
            }
            Order::Await { channel, readiness: Readiness::Write } => {
                writeln!(body, "{id} await {channel} write")
            }
            Order::Call { call, words } => {
                let _ = write!(body, "{id} call {call}");
                words.iter().for_each(|word| drop(write!(body, " {word}")));
                writeln!(body)
            }
            Order::Sleep => writeln!(body, "{id} sleep"),
            Order::Spin => writeln!(body, "{id} spin"),
            Order::Exit { status } => writeln!(body, "{id} exit {status}"),
            Order::Reset => writeln!(body, "{id} reset"),
        };
        if let Order::Write { payload, .. } = order {
            body.extend_from_slice(payload);
        }
    }
    let head = format!("batch {} {}\n", steps.len(), body.len() - HEAD);
    let start = HEAD - head.len();
    body[start..HEAD].copy_from_slice(head.as_bytes());
    start
}

/// The steps in the body of a batch.
///
/// # Errors
/// A body that isn't of the form in `docs/wire.md`.
#[unsafe(link_section = "pipelab_actor")]
pub fn decode_steps(mut body: &[u8]) -> Result<Vec<Step>, Malformed> {
    let mut steps = Vec::with_capacity(1);
    while !body.is_empty() {
        let end =
            body.iter().position(|&byte| byte == b'\n').ok_or_else(|| malformed("no line feed", body))?;
        let line = std::str::from_utf8(&body[..end]).map_err(|_| malformed("not UTF-8", &body[..end]))?;
        body = &body[end + 1..];
        let (id, order) = decode_order(line, &mut body).ok_or_else(|| Malformed(format!("step `{line}`")))?;
        steps.push(Step { id, order });
    }
    Ok(steps)
}

/// A decimal number. Here, and no `parse`, which is code elsewhere.
#[inline(always)]
pub fn number(digits: &[u8]) -> Option<u64> {
    let append = |number: u64, &digit: &u8| {
        let value = digit.is_ascii_digit().then(|| digit - b'0')?;
        number.checked_mul(10)?.checked_add(value.into())
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, append) }
}

/// What is before and behind the first space.
#[inline(always)]
fn split_word(line: &str) -> Option<(&str, &str)> {
    let at = line.as_bytes().iter().position(|&byte| byte == b' ')?;
    Some((&line[..at], &line[at + 1..]))
}

/// Words with one space between two; what isn't taken yet.
struct Words<'line>(Option<&'line str>);

impl Words<'_> {
    /// A channel's name.
    #[inline(always)]
    fn name(&mut self) -> Option<String> {
        self.next().filter(|name| !name.is_empty()).map(str::to_owned)
    }
}

impl<'line> Iterator for Words<'line> {
    type Item = &'line str;

    #[inline(always)]
    fn next(&mut self) -> Option<&'line str> {
        let line = self.0?;
        let (word, rest) = split_word(line).map_or((line, None), |(word, rest)| (word, Some(rest)));
        self.0 = rest;
        Some(word)
    }
}

#[unsafe(link_section = "pipelab_actor")]
fn decode_order(line: &str, rest: &mut &[u8]) -> Option<(u64, Order)> {
    // Bytes: a search for a character is code elsewhere, which a fork pays for.
    let (id, words) = split_word(line)?;
    let id = number(id.as_bytes())?;
    let (verb, words) = split_word(words).unwrap_or((words, ""));
    let mut args = Words(Some(words));
    let order = match verb {
        "open" => {
            let channel = args.next()?.to_owned();
            let access = match args.next()? {
                "read" => Access::Read,
                "write" => Access::Write,
                "both" => Access::Both,
                _ => return None,
            };
            let nonblock = match args.next()? {
                "block" => false,
                "nonblock" => true,
                _ => return None,
            };
            Order::Open { channel, access, nonblock, path: args.0?.to_owned() }
        }
        "write" => {
            let channel = args.name()?;
            let length = number(args.next()?.as_bytes())? as usize;
            let piece = number(args.next()?.as_bytes())?;
            let payload = rest.get(..length)?.to_vec();
            *rest = &rest[length..];
            Order::Write { channel, piece, payload }
        }
        "flush" => Order::Flush { channel: args.name()? },
        "read" => {
            let channel = args.name()?;
            let amount = match args.next()? {
                "available" => Amount::Available,
                "to-eof" => Amount::ToEof,
                bytes => Amount::Bytes(number(bytes.as_bytes())?),
            };
            Order::Read { channel, amount }
        }
        "close" => Order::Close { channel: args.name()? },
        "await" => {
            let channel = args.name()?;
            let readiness = match args.next()? {
                "read" => Readiness::Read,
                "write" => Readiness::Write,
                _ => return None,
            };
            Order::Await { channel, readiness }
        }
        "call" => {
            let call = args.next().filter(|name| !name.is_empty())?.to_owned();
            Order::Call { call, words: args.map(str::to_owned).collect() }
        }
        "sleep" => Order::Sleep,
        "spin" => Order::Spin,
        "reset" => Order::Reset,
        "exit" => Order::Exit { status: words.parse().ok()? },
        _ => return None,
    };
    Some((id, order))
}

fn malformed(what: &str, bytes: &[u8]) -> Malformed {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
    Malformed(format!("{what} in `{shown}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order() -> impl Strategy<Value = Order> {
        let name = || "[a-z]{1,8}";
        prop_oneof![
            (name(), any::<bool>(), "/[ a-z/]{1,20}").prop_map(|(channel, nonblock, path)| Order::Open {
                channel,
                access: Access::Both,
                nonblock,
                path
            }),
            (name(), 1u64..9000, proptest::collection::vec(any::<u8>(), 0..300))
                .prop_map(|(channel, piece, payload)| Order::Write { channel, piece, payload }),
            name().prop_map(|channel| Order::Flush { channel }),
            (name(), any::<u64>())
                .prop_map(|(channel, bytes)| Order::Read { channel, amount: Amount::Bytes(bytes) }),
            name().prop_map(|channel| Order::Read { channel, amount: Amount::ToEof }),
            name().prop_map(|channel| Order::Await { channel, readiness: Readiness::Write }),
            (name(), proptest::collection::vec("[a-z0-9@:/]{1,9}", 0..5))
                .prop_map(|(call, words)| Order::Call { call, words }),
            Just(Order::Sleep),
            Just(Order::Reset),
            any::<u8>().prop_map(|status| Order::Exit { status }),
        ]
    }

    proptest! {
        #[test]
        fn a_batch_arrives_as_it_was_sent(orders in proptest::collection::vec(order(), 0..6)) {
            let steps: Vec<Step> =
                orders.into_iter().enumerate().map(|(id, order)| Step { id: id as u64, order }).collect();
            let mut message = Vec::new();
            let start = encode_batch(&steps, &mut message);
            let message = &message[start..];
            let head = message.iter().position(|&byte| byte == b'\n').unwrap() + 1;
            prop_assert_eq!(decode_steps(&message[head..]).unwrap(), steps);
        }

        #[test]
        fn garbage_is_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_steps(&body);
        }
    }
}
