//! Each rule as a sentence that can fail, on a buffer of ten bytes.

use super::{
    rules::{Close, Count, Direct, FlushError, OnError, OnFull, Overflow, Rule, Short, Start, Through},
    *,
};

fn policy() -> Policy {
    let sizes = Policy::default().with(Rule::Capacity, 10).with(Rule::Chunk, 0);
    let policy = sizes.choose(Overflow::FlushFirst).choose(Through::At).choose(Direct::Whole);
    let policy = policy.choose(FlushError::Keeps).choose(OnError::Nothing).choose(OnFull::Nothing);
    policy.choose(Close::Tells).choose(Count::Taken).choose(Short::GoesOn).choose(Start::Room)
}

fn write(bytes: u64) -> Step {
    Step::Write { bytes, newline: false }
}

fn nobody(_: u64) -> Accepted {
    Accepted::Refused(Errno::EPIPE)
}

const REFUSED: Result<Told, NoSay> = Ok(Told::Failed { errno: Errno::EPIPE, bytes: 0 });

/// What is held after a write of six bytes, and one of `bytes` that meets an error.
fn after_error(policy: Policy, bytes: u64, errno: Errno) -> (Result<Told, NoSay>, u64) {
    let mut writer = Writer::new(policy);
    writer.step(write(6), Accepted::Took).expect("it has a say");
    let told = writer.step(write(bytes), |_| Accepted::Refused(errno));
    (told, writer.held()[1])
}

#[test]
fn what_fits_is_held_and_flushed() {
    let mut writer = Writer::new(policy());
    assert_eq!(writer.step(write(9), nobody), Ok(Told::Ok { bytes: 9 }));
    assert_eq!(writer.step(Step::Flush, nobody), REFUSED);
    assert_eq!(writer.step(Step::Flush, Accepted::Took), Ok(Told::Done));
    assert_eq!(writer.took().iter().collect::<Vec<_>>(), [(0, 9)]);
}

#[test]
fn a_failed_flush_keeps_or_drops() {
    let held = |policy: Policy| {
        let mut writer = Writer::new(policy);
        writer.step(write(9), nobody).expect("it has a say");
        assert_eq!(writer.step(Step::Flush, nobody), REFUSED);
        writer.held()[1]
    };
    assert_eq!(held(policy()), 9);
    assert_eq!(held(policy().choose(FlushError::Drops)), 0);
}

#[test]
fn a_write_that_meets_an_error_leaves_nothing_or_what_fits() {
    assert_eq!(after_error(policy(), 5, Errno::EPIPE), (REFUSED, 6));
    let what_fits = policy().choose(OnFull::WhatFits);
    assert_eq!(after_error(what_fits, 5, Errno::EPIPE), (REFUSED, 6));
    let told = Ok(Told::Failed { errno: Errno::EAGAIN, bytes: 4 });
    assert_eq!(after_error(what_fits, 5, Errno::EAGAIN), (told, 10));
}

#[test]
fn who_fills_first_counts_what_filled() {
    let told = Ok(Told::Failed { errno: Errno::EPIPE, bytes: 4 });
    let fills = policy().choose(Overflow::FillFirst);
    assert_eq!(after_error(fills, 5, Errno::EPIPE), (told, 10));
    assert_eq!(after_error(fills.choose(FlushError::Drops), 5, Errno::EPIPE), (told, 0));
}

#[test]
fn a_write_as_long_as_the_buffer_goes_through_or_not() {
    let took = |policy: Policy| {
        let mut writer = Writer::new(policy);
        writer.step(write(10), Accepted::Took).expect("it has a say");
        writer.took().len()
    };
    assert_eq!(took(policy()), 10);
    assert_eq!(took(policy().choose(Through::Above)), 0);
}

#[test]
fn what_an_open_rule_decides_is_not_said() {
    let mut writer = Writer::new(Policy::default());
    assert_eq!(writer.step(write(1), Accepted::Took), Err(NoSay::Open(Rule::Chunk)));
    let mut writer = Writer::new(policy());
    assert_eq!(writer.step(write(10), |_| Accepted::Sleeps), Err(NoSay::Sleeps));
    let mut writer = Writer::new(policy());
    assert_eq!(writer.step(Step::Close, nobody), Ok(Told::Done));
    assert_eq!(writer.step(Step::Flush, nobody), Err(NoSay::Closed));
}
