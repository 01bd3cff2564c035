//! Which kinds of handles a call refuses.

use super::*;

const ONE: &[Arg] = &[Arg::Handle];
const TWO: &[Arg] = &[Arg::Handle, Arg::Handle];

#[rstest::rstest]
#[case(call("send", "", "", ONE).only_on(On::Socket, "ENOTSOCK"), &[On::Pipe], Some((0, "ENOTSOCK")))]
#[case(call("send", "", "", ONE).only_on(On::Socket, "ENOTSOCK"), &[On::Listening], None)]
#[case(call("send", "", "", ONE).only_on(On::Socket, "ENOTSOCK"), &[On::Any], None)]
#[case(call("accept", "", "", ONE).only_on(On::Listening, "EINVAL"), &[On::Pipe], Some((0, "ENOTSOCK")))]
#[case(call("accept", "", "", ONE).only_on(On::Listening, "EINVAL"), &[On::Socket], Some((0, "EINVAL")))]
#[case(call("accept", "", "", ONE).only_on(On::Listening, "EINVAL"), &[On::Listening], None)]
#[case(call("splice", "", "", TWO).only_on(On::Pipe, "EINVAL").of(Of::One), &[On::Socket, On::File], Some((0, "EINVAL")))]
#[case(call("splice", "", "", TWO).only_on(On::Pipe, "EINVAL").of(Of::One), &[On::Socket, On::Pipe], None)]
#[case(call("splice", "", "", TWO).only_on(On::Pipe, "EINVAL").of(Of::One), &[On::Socket, On::Any], None)]
#[case(call("tee", "", "", TWO).only_on(On::Pipe, "EINVAL").of(Of::Each), &[On::Pipe, On::File], Some((1, "EINVAL")))]
#[case(call("epoll_ctl", "", "", TWO).only_on(On::Epoll, "EINVAL"), &[On::Epoll, On::Pipe], None)]
#[case(call("close", "", "", ONE), &[On::File], None)]
fn a_call_refuses_kinds(
    #[case] info: CallInfo,
    #[case] kinds: &[On],
    #[case] refusal: Option<(usize, &'static str)>,
) {
    assert_eq!(info.refuses(kinds), refusal);
}
