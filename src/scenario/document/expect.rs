//! `[expect]`.

use toml::de::{DeTable, DeValue};

use super::{
    super::{
        parts::{ByteKey, Channel, EndKind, ErrorAt, Quantity},
        place::Text,
        problem::Problem,
        suggest::{listed, way_out},
        values::decimal,
    },
    Key, Value, Walk,
};

impl<'i> Walk<'i> {
    pub(super) fn expect(&mut self, key: &Key<'i>, value: &Value<'i>) {
        let name = key.get_ref().as_ref();
        if name == "some" {
            return self.expect_some(key, value);
        }
        if let DeValue::Table(table) = value.get_ref() {
            if self.expect_streams(name, table) {
                return;
            }
            let Some(channel) = self.document.all_channels().position(|channel| channel.name.value == name)
            else {
                if self.document.declared.channels.iter().all(|declared| declared != name) {
                    self.problems.push(
                        Problem::new("channel", format!("no channel is called `{name}`"))
                            .at(key.span(), "unknown channel")
                            .help(way_out(
                                name,
                                "channel",
                                self.document.all_channels().map(|c| c.name.value.as_str()),
                            )),
                    );
                }
                return;
            };
            self.expect_channel(channel, value, table);
            return;
        }
        match (name, Quantity::named(name)) {
            (_, Some(quantity)) => match self.document.declared.channels.as_slice() {
                [_] if self.document.channels.len() == 1 => self.bytes(quantity, 0, value),
                [_] => {}
                [] if !self.document.handles.is_empty() => self.problems.push(self.which_handle(name, key)),
                [] => self.problems.push(
                    Problem::new("which-channel", format!("`{name}` of no channel"))
                        .at(key.span(), "this scenario has no channel")
                        .help("declare one in [channels]"),
                ),
                [first, ..] => self.problems.push(
                    Problem::new("which-channel", format!("`{name}` of which channel?"))
                        .at(key.span(), format!("there are {}", listed(&self.document.declared.channels)))
                        .help(format!("write it under [expect.{first}]")),
                ),
            },
            ("stream", _) => match self.document.declared.channels.as_slice() {
                [_] => self.stream(0, value),
                _ => self.problems.push(
                    Problem::new("which-channel", "`stream` of which channel?")
                        .at(key.span(), "there isn't just one")
                        .help("write it under [expect.CHANNEL]"),
                ),
            },
            ("error_at", _) => {
                self.document.expect.error_at =
                    self.one_of(value, "expect.error_at", &ErrorAt::ALL, ErrorAt::name)
            }
            ("end", _) => {
                self.document.expect.end = self.one_of(value, "expect.end", &EndKind::ALL, EndKind::name)
            }
            _ => self.unknown_key(key, "expect"),
        }
    }

    fn which_handle(&self, name: &str, key: &Key<'i>) -> Problem {
        let handles: Vec<&str> =
            self.document.handles.iter().map(|handle| handle.name.value.as_str()).collect();
        Problem::new("which-channel", format!("`{name}` of which channel?"))
            .at(key.span(), format!("there are the handles {}", listed(&handles)))
            .help(format!("write it under [expect.{}]", handles[0]))
    }

    /// `[expect.CHILD.stdout]`: TOML takes the point in the channel's name for a table in a table.
    fn expect_streams(&mut self, child: &str, table: &DeTable<'i>) -> bool {
        let of_child = |channel: &Channel| channel.child.as_ref().is_some_and(|known| known.0 == child);
        let named_too = self.document.all_channels().any(|channel| channel.name.value == child);
        if named_too || !self.document.channels.iter().any(of_child) {
            return false;
        }
        for (key, inner) in table {
            let name = format!("{child}.{}", key.get_ref());
            let channel = self.document.channels.iter().position(|channel| channel.name.value == name);
            match (channel, inner.get_ref()) {
                (Some(channel), DeValue::Table(table)) => self.expect_channel(channel, inner, table),
                (Some(_), _) => self.wrong_type(inner, "expect.CHANNEL"),
                (None, _) => {
                    let pipes = self.document.channels.iter().filter(|channel| of_child(channel));
                    let names: Vec<&str> = pipes.map(|channel| channel.name.value.as_str()).collect();
                    self.problems.push(
                        Problem::new("channel", format!("no channel is called `{name}`"))
                            .at(key.span(), "unknown channel")
                            .help(way_out(&name, "channel", names)),
                    );
                }
            }
        }
        true
    }

    fn expect_channel(&mut self, channel: usize, value: &Value<'i>, table: &DeTable<'i>) {
        for (key, inner) in table {
            match Quantity::named(key.get_ref()) {
                _ if self.stray_script(value, key, inner) => {}
                Some(quantity) => self.bytes(quantity, channel, inner),
                None if key.get_ref() == "stream" => self.stream(channel, inner),
                None if matches!(key.get_ref().as_ref(), "error_at" | "end") => self.problems.push(
                    Problem::new("unknown-key", format!("`{}` isn't said of one channel", key.get_ref()))
                        .at(key.span(), "of the whole case")
                        .help("it belongs in [expect]"),
                ),
                None => self.unknown_key(key, "expect"),
            }
        }
    }

    fn stream(&mut self, channel: usize, value: &Value<'i>) {
        let Some(text) = self.text(value, "expect.stream") else { return };
        if text.value.is_empty() {
            self.problems.push(
                Problem::new("empty", "a stream of nothing")
                    .at(text.span, "repeats nothing")
                    .help("for example `stream = \"a line\\n\"`"),
            );
            return;
        }
        self.document.expect.streams.push((channel, text));
    }

    fn bytes(&mut self, quantity: Quantity, channel: usize, value: &Value<'i>) {
        let value = match value.get_ref() {
            DeValue::String(text) => Text::literal(text, self.file, value.span()),
            DeValue::Integer(number) => Text::whole(decimal(number), value.span()),
            _ => return self.wrong_type(value, &format!("expect.{}", quantity.name())),
        };
        self.document.expect.bytes.push(ByteKey { channel, quantity, value });
    }
}
