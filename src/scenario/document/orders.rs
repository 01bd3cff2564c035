//! What is said of open orders: `orders`, `[expect.some]`.

use std::mem;

use toml::de::{DeTable, DeValue};

use super::{
    super::{parts::SomeKeys, place::Span, problem::Problem},
    Key, Value, Walk,
};

/// More orders of a case than that are a slip of the pen.
pub(in crate::scenario) const MOST_ORDERS: usize = 100_000;

impl<'i> Walk<'i> {
    pub(super) fn orders(&mut self, value: &Value<'i>) {
        let DeValue::Integer(number) = value.get_ref() else { return self.wrong_type(value, "orders") };
        let number = usize::from_str_radix(number.as_str(), number.radix()).ok();
        match number.filter(|number| (1..=MOST_ORDERS).contains(number)) {
            Some(number) => self.document.orders = Some(number),
            None => self.problems.push(
                Problem::new("orders", "no number of orders")
                    .at(value.span(), "how many are played at most?")
                    .help(format!("between 1 and {MOST_ORDERS}, such as `orders = 200`")),
            ),
        }
    }

    /// `[expect.some]`, or several of them.
    pub(super) fn expect_some(&mut self, key: &Key<'i>, value: &Value<'i>) {
        if self.document.declared.channels.iter().any(|channel| channel == key.get_ref()) {
            self.problems.push(
                Problem::new("some", "a channel that is called `some`")
                    .at(key.span(), "what some order must show, or what holds of the channel?")
                    .help("give the channel another name"),
            );
            return;
        }
        match value.get_ref() {
            DeValue::Table(table) => self.one_of_some(value, table),
            DeValue::Array(tables) => {
                for inner in tables {
                    match inner.get_ref() {
                        DeValue::Table(table) => self.one_of_some(inner, table),
                        _ => self.wrong_type(inner, "expect.some"),
                    }
                }
            }
            _ => self.wrong_type(value, "expect.some"),
        }
    }

    /// Reads a table of it as `[expect]` is read.
    fn one_of_some(&mut self, value: &Value<'i>, table: &DeTable<'i>) {
        let outer = mem::take(&mut self.document.expect);
        for (key, inner) in table {
            if self.stray_script(value, key, inner) {
                continue;
            }
            if key.get_ref() == "some" {
                self.not_in_some(key.span(), "an order of an order");
                continue;
            }
            self.expect(key, inner);
        }
        let keys = mem::replace(&mut self.document.expect, outer);
        if let Some((_, text)) = keys.streams.first() {
            self.not_in_some(text.span.clone(), "a stream holds in every order, or isn't expected");
        }
        self.document.expect.some.push(SomeKeys {
            span: value.span(),
            bytes: keys.bytes,
            error_at: keys.error_at.map(|(at, _)| at),
            end: keys.end.map(|(end, _)| end),
        });
    }

    fn not_in_some(&mut self, span: Span, why: &str) {
        self.problems.push(
            Problem::new("some", "this can't be expected of some order")
                .at(span, why)
                .help("[expect.some] takes counts, `error_at` and `end`; the rest belongs in [expect]"),
        );
    }

    /// `[expect.some]` is about open orders.
    pub(super) fn some_of_one(&mut self) {
        let open = self.document.script.as_ref().is_none_or(|script| !script.together.is_empty());
        if let (Some(some), false) = (self.document.expect.some.first(), open) {
            self.problems.push(
                Problem::new("some", "`[expect.some]` where there is only one order")
                    .at(some.span.clone(), "in which orders?")
                    .help("put steps between `together` and `end`, or say it in [expect]"),
            );
        }
    }
}
