//! `[params]`.

use std::sync::Arc;

use toml::de::DeValue;

use super::{
    super::{parts::Param, place::Text, problem::Problem, symbols::BUILT_IN},
    Key, Value, Walk,
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

impl<'i> Walk<'i> {
    pub(super) fn param(&mut self, key: &Key<'i>, value: &Value<'i>) {
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
}
