//! Puts a driver's bytes together to messages, however they were cut on the way.

use super::{Answer, Hello, Malformed, Reply};

/// A line of an answer, or of the greeting, may not be longer than this (bytes).
const LONGEST_LINE: usize = 64 * 1024;

/// The largest payload of one answer that is taken (bytes).
const LARGEST_DATA: usize = 1 << 30;

/// What a driver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Hello(Hello),
    Answer(Answer),
}

/// Bytes that came from one driver and aren't a whole message yet.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Start of what hasn't been taken.
    start: usize,
}

impl Inbox {
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Nothing has come that wasn't taken.
    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// What came isn't of the protocol's form.
    pub fn take(&mut self) -> Result<Option<Message>, Malformed> {
        let waiting = &self.bytes[self.start..];
        let Some(end) = waiting.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n') else {
            if waiting.len() >= LONGEST_LINE {
                return Err(Malformed("a line without end".into()));
            }
            return Ok(None);
        };
        let line = String::from_utf8_lossy(&waiting[..end]);
        if line.starts_with("hello ") {
            let hello = Hello::decode(&line)?;
            self.start += end + 1;
            return Ok(Some(Message::Hello(hello)));
        }
        let (mut answer, length) = Answer::decode(&line)?;
        if length > LARGEST_DATA {
            return Err(Malformed(format!("an answer of {length} bytes")));
        }
        let Some(payload) = waiting.get(end + 1..end + 1 + length) else { return Ok(None) };
        match &mut answer.reply {
            Reply::Data(data) | Reply::Fail { data, .. } | Reply::Said { data, .. } => {
                data.extend_from_slice(payload)
            }
            _ if length > 0 => return Err(Malformed(format!("data with `{line}`"))),
            _ => {}
        }
        self.start += end + 1 + length;
        Ok(Some(Message::Answer(answer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn messages_survive_any_cut(data in proptest::collection::vec(any::<u8>(), 0..200), cut in 1usize..40) {
            let answers = [
                Answer { id: 1, reply: Reply::Data(data), queued: None, held: None },
                Answer { id: 2, reply: Reply::Ok { fd: Some(5), bytes: None }, queued: Some(7), held: None },
                Answer { id: 3, reply: Reply::Eof, queued: None, held: None },
            ];
            let stream: Vec<u8> = answers.iter().flat_map(Answer::encode).collect();
            let mut inbox = Inbox::default();
            let mut seen = Vec::new();
            for piece in stream.chunks(cut) {
                inbox.push(piece);
                while let Some(message) = inbox.take().unwrap() {
                    seen.push(message);
                }
            }
            prop_assert_eq!(seen, answers.map(Message::Answer));
        }

        #[test]
        fn garbage_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut inbox = Inbox::default();
            inbox.push(&bytes);
            while let Ok(Some(_)) = inbox.take() {}
        }
    }
}
