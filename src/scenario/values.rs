//! Values of the expected type, and what to say of others.

use toml::de::{DeInteger, DeTable, DeValue};

use super::{
    document::{Key, Value, Walk},
    keys,
    place::{Span, Text},
    problem::Problem,
    suggest::{nearest, way_out},
    template,
};

/// An integer's digits, however it is written (`0x1000`).
pub(super) fn decimal(number: &DeInteger<'_>) -> String {
    let value = i128::from_str_radix(number.as_str(), number.radix());
    value.map_or_else(|_| number.as_str().to_owned(), |value| value.to_string())
}

impl<'i> Walk<'i> {
    /// `"value"`, or a table with the value under the first of its `keys`.
    pub(super) fn short_or_table(
        &mut self,
        value: &Value<'i>,
        path: &str,
        keys: &[&str],
        name: &Text,
    ) -> Option<Text> {
        let key = keys[0];
        match value.get_ref() {
            DeValue::String(text) => Some(Text::literal(text, self.file, value.span())),
            DeValue::Table(_) => {
                let table = self.table(value, path, keys)?;
                let path = format!("{path}.{key}");
                match table.get(key) {
                    Some(value) => self.text(value, &path),
                    None => {
                        self.problems.push(missing_key(&path, name));
                        None
                    }
                }
            }
            _ => {
                self.wrong_type(value, path);
                None
            }
        }
    }

    pub(super) fn table<'t>(
        &mut self,
        value: &'t Value<'i>,
        path: &str,
        known: &[&str],
    ) -> Option<&'t DeTable<'i>> {
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(value, path);
            return None;
        };
        for (key, inner) in table {
            if !known.contains(&key.get_ref().as_ref()) && !self.stray_script(value, key, inner) {
                self.unknown_key(key, path);
            }
        }
        Some(table)
    }

    pub(super) fn text(&mut self, value: &Value<'i>, path: &str) -> Option<Text> {
        match value.get_ref() {
            DeValue::String(text) => Some(Text::literal(text, self.file, value.span())),
            _ => {
                self.wrong_type(value, path);
                None
            }
        }
    }

    pub(super) fn pieces(&mut self, text: &Text) -> Option<Vec<template::Piece>> {
        template::pieces(text, 0..text.value.len()).map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A name of the author's choice; with dashes where no expression names it.
    pub(super) fn name(&mut self, key: &Key<'i>, what: &str, dashes: bool) -> Text {
        let name = key.get_ref().as_ref();
        let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (dashes && c == '-'));
        // NAME_MAX is 255 (limits.h), and a channel's name becomes a file's.
        if !first || !rest || name.len() > 100 {
            let dash = if dashes { ", `_` and `-`" } else { " and `_`" };
            self.problems.push(
                Problem::new("name", format!("`{name}` can't be the name of a {what}"))
                    .at(key.span(), "not a name")
                    .help(format!("a name starts with a letter and has up to 100 letters, digits{dash}")),
            );
        }
        Text::literal(name, self.file, key.span())
    }

    pub(super) fn one_of<T: Copy>(
        &mut self,
        value: &Value<'i>,
        path: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<(T, Span)> {
        let text = self.text(value, path)?;
        let found = all.iter().find(|item| name(**item) == text.value);
        if found.is_none() {
            self.problems.push(
                Problem::new("value", format!("`{path}` can't be `{}`", text.value))
                    .at(text.span.clone(), "unknown word")
                    .help(way_out(&text.value, "word", all.iter().map(|item| name(*item)))),
            );
        }
        found.map(|item| (*item, text.span))
    }

    pub(super) fn unknown_key(&mut self, key: &Key<'i>, parent: &str) {
        let name = key.get_ref().as_ref();
        let known = keys::children(parent);
        let place = if parent.is_empty() { String::new() } else { format!(" in `{parent}`") };
        let help = match (nearest(name, known.iter().copied()), keys::home(name)) {
            (None, Some(home)) if home != parent => format!("`{name}` belongs in [{home}]"),
            _ => way_out(name, "key", known.iter().copied()),
        };
        self.problems.push(
            Problem::new("unknown-key", format!("unknown key `{name}`{place}"))
                .at(key.span(), "unknown key")
                .help(help),
        );
    }

    pub(super) fn wrong_type(&mut self, value: &Value<'i>, path: &str) {
        let key = keys::info(path);
        let found = match value.get_ref().type_str() {
            kind @ ("integer" | "array") => format!("an {kind}"),
            kind => format!("a {kind}"),
        };
        self.problems.push(
            Problem::new("type", format!("`{path}` takes {}, not {found}", key.takes))
                .at(value.span(), found)
                .help(format!("for example `{}`", key.example)),
        );
    }
}

pub(super) fn missing_key(path: &str, owner: &Text) -> Problem {
    let key = keys::info(path);
    let last = path.rsplit('.').next().unwrap_or(path);
    Problem::new("missing-key", format!("`{}` has no `{last}`", owner.value))
        .at(owner.span.clone(), format!("needs `{last}`"))
        .help(format!("for example `{}`", key.example))
}
