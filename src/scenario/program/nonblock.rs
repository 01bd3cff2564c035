//! `nonblock = ["stdin", 3]`: descriptors of a program that are non-blocking from its start.

use toml::de::{DeTable, DeValue};

use super::{ProgramStream, STREAMS};
use crate::scenario::{
    document::{Value, Walk},
    problem::Problem,
    suggest::way_out,
    values::decimal,
};

const KEY: &str = "nonblock";
const PATH: &str = "actors.NAME.nonblock";

impl<'i> Walk<'i> {
    /// Marks the streams that the table's `nonblock` names.
    pub(super) fn nonblock(&mut self, table: &DeTable<'i>, streams: &mut [ProgramStream]) {
        let Some(value) = table.get(KEY) else { return };
        let DeValue::Array(entries) = value.get_ref() else {
            return self.wrong_type(value, PATH);
        };
        for entry in entries {
            let Some((fd, name)) = self.descriptor(entry, streams) else { continue };
            let mut named = streams.iter_mut().filter(|stream| stream.fd == fd).peekable();
            if named.peek().is_some_and(|stream| stream.nonblock) {
                self.problems.push(
                    Problem::new(KEY, format!("`{name}` twice"))
                        .at(entry.span(), "the same descriptor")
                        .help("leave out one of them"),
                );
            } else if named.peek().is_none() {
                let channel = match fd {
                    0..=2 => format!("`{name} = \"CHANNEL\"`"),
                    _ => format!("`fds = {{ {fd} = \"CHANNEL read\" }}`"),
                };
                self.problems.push(
                    Problem::new(KEY, format!("`{name}` of the program leads to no channel"))
                        .at(entry.span(), "nothing that could block")
                        .help(format!("give it a channel, {channel}, or leave it out here")),
                );
            }
            named.for_each(|stream| stream.nonblock = true);
        }
    }

    /// A descriptor by its name or number, and what to call it.
    fn descriptor(&mut self, entry: &Value<'i>, streams: &[ProgramStream]) -> Option<(i32, String)> {
        let text = match entry.get_ref() {
            DeValue::Integer(number) => decimal(number),
            _ => self.text(entry, PATH)?.value,
        };
        let named = STREAMS.iter().find(|(name, ..)| *name == text).map(|(_, fd, _)| *fd);
        let Some(fd) = named.or_else(|| text.parse().ok()) else {
            let others = streams.iter().filter(|stream| stream.fd > 2).map(|stream| stream.fd.to_string());
            let known: Vec<String> =
                STREAMS.iter().map(|(name, ..)| (*name).to_owned()).chain(others).collect();
            self.problems.push(
                Problem::new(KEY, format!("no descriptor is called `{text}`"))
                    .at(entry.span(), "not a descriptor of a program")
                    .help(way_out(&text, "descriptor", known.iter().map(String::as_str))),
            );
            return None;
        };
        let name =
            STREAMS.iter().find(|(_, known, _)| *known == fd).map_or(text, |(name, ..)| (*name).to_owned());
        Some((fd, name))
    }

    /// Refuses the key where another actor starts the program.
    pub(super) fn no_nonblock(&mut self, table: &DeTable<'i>) {
        let Some((key, _)) = table.get_key_value(KEY) else { return };
        self.problems.push(
            Problem::new(KEY, "non-blocking descriptors of a program that another actor starts")
                .at(key.span(), "not for a child")
                .help(
                    "its maker's runtime makes its streams, and decides whether they block; leave this out, or \
                     leave out `by` and give the streams channels",
                ),
        );
    }
}
