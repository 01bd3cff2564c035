//! The table of an actor that is a program, read.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{KEYS, PROGRAM, Program, no_command};
use crate::scenario::{
    document::{Key, Value, Walk},
    parts::{Actor, Template},
    place::Text,
    problem::Problem,
    template,
    values::decimal,
};

impl<'i> Walk<'i> {
    /// Reads the table of an actor that has a `command`.
    pub(in crate::scenario) fn program(
        &mut self,
        name: &Text,
        value: &Value<'i>,
        folder: &Path,
        channels: &[String],
    ) -> Option<Actor> {
        let table = self.table(value, "actors.NAME", KEYS)?;
        let command = &table["command"];
        let before = self.problems.len();
        let (words, is_line) = self.command(&name.value, command)?;
        let by = table.get("by").map(|by| (self.text(by, "actors.NAME.by"), self.stdio(table)));
        let streams = if by.is_none() { self.streams(table, channels) } else { Vec::new() };
        let env = self.env(table);
        let files = self.files(table, folder);
        let driver = Text::whole(PROGRAM.to_owned(), command.span());
        let trace = self.trace(table);
        let by = by.and_then(|(by, streams)| Some((by?, streams)));
        let program = Program { words, is_line, streams, by, env, files, folder: folder.to_owned(), trace };
        (self.problems.len() == before).then(|| Actor {
            name: name.clone(),
            pieces: self.pieces(&driver).unwrap_or_default(),
            driver,
            program: Some(program),
        })
    }

    /// The program and its arguments, and whether they stand in one text; nothing if there is no such.
    fn command(&mut self, actor: &str, command: &Value<'i>) -> Option<(Vec<Template>, bool)> {
        let (words, is_line): (Vec<&Value<'i>>, bool) = match command.get_ref() {
            DeValue::Array(words) => (words.iter().collect(), false),
            DeValue::String(_) => (vec![command], true),
            _ => {
                self.wrong_type(command, "actors.NAME.command");
                return None;
            }
        };
        let first = words.first().and_then(|word| word.get_ref().as_str());
        if words.is_empty() || first.is_some_and(|word| word.trim().is_empty()) {
            self.problems.push(no_command(actor).at(command.span(), "nothing to run"));
            return None;
        }
        let fillings = words.into_iter().filter_map(|word| self.filling(word, "actors.NAME.command"));
        Some((fillings.collect(), is_line))
    }

    fn filling(&mut self, value: &Value<'i>, path: &str) -> Option<Template> {
        let text = match value.get_ref() {
            DeValue::Integer(number) => Text::whole(decimal(number), value.span()),
            _ => self.text(value, path)?,
        };
        let pieces = template::pieces_of_words(&text);
        Some((text, pieces))
    }

    /// Whether its calls are to be seen, which those of a program that another actor starts can't be.
    fn trace(&mut self, table: &DeTable<'i>) -> bool {
        let Some((key, value)) = table.get_key_value("trace") else { return false };
        let DeValue::Boolean(trace) = value.get_ref() else {
            self.wrong_type(value, "actors.NAME.trace");
            return false;
        };
        if *trace && table.contains_key("by") {
            self.problems.push(
                Problem::new("trace", "the calls of a program that another actor starts")
                    .at(key.span(), "not of a child")
                    .help("leave this out, or leave out `by` and give the streams channels"),
            );
        }
        *trace
    }

    fn env(&mut self, table: &DeTable<'i>) -> Vec<(String, Template)> {
        let Some(value) = table.get("env") else { return Vec::new() };
        let DeValue::Table(entries) = value.get_ref() else {
            self.wrong_type(value, "actors.NAME.env");
            return Vec::new();
        };
        let entry = |(key, value): (&Key<'i>, &Value<'i>)| {
            Some((key.get_ref().to_string(), self.filling(value, "actors.NAME.env")?))
        };
        entries.iter().filter_map(entry).collect()
    }

    /// `files = { "log.py" = "path" }`, paths from the scenario's folder.
    fn files(&mut self, table: &DeTable<'i>, folder: &Path) -> Vec<(String, PathBuf)> {
        let Some(value) = table.get("files") else { return Vec::new() };
        let DeValue::Table(entries) = value.get_ref() else {
            self.wrong_type(value, "actors.NAME.files");
            return Vec::new();
        };
        let mut files = Vec::new();
        for (key, value) in entries {
            let Some(path) = self.text(value, "actors.NAME.files") else { continue };
            let whole = folder.join(&path.value);
            let whole = std::path::absolute(&whole).unwrap_or(whole);
            let name = key.get_ref();
            if name.is_empty() || name.contains('/') || name.starts_with('.') {
                self.problems.push(
                    Problem::new("name", format!("`{name}` can't be the name of a file of the case"))
                        .at(key.span(), "not a name")
                        .help("a name without `/`, which the program finds in its folder"),
                );
            } else if !whole.is_file() {
                self.problems.push(
                    Problem::new("file", format!("there is no file `{}`", path.value))
                        .at(path.span.clone(), "no such file")
                        .help(format!("paths are looked for from {}", folder.display())),
                );
            } else {
                files.push((name.to_string(), whole));
            }
        }
        files
    }
}
