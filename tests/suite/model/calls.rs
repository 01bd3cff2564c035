//! Random non-blocking calls, on the kernel and on the model: the same counts, the
//! same errors, the same bytes queued after each. SIGPIPE is ignored in Rust's
//! tests, as the model wants it.

use std::os::fd::OwnedFd;

use nix::{fcntl::OFlag, unistd::pipe2};
use pipelab::{
    model::{Call, Gave, Machine, Model, Rule, Rules, State},
    outcome::Access,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use super::kernel::{TempFifo, default_geometry, failed, open_end, queued, read_once, resize, write_once};
use crate::support::no_fork;

const ACTORS: usize = 3;
/// Linux's PIPE_BUF, whatever the page: limits.h, pipe(7).
const PIPE_BUF: u64 = 4096;

/// A size around those at which something changes, up to 17 pages.
fn size(page: u64) -> impl Strategy<Value = u64> {
    let around = prop_oneof![
        Just(1),
        Just(page),
        Just(PIPE_BUF),
        prop::sample::select(vec![1, 2, 4, 16]).prop_map(move |pages| pages * page),
        0..17 * page,
    ];
    (around, 0..=2_u64).prop_map(|(around, step)| (around + step).saturating_sub(1))
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![4 => Just(Access::Read), 4 => Just(Access::Write), 1 => Just(Access::Both)]
}

fn call(page: u64) -> impl Strategy<Value = Call> {
    prop_oneof![
        2 => access().prop_map(|access| Call::Open { access, nonblock: true }),
        1 => Just(Call::Close),
        8 => size(page).prop_map(Call::Write),
        6 => size(page).prop_map(Call::Read),
        2 => prop::sample::select(vec![1, 2, 4, 16]).prop_map(move |pages| Call::Resize(pages * page)),
    ]
}

fn calls() -> impl Strategy<Value = Vec<(usize, Call)>> {
    let page = default_geometry().page;
    prop::collection::vec((0..ACTORS, call(page)), 1..60)
}

/// The kernel's side: what each actor holds.
struct Kernel {
    fifo: Option<TempFifo>,
    ends: Vec<Option<OwnedFd>>,
}

impl Kernel {
    fn do_call(&mut self, actor: usize, call: Call) -> Gave {
        let slot = &mut self.ends[actor];
        let end = slot.as_ref();
        let counted = |result: nix::Result<u64>| result.map_or_else(|errno| failed(errno, 0), Gave::Moved);
        match call {
            Call::Open { access, nonblock } => {
                let path = self.fifo.as_ref().expect("a pipe isn't opened").path();
                match open_end(path, access, nonblock) {
                    Ok(end) => {
                        *slot = Some(end);
                        Gave::Done
                    }
                    Err(errno) => failed(errno, 0),
                }
            }
            Call::Close => {
                *slot = None;
                Gave::Done
            }
            Call::Write(len) => counted(write_once(end.expect("an end"), len)),
            Call::Read(len) => match counted(read_once(end.expect("an end"), len)) {
                Gave::Moved(0) if len > 0 => Gave::Eof,
                gave => gave,
            },
            Call::Resize(bytes) => counted(resize(end.expect("an end"), bytes)),
            other => panic!("not a call of this test: {other:?}"),
        }
    }

    fn queued(&self) -> Option<u64> {
        self.ends.iter().flatten().next().map(queued)
    }
}

/// Plays the calls on both sides; the first difference is the error.
fn compare(mut kernel: Kernel, mut model: Model, calls: &[(usize, Call)]) -> Result<(), String> {
    let _unforked = no_fork();
    for (index, &(actor, call)) in calls.iter().enumerate() {
        let opens_pipe = kernel.fifo.is_none() && matches!(call, Call::Open { .. });
        if actor >= kernel.ends.len() || opens_pipe || !model.can_call(actor, 0, call) {
            continue;
        }
        let settled = model.play(actor, 0, call).expect("one actor at a time, and none blocks");
        let model_says = (settled.gave, settled.queued[0]);
        let gave = kernel.do_call(actor, call);
        let kernel_says = (gave, kernel.queued().or(settled.queued[0]));
        if model_says != kernel_says {
            return Err(format!(
                "call {index}, {call:?} of actor {actor}: model {model_says:?}, kernel {kernel_says:?}"
            ));
        }
    }
    Ok(())
}

fn compare_on_fifo(rules: Rules, calls: &[(usize, Call)]) -> Result<(), String> {
    let geometry = default_geometry();
    let ends = (0..ACTORS).map(|_| None).collect();
    let kernel = Kernel { fifo: Some(TempFifo::new()), ends };
    compare(kernel, State::fifo(Machine::with_pipe(geometry), ACTORS, rules).into(), calls)
}

fn compare_on_pipe(rules: Rules, calls: &[(usize, Call)]) -> Result<(), String> {
    let geometry = default_geometry();
    let (reader, writer) = pipe2(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).expect("pipe2");
    let kernel = Kernel { fifo: None, ends: vec![Some(reader), Some(writer)] };
    compare(kernel, State::pipe(Machine::with_pipe(geometry), true, rules).into(), calls)
}

proptest! {
    #[test]
    fn the_model_says_what_a_fifo_does(calls in calls()) {
        prop_assert_eq!(compare_on_fifo(Rules::linux(), &calls), Ok(()));
    }

    #[test]
    fn the_model_says_what_a_pipe_does(calls in calls()) {
        prop_assert_eq!(compare_on_pipe(Rules::linux(), &calls), Ok(()));
    }
}

#[test]
fn a_broken_rule_is_noticed() {
    let mut runner = TestRunner::deterministic();
    let draws: Vec<_> = (0..Config::default().cases)
        .map(|_| calls().new_tree(&mut runner).expect("a draw").current())
        .collect();
    // Others need a call that sleeps (see `trials`), or a channel that `pipelab fuzz` has.
    for rule in [Rule::Merge, Rule::MergeWhole, Rule::Slots, Rule::QueueBeforeEof, Rule::ForgetAtLastClose] {
        let rules = Rules::without(rule);
        assert!(draws.iter().any(|calls| compare_on_fifo(rules, calls).is_err()), "{rule:?} went unnoticed");
    }
}
