//! `stdin`, `stdout`, `stderr` and `fds` of a program.

use toml::de::{DeTable, DeValue};

use super::{ProgramStream, STREAMS};
use crate::{
    outcome::{Access, Stdio},
    scenario::{document::Walk, place::Text, problem::Problem, suggest::way_out},
};

/// Other descriptors go up to here.
const LAST_FD: i32 = 99;

impl<'i> Walk<'i> {
    /// The streams of a program that pipelab itself starts; each leads to one of these channels.
    pub(super) fn streams(&mut self, table: &DeTable<'i>, channels: &[String]) -> Vec<ProgramStream> {
        let mut streams = Vec::new();
        for (key, fd, access) in STREAMS {
            let Some(value) = table.get(key) else { continue };
            let channel = self.text(value, &format!("actors.NAME.{key}"));
            streams.extend(channel.map(|channel| ProgramStream { fd, access, channel, nonblock: false }));
        }
        self.fds(table, &mut streams);
        self.nonblock(table, &mut streams);
        for (at, ProgramStream { fd, channel, .. }) in streams.iter().enumerate() {
            if let Some(first) = streams[..at].iter().find(|first| first.fd == *fd) {
                self.problems.push(
                    Problem::new("fds", format!("two channels as descriptor {fd}"))
                        .at(channel.span.clone(), "another channel")
                        .at(first.channel.span.clone(), "it is this one")
                        .help("leave out one of them, or give it another number"),
                );
            }
            if !channels.contains(&channel.value) {
                self.problems.push(unknown(channel, channels));
            }
        }
        streams
    }

    /// The streams of a program that another actor starts.
    pub(super) fn stdio(&mut self, table: &DeTable<'i>) -> [Stdio; 3] {
        let mut streams = [Stdio::Inherit; 3];
        for ((key, ..), stream) in STREAMS.iter().zip(&mut streams) {
            let Some(value) = table.get(*key) else { continue };
            let Some(text) = self.text(value, &format!("actors.NAME.{key}")) else { continue };
            match Stdio::named(&text.value) {
                Some(Stdio::Pipe) => *stream = Stdio::Pipe,
                Some(Stdio::Stdout) if *key == "stderr" => *stream = Stdio::Stdout,
                _ => self.problems.push(
                    Problem::new("stream", format!("`{}` of a program that another actor starts", text.value))
                        .at(text.span.clone(), "not a stream of a child")
                        .help(
                            "a stream is `pipe`, which its maker's runtime makes (`stdout` for `stderr`: the same \
                             way as that), or left out, and then inherited; channels are for programs without `by`",
                        ),
                ),
            }
        }
        if let Some((key, _)) = table.get_key_value("fds") {
            self.problems.push(
                Problem::new("fds", "descriptors of a program that another actor starts")
                    .at(key.span(), "not for a child")
                    .help("its maker's runtime gives it standard input, output and error alone"),
            );
        }
        self.no_nonblock(table);
        streams
    }

    /// `fds = { 3 = "ctl read" }`.
    fn fds(&mut self, table: &DeTable<'i>, streams: &mut Vec<ProgramStream>) {
        let Some(value) = table.get("fds") else { return };
        let DeValue::Table(entries) = value.get_ref() else {
            return self.wrong_type(value, "actors.NAME.fds");
        };
        for (key, value) in entries {
            let Some(text) = self.text(value, "actors.NAME.fds") else { continue };
            let fd = key.get_ref().parse().ok().filter(|fd| (0..=LAST_FD).contains(fd));
            let (channel, side) = text.value.split_once(' ').unwrap_or((&text.value, ""));
            let access = [Access::Read, Access::Write, Access::Both]
                .into_iter()
                .find(|access| access.name() == side.trim());
            let (Some(fd), Some(access)) = (fd, access) else {
                self.problems.push(
                    Problem::new("fds", "not a descriptor of a program")
                        .at(key.span(), format!("a number up to {LAST_FD}"))
                        .at(text.span.clone(), "a channel and `read`, `write` or `both`")
                        .help("for example `fds = { 3 = \"ctl read\" }`"),
                );
                continue;
            };
            let channel = Text::literal(channel, self.file, text.span.clone());
            streams.push(ProgramStream { fd, access, channel, nonblock: false });
        }
    }
}

fn unknown(channel: &Text, channels: &[String]) -> Problem {
    if channel.value == Stdio::Pipe.name() {
        return Problem::new("channel", "a pipe to whom?")
            .at(channel.span.clone(), "no channel is called `pipe`")
            .help("say which actor starts the program: `by = \"ACTOR\"`; or name a channel");
    }
    Problem::new("channel", format!("no channel is called `{}`", channel.value))
        .at(channel.span.clone(), "unknown channel")
        .help(way_out(&channel.value, "channel", channels.iter().map(String::as_str)))
}
