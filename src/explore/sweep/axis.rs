//! A parameter, and what it is swept over.

use super::Mistake;
use crate::scenario::{Scenario, Symbols};

/// No scenario takes a size near it, and all relations of such sizes can be computed.
const LARGEST: u64 = 1 << 40;

/// A parameter with the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub param: String,
    pub values: Values,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// All integers, both ends included.
    Range { from: u64, to: u64 },
    /// These expressions, with their values.
    List(Vec<(String, u64)>),
}

/// An axis as the command line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisText {
    pub param: String,
    /// `--range`
    pub range: Option<String>,
    /// `--values`
    pub values: Option<String>,
}

impl Axis {
    /// Reads an axis for a scenario on this machine.
    ///
    /// # Errors
    /// The scenario has no such parameter, or one that isn't a number; no range, an empty one.
    pub fn read(text: &AxisText, scenario: &Scenario, symbols: &Symbols) -> Result<Axis, Mistake> {
        let AxisText { param, range, values } = text;
        let names: Vec<&str> = scenario.params.iter().map(|param| param.name.value.as_str()).collect();
        let Some(at) = names.iter().position(|name| name == param) else {
            let known = match names.as_slice() {
                [] => "it has none; give it one: `[params]`, `n = 1`, and `{n}` in the script".to_owned(),
                names => format!("it has {}", names.join(", ")),
            };
            return Err(Mistake(format!(
                "--param {param}: `{}` has no such parameter: {known}",
                scenario.name
            )));
        };
        if let Some(value) = scenario.params[at].values.iter().find(|value| !scenario.is_size(&value.value)) {
            return Err(Mistake(format!(
                "--param {param}: it isn't a number in `{}`: its values are such as `{}`. Each of them gets a \
                 map of its own as it is; `--set {param}=...` gives it other values",
                scenario.name, value.value
            )));
        }
        let values = match (range, values) {
            (Some(range), None) => Axis::range(param, range, symbols)?,
            (None, Some(list)) => Axis::list(param, list, symbols)?,
            (None, None) => {
                return Err(Mistake(format!(
                    "--param {param}: over which values? `--range 1..=3*capacity`, or `--values 1,page,capacity`"
                )));
            }
            (Some(_), Some(_)) => {
                return Err(Mistake(format!("--param {param}: either --range or --values, not both")));
            }
        };
        Ok(Axis { param: param.clone(), values })
    }

    fn range(param: &str, text: &str, symbols: &Symbols) -> Result<Values, Mistake> {
        let fail = |why: String| Err(Mistake(format!("--param {param} --range {text}: {why}")));
        let form = "the form is `1..=200000`, or `1..200001`, with expressions such as `3*capacity`";
        let Some((from, to)) = text.split_once("..") else { return fail(form.to_owned()) };
        let (to, included) = to.strip_prefix('=').map_or((to, false), |to| (to, true));
        let end = |text: &str| match text.trim() {
            "" => Err(form.to_owned()),
            text => symbols.size(text),
        };
        let (from, to) = match (end(from), end(to)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(why), _) | (_, Err(why)) => return fail(why),
        };
        let last = if included { Some(to) } else { to.checked_sub(1) };
        match last {
            Some(to) if to > LARGEST => fail(format!("{to} is beyond all sizes: at most {LARGEST}")),
            Some(to) if from <= to => Ok(Values::Range { from, to }),
            _ => fail(format!("it is empty: it goes from {from} up to {to}; the smaller end comes first")),
        }
    }

    fn list(param: &str, text: &str, symbols: &Symbols) -> Result<Values, Mistake> {
        let mut list: Vec<(String, u64)> = Vec::new();
        for word in text.split(',').map(str::trim) {
            let fail = |why: String| Err(Mistake(format!("--param {param} --values {text}: {why}")));
            match symbols.size(word) {
                Ok(value) if list.iter().any(|(_, known)| *known == value) => {
                    return fail(format!("{value} stands there twice"));
                }
                Ok(value) => list.push((word.to_owned(), value)),
                Err(why) => return fail(why),
            }
        }
        list.sort_by_key(|(_, value)| *value);
        Ok(Values::List(list))
    }
}
