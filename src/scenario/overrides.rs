//! What the command line says over the file.

/// Changes to a scenario's parameters, and the versions that a snapshot knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Parameter and the values that replace its own, as text.
    pub set: Vec<(String, Vec<String>)>,
    /// Driver and version of every runtime with a recorded snapshot: `@all`
    /// makes a visible skip of those that aren't on this machine.
    pub recorded: Vec<(String, String)>,
    /// Of each case at most so many orders are played, whatever its scenario says (at least 1).
    pub orders: Option<usize>,
    /// Draws the orders of a sample; 0 unless told.
    pub seed: u64,
}

impl Overrides {
    /// Takes the text after `--set`: `n=5000`, `n=blksize+1`, `n=[1, "page"]`,
    /// `writer=python:text`. A parameter that is set again gets one more value.
    ///
    /// # Errors
    /// No `=`, no name, or a TOML value that no parameter takes.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, value)| !name.is_empty() && !value.is_empty())
            .ok_or_else(|| {
                format!("`{text}` isn't `name=value`, such as `n=5000` or `n=[1, \"blksize+1\"]`")
            })?;
        let values = read(value).map_err(|why| format!("`{text}`: {why}"))?;
        match self.set.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => known.extend(values),
            None => self.set.push((name.to_owned(), values)),
        }
        Ok(())
    }
}

/// A TOML value if it is one, else the text itself: a shell shouldn't have to
/// quote quotes.
fn read(text: &str) -> Result<Vec<String>, String> {
    let scalar = |value: &toml::Value| match value {
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::String(text) => Ok(text.clone()),
        other => Err(format!("a parameter is an integer or a string, not a {}", other.type_str())),
    };
    let looks_like_toml = text.starts_with(['"', '\'', '[']);
    match text.parse::<toml::Value>() {
        Ok(toml::Value::Array(items)) if items.is_empty() => {
            Err("an empty list makes no case at all".to_owned())
        }
        Ok(toml::Value::Array(items)) => items.iter().map(scalar).collect(),
        Ok(value @ (toml::Value::Integer(_) | toml::Value::String(_))) => {
            scalar(&value).map(|value| vec![value])
        }
        Err(error) if looks_like_toml => Err(error.message().to_owned()),
        _ => Ok(vec![text.to_owned()]),
    }
}
