//! Calls that steps have fail, cut short, or hold.

use std::collections::HashMap;

use super::{memory, registers};
use crate::trace::{Effect, Injection, Nth, Size, Traced, Watched};

/// Which calls are to come to what.
#[derive(Default)]
pub(super) struct Faults {
    /// Calls on each channel so far, also those that haven't returned.
    made: HashMap<(Watched, usize), u64>,
    injections: Vec<Injection>,
    /// A `run` that ends with this call.
    until: Option<Nth>,
    /// Those that have come since somebody asked.
    met: Vec<Injection>,
}

/// Whom a held call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The next `run`.
    Run,
    Release,
}

/// What a call's exit puts right.
#[derive(Default)]
pub(super) struct Undo {
    argument: Option<(usize, u64)>,
    memory: Option<(u64, Vec<u8>)>,
    result: Option<i64>,
}

impl Faults {
    /// A call begins: its place in the row of those on each of its channels.
    pub(super) fn count(&mut self, call: Watched, channels: &[usize]) -> Vec<Nth> {
        let place = |channel: &usize| {
            let made = self.made.entry((call, *channel)).or_default();
            *made += 1;
            Nth { nth: *made, call, channel: *channel }
        };
        channels.iter().map(place).collect()
    }

    /// The kernel begins the call again by itself: it is the same one to the program.
    pub(super) fn uncount(&mut self, call: Watched, channels: &[usize], again: Option<Injection>) {
        for channel in channels {
            *self.made.entry((call, *channel)).or_insert(1) -= 1;
        }
        self.injections.extend(again);
    }

    /// False if so many have been made already.
    pub(super) fn add(&mut self, injection: Injection) -> bool {
        let comes = self.comes(injection.at);
        if comes {
            self.injections.push(injection);
        }
        comes
    }

    /// As [`Faults::add`].
    pub(super) fn run_until(&mut self, until: Option<Nth>) -> bool {
        let comes = until.is_none_or(|until| self.comes(until));
        self.until = until.filter(|_| comes);
        comes
    }

    fn comes(&self, at: Nth) -> bool {
        self.made.get(&(at.call, at.channel)).is_none_or(|made| *made < at.nth)
    }

    /// The call is to be stopped at its entry.
    pub(super) fn holds(&mut self, places: &[Nth]) -> Option<Waits> {
        let mut met = Vec::from_iter(
            self.injections.extract_if(.., |it| it.effect == Effect::Held && places.contains(&it.at)),
        );
        let waits = match met.is_empty() {
            false => Waits::Release,
            true => {
                let at = self.until.take_if(|until| places.contains(until))?;
                met.push(Injection { at, effect: Effect::Held });
                Waits::Run
            }
        };
        self.met.extend(met);
        Some(waits)
    }

    /// What else becomes of it.
    pub(super) fn take(&mut self, places: &[Nth]) -> Option<Injection> {
        let at =
            self.injections.iter().position(|it| it.effect != Effect::Held && places.contains(&it.at))?;
        let injection = self.injections.swap_remove(at);
        self.met.push(injection);
        Some(injection)
    }

    /// The calls that have come since this was asked last, of those that steps were about.
    pub(super) fn take_met(&mut self) -> Vec<Injection> {
        std::mem::take(&mut self.met)
    }
}

/// Has a call at its entry come to something else. `None`: it couldn't be.
pub(super) fn inject(tid: i32, effect: Effect, info: &Traced, args: &[u64; 6]) -> Option<Undo> {
    match effect {
        Effect::Held => Some(Undo::default()),
        // A close that fails has closed (close(2)).
        Effect::Fails(errno) if info.name == "close" => {
            Some(Undo { result: Some(-i64::from(errno)), ..Undo::default() })
        }
        Effect::Fails(errno) => {
            registers::skip(tid, -i64::from(errno)).ok()?;
            Some(Undo::default())
        }
        Effect::Cut(bytes) => match info.size {
            Size::Arg(at) if args[at] > bytes => {
                registers::set_argument(tid, at, bytes).ok()?;
                // A program may rely on it: a call changes no argument.
                Some(Undo { argument: Some((at, args[at])), ..Undo::default() })
            }
            Size::Vector(array, count) => cut_vector(tid, args, array, count, bytes),
            _ => None,
        },
    }
}

/// Shortens an array of `struct iovec`: fewer of them, and the last one of fewer bytes.
fn cut_vector(tid: i32, args: &[u64; 6], array: usize, count: usize, bytes: u64) -> Option<Undo> {
    let lengths = memory::lengths(tid, args[array], args[count])?;
    let last = (0..lengths.len()).find(|&at| memory::sum(&lengths[..=at]) > bytes)?;
    let rest = bytes - memory::sum(&lengths[..last]);
    let address = args[array] + (last * memory::VECTOR + size_of::<usize>()) as u64;
    memory::write(tid, address, &(rest as usize).to_ne_bytes()).ok()?;
    registers::set_argument(tid, count, last as u64 + 1).ok()?;
    Some(Undo {
        argument: Some((count, args[count])),
        memory: Some((address, (lengths[last] as usize).to_ne_bytes().to_vec())),
        result: None,
    })
}

impl Undo {
    /// At the call's exit. What the program gets instead of the kernel's result.
    pub(super) fn at_exit(self, tid: i32) -> Option<i64> {
        if let Some((at, value)) = self.argument {
            let _ = registers::set_argument(tid, at, value);
        }
        if let Some((address, bytes)) = &self.memory {
            let _ = memory::write(tid, *address, bytes);
        }
        let result = self.result?;
        registers::set_result(tid, result).ok().map(|()| result)
    }
}
