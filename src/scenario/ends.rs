//! How a call may end, as far as its expectation says.

use super::expect::{Expectation, Expected};

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sure {
    Yes,
    No,
    /// It isn't known here.
    Perhaps,
}

impl Expectation {
    /// The ends that are expected, at once or later.
    fn ends(&self) -> impl Iterator<Item = &Expected> {
        self.any_of.iter().chain(self.then.iter().flat_map(|then| &then.any_of))
    }

    /// One of these errnos (parted by `|`), or any, is among what is expected.
    pub(super) fn fails_with(&self, errnos: &str) -> bool {
        let one_of = |name: &str| errnos.split('|').any(|errno| errno == name);
        self.ends().any(|expected| match expected {
            Expected::Failed => true,
            Expected::Errno { errno, .. } => one_of(errno),
            // What goes on until something fails says in words what that was.
            Expected::Ok { words, .. } => words.iter().flatten().any(|word| one_of(word)),
            _ => false,
        })
    }

    /// Whether the call is expected to succeed.
    pub(super) fn succeeds(&self) -> Sure {
        let ends = || {
            self.ends().filter_map(|expected| match expected {
                Expected::Ok { .. } | Expected::Eof => Some(true),
                Expected::Errno { .. } | Expected::Failed => Some(false),
                _ => None,
            })
        };
        match (ends().any(|ok| ok), ends().any(|ok| !ok)) {
            (true, false) => Sure::Yes,
            (false, true) => Sure::No,
            _ => Sure::Perhaps,
        }
    }
}
