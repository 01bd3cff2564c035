//! The names that an expression may use.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    expr::Expr,
    place::{Span, Text},
    problem::{Label, Problem},
    suggest::{listed, nearest, way_out},
};
use crate::{
    driver::{DRIVERS, DriverInfo},
    setting::Setting,
};

/// What this machine says of the built-in symbols, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbols {
    /// A page of memory: sysconf(3), `_SC_PAGESIZE`.
    pub page: u64,
    /// The longest write that a pipe keeps in one piece: `PIPE_BUF`, pipe(7).
    pub pipe_buf: u64,
    /// `st_blksize` of a FIFO, from which runtimes choose their buffers: stat(2).
    pub blksize: u64,
    /// What a fresh pipe holds: `F_GETPIPE_SZ`, fcntl(2).
    pub capacity: u64,
    /// The largest pipe that can be had here: `/proc/sys/fs/pipe-max-size`, or with
    /// CAP_SYS_RESOURCE what F_SETPIPE_SZ takes at all. No symbol: it hangs on who asks.
    pub largest_pipe: u64,
    /// How many datagrams may wait in a UNIX socket's queue before a sender that isn't its peer
    /// has to wait, less one: `max_dgram_qlen`, unix(7).
    pub qlen: u64,
}

impl Symbols {
    /// The symbols that stand for bytes, by name.
    pub fn sizes(&self) -> BTreeMap<String, u64> {
        let sizes = BUILT_IN.iter().filter(|symbol| symbol.name != "qlen");
        sizes.map(|symbol| (symbol.name.to_owned(), (symbol.value)(self))).collect()
    }

    /// The value of an expression over them: `3*capacity`.
    ///
    /// # Errors
    /// It can't be read, names something else, or isn't a size; with the way out.
    pub fn size(&self, text: &str) -> Result<u64, String> {
        let told = |problem: Problem| {
            let why = problem.labels.first().map_or(String::new(), |label| format!(": {}", label.text));
            let help = problem.help.map_or(String::new(), |help| format!("; {help}"));
            format!("`{text}`: {}{why}{help}", problem.message)
        };
        let scope = Scope::new(Vec::new(), Some(self));
        let value = Expr::parse(text, &|range| range)
            .and_then(|expr| expr.value(&|name, span| scope.lookup(name, span)))
            .map_err(told)?;
        let value = value.ok_or_else(|| format!("`{text}` isn't known on this machine"))?;
        u64::try_from(value).map_err(|_| format!("`{text}` is {value}, which is no size"))
    }
}

/// One line of the table of built-in symbols.
pub struct SymbolInfo {
    pub name: &'static str,
    pub about: &'static str,
    value: fn(&Symbols) -> u64,
}

/// All built-in symbols.
pub const BUILT_IN: &[SymbolInfo] = &[
    SymbolInfo { name: "page", about: "a page of memory", value: |symbols| symbols.page },
    SymbolInfo {
        name: "pipe_buf",
        about: "`PIPE_BUF`, the longest write that a pipe keeps in one piece",
        value: |symbols| symbols.pipe_buf,
    },
    SymbolInfo {
        name: "blksize",
        about: "`st_blksize` of a FIFO, from which runtimes choose their buffers",
        value: |symbols| symbols.blksize,
    },
    SymbolInfo { name: "capacity", about: "what a fresh pipe holds", value: |symbols| symbols.capacity },
    SymbolInfo {
        name: "qlen",
        about: "not bytes: `net.unix.max_dgram_qlen`, the datagrams that may wait in a UNIX socket's queue",
        value: |symbols| symbols.qlen,
    },
];

/// Parameters may refer to each other, but not that deep.
const MAX_DEPTH: usize = 30;

/// An actor, as far as names go.
pub(super) struct ScopeActor<'a> {
    pub name: &'a str,
    /// Its driver's name; empty if its spec was at fault.
    pub driver: String,
    /// `None` for a driver program of the user's own.
    pub info: Option<&'static DriverInfo>,
    /// Its runtime's sizes; `None` if the runtime isn't known here.
    pub sizes: Option<BTreeMap<String, u64>>,
}

/// A value, `None` if it isn't known on this machine, or a mistake.
type Value = Result<Option<i128>, Problem>;

/// A parameter's value, with what it took to find it: whoever asks again has used that too.
struct Known {
    value: Value,
    touched: BTreeSet<usize>,
    untold: BTreeSet<String>,
}

/// The names of one case.
pub(super) struct Scope<'a> {
    /// Name and bound value of each parameter.
    pub params: Vec<(&'a str, &'a Text)>,
    actors: Arc<[ScopeActor<'a>]>,
    /// All actors that the file names, those at fault too.
    declared: &'a [String],
    pub symbols: Option<&'a Symbols>,
    /// What the setting makes of `qlen`.
    pub qlen: Option<u32>,
    /// Parameters' values so far; `None` while one is being computed.
    memo: RefCell<BTreeMap<usize, Option<Known>>>,
    path: RefCell<Vec<usize>>,
    touched: RefCell<BTreeSet<usize>>,
    /// Sizes that a runtime should tell and doesn't, as `actor.symbol`.
    pub untold: RefCell<BTreeSet<String>>,
}

impl<'a> Scope<'a> {
    pub fn new(params: Vec<(&'a str, &'a Text)>, symbols: Option<&'a Symbols>) -> Scope<'a> {
        Scope {
            params,
            actors: Arc::default(),
            declared: &[],
            symbols,
            qlen: None,
            memo: RefCell::default(),
            path: RefCell::default(),
            touched: RefCell::default(),
            untold: RefCell::default(),
        }
    }

    /// The same with actors; `declared` are all that the file names.
    pub fn with_actors(self, actors: &Arc<[ScopeActor<'a>]>, declared: &'a [String]) -> Scope<'a> {
        Scope { actors: actors.clone(), declared, ..self }
    }

    pub fn actors(&self) -> &[ScopeActor<'a>] {
        &self.actors
    }

    /// The same in this setting.
    pub fn in_setting(self, setting: &Setting) -> Scope<'a> {
        Scope { qlen: setting.max_dgram_qlen, ..self }
    }

    /// The bound text of a parameter, which counts as a use of it.
    pub fn text(&self, name: &str) -> Option<&'a Text> {
        let index = self.params.iter().position(|(param, _)| *param == name)?;
        self.touched.borrow_mut().insert(index);
        Some(self.params[index].1)
    }

    /// A parameter or a symbol is called so.
    pub fn knows(&self, name: &str) -> bool {
        self.params.iter().any(|(param, _)| *param == name)
            || BUILT_IN.iter().any(|symbol| symbol.name == name)
    }

    /// The parameters used since the last call.
    pub fn take_touched(&self) -> BTreeSet<usize> {
        self.touched.take()
    }

    /// A parameter's text with the parameters in it replaced, as far as that
    /// stays readable.
    pub fn expanded(&self, name: &str) -> Option<String> {
        let mut text = self.text(name)?.value.trim().to_owned();
        for _ in 0..MAX_DEPTH {
            let next =
                super::lexer::substitute(&text, &|name| Some(self.text(name)?.value.trim().to_owned()));
            if next == text || next.len() > 200 {
                break;
            }
            text = next;
        }
        Some(text)
    }

    /// What a name in an expression stands for.
    pub fn lookup(&self, name: &str, span: &Span) -> Value {
        if let Some(index) = self.params.iter().position(|(param, _)| *param == name) {
            return self.param(index, span);
        }
        if let (Some(qlen), "qlen") = (self.qlen, name) {
            return Ok(Some(qlen.into()));
        }
        if let Some(symbol) = BUILT_IN.iter().find(|symbol| symbol.name == name) {
            return Ok(self.symbols.map(|symbols| i128::from((symbol.value)(symbols))));
        }
        match name.split_once('.') {
            Some((owner, symbol)) => self.runtime_size(owner, symbol, span),
            None => Err(self.unknown(name, span)),
        }
    }

    fn param(&self, index: usize, span: &Span) -> Value {
        self.touched.borrow_mut().insert(index);
        let (name, text) = self.params[index];
        match self.memo.borrow().get(&index) {
            Some(Some(known)) => {
                self.touched.borrow_mut().extend(&known.touched);
                self.untold.borrow_mut().extend(known.untold.iter().cloned());
                return known.value.clone();
            }
            Some(None) => {
                let path = self.path.borrow();
                let from = path.iter().position(|on_path| *on_path == index).unwrap_or(0);
                let mut round: Vec<&str> = path[from..].iter().map(|index| self.params[*index].0).collect();
                round.push(name);
                return Err(Problem::new("cycle", format!("the parameter `{name}` is made of itself"))
                    .at(text.span.clone(), round.join(" needs "))
                    .help("give one of them a number"));
            }
            None => {}
        }
        if self.path.borrow().len() >= MAX_DEPTH {
            return Err(Problem::new("cycle", "parameters made of parameters too deep")
                .at(span.clone(), format!("more than {MAX_DEPTH} levels"))
                .help("write it flatter"));
        }
        self.memo.borrow_mut().insert(index, None);
        self.path.borrow_mut().push(index);
        let (touched, untold) = (self.touched.take(), self.untold.take());
        let value = Expr::parse(&text.value, &|range| text.place(range))
            .and_then(|expr| expr.value(&|name, span| self.lookup(name, span)));
        self.path.borrow_mut().pop();
        let known = Known {
            value: value.clone(),
            touched: self.touched.borrow().clone(),
            untold: self.untold.borrow().clone(),
        };
        self.memo.borrow_mut().insert(index, Some(known));
        self.touched.borrow_mut().extend(touched);
        self.untold.borrow_mut().extend(untold);
        value.map_err(|problem| {
            let within = |label: &Label| label.span.start <= span.start && span.end <= label.span.end;
            match problem.labels.iter().any(within) {
                true => problem,
                false => problem.at(span.clone(), format!("`{name}` is used as a size here")),
            }
        })
    }

    fn runtime_size(&self, owner: &str, symbol: &str, span: &Span) -> Value {
        let by_name = self.actors.iter().filter(|actor| actor.name == owner);
        let mut actors: Vec<&ScopeActor<'_>> = by_name.collect();
        if actors.is_empty() {
            actors = self.actors.iter().filter(|actor| actor.driver == owner).collect();
        }
        let at_fault =
            || self.declared.len() > self.actors.len() || self.actors.iter().any(|a| a.driver.is_empty());
        let Some(first) = actors.first() else {
            let known = self.declared.iter().any(|name| name == owner)
                || (at_fault() && DRIVERS.iter().any(|info| info.name == owner));
            return if known { Ok(None) } else { Err(self.unknown_owner(owner, symbol, span)) };
        };
        if first.driver.is_empty() {
            return Ok(None);
        }
        if let Some(info) = first.info
            && !info.symbols.contains(&symbol)
        {
            let problem = Problem::new("symbol", format!("`{}` tells no size `{symbol}`", info.name))
                .at(span.clone(), "unknown symbol");
            return Err(match info.symbols {
                [] => problem.help(format!("`{}` has no buffer of its own", info.name)),
                known => problem.help(way_out(symbol, "symbol", known.iter().copied())),
            });
        }
        let values: BTreeSet<Option<u64>> = actors
            .iter()
            .map(|actor| actor.sizes.as_ref().and_then(|sizes| sizes.get(symbol).copied()))
            .collect();
        if actors.iter().all(|actor| actor.sizes.is_some()) && values.contains(&None) {
            self.untold.borrow_mut().insert(format!("{owner}.{symbol}"));
            return Ok(None);
        }
        match Vec::from_iter(values).as_slice() {
            [one] => Ok(one.map(i128::from)),
            [None, ..] => Ok(None),
            _ => {
                let names: Vec<String> =
                    actors.iter().map(|actor| format!("{}.{symbol}", actor.name)).collect();
                Err(Problem::new("symbol", format!("`{owner}.{symbol}` has several values in this case"))
                    .at(span.clone(), "which one?")
                    .help(format!("name the actor: {}", listed(&names))))
            }
        }
    }

    fn unknown(&self, name: &str, span: &Span) -> Problem {
        let names =
            self.params.iter().map(|(name, _)| *name).chain(BUILT_IN.iter().map(|symbol| symbol.name));
        Problem::new("name-unknown", format!("no parameter or symbol is called `{name}`"))
            .at(span.clone(), "unknown name")
            .help(way_out(name, "name", names))
    }

    fn unknown_owner(&self, owner: &str, symbol: &str, span: &Span) -> Problem {
        let known = DRIVERS.iter().map(|info| info.name);
        if known.clone().any(|name| name == owner) {
            let owners: Vec<String> =
                self.actors.iter().map(|actor| format!("{}.{symbol}", actor.name)).collect();
            return Problem::new("symbol", format!("no actor of this case runs `{owner}`"))
                .at(span.clone(), "its sizes aren't known")
                .help(format!("name an actor instead: {}", listed(&owners)));
        }
        let actors = self.actors.iter().map(|actor| actor.name);
        let problem = Problem::new("symbol", format!("no actor and no driver is called `{owner}`"))
            .at(span.clone(), "unknown name");
        match nearest(owner, actors.clone().chain(known)) {
            Some(near) => problem.help(format!("did you mean `{near}.{symbol}`?")),
            None => problem.help(format!("the actors are {}", listed(&Vec::from_iter(actors)))),
        }
    }
}
