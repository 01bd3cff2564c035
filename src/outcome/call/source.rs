//! Files that are no channels: what is spliced from and to.

use super::{Arg, CallInfo, On, call};

pub(super) const CALLS: &[CallInfo] = &[
    call(
        "file",
        "ACTOR file NEW SIZE [append]",
        "memfd_create(2): a file of SIZE position-coded bytes, at its beginning",
        &[Arg::New, Arg::Payload, Arg::Any { words: &["append"], handles: false }],
    )
    .sends()
    .makes(On::File),
    call("devnull", "ACTOR devnull NEW", "open(2) of /dev/null", &[Arg::New]).makes(On::File),
];
