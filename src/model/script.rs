//! A plan's steps in the model's words.

use std::fmt;

use super::{Allowed, Call, Events, Flags, Geometry, Handle, Machine, Model, Rules, SocketKind, State};
use crate::{
    channel::Kind,
    driver::{FORK, THREAD},
    outcome::{Action, Amount, Called},
    setting::Sigpipe,
    stage::{Launch, Plan},
};

/// Who plays, and under which names: what the words of a plan's steps stand for.
#[derive(Debug, Default)]
pub(super) struct Cast {
    /// Handles by name; the number is the place.
    handles: Vec<String>,
    /// The names that sockets are bound to.
    names: Vec<String>,
    actors: Vec<Actor>,
}

#[derive(Debug)]
struct Actor {
    name: String,
    /// Why its steps aren't modelled; empty if they are.
    foreign: String,
}

/// Why the model has nothing to say of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotModelled(pub String);

impl fmt::Display for NotModelled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl NotModelled {
    fn of(why: impl Into<String>) -> NotModelled {
        NotModelled(why.into())
    }
}

/// What one step of a plan is to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    on: Handle,
    call: Call,
}

impl Model {
    /// A case of this plan in which nothing was done yet. Actors that aren't `raw`, and calls
    /// that the model doesn't know, are told where a step wants them ([`Model::allowed`]).
    pub fn of(plan: &Plan, machine: &Machine, rules: Rules) -> Model {
        let mut machine = *machine;
        if let Some(qlen) = plan.setting.max_dgram_qlen {
            machine.qlen = u64::from(qlen);
        }
        let mut state = State::new(machine, rules, plan.actors.len(), plan.channels.len());
        for (handle, channel) in plan.channels.iter().enumerate() {
            let slots = |bytes: u64| bytes.div_ceil(machine.pipe.page).max(1).next_power_of_two() as usize;
            let geometry =
                Geometry { slots: channel.capacity.map_or(machine.pipe.slots, slots), ..machine.pipe };
            if channel.declared && matches!(channel.kind, Kind::Fifo | Kind::Pipe) {
                state.declare(handle as Handle, channel.kind == Kind::Pipe, geometry);
            }
        }
        for (at, actor) in plan.actors.iter().enumerate() {
            if actor.mode.iter().any(|word| word == FORK) {
                state.is_made_later(at);
            }
        }
        if plan.setting.sigpipe != Sigpipe::Ignore {
            state.sigpipe_kills();
        }
        let actor = |actor: &crate::stage::PlannedActor| {
            let foreign = match &*actor.launch {
                Launch::BuiltIn(driver) if driver == "raw" => {
                    let thread = actor.mode.iter().any(|word| word == THREAD);
                    if thread { "threads aren't modelled" } else { "" }
                }
                Launch::BuiltIn(_) | Launch::Program { .. } => "what a runtime buffers isn't modelled",
                Launch::Command(_) | Launch::Child(_) => "what a program does isn't modelled",
            };
            Actor { name: actor.name.clone(), foreign: foreign.to_owned() }
        };
        let mut names: Vec<String> = plan.steps.iter().filter_map(|step| bound(&step.action)).collect();
        names.sort();
        names.dedup();
        state.names(names.len());
        let handles = plan.channels.iter().map(|channel| channel.name.clone()).collect();
        Model::with_cast(state, Cast { handles, names, actors: plan.actors.iter().map(actor).collect() })
    }

    /// Whether the actor can take this step, whichever state it is: it isn't blocked, and has
    /// what the step needs. False for a step that isn't modelled.
    pub fn can(&self, actor: usize, action: &Action) -> bool {
        self.cast.step(actor, action).is_ok_and(|step| self.can_call(actor, step.on, step.call))
    }

    /// What may be seen once the actor has done this and all has settled.
    ///
    /// # Errors
    /// The model doesn't say: why.
    pub fn allowed(&self, actor: usize, action: &Action) -> Result<Vec<Allowed>, NotModelled> {
        let step = self.cast.step(actor, action)?;
        if !self.states().any(|state| state.can(actor, step.on, step.call)) {
            return Err(NotModelled::of("a step of who can't take it isn't modelled"));
        }
        self.after(actor, step.on, step.call)
            .map_err(|_| NotModelled::of("too much can happen at once for the model to look at all of it"))
    }
}

/// Calls that neither wait nor touch a channel.
const ASKS: &[&str] = &[
    "getfl",
    "getfd",
    "setfd",
    "getpipe_sz",
    "fstat",
    "stat",
    "lstat",
    "fstatfs",
    "fsync",
    "lseek",
    "samefile",
    "getsockname",
    "getpeername",
    "siocoutq",
    "chmod",
    "fchmod",
    "fchown",
];

/// Options that a UNIX socket's sends and receives don't ask for.
const IDLE_OPTIONS: &[&str] = &["rcvbuf", "type", "acceptconn", "sndbuf"];

/// The name that a step binds to or connects to.
fn bound(action: &Action) -> Option<String> {
    let Action::Call(called) = action else { return None };
    called.name().filter(|_| matches!(called.call.name(), "bind" | "connect" | "sendto")).map(str::to_owned)
}

impl Cast {
    fn handle(&self, name: &str) -> Result<Handle, NotModelled> {
        let at = self.handles.iter().position(|known| known == name);
        at.and_then(|at| Handle::try_from(at).ok())
            .ok_or_else(|| NotModelled::of(format!("`{name}` is no handle here")))
    }

    fn step(&self, actor: usize, action: &Action) -> Result<Step, NotModelled> {
        let plays = self.actors.get(actor).map_or("", |actor| &actor.foreign);
        let from_outside = matches!(action, Action::Kill { .. });
        if !plays.is_empty() && !from_outside {
            return Err(NotModelled::of(plays));
        }
        match action {
            Action::Call(called) => self.called(called),
            Action::Kill { signal: libc::SIGKILL } => Ok(Step { on: 0, call: Call::Kill }),
            Action::Exit { .. } => Ok(Step { on: 0, call: Call::Exit }),
            _ => {
                let call = Call::of(action).ok_or_else(|| {
                    NotModelled::of(format!("`{}` isn't modelled in this form", action.verb().name()))
                })?;
                Ok(Step { on: action.channel().unwrap_or(0) as Handle, call })
            }
        }
    }

    fn called(&self, called: &Called) -> Result<Step, NotModelled> {
        let name = called.call.name();
        let unknown = || NotModelled::of(format!("`{name}` isn't modelled"));
        let only = |known: &[&str]| {
            let flags = called.words.iter().filter(|word| {
                // A name may be any word.
                let is_name = called.name() == Some(word.as_str());
                !is_name && !self.handles.contains(word) && word.parse::<u64>().is_err()
            });
            let odd = flags.map(String::as_str).find(|word| !known.contains(word));
            odd.map_or(Ok(()), |word| Err(NotModelled::of(format!("`{name}` with `{word}` isn't modelled"))))
        };
        let size = || called.words.iter().find_map(|word| word.parse::<u64>().ok()).ok_or_else(unknown);
        let has = |word| called.has(word);
        let made: Vec<&str> = called.makes().collect();
        let first = || called.handle().ok_or_else(unknown).and_then(|name| self.handle(name));
        let kind = match () {
            () if has("dgram") => SocketKind::Datagram,
            () if has("seqpacket") => SocketKind::Seqpacket,
            () => SocketKind::Stream,
        };
        let flags = Flags {
            dontwait: has("dontwait"),
            peek: has("peek"),
            waitall: has("waitall"),
            trunc: has("trunc"),
            nosignal: has("nosignal"),
        };
        let bound = || -> Result<u8, NotModelled> {
            let name = called.name().ok_or_else(unknown)?;
            // A path below a folder may not be there, and `=HANDLE` is that handle's affair.
            let plain = name.len() > 1 && !name.contains(['/', '=']) && name != "nothing";
            let at = self.names.iter().position(|known| plain && known == name).ok_or_else(unknown)?;
            u8::try_from(at).map_err(|_| unknown())
        };
        let step = |on, call| Ok(Step { on, call });
        match name {
            "pipe" => {
                only(&["cloexec", "nonblock", "direct"])?;
                let [on, write_end] = made[..] else { return Err(unknown()) };
                let write_end = self.handle(write_end)?;
                let call = Call::Pipe { write_end, nonblock: has("nonblock"), direct: has("direct") };
                step(self.handle(on)?, call)
            }
            "socketpair" => {
                only(&["cloexec", "nonblock", "stream", "dgram", "seqpacket"])?;
                let [on, other] = made[..] else { return Err(unknown()) };
                let other = self.handle(other)?;
                step(self.handle(on)?, Call::SocketPair { other, kind, nonblock: has("nonblock") })
            }
            "socket" if has("unix") && has("dgram") => {
                let [on] = made[..] else { return Err(unknown()) };
                step(self.handle(on)?, Call::Socket { nonblock: has("nonblock") })
            }
            "bind" => step(first()?, Call::Bind { name: bound()? }),
            "connect" => step(first()?, Call::Connect { name: bound()? }),
            "fork" => {
                let child = called.actor().ok_or_else(unknown)?;
                let child = self.actors.iter().position(|actor| actor.name == child).ok_or_else(unknown)?;
                step(0, Call::Fork { child })
            }
            "close" => step(first()?, Call::Close),
            "dup" => {
                let [copy] = made[..] else { return Err(unknown()) };
                step(first()?, Call::Duplicate { copy: self.handle(copy)? })
            }
            "read" | "readv" => {
                only(&[])?;
                step(first()?, Call::Read(size()?))
            }
            "write" | "writev" => {
                only(&[])?;
                step(first()?, Call::Write(size()?))
            }
            "fill" => step(first()?, Call::Fill(size()?)),
            "drain" => step(first()?, Call::Drain(size()?)),
            "send" => {
                only(&["dontwait", "nosignal"])?;
                step(first()?, Call::Send { bytes: size()?, flags })
            }
            "sendto" => {
                only(&["dontwait", "nosignal"])?;
                step(first()?, Call::SendTo { name: bound()?, bytes: size()?, flags })
            }
            "setsockopt" if !has("sndbuf") && IDLE_OPTIONS.iter().any(|option| has(option)) => {
                step(first()?, Call::Asks)
            }
            "getsockopt" if IDLE_OPTIONS.iter().any(|option| has(option)) => step(first()?, Call::Asks),
            _ if ASKS.contains(&name) => {
                let on = called.handle().map_or(Ok(0), |name| self.handle(name))?;
                step(on, Call::Asks)
            }
            "recv" => {
                only(&["dontwait", "peek", "waitall", "trunc"])?;
                let room = size()?;
                if room == 0 || flags.peek && flags.waitall {
                    return Err(NotModelled::of(
                        "a receive of nothing, or one that peeks and waits for all, isn't modelled",
                    ));
                }
                step(first()?, Call::Receive { room, flags })
            }
            "shutdown" => {
                only(&["read", "write", "both"])?;
                let [reading, writing] = ["read", "write"].map(|word| has(word) || has("both"));
                step(first()?, Call::Shutdown { reading, writing })
            }
            "setpipe_sz" => step(first()?, Call::Resize(size()?)),
            "setsockopt" => {
                only(&["sndbuf"])?;
                step(first()?, Call::SendBuffer(size()?))
            }
            "setfl" => {
                only(&["nonblock", "direct"])?;
                step(first()?, Call::Flags { nonblock: has("nonblock"), direct: has("direct") })
            }
            "fionread" => step(first()?, Call::Queued),
            "poll" if has("now") => {
                only(&["in", "out", "rdhup", "nothing", "now"])?;
                let mut handles = called.handles();
                let (Some(on), None) = (handles.next(), handles.next()) else { return Err(unknown()) };
                let asked = Events {
                    readable: has("in"),
                    writable: has("out"),
                    read_hangup: has("rdhup"),
                    ..Events::default()
                };
                step(self.handle(on)?, Call::Poll(asked))
            }
            _ => Err(unknown()),
        }
    }
}

impl Call {
    /// What the raw driver does for this verb on a declared channel; `None` for what the model
    /// doesn't cover (waiting).
    pub fn of(action: &Action) -> Option<Call> {
        Some(match *action {
            Action::Open { access, nonblock, .. } => Call::Open { access, nonblock },
            Action::Close { .. } => Call::Close,
            Action::Write { bytes, pieces: None, .. } => Call::Write(bytes),
            Action::Write { bytes, pieces: Some(piece), .. } => Call::WritePieces { bytes, piece },
            Action::Read { amount: Amount::Bytes(bytes), .. } => Call::ReadExactly(bytes),
            Action::Read { amount: Amount::ToEof, .. } => Call::ReadToEof,
            Action::Read { amount: Amount::Available, .. } => Call::ReadAvailable,
            Action::Kill { signal: libc::SIGKILL } => Call::Kill,
            _ => return None,
        })
    }
}
