//! Driver to stage: the greeting, and one answer a step.

use std::{collections::BTreeMap, io::Write};

use super::{Malformed, VERSION};
use crate::outcome::Layer;

/// The first line a driver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Name of the runtime (`cpython`).
    pub runtime: String,
    /// Its version (`3.13.0`).
    pub version: String,
    /// Its own sizes in bytes (`buffer`, `chunk`).
    pub symbols: BTreeMap<String, u64>,
    pub abilities: Abilities,
}

/// What a driver can do beyond the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Its answers say what is queued (`queued=`), so that steps may come in batches.
    pub counts: bool,
    /// It knows `reset`, so that its process can serve more than one case.
    pub resets: bool,
    /// Once its channels are closed it keeps nothing, so that there is nothing to reset.
    pub forgets: bool,
    /// Its runtime reads what its children say before a step asks for it, and closes their
    /// streams when they end.
    pub ahead: bool,
    /// It makes position-coded bytes itself.
    pub codes: bool,
}

impl Abilities {
    /// All of a driver that does nothing but its steps.
    pub const ALL: Abilities =
        Abilities { counts: true, resets: true, forgets: true, ahead: false, codes: true };

    /// Takes a word of the greeting; false if it isn't one of these.
    fn take(&mut self, word: &str) -> bool {
        match word {
            "counts" => self.counts = true,
            "resets" => self.resets = true,
            "forgets" => self.forgets = true,
            "ahead" => self.ahead = true,
            "codes" => self.codes = true,
            _ => return false,
        }
        true
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.counts, "counts"),
            (self.resets, "resets"),
            (self.forgets, "forgets"),
            (self.ahead, "ahead"),
            (self.codes, "codes"),
        ];
        all.into_iter().filter(|(has, _)| *has).map(|(_, word)| word)
    }
}

impl Hello {
    pub fn encode(&self) -> Vec<u8> {
        let mut line = format!("hello {VERSION} {} {}", self.runtime, self.version);
        for (name, bytes) in &self.symbols {
            line.push_str(&format!(" {name}={bytes}"));
        }
        for word in self.abilities.words() {
            line.push_str(&format!(" {word}"));
        }
        line.push('\n');
        line.into_bytes()
    }

    /// Reads the greeting, with or without its line feed.
    ///
    /// # Errors
    /// What is wrong with it, in words for the driver's author.
    pub fn decode(line: &str) -> Result<Hello, Malformed> {
        let mut words = line.trim_end_matches('\n').split(' ');
        let (Some("hello"), Some(protocol), Some(runtime), Some(version)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Malformed(format!("expected `hello {VERSION} RUNTIME VERSION`, got {line:?}")));
        };
        if protocol != VERSION.to_string() {
            return Err(Malformed(format!("it speaks version {protocol} of the protocol, not {VERSION}")));
        }
        let mut abilities = Abilities::default();
        let symbols = words
            .filter(|word| !abilities.take(word))
            .map(|word| {
                let (name, bytes) = word.split_once('=')?;
                Some((name.to_owned(), bytes.parse().ok()?))
            })
            .collect::<Option<_>>()
            .ok_or_else(|| Malformed(format!("expected NAME=BYTES after the version, got {line:?}")))?;
        Ok(Hello { runtime: runtime.to_owned(), version: version.to_owned(), symbols, abilities })
    }
}

/// What a driver says of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub id: u64,
    pub reply: Reply,
    /// Bytes queued on the step's channel right after the call, as the driver's own
    /// descriptor tells (FIONREAD).
    pub queued: Option<u64>,
    /// What the layers of the runtime hold back for the step's channel right after the
    /// call, the outermost first, if the mode says `layers`.
    pub held: Option<Vec<Layer>>,
}

/// The forms of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `fd`: the descriptor that an open gave; `bytes`: what a write accepted.
    Ok {
        fd: Option<i32>,
        bytes: Option<u64>,
    },
    /// A call succeeded.
    Said {
        /// What it moved, or the number that it gave.
        bytes: Option<u64>,
        /// The descriptors of the handles that it made, in their order.
        made: Vec<i32>,
        /// What else it said; no word holds a space or a comma.
        words: Vec<String>,
        /// What it received.
        data: Vec<u8>,
    },
    /// A read's bytes.
    Data(Vec<u8>),
    Eof,
    Fail {
        /// Symbolic errno, or `-`.
        errno: String,
        /// The runtime's own name for the error.
        error: Option<String>,
        message: String,
        /// Bytes that a write accepted before it failed.
        bytes: u64,
        /// Bytes that a read got before it failed.
        data: Vec<u8>,
    },
    Unsupported,
}

impl Reply {
    /// A plain success.
    pub const DONE: Reply = Reply::Ok { fd: None, bytes: None };
}

impl Answer {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_to(&mut out);
        out
    }

    /// Appends its bytes. By hand as far as every answer goes: formatting is spread
    /// over much code, and a fork pays for each stretch of code that it touches.
    // SAFETY: a section of its own keeps together what an actor runs.
    #[unsafe(link_section = "pipelab_actor")]
    pub fn encode_to(&self, out: &mut Vec<u8>) {
        push(out, "", self.id);
        match &self.reply {
            Reply::Ok { fd, bytes } => {
                out.extend_from_slice(b" ok");
                match *fd {
                    Some(fd) if fd < 0 => drop(write!(out, " fd={fd}")),
                    Some(fd) => push(out, " fd=", fd as u64),
                    None => {}
                }
                if let Some(bytes) = *bytes {
                    push(out, " bytes=", bytes);
                }
                self.push_state(out);
                out.push(b'\n');
            }
            Reply::Said { bytes, made, words, data } => {
                out.extend_from_slice(b" said");
                if let Some(bytes) = *bytes {
                    push(out, " bytes=", bytes);
                }
                if !made.is_empty() {
                    let made: Vec<String> = made.iter().map(i32::to_string).collect();
                    let _ = write!(out, " made={}", made.join(","));
                }
                if !words.is_empty() {
                    let _ = write!(out, " words={}", words.join(","));
                }
                if !data.is_empty() {
                    push(out, " data=", data.len() as u64);
                }
                out.push(b'\n');
                out.extend_from_slice(data);
            }
            Reply::Data(data) => {
                push(out, " ok data=", data.len() as u64);
                self.push_state(out);
                out.push(b'\n');
                out.extend_from_slice(data);
            }
            Reply::Eof => {
                out.extend_from_slice(b" eof");
                self.push_state(out);
                out.push(b'\n');
            }
            Reply::Fail { errno, error, message, bytes, data } => {
                out.extend_from_slice(b" fail ");
                out.extend_from_slice(errno.as_bytes());
                match data.len() {
                    0 => push(out, " bytes=", *bytes),
                    length => push(out, " data=", length as u64),
                }
                if let Some(name) = error {
                    out.extend_from_slice(b" error=");
                    out.extend_from_slice(name.as_bytes());
                }
                self.push_state(out);
                out.extend_from_slice(b" message=");
                out.extend(message.bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
                out.push(b'\n');
                out.extend_from_slice(data);
            }
            Reply::Unsupported => out.extend_from_slice(b" unsupported\n"),
        }
    }

    #[inline(always)]
    fn push_state(&self, out: &mut Vec<u8>) {
        if let Some(bytes) = self.queued {
            push(out, " queued=", bytes);
        }
        for (at, layer) in self.held.iter().flatten().enumerate() {
            // Writing to memory doesn't fail.
            let _ = write!(out, "{}{layer}", if at == 0 { " held=" } else { "," });
        }
    }

    /// Reads an answer's line, without its line feed. Its data, if it announces
    /// any, is left empty; the second value says how many bytes follow.
    ///
    /// # Errors
    /// Another form.
    pub fn decode(line: &str) -> Result<(Answer, usize), Malformed> {
        decode(line).ok_or_else(|| Malformed(format!("answer `{line}`")))
    }
}

/// Appends a word and a number.
// SAFETY: a section of its own keeps together what an actor runs.
#[unsafe(link_section = "pipelab_actor")]
fn push(out: &mut Vec<u8>, word: &str, number: u64) {
    out.extend_from_slice(word.as_bytes());
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn decode(line: &str) -> Option<(Answer, usize)> {
    let (id, line) = line.split_once(' ')?;
    let id = id.parse().ok()?;
    let failed = line.starts_with("fail ");
    let (line, message) = match failed.then(|| line.split_once(" message=")).flatten() {
        Some((line, message)) => (line, message.to_owned()),
        None => (line, String::new()),
    };
    let mut words = line.split(' ');
    let kind = words.next()?;
    let errno = if kind == "fail" { words.next()?.to_owned() } else { String::new() };
    let (mut fd, mut bytes, mut data, mut error) = (None, None, None, None);
    let (mut queued, mut held) = (None, None);
    let (mut made, mut said) = (Vec::new(), Vec::new());
    for word in words {
        match word.split_once('=')? {
            ("fd", number) => fd = Some(number.parse().ok()?),
            ("bytes", count) => bytes = Some(count.parse().ok()?),
            ("data", count) => data = Some(count.parse().ok()?),
            ("error", name) => error = Some(name.to_owned()),
            ("made", list) => made = list.split(',').map(str::parse).collect::<Result<_, _>>().ok()?,
            ("words", list) => said = list.split(',').map(str::to_owned).collect(),
            ("queued", count) => queued = Some(count.parse().ok()?),
            ("held", layers) => held = Some(Layer::list(layers)?),
            _ => return None,
        }
    }
    let reply = match kind {
        "said" => Reply::Said { bytes, made, words: said, data: Vec::new() },
        "ok" if data.is_some() => Reply::Data(Vec::new()),
        "ok" => Reply::Ok { fd, bytes },
        "eof" => Reply::Eof,
        "fail" => Reply::Fail { errno, error, message, bytes: bytes.unwrap_or(0), data: Vec::new() },
        "unsupported" => Reply::Unsupported,
        _ => return None,
    };
    Some((Answer { id, reply, queued, held }, data.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_errno_name_and_message() {
        let answer = Answer {
            id: 8,
            reply: Reply::Fail {
                errno: "EPIPE".into(),
                error: Some("BrokenPipeError".into()),
                message: "[Errno 32] Broken pipe, error=none".into(),
                bytes: 0,
                data: vec![],
            },
            queued: Some(4096),
            held: Some(vec![Layer::new("text", None), Layer::new("buffer", Some(4097))]),
        };
        let line = String::from_utf8(answer.encode()).unwrap();
        assert_eq!(Answer::decode(line.trim_end()), Ok((answer, 0)));
    }

    #[test]
    fn layers_that_arent_of_the_form_are_malformed() {
        for layers in ["", "buffer", "buffer:", "buffer:-1", ":5", "text:1,", "text:1;buffer:2"] {
            let line = format!("3 ok held={layers}");
            assert_eq!(Answer::decode(&line), Err(Malformed(format!("answer `{line}`"))));
        }
        let held = |line| Answer::decode(line).unwrap().0.held;
        assert_eq!(held("3 ok bytes=1 held=buffer:0"), Some(vec![Layer::new("buffer", Some(0))]));
        assert_eq!(held("3 ok bytes=1"), None, "nobody said that it was nothing");
    }

    #[test]
    fn a_greeting_names_runtime_version_and_sizes() {
        let hello = Hello::decode("hello 1 cpython 3.6.15 buffer=8192 chunk=4096 resets\n").unwrap();
        assert_eq!((hello.runtime.as_str(), hello.version.as_str()), ("cpython", "3.6.15"));
        assert_eq!(hello.symbols["chunk"], 4096);
        assert_eq!(hello.abilities, Abilities { resets: true, ..Abilities::default() });
        assert_eq!(Hello::decode(&String::from_utf8(hello.encode()).unwrap()), Ok(hello));
    }

    #[test]
    fn any_other_greeting_is_refused_with_the_reason() {
        let refused = |line| Hello::decode(line).unwrap_err().to_string();
        assert!(refused("Python 3.6.15").contains("expected `hello"));
        assert!(refused("hello 2 cpython 3.20.0").contains("version 2"));
        assert!(refused("hello 1 cpython 3.6.15 buffer").contains("NAME=BYTES"));
        assert!(refused("hello 1 cpython 3.6.15 buffer=big").contains("NAME=BYTES"));
    }
}
