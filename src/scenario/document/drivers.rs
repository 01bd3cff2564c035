//! `[drivers]`.

use toml::de::DeValue;

use super::{
    super::{keys, parts::CustomDriver, problem::Problem, values::missing_key},
    Key, Value, Walk,
};
use crate::driver::DriverInfo;

impl<'i> Walk<'i> {
    pub(super) fn driver(&mut self, key: &Key<'i>, value: &Value<'i>) {
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
}
