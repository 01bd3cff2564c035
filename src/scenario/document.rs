//! From TOML to the parts of a scenario: a walk of the spanned tree, by hand,
//! that collects every mistake on its way.

use std::{path::Path, sync::Arc};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    handles, keys,
    parts::{Actor, Channel, CustomDriver, ExpectKeys, Param, Script, SettingKeys, SnapshotKind},
    place::{Span, Text},
    problem::Problem,
    suggest::way_out,
    symbols::BUILT_IN,
    syntax,
    template::Piece,
    values::missing_key,
};
use crate::{
    channel::{KINDS, Kind},
    driver::DriverInfo,
};

/// The values that stand there already, each with the first like it, in their order.
fn twins(values: &[Text]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|at| &values[*at].value);
    let alike = order.chunk_by(|one, other| values[*one].value == values[*other].value);
    let mut twins: Vec<(usize, usize)> =
        alike.flat_map(|alike| alike[1..].iter().map(|again| (*again, alike[0]))).collect();
    twins.sort_unstable();
    twins
}

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
                "expect" => self.each(value, "expect", Self::expect),
                _ => self.unknown_key(key, ""),
            }
        }
        if self.script_at.is_none() {
            let first_line = 0..self.file.find('\n').unwrap_or(self.file.len());
            self.problems.push(
                Problem::new("no-script", "no `script`")
                    .at(first_line, "in this file")
                    .help("add `script = '''`, a step a line, and `'''`"),
            );
        }
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
        if is_script {
            self.script(key, value);
        }
        is_script
    }

    fn catalogue(&mut self, value: &Value<'i>) {
        let DeValue::Array(lines) = value.get_ref() else { return self.wrong_type(value, "catalogue") };
        let lines = lines.iter().filter_map(|line| self.text(line, "catalogue"));
        self.document.catalogue = lines.collect();
    }

    fn param(&mut self, key: &Key<'i>, value: &Value<'i>) {
        let name = self.name(key, "parameter", false);
        if BUILT_IN.iter().any(|symbol| symbol.name == name.value) {
            self.problems.push(
                Problem::new("name", format!("`{}` is a symbol already", name.value))
                    .at(name.span.clone(), "every scenario has this name")
                    .help("give the parameter another name"),
            );
        }
        let items: &mut dyn ExactSizeIterator<Item = &Value<'i>> = match value.get_ref() {
            DeValue::Array(array) => &mut array.iter(),
            _ => &mut std::iter::once(value),
        };
        let is_empty = items.len() == 0;
        let mut values: Vec<Text> = Vec::with_capacity(items.len());
        for item in items {
            let text = match item.get_ref() {
                DeValue::String(text) => Text::literal(text, self.file, item.span()),
                DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => {
                        let number = number.to_string();
                        let exact = self.file.get(item.span()) == Some(number.as_str());
                        if exact {
                            Text::word(&number, item.span())
                        } else {
                            Text::whole(number, item.span())
                        }
                    }
                    Err(_) => {
                        self.problems.push(
                            Problem::new("overflow", "a number beyond 128 bits")
                                .at(item.span(), "too large to read")
                                .help("sizes go up to 256 MiB"),
                        );
                        continue;
                    }
                },
                _ => {
                    self.wrong_type(item, "params.NAME");
                    continue;
                }
            };
            values.push(text);
        }
        for (again, first) in twins(&values).into_iter().rev() {
            let (text, first) = (values.remove(again), &values[first]);
            self.problems.push(
                Problem::new("twice", format!("`{}` has the value `{}` twice", name.value, text.value))
                    .at(text.span.clone(), "again")
                    .at(first.span.clone(), "first here")
                    .help("leave one out: both would be the same case"),
            );
        }
        if is_empty {
            self.problems.push(
                Problem::new("empty", format!("`{}` has no value", name.value))
                    .at(value.span(), "an empty list makes no case at all")
                    .help("give it a value, or leave the parameter out"),
            );
        }
        self.document.params.push(Param { name, values: Arc::new(values) });
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
            DeValue::Integer(number) => Some(Text::whole(number.to_string(), value.span())),
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

    fn setting(&mut self, key: &Key<'i>, value: &Value<'i>) {
        match key.get_ref().as_ref() {
            "sigpipe" => {
                let text = self.text(value, "setting.sigpipe");
                self.document.setting.sigpipe =
                    text.and_then(|text| Some((self.pieces(&text)?, text))).map(swap);
            }
            "cpu_budget" => {
                let text = match value.get_ref() {
                    DeValue::Integer(number) => Some(Text::whole(format!("{number} ms"), value.span())),
                    _ => self.text(value, "setting.cpu_budget"),
                };
                self.document.setting.cpu_budget =
                    text.and_then(|text| Some((self.pieces(&text)?, text))).map(swap);
            }
            _ => self.unknown_key(key, "setting"),
        }
    }

    fn driver(&mut self, key: &Key<'i>, value: &Value<'i>) {
        let name = self.name(key, "driver", false);
        self.document.declared.drivers.push(name.value.clone());
        if DriverInfo::named(&name.value).is_some() {
            self.problems.push(
                Problem::new("name", format!("`{}` is a driver already", name.value))
                    .at(name.span.clone(), "the name of a driver that comes with pipelab")
                    .help("give yours another name"),
            );
        }
        let Some(table) = self.table(value, "drivers.NAME", &["command"]) else { return };
        let Some(command) = table.get("command") else {
            self.problems.push(missing_key("drivers.NAME.command", &name));
            return;
        };
        let DeValue::Array(words) = command.get_ref() else {
            return self.wrong_type(command, "drivers.NAME.command");
        };
        let count = self.problems.len();
        let mut command: Vec<String> = words
            .iter()
            .filter_map(|word| self.text(word, "drivers.NAME.command"))
            .map(|text| text.value)
            .collect();
        match command.first_mut() {
            Some(program) if !program.is_empty() => {
                // Absolute, since drivers start in a folder of their own.
                let below = |word: &str| {
                    let path = self.folder.join(word);
                    std::path::absolute(&path).unwrap_or(path)
                };
                if program.contains('/') {
                    *program = below(program).to_string_lossy().into_owned();
                }
                for word in &mut command[1..] {
                    // An interpreter's script; any other argument stays as it is.
                    if word.contains('/') && below(word).is_file() {
                        *word = below(word).to_string_lossy().into_owned();
                    }
                }
                self.document.drivers.push(CustomDriver { name, command });
            }
            _ if self.problems.len() > count => {}
            _ => self.problems.push(
                Problem::new("empty", format!("the driver `{}` has no program", name.value))
                    .at(table["command"].span(), "no program to run")
                    .help(format!("for example `{}`", keys::info("drivers.NAME.command").example)),
            ),
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
        let (script, mut problems) = super::lines::split(text, self.file);
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

fn swap<A, B>((a, b): (A, B)) -> (B, A) {
    (b, a)
}
