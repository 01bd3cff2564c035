//! Places in the delivered data that identify themselves.

use super::{
    super::source::Source,
    matching::{common_prefix, common_suffix},
};
use crate::outcome::payload::{self, WIDE, WORD};

/// Words with more line feeds than this aren't decoded: each costs a factor of 8.
const FEEDS: usize = 2;
/// How many bytes are looked for where line feeds leave no words, and how often
/// at most in one trace.
const WINDOW: usize = 24;
const SEARCHES: usize = 64;

/// A place that identifies itself: the data from `at` on comes from there.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    pub at: usize,
    pub source: usize,
    pub position: usize,
}

/// Finds anchors, and remembers the last.
pub struct Anchors<'a> {
    sources: &'a [Source],
    data: &'a [u8],
    /// From here up to the anchor there is no other.
    from: usize,
    found: Option<Anchor>,
    searches: usize,
}

impl<'a> Anchors<'a> {
    pub fn new(sources: &'a [Source], data: &'a [u8]) -> Anchors<'a> {
        Anchors { sources, data, from: usize::MAX, found: None, searches: SEARCHES }
    }

    /// The first word at or after `from`, drawn out to the left as far as its
    /// source agrees, but not beyond `from`.
    pub fn next(&mut self, from: usize) -> Option<Anchor> {
        let remembered = self.from <= from && self.found.is_none_or(|anchor| anchor.at >= from);
        if !remembered {
            self.found = self.look(from);
            self.from = from;
        }
        let anchor = self.found?;
        let source = &self.sources[anchor.source].bytes;
        let back = common_suffix(&source[..anchor.position], &self.data[from..anchor.at]);
        Some(Anchor { at: anchor.at - back, position: anchor.position - back, ..anchor })
    }

    fn look(&mut self, from: usize) -> Option<Anchor> {
        let dense = self.sources.iter().any(|source| source.dense);
        for at in from..self.data.len() {
            if let Some(anchor) = self.word(at) {
                return Some(anchor);
            }
            // Words first, near by; then the slow way.
            if dense && at == from + 2 * WORD && self.searches > 0 {
                self.searches -= 1;
                if let Some(anchor) = self.window(from, at) {
                    return Some(anchor);
                }
            }
        }
        None
    }

    /// The word at `at`, if it is one that somebody sent.
    fn word(&self, at: usize) -> Option<Anchor> {
        if self.data[at] >= 0x80 {
            return self.wide_word(at);
        }
        let bytes: &[u8; WORD] = self.data.get(at..at + WORD)?.try_into().ok()?;
        let mut feeds = [0; FEEDS];
        let mut count = 0;
        for (place, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' {
                *feeds.get_mut(count)? = place;
                count += 1;
            } else if payload::phase(byte) != Some(place) {
                return None;
            }
        }
        let mut best: Option<(usize, Anchor)> = None;
        for guess in 0..8usize.pow(count as u32) {
            let mut word = *bytes;
            for (nth, &place) in feeds[..count].iter().enumerate() {
                word[place] = payload::alphabet(place).nth(guess >> (3 * nth) & 7)?;
            }
            let Some((writer, offset)) = payload::locate(&word) else { continue };
            let Some(source) =
                self.sources.iter().position(|source| source.writer % payload::WRITERS == writer)
            else {
                continue;
            };
            let Some(position) = self.sources[source].position(offset) else { continue };
            let len = common_prefix(&self.sources[source].bytes[position..], &self.data[at..]);
            if len >= WORD && best.is_none_or(|(most, _)| len > most) {
                best = Some((len, Anchor { at, source, position }));
            }
        }
        best.map(|(_, anchor)| anchor)
    }

    /// The word that characters of two bytes spell.
    fn wide_word(&self, at: usize) -> Option<Anchor> {
        let bytes = self.data.get(at..at + WIDE * WORD)?;
        let mut word = [0; WORD];
        for (letter, wide) in word.iter_mut().zip(bytes.chunks_exact(WIDE)) {
            *letter = payload::narrow(wide.try_into().ok()?)?;
        }
        let (writer, offset) = payload::locate(&word)?;
        let source = self.sources.iter().position(|source| source.writer % payload::WRITERS == writer)?;
        let position = self.sources[source].position(offset * WIDE as u64)?;
        let same = self.sources[source].bytes.get(position..position + bytes.len()) == Some(bytes);
        same.then_some(Anchor { at, source, position })
    }

    /// Looks for the bytes themselves, in sources with many line feeds.
    fn window(&self, from: usize, to: usize) -> Option<Anchor> {
        for at in from..to {
            let window = self.data.get(at..at + WINDOW)?;
            if window.iter().filter(|&&byte| byte != b'\n').count() < WORD {
                continue;
            }
            for (source, stream) in self.sources.iter().enumerate().filter(|(_, source)| source.dense) {
                if let Some(position) = memchr::memmem::find(&stream.bytes, window) {
                    return Some(Anchor { at, source, position });
                }
            }
        }
        None
    }
}
