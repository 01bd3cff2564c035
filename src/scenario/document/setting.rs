//! `[setting]`.

use toml::de::DeValue;

use super::{
    super::{parts::Template, place::Text, values::decimal},
    Key, Value, Walk,
};
use crate::setting::{LimitKind, limits::LIMITS};

impl<'i> Walk<'i> {
    pub(super) fn setting(&mut self, key: &Key<'i>, value: &Value<'i>) {
        match key.get_ref().as_ref() {
            "sigpipe" => {
                let text = self.text(value, "setting.sigpipe");
                self.document.setting.sigpipe = self.template(text);
            }
            "cpu_budget" => {
                let text = self.number_or_text(value, "setting.cpu_budget", " ms");
                self.document.setting.cpu_budget = self.template(text);
            }
            "user" => {
                let text = self.number_or_text(value, "setting.user", "");
                self.document.setting.user = self.template(text);
            }
            "max_dgram_qlen" => {
                let text = self.number_or_text(value, "setting.max_dgram_qlen", "");
                self.document.setting.max_dgram_qlen = self.template(text);
            }
            "limits" => self.limits(value),
            _ => self.unknown_key(key, "setting"),
        }
    }

    fn limits(&mut self, value: &Value<'i>) {
        let names: Vec<&str> = LIMITS.iter().map(|limit| limit.name).collect();
        let Some(table) = self.table(value, "setting.limits", &names) else { return };
        for (key, value) in table {
            let Some(kind) = LimitKind::named(key.get_ref()) else { continue };
            let text = self.number_or_text(value, &format!("setting.limits.{}", key.get_ref()), "");
            if let Some(template) = self.template(text) {
                self.document.setting.limits.push((kind, template));
            }
        }
    }

    /// A text, or an integer with this unit behind it.
    fn number_or_text(&mut self, value: &Value<'i>, path: &str, unit: &str) -> Option<Text> {
        match value.get_ref() {
            DeValue::Integer(number) => Some(Text::whole(decimal(number) + unit, value.span())),
            _ => self.text(value, path),
        }
    }

    fn template(&mut self, text: Option<Text>) -> Option<Template> {
        let text = text?;
        let pieces = self.pieces(&text)?;
        Some((text, pieces))
    }
}
