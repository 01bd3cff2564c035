//! The UNIX socket of records (unix(7), SOCK_SEQPACKET).
//!
//! Connected as a stream is, and each send is a record of its own, of which a receive without
//! room drops the rest. FIONREAD is the sum of all records that wait, as for a stream.

use super::{Kind, KindInfo, stream};

pub const INFO: KindInfo = KindInfo {
    kind: Kind::UnixSeqpacket,
    name: "unix seqpacket",
    about: "a UNIX socket of records",
    whole: true,
    ..stream::INFO
};
