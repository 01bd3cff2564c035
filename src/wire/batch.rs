//! Stage to driver: batches of steps.

use std::io::Write;

use crate::outcome::{Access, Amount, Offer, Readiness, Stdio, offer_bytes, payload::MAX_STREAM};

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
    /// The same with position-coded bytes, which a driver that `codes` makes itself: decoding gives
    /// the `Write`.
    WriteCoded {
        channel: String,
        writer: usize,
        offer: Offer,
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
    /// Start a program. `words`: its path and its arguments; `env`: all of its variables.
    Spawn {
        child: String,
        /// Of its standard input, output and error.
        streams: [Stdio; 3],
        words: Vec<String>,
        env: Vec<String>,
    },
    Wait {
        child: String,
        nonblock: bool,
    },
    /// Hand over all of `payload`, if there is one; read everything; wait.
    Communicate {
        child: String,
        payload: Option<Vec<u8>>,
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
            | Order::WriteCoded { channel, .. }
            | Order::Flush { channel }
            | Order::Read { channel, .. }
            | Order::Close { channel }
            | Order::Await { channel, .. } => Some(channel),
            Order::Spawn { .. } | Order::Wait { .. } | Order::Communicate { .. } => None,
            Order::Sleep | Order::Spin | Order::Exit { .. } | Order::Call { .. } | Order::Reset => None,
        }
    }
}

/// Words of a write whose bytes the driver makes.
const NEWLINE: &str = "newline";
const WIDE: &str = "wide";

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
            Order::WriteCoded { channel, writer, offer } => {
                let Offer { offset, len, piece, newline, wide } = *offer;
                let _ = write!(body, "{id} write {channel} {len} {piece} {writer} {offset}");
                let form = [(newline, NEWLINE), (wide, WIDE)];
                form.iter().filter(|(has, _)| *has).for_each(|(_, word)| drop(write!(body, " {word}")));
                writeln!(body)
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
            Order::Spawn { child, streams: [stdin, stdout, stderr], words, env } => {
                let [stdin, stdout, stderr] = [stdin, stdout, stderr].map(|stream| stream.name());
                let length: usize = words.iter().chain(env).map(|word| word.len() + 1).sum();
                let count = words.len();
                writeln!(body, "{id} spawn {child} {stdin} {stdout} {stderr} {count} {length}")
            }
            Order::Wait { child, nonblock } => {
                writeln!(body, "{id} wait {child} {}", if *nonblock { "nonblock" } else { "block" })
            }
            Order::Communicate { child, payload: None } => writeln!(body, "{id} communicate {child} none"),
            Order::Communicate { child, payload: Some(payload) } => {
                writeln!(body, "{id} communicate {child} {}", payload.len())
            }
            Order::Sleep => writeln!(body, "{id} sleep"),
            Order::Spin => writeln!(body, "{id} spin"),
            Order::Exit { status } => writeln!(body, "{id} exit {status}"),
            Order::Reset => writeln!(body, "{id} reset"),
        };
        match order {
            Order::Write { payload, .. } | Order::Communicate { payload: Some(payload), .. } => {
                body.extend_from_slice(payload);
            }
            Order::Spawn { words, env, .. } => {
                for word in words.iter().chain(env) {
                    body.extend_from_slice(word.as_bytes());
                    body.push(0);
                }
            }
            _ => {}
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
            let payload = match args.next() {
                None => {
                    let payload = rest.get(..length)?.to_vec();
                    *rest = &rest[length..];
                    payload
                }
                Some(writer) => coded(writer, length as u64, piece, &mut args)?,
            };
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
        "spawn" => {
            let child = args.name()?;
            let mut stream = || Stdio::named(args.next()?);
            let streams = [stream()?, stream()?, stream()?];
            let count = number(args.next()?.as_bytes())? as usize;
            let length = number(args.next()?.as_bytes())? as usize;
            let text = std::str::from_utf8(rest.get(..length)?).ok()?;
            *rest = &rest[length..];
            let mut words: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
            let env = (count <= words.len()).then(|| words.split_off(count))?;
            Order::Spawn { child, streams, words, env }
        }
        "wait" => {
            let child = args.name()?;
            let nonblock = match args.next()? {
                "block" => false,
                "nonblock" => true,
                _ => return None,
            };
            Order::Wait { child, nonblock }
        }
        "communicate" => {
            let child = args.name()?;
            let payload = match args.next()? {
                "none" => None,
                length => {
                    let length = number(length.as_bytes())? as usize;
                    let payload = rest.get(..length)?.to_vec();
                    *rest = &rest[length..];
                    Some(payload)
                }
            };
            Order::Communicate { child, payload }
        }
        "sleep" => Order::Sleep,
        "spin" => Order::Spin,
        "reset" => Order::Reset,
        "exit" => Order::Exit { status: words.parse().ok()? },
        _ => return None,
    };
    Some((id, order))
}

/// The bytes of a write that says where in its writer's stream they stand.
fn coded(writer: &str, len: u64, piece: u64, args: &mut Words<'_>) -> Option<Vec<u8>> {
    let writer = number(writer.as_bytes())? as usize;
    let offset = number(args.next()?.as_bytes())?;
    (len <= MAX_STREAM).then_some(())?;
    let mut offer = Offer { offset, len, piece, newline: false, wide: false };
    for word in args {
        match word {
            NEWLINE => offer.newline = true,
            WIDE => offer.wide = true,
            _ => return None,
        }
    }
    Some(offer_bytes(writer, &offer))
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
            (
                name(),
                proptest::collection::vec("[ -~\n]{0,9}", 1..4),
                proptest::collection::vec("[A-Z]=x", 0..3)
            )
                .prop_map(|(child, words, env)| Order::Spawn {
                    child,
                    streams: [Stdio::Pipe, Stdio::Inherit, Stdio::Stdout],
                    words,
                    env
                }),
            (name(), any::<bool>()).prop_map(|(child, nonblock)| Order::Wait { child, nonblock }),
            (name(), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)))
                .prop_map(|(child, payload)| Order::Communicate { child, payload }),
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
        fn what_a_driver_codes_is_what_would_have_been_sent(
            writer in 0..300usize, offset in 0..5000u64, len in 0..500u64, piece in 1..600u64,
            newline: bool, wide: bool,
        ) {
            let offer = Offer { offset, len, piece, newline: newline && !wide, wide };
            let channel = "log".to_owned();
            let mut message = Vec::new();
            let order = Order::WriteCoded { channel: channel.clone(), writer, offer };
            let start = encode_batch(&[Step { id: 7, order }], &mut message);
            let head = start + message[start..].iter().position(|&byte| byte == b'\n').unwrap() + 1;
            let payload = offer_bytes(writer, &offer);
            let order = Order::Write { channel, piece, payload };
            prop_assert_eq!(decode_steps(&message[head..]).unwrap(), vec![Step { id: 7, order }]);
        }

        #[test]
        fn garbage_is_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_steps(&body);
        }
    }
}
