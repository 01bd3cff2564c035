//! What the layers of a writer's runtime hold back.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One layer that buffers between a program's call and write(2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The runtime's own word for it (`text`, `buffer`).
    pub name: String,
    /// Bytes that it has taken from above and not handed down; `None` where this
    /// runtime doesn't show them.
    pub bytes: Option<u64>,
}

impl Layer {
    pub fn new(name: &str, bytes: Option<u64>) -> Layer {
        Layer { name: name.to_owned(), bytes }
    }

    /// Reads `text:100,buffer:?`, the outermost layer first.
    pub(crate) fn list(text: &str) -> Option<Vec<Layer>> {
        let layer = |word: &str| {
            let (name, bytes) = word.split_once(':').filter(|(name, _)| !name.is_empty())?;
            Some(Layer::new(name, if bytes == "?" { None } else { Some(bytes.parse().ok()?) }))
        };
        text.split(',').map(layer).collect()
    }
}

/// As it stands on the wire: `text:100`.
impl fmt::Display for Layer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.name)?;
        match self.bytes {
            Some(bytes) => write!(out, "{bytes}"),
            None => out.write_str("?"),
        }
    }
}
