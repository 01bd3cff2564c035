//! From TOML to the parts of a scenario: a walk of the spanned tree, by hand,
//! that collects every mistake on its way.

mod drivers;
mod expect;
mod orders;
mod params;
mod setting;

use std::path::Path;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    handles, lines,
    parts::{Actor, Channel, CustomDriver, ExpectKeys, Param, Script, SettingKeys, SnapshotKind},
    place::{Span, Text},
    problem::Problem,
    suggest::way_out,
    syntax,
    template::Piece,
    values::decimal,
};
use crate::channel::{KINDS, Kind};

/// What the walk found; parts that were at fault are missing.
#[derive(Default)]
pub(super) struct Document {
    pub about: Option<String>,
    pub source: Option<String>,
    pub catalogue: Vec<Text>,
    pub params: Vec<Param>,
    pub channels: Vec<Channel>,
    pub handles: Vec<Channel>,
    pub actors: Vec<Actor>,
    pub setting: SettingKeys,
    pub drivers: Vec<CustomDriver>,
    pub script: Option<Script>,
    pub snapshot: SnapshotKind,
    /// Of each case at most so many orders.
    pub orders: Option<usize>,
    pub expect: ExpectKeys,
    /// Names that are declared, even where the rest of the entry is at fault:
    /// using them is no further mistake.
    pub declared: Declared,
}

impl Document {
    pub fn all_channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().chain(&self.handles)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub channels: Vec<String>,
    pub actors: Vec<String>,
    pub drivers: Vec<String>,
}

pub(super) type Key<'i> = Spanned<DeString<'i>>;
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Reads a whole file. After a mistake in TOML itself the tree can't be
/// trusted, so only those are reported then; a name used twice is no such case.
pub(super) fn read(file: &str, path: &Path) -> (Document, Vec<Problem>) {
    let (tree, errors) = DeTable::parse_recoverable(file);
    let duplicate = |error: &toml::de::Error| error.message().starts_with("duplicate key");
    let unreadable = errors.iter().any(|error| !duplicate(error));
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            if duplicate(error) {
                syntax::duplicate(error, tree.get_ref(), file)
            } else {
                syntax::error(error)
            }
        })
        .collect();
    if unreadable {
        return (Document::default(), problems);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut walk =
        Walk { file, folder, document: Document::default(), problems: Vec::new(), script_at: None };
    walk.top(tree.get_ref());
    problems.append(&mut walk.problems);
    (walk.document, problems)
}

pub(super) struct Walk<'i> {
    pub file: &'i str,
    folder: &'i Path,
    pub document: Document,
    pub problems: Vec<Problem>,
    script_at: Option<Span>,
}

impl<'i> Walk<'i> {
    fn top(&mut self, table: &DeTable<'i>) {
        // Programs and `[expect]` name channels, wherever the tables stand.
        let rank = |name: &str| match name {
            "channels" => 0,
            "expect" => 2,
            _ => 1,
        };
        let mut entries: Vec<(&Key<'i>, &Value<'i>)> = table.iter().collect();
        entries.sort_by_key(|(key, _)| rank(key.get_ref()));
        for (key, value) in entries {
            match key.get_ref().as_ref() {
                "about" => self.document.about = self.text(value, "about").map(|text| text.value),
                "catalogue" => self.catalogue(value),
                "source" => self.document.source = self.text(value, "source").map(|text| text.value),
                "params" => self.each(value, "params", Self::param),
                "channels" => self.each(value, "channels", Self::channel),
                "actors" => self.each(value, "actors", Self::actor),
                "setting" => self.each(value, "setting", Self::setting),
                "drivers" => self.each(value, "drivers", Self::driver),
                "script" => self.script(key, value),
                "snapshot" => {
                    let kind = self.one_of(value, "snapshot", &SnapshotKind::ALL, SnapshotKind::name);
                    self.document.snapshot = kind.map_or_else(SnapshotKind::default, |(kind, _)| kind);
                }
                "orders" => self.orders(value),
                "expect" => {
                    // It names handles, as channels.
                    self.script_below(value);
                    self.each(value, "expect", Self::expect);
                }
                _ => self.unknown_key(key, ""),
            }
        }
        self.handles_like_channels();
        self.some_of_one();
        if self.script_at.is_none() {
            let first_line = 0..self.file.find('\n').unwrap_or(self.file.len());
            self.problems.push(
                Problem::new("no-script", "no `script`")
                    .at(first_line, "in this file")
                    .help("add `script = '''`, a step a line, and `'''`"),
            );
        }
    }

    /// A handle is a channel of its name, and so is what is declared.
    fn handles_like_channels(&mut self) {
        let Document { handles, channels, .. } = &self.document;
        let declared = |name: &str| channels.iter().find(|channel| channel.name.value == name);
        let twice = handles.iter().filter_map(|handle| Some((handle, declared(&handle.name.value)?)));
        self.problems.extend(twice.map(|(handle, channel)| {
            let name = &handle.name.value;
            Problem::new("handle", format!("`{name}` is a declared channel already"))
                .at(handle.name.span.clone(), "a handle of the same name")
                .at(channel.name.span.clone(), "declared here")
                .help("give the handle another name; what `open` gives goes by the channel's")
        }));
    }

    fn each(&mut self, value: &Value<'i>, path: &str, entry: fn(&mut Self, &Key<'i>, &Value<'i>)) {
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, inner) in table {
                    if !self.stray_script(value, key, inner) {
                        entry(self, key, inner);
                    }
                }
            }
            _ => self.wrong_type(value, path),
        }
    }

    /// A script reads best after the actors. TOML takes it for a part of the
    /// table whose `[header]` stands above it, so `script` is the scenario's
    /// script there too. (A table's span is that of its header.)
    pub(super) fn stray_script(&mut self, table: &Value<'i>, key: &Key<'i>, value: &Value<'i>) -> bool {
        let under_header = self.file.get(table.span()).is_some_and(|header| header.starts_with('['));
        let is_script = under_header && key.get_ref() == "script";
        if is_script && self.script_at != Some(key.span()) {
            self.script(key, value);
        }
        is_script
    }

    /// Reads the script ahead, if it stands anywhere below this.
    fn script_below(&mut self, value: &Value<'i>) {
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, inner) in table {
                    if !self.stray_script(value, key, inner) {
                        self.script_below(inner);
                    }
                }
            }
            DeValue::Array(list) => list.iter().for_each(|inner| self.script_below(inner)),
            _ => {}
        }
    }

    fn catalogue(&mut self, value: &Value<'i>) {
        let DeValue::Array(lines) = value.get_ref() else { return self.wrong_type(value, "catalogue") };
        let lines = lines.iter().filter_map(|line| self.text(line, "catalogue"));
        self.document.catalogue = lines.collect();
    }

    fn channel(&mut self, key: &Key<'i>, value: &Value<'i>) {
        let name = self.name(key, "channel", true);
        self.document.declared.channels.push(name.value.clone());
        let kind = self.short_or_table(value, "channels.NAME", &["kind", "capacity"], &name);
        let capacity = self.capacity(value);
        let Some(kind) = kind else { return };
        match Kind::named(&kind.value) {
            Some(kind) => self.document.channels.push(Channel { name, kind, capacity, child: None }),
            None => self.problems.push(
                Problem::new("kind", format!("no kind of channel is called `{}`", kind.value))
                    .at(kind.span.clone(), "unknown kind")
                    .help(way_out(
                        &kind.value,
                        "kind",
                        KINDS.iter().filter(|kind| kind.declared).map(|kind| kind.name),
                    )),
            ),
        }
    }

    /// A channel's own capacity.
    fn capacity(&mut self, channel: &Value<'i>) -> Option<(Text, Vec<Piece>)> {
        let DeValue::Table(table) = channel.get_ref() else { return None };
        let value = table.get("capacity")?;
        let text = match value.get_ref() {
            DeValue::Integer(number) => Some(Text::whole(decimal(number), value.span())),
            _ => self.text(value, "channels.NAME.capacity"),
        }?;
        Some((text.clone(), self.pieces(&text)?))
    }

    fn actor(&mut self, key: &Key<'i>, value: &Value<'i>) {
        let name = self.name(key, "actor", true);
        self.document.declared.actors.push(name.value.clone());
        if let DeValue::Table(table) = value.get_ref()
            && table.contains_key("command")
        {
            let (folder, channels) = (self.folder, self.document.declared.channels.clone());
            let program = self.program(&name, value, folder, &channels);
            for pipe in program.iter().flat_map(Actor::pipes) {
                self.document.declared.channels.push(pipe.name.value.clone());
                self.document.channels.push(pipe);
            }
            self.document.actors.extend(program);
            return;
        }
        let Some(driver) = self.short_or_table(value, "actors.NAME", &["driver"], &name) else { return };
        if let Some(pieces) = self.pieces(&driver) {
            self.document.actors.push(Actor { name, driver, pieces, program: None });
        }
    }

    fn script(&mut self, key: &Key<'i>, value: &Value<'i>) {
        if let Some(first) = self.script_at.replace(key.span()) {
            self.problems.push(
                Problem::new("duplicate", "`script` is set twice")
                    .at(key.span(), "again")
                    .at(first, "first here")
                    .help("leave one of them out"),
            );
            return;
        }
        let Some(text) = self.text(value, "script") else { return };
        let (script, mut problems) = lines::split(text, self.file);
        if script.lines.is_empty() && !script.incomplete {
            problems.push(
                Problem::new("no-script", "a script without a step")
                    .at(script.text.span.clone(), "nothing to play")
                    .help("write a step a line: `writer open log write`"),
            );
        }
        self.problems.append(&mut problems);
        self.document.handles = handles::of(&script);
        self.document.script = Some(script);
    }
}
