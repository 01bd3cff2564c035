//! How a scenario names a driver: `python@3.6:text,buffer=16384,layers`.

use std::fmt;

use super::LAYERS;

/// Which of a driver's runtimes is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// No `@`: the newest found.
    Newest,
    /// `@all`: every one found, each a case of its own.
    All,
    /// `@3.6`, `@pypy3.10`: this one.
    Named(String),
    /// `@/opt/python/bin/python3`: this program.
    Path(String),
}

/// `driver[@version][:mode[,buffer=SIZE][,layers]]`, the options in any order. The
/// size is still an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    pub driver: String,
    pub version: Version,
    /// The mode's name; `None` for the driver's first.
    pub mode: Option<String>,
    /// The text of the `buffer=` expression.
    pub buffer: Option<String>,
    /// It says `layers`: what the runtime's layers hold back is told after each step.
    pub layers: bool,
}

/// Why a text isn't a driver's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    pub message: String,
    /// The part of the text that is at fault, in bytes.
    pub span: std::ops::Range<usize>,
}

impl Spec {
    /// Reads the form above. Whether driver, mode and version exist is not asked.
    ///
    /// # Errors
    /// An empty part, or an option other than `buffer` and `layers`.
    pub fn parse(text: &str) -> Result<Spec, SpecError> {
        let (head, mode) = match text.split_once(':') {
            Some((head, mode)) => (head, Some((head.len() + 1, mode))),
            None => (text, None),
        };
        let (driver, version) = match head.split_once('@') {
            None => (head, Version::Newest),
            Some((driver, "all")) => (driver, Version::All),
            Some((driver, path)) if path.starts_with('/') => (driver, Version::Path(path.to_owned())),
            Some((driver, "")) => {
                return Err(SpecError {
                    message: "no version after `@`".to_owned(),
                    span: driver.len()..driver.len() + 1,
                });
            }
            Some((driver, version)) if version.contains(',') => {
                let at = driver.len() + 1 + version.find(',').unwrap_or(0);
                let message = "a mode stands before its options: `:text,layers`".to_owned();
                return Err(SpecError { message, span: at..head.len() });
            }
            Some((driver, version)) => (driver, Version::Named(version.to_owned())),
        };
        if driver.is_empty() {
            return Err(SpecError { message: "no driver's name".to_owned(), span: 0..text.len() });
        }
        let mut spec = Spec { driver: driver.to_owned(), version, mode: None, buffer: None, layers: false };
        let Some((mut at, mode)) = mode else { return Ok(spec) };
        for (index, word) in mode.split(',').enumerate() {
            let span = at..at + word.len();
            at += word.len() + 1;
            match word.split_once('=') {
                Some(("buffer", size)) if !size.is_empty() => spec.buffer = Some(size.to_owned()),
                Some((LAYERS, _)) => {
                    return Err(SpecError { message: "`layers` takes no value".to_owned(), span });
                }
                Some((name, _)) => {
                    return Err(SpecError {
                        message: format!("no option `{name}`: a mode takes `buffer=SIZE` and `layers`"),
                        span,
                    });
                }
                None if index == 0 && !word.is_empty() => spec.mode = Some(word.to_owned()),
                None if index > 0 && word == LAYERS && !spec.layers => spec.layers = true,
                None if index == 0 => {
                    return Err(SpecError { message: "no mode after `:`".to_owned(), span });
                }
                None => {
                    let message = "expected `buffer=SIZE` or `layers`".to_owned();
                    return Err(SpecError { message, span });
                }
            }
        }
        Ok(spec)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.driver)?;
        match &self.version {
            Version::Newest => {}
            Version::All => out.write_str("@all")?,
            Version::Named(name) | Version::Path(name) => write!(out, "@{name}")?,
        }
        let words: Vec<String> = self
            .mode
            .iter()
            .cloned()
            .chain(self.buffer.iter().map(|size| format!("buffer={size}")))
            .chain(self.layers.then(|| LAYERS.to_owned()))
            .collect();
        if !words.is_empty() {
            write!(out, ":{}", words.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_may_stand_before_or_behind_the_buffer_and_are_shown_behind() {
        let spec = Spec::parse("python@3.6:text,layers,buffer=2*page").unwrap();
        assert!(spec.layers);
        assert_eq!(spec.buffer.as_deref(), Some("2*page"));
        let shown = "python@3.6:text,buffer=2*page,layers";
        assert_eq!(spec.to_string(), shown);
        assert_eq!(Spec::parse(shown), Ok(spec));
        assert!(!Spec::parse("python@3.6:text").unwrap().layers);
    }

    #[test]
    fn the_first_word_is_a_mode_whatever_it_is() {
        let spec = Spec::parse("stdio:layers").unwrap();
        assert_eq!((spec.mode.as_deref(), spec.layers), (Some("layers"), false));
    }

    #[test]
    fn a_mistake_is_placed_at_its_word() {
        let refused = |text: &str| {
            let SpecError { message, span } = Spec::parse(text).unwrap_err();
            (message, text[span].to_owned())
        };
        let told = |message: &str, word: &str| (message.to_owned(), word.to_owned());
        assert_eq!(refused("rust:bufwriter,layers=2"), told("`layers` takes no value", "layers=2"));
        assert_eq!(refused("rust:bufwriter,layer"), told("expected `buffer=SIZE` or `layers`", "layer"));
        assert_eq!(refused("rust:,layers"), told("no mode after `:`", ""));
    }
}
