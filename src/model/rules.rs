//! The rules that a simpler model would get wrong, each with a switch, so that a
//! test can turn one off and see that the comparison with the kernel notices.

/// Which rules hold; [`Rules::linux`] is the only true answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// A write's remainder goes into the last page if it fits there whole.
    pub merge: bool,
    /// ... and that is tried once, when write(2) begins, not after it has slept.
    pub merge_at_entry_only: bool,
    /// Room is counted in slots of a page, not in bytes.
    pub slots: bool,
    /// What is queued can be read after the last writer has gone.
    pub queue_before_eof: bool,
    /// A FIFO forgets its queue (and its capacity) when nobody holds it any more.
    pub forget_at_last_close: bool,
    /// A write that moved something returns that count when its reader goes.
    pub short_before_epipe: bool,
}

impl Rules {
    /// Linux as it is.
    pub const fn linux() -> Rules {
        Rules {
            merge: true,
            merge_at_entry_only: true,
            slots: true,
            queue_before_eof: true,
            forget_at_last_close: true,
            short_before_epipe: true,
        }
    }

    /// Linux with one rule broken, for every rule, with the rule's name.
    pub fn broken() -> Vec<(&'static str, Rules)> {
        let linux = Rules::linux();
        vec![
            ("merge", Rules { merge: false, ..linux }),
            ("merge_at_entry_only", Rules { merge_at_entry_only: false, ..linux }),
            ("slots", Rules { slots: false, ..linux }),
            ("queue_before_eof", Rules { queue_before_eof: false, ..linux }),
            ("forget_at_last_close", Rules { forget_at_last_close: false, ..linux }),
            ("short_before_epipe", Rules { short_before_epipe: false, ..linux }),
        ]
    }
}
