//! The handles of a script: names that its calls give to descriptors. They are known
//! before any line is read, so that a line can tell a handle from a word.

use std::ops::Range;

use super::{
    parts::{Channel, Script},
    place::Text,
    script::MODIFIERS,
    words::{self, SEQUENCE},
};
use crate::{
    channel::Kind,
    outcome::{Arg, Call, Verb},
};

/// The handles that the script's calls make, in the order in which they stand there; a
/// name that several make, once. A name with a parameter in it is none.
pub(super) fn of(script: &Script) -> Vec<Channel> {
    let mut handles: Vec<Channel> = Vec::new();
    for line in &script.lines {
        let text = &script.text;
        let words = words::written(&text.value, line.range.clone());
        let word = |range: Range<usize>| Text::word(&text.value[range.clone()], text.place(range));
        let words: Vec<Text> = words.into_iter().map(word).collect();
        let starts = words.iter().enumerate().filter(|(at, word)| *at == 1 || word.value == SEQUENCE);
        for (at, _) in starts {
            let start = if at == 1 { 1 } else { at + 1 };
            let Some(call) = words.get(start).and_then(|word| Call::named(&word.value)) else { continue };
            let given = &words[start + 1..];
            let end = given.iter().position(ends);
            let given = &given[..end.unwrap_or(given.len())];
            let named = call.info().args.iter().zip(given).filter(|(arg, _)| **arg == Arg::New);
            for name in named.map(|(_, name)| name).chain(call.info().taken(given)) {
                let plain = name.value.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
                if plain && !handles.iter().any(|handle| handle.name.value == name.value) {
                    handles.push(Channel {
                        name: name.clone(),
                        kind: Kind::Other,
                        capacity: None,
                        child: None,
                    });
                }
            }
        }
    }
    handles
}

/// It ends a call's arguments.
fn ends(word: &Text) -> bool {
    let word = word.value.as_str();
    [SEQUENCE, "->", "when"].contains(&word) || MODIFIERS.contains(&word)
}

/// The call that a line means by `name`: on what isn't a declared channel, the calls
/// whose names are verbs too are calls.
pub(super) fn means(name: &str, on_channel: bool) -> Option<Verb> {
    let call = || Call::named(name).map(Verb::Call);
    let verb = Verb::named(name);
    match verb {
        Some(verb) if on_channel || !verb.on_channel() => Some(verb),
        verb => call().or(verb),
    }
}
