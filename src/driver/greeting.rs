//! A driver's first line (docs/wire.md, "Greeting").

use std::collections::BTreeMap;

/// The version of the wire protocol that this program speaks.
pub const PROTOCOL: u32 = 1;

/// `hello 1 cpython 3.6.15 buffer=8192 chunk=8192`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The name of the runtime (`cpython`, `pypy3.10`).
    pub runtime: String,
    /// The runtime's exact version (`3.6.15`).
    pub version: String,
    /// The runtime's own sizes in bytes.
    pub symbols: BTreeMap<String, u64>,
}

impl Greeting {
    /// Reads the line, with or without its line feed.
    ///
    /// # Errors
    /// What is wrong with it, in words for the driver's author.
    pub fn parse(line: &str) -> Result<Greeting, String> {
        let mut words = line.trim_end_matches('\n').split(' ');
        let (Some("hello"), Some(protocol), Some(runtime), Some(version)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(format!("expected `hello {PROTOCOL} RUNTIME VERSION`, got {line:?}"));
        };
        if protocol != PROTOCOL.to_string() {
            return Err(format!("it speaks version {protocol} of the protocol, not {PROTOCOL}"));
        }
        let symbols = words
            .map(|word| {
                let (name, bytes) = word.split_once('=')?;
                Some((name.to_owned(), bytes.parse().ok()?))
            })
            .collect::<Option<_>>()
            .ok_or_else(|| format!("expected NAME=BYTES after the version, got {line:?}"))?;
        Ok(Greeting { runtime: runtime.to_owned(), version: version.to_owned(), symbols })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtime_version_and_sizes_are_read() {
        let greeting = Greeting::parse("hello 1 cpython 3.6.15 buffer=8192 chunk=4096\n").unwrap();
        assert_eq!(greeting.runtime, "cpython");
        assert_eq!(greeting.version, "3.6.15");
        assert_eq!(greeting.symbols["chunk"], 4096);
    }

    #[test]
    fn anything_else_is_named() {
        assert!(Greeting::parse("Python 3.6.15").unwrap_err().contains("expected `hello"));
        assert!(Greeting::parse("hello 2 cpython 3.20.0").unwrap_err().contains("version 2"));
        assert!(Greeting::parse("hello 1 cpython 3.6.15 buffer").unwrap_err().contains("NAME=BYTES"));
    }
}
