//! Puts the stages of the way together: finds scenarios, expands them on this
//! machine, has them played and judged.

mod find;
mod recording;
mod shards;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    thread,
};

pub use find::{Found, find};
pub use recording::{Recording, Recordings};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_getcpu},
    unistd::Pid,
};

use crate::{
    driver::Catalog,
    outcome::{Gather, Judged, Recorded, snapshot},
    scenario::{Case, Cases, Overrides, Problems, Scenario, Symbols},
    stage::{Fault, Handle, Options},
};
use shards::{Board, Shard};

/// A scenario with its cases on this machine.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub scenario: Arc<Scenario>,
    /// Where its snapshots are.
    pub snapshots: PathBuf,
    pub cases: Cases,
    /// The accepted snapshots, by runtime key.
    pub recorded: BTreeMap<String, Recorded>,
}

/// A scenario that was read, and what there is for it on this machine.
#[derive(Clone, Debug)]
pub struct Reading {
    pub scenario: Arc<Scenario>,
    pub symbols: Symbols,
    catalog: Arc<Catalog>,
    /// Drivers and versions that its snapshots know.
    versions: Vec<(String, String)>,
    snapshots: PathBuf,
}

impl Reading {
    /// Its cases with these parameters, without what snapshots say of them.
    ///
    /// # Errors
    /// Mistakes that show only with these values or on this machine.
    pub fn cases(&self, overrides: &Overrides) -> Result<Loaded, Problems> {
        let overrides = Overrides { recorded: self.versions.clone(), ..overrides.clone() };
        Ok(Loaded {
            scenario: self.scenario.clone(),
            snapshots: self.snapshots.clone(),
            cases: self.scenario.cases(&self.symbols, &self.catalog, &overrides)?,
            recorded: BTreeMap::new(),
        })
    }
}

/// Why a scenario can't be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// Mistakes in its text.
    Mistakes(Problems),
    /// A file can't be read.
    File { path: PathBuf, error: std::io::Error },
}

/// Drivers by name, programs by path.
type Wanted = (BTreeSet<&'static str>, BTreeSet<(String, String)>);

/// What there is to play with on this machine; looked for once, when it is
/// first needed.
#[derive(Debug)]
pub struct Lab {
    stage: Handle,
    /// Beside it: one for each further shard, started when there is work for it.
    others: Vec<Option<Handle>>,
    /// How the stage of each shard is to be.
    options: Vec<Options>,
    catalog: Option<(Wanted, Arc<Catalog>)>,
}

impl Lab {
    /// Starts a stage.
    ///
    /// # Errors
    /// The stage can't be started here.
    pub fn open(options: &Options) -> Result<Lab, Fault> {
        Lab::with_options(vec![options.clone()])
    }

    /// A lab that plays on so many stages at once (at least one), each pinned to a
    /// CPU of its own as far as this process may use so many. It starts one.
    ///
    /// # Errors
    /// The stage can't be started here.
    pub fn sharded(options: &Options, shards: usize) -> Result<Lab, Fault> {
        Lab::with_options(pinned(options, shards))
    }

    fn with_options(options: Vec<Options>) -> Result<Lab, Fault> {
        let others = options.iter().skip(1).map(|_| None).collect();
        Ok(Lab { stage: Handle::start(&options[0])?, others, options, catalog: None })
    }

    pub fn stage(&mut self) -> &mut Handle {
        &mut self.stage
    }

    /// The machine's own sizes.
    pub fn symbols(&self) -> Symbols {
        let measures = self.stage.measures();
        Symbols {
            page: measures.page,
            pipe_buf: measures.pipe_buf,
            blksize: measures.blksize,
            capacity: measures.capacity,
            largest_pipe: measures.largest_pipe,
            qlen: measures.qlen,
        }
    }

    /// Reads scenarios and expands them; runtimes are looked for if any of them
    /// wants one. All mistakes of all files come back together.
    ///
    /// # Errors
    /// What is wrong, one entry a file.
    pub fn load(&mut self, found: &[Found], overrides: &Overrides) -> Result<Vec<Loaded>, Vec<LoadError>> {
        let (mut parsed, mut errors) = (Vec::new(), Vec::new());
        for found in found {
            match parse(found) {
                Ok(scenario) => parsed.push((found, scenario)),
                Err(error) => errors.push(error),
            }
        }
        let catalog = self.catalog(parsed.iter().map(|(_, scenario)| scenario), overrides);
        let symbols = self.symbols();
        let mut loaded = Vec::new();
        for (found, scenario) in parsed {
            match expand(found, scenario, &symbols, &catalog, overrides) {
                Ok(one) => loaded.push(one),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(loaded) } else { Err(errors) }
    }

    /// The cases of a scenario that is in no file; runtimes are looked for if it wants one.
    ///
    /// # Errors
    /// Mistakes that show only with the machine's sizes.
    pub fn cases(&mut self, scenario: &Arc<Scenario>, overrides: &Overrides) -> Result<Cases, Problems> {
        let catalog = self.catalog(std::iter::once(&**scenario), overrides);
        scenario.cases(&self.symbols(), &catalog, overrides)
    }

    /// Reads one scenario, to make cases of it with one set of parameters after the other.
    /// Snapshots are looked at only for the versions that they name.
    ///
    /// # Errors
    /// What is wrong with its text or file.
    pub fn read(&mut self, found: &Found, overrides: &Overrides) -> Result<Reading, LoadError> {
        let scenario = parse(found)?;
        let catalog = self.catalog(std::iter::once(&scenario), overrides);
        let keys = find::snapshots(&found.snapshots, &found.name);
        let versions = keys.iter().flat_map(|(key, _)| crate::driver::versions_of_key(key)).collect();
        let snapshots = found.snapshots.clone();
        Ok(Reading { scenario: scenario.into(), symbols: self.symbols(), catalog, versions, snapshots })
    }

    /// The runtimes that these scenarios want.
    fn catalog<'scenario>(
        &mut self,
        scenarios: impl Iterator<Item = &'scenario Scenario> + Clone,
        overrides: &Overrides,
    ) -> Arc<Catalog> {
        let wanted: BTreeSet<&'static str> =
            scenarios.clone().flat_map(|scenario| scenario.drivers_named(overrides)).collect();
        let paths: BTreeSet<(String, String)> =
            scenarios.flat_map(|scenario| scenario.programs(overrides)).collect();
        let wanted = (wanted, paths);
        if self.catalog.as_ref().is_none_or(|(known, _)| *known != wanted) {
            let names: Vec<&str> = wanted.0.iter().copied().collect();
            let catalog = Catalog::discover(&names, &wanted.1).into();
            self.catalog = Some((wanted, catalog));
        }
        self.catalog.as_ref().expect("filled above").1.clone()
    }

    /// Plays a case, in all orders that it leaves open, and judges it.
    ///
    /// # Errors
    /// The stage is of no more use.
    pub fn play(&mut self, case: &Arc<Case>, recorded: Option<&Recorded>) -> Result<Judged, Fault> {
        if let Some(skipped) = Judged::skipped(case) {
            return Ok(skipped);
        }
        let mut gather = Gather::default();
        for play in case.in_all_orders() {
            let play = Arc::new(play);
            let judged = match self.stage.play(&play.plan) {
                Ok(transcript) => Judged::of(&play, transcript, recorded),
                Err(fault) => Judged::failed(&play, &fault).ok_or_else(|| in_case(fault, &play))?,
            };
            if let Some(whole) = gather.add(judged, recorded) {
                return Ok(whole);
            }
        }
        unreachable!("the last order makes it whole")
    }

    /// Plays and judges all cases on all shards. `take` is shown them one by one, in
    /// their order, with the index of their scenario.
    ///
    /// # Errors
    /// A stage is of no more use, after everything before that case was taken; or
    /// what `take` says.
    pub fn play_all<E: From<Fault>>(
        &mut self,
        loaded: &[Loaded],
        mut take: impl FnMut(usize, &Judged) -> Result<(), E>,
    ) -> Result<(), E> {
        let whole = |_: usize, judged: Judged| {
            let bytes = shards::weight(&judged);
            (judged, bytes)
        };
        let mut gather = Gather::default();
        self.play_keeping(loaded, &whole, |scenario, judged: Judged| {
            let recorded = loaded[scenario].snapshot_of(&judged.case);
            let whole = gather.add(judged, recorded);
            whole.as_ref().map_or(Ok(()), |whole| take(scenario, whole))?;
            Ok(whole)
        })
    }

    /// Plays all cases, each as often as it has orders; `keep` makes of each play what is wanted of
    /// it, and says roughly how many bytes that takes. It does so in the shard's own thread, so that no
    /// transcript is kept. What `take` gives back is freed by the shard that played it, if it still plays,
    /// whose next results find the memory again.
    ///
    /// # Errors
    /// As for [`Lab::play_all`].
    pub fn play_keeping<R: Send, E: From<Fault>>(
        &mut self,
        loaded: &[Loaded],
        keep: &(dyn Fn(usize, Judged) -> (R, usize) + Sync),
        take: impl FnMut(usize, R) -> Result<Option<R>, E>,
    ) -> Result<(), E> {
        let plays: usize = loaded.iter().map(|loaded| loaded.cases.plays()).sum();
        let shards = self.options.len().min(plays).max(1);
        let board = Board::new(loaded, keep, shards);
        thread::scope(|scope| {
            let (board, stage) = (&board, &mut self.stage);
            scope.spawn(move || Shard::new(board, 0, stage).work());
            let others = self.others.iter_mut().zip(&self.options[1..]).take(shards - 1);
            for (number, (stage, options)) in (1..).zip(others) {
                scope.spawn(move || {
                    let stage = match stage {
                        Some(stage) => Ok(stage),
                        None => Handle::start(options).map(|started| stage.insert(started)),
                    };
                    match stage {
                        Ok(stage) => Shard::new(board, number, stage).work(),
                        Err(fault) => board.give_up(fault),
                    }
                });
            }
            let result = board.show(take);
            board.abandon();
            result
        })
    }
}

/// Options of so many stages (at least one), each with a CPU of its own as far as this process
/// may use so many.
pub(crate) fn pinned(options: &Options, stages: usize) -> Vec<Options> {
    let cpus = cpus();
    let one = |stage: usize| Options {
        cpu: (!cpus.is_empty()).then(|| cpus[stage % cpus.len()]),
        ..options.clone()
    };
    (0..stages.max(1)).map(one).collect()
}

/// The CPUs that this process may use, from the one on which it runs: so that
/// several runs at once don't all choose the same one.
fn cpus() -> Vec<usize> {
    let Ok(allowed) = sched_getaffinity(Pid::from_raw(0)) else { return Vec::new() };
    let mut cpus: Vec<usize> =
        (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false)).collect();
    let here = sched_getcpu().ok().and_then(|here| cpus.iter().position(|&cpu| cpu == here));
    cpus.rotate_left(here.unwrap_or(0));
    cpus
}

fn in_case(fault: Fault, case: &Case) -> Fault {
    match fault {
        Fault::Harness { message } => {
            Fault::Harness { message: format!("{message} (in the case {})", case.title()) }
        }
        fault => fault,
    }
}

impl Loaded {
    /// The accepted snapshot of a case's runtimes.
    pub fn snapshot_of(&self, case: &Case) -> Option<&Recorded> {
        self.recorded.get(&*case.snapshot_key)
    }
}

fn parse(found: &Found) -> Result<Scenario, LoadError> {
    let text = std::fs::read_to_string(&found.path)
        .map_err(|error| LoadError::File { path: found.path.clone(), error })?;
    Scenario::parse(&found.name, &found.path, &text).map_err(LoadError::Mistakes)
}

fn expand(
    found: &Found,
    scenario: Scenario,
    symbols: &Symbols,
    catalog: &Arc<Catalog>,
    overrides: &Overrides,
) -> Result<Loaded, LoadError> {
    let mut recorded = BTreeMap::new();
    for (key, path) in find::snapshots(&found.snapshots, &found.name) {
        match Recorded::read(&path) {
            Ok(Some(snapshot)) => drop(recorded.insert(key, snapshot)),
            Ok(None) => {}
            Err(error) => return Err(LoadError::File { path, error }),
        }
    }
    let mut overrides = overrides.clone();
    overrides.recorded = recorded.keys().flat_map(|key| crate::driver::versions_of_key(key)).collect();
    let scenario = Arc::new(scenario);
    let cases = scenario.cases(symbols, catalog, &overrides).map_err(LoadError::Mistakes)?;
    Ok(Loaded { scenario, snapshots: found.snapshots.clone(), cases, recorded })
}

/// The snapshot file of these cases' blocks, in their order. Nothing if a case has
/// none.
pub fn snapshot_content(blocks: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let blocks: Option<Vec<String>> = blocks.into_iter().collect();
    blocks.map(|blocks| snapshot::content(&blocks))
}
