//! Puts the stages of the way together: finds scenarios, expands them on this
//! machine, has them played and judged.

mod find;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

pub use find::{Found, find};

use crate::{
    driver::Catalog,
    outcome::{Judged, Recorded, snapshot},
    scenario::{Case, Overrides, Problems, Scenario, Symbols},
    stage::{Fault, Handle, Options},
};

/// A scenario with its cases on this machine.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub scenario: Scenario,
    /// Where its snapshots are.
    pub snapshots: PathBuf,
    pub cases: Vec<Case>,
    /// The accepted snapshots, by runtime key.
    pub recorded: BTreeMap<String, Recorded>,
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
type Wanted = (BTreeSet<&'static str>, BTreeSet<PathBuf>);

/// What there is to play with on this machine; looked for once, when it is
/// first needed.
#[derive(Debug)]
pub struct Lab {
    stage: Handle,
    catalog: Option<(Wanted, Catalog)>,
}

impl Lab {
    /// Starts a stage.
    ///
    /// # Errors
    /// The stage can't be started here.
    pub fn open(options: &Options) -> Result<Lab, Fault> {
        Ok(Lab { stage: Handle::start(options)?, catalog: None })
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
        let catalog = self.catalog(parsed.iter().map(|(_, scenario)| scenario), overrides).clone();
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

    /// The runtimes that these scenarios want.
    fn catalog<'scenario>(
        &mut self,
        scenarios: impl Iterator<Item = &'scenario Scenario> + Clone,
        overrides: &Overrides,
    ) -> &Catalog {
        let wanted: BTreeSet<&'static str> =
            scenarios.clone().flat_map(|scenario| scenario.drivers_named(overrides)).collect();
        let paths: BTreeSet<PathBuf> = scenarios
            .flat_map(|scenario| scenario.programs(overrides))
            .map(|(_, path)| PathBuf::from(path))
            .collect();
        let wanted = (wanted, paths);
        if self.catalog.as_ref().is_none_or(|(known, _)| *known != wanted) {
            let names: Vec<&str> = wanted.0.iter().copied().collect();
            let paths: Vec<PathBuf> = wanted.1.iter().cloned().collect();
            self.catalog = Some((wanted, Catalog::discover(&names, &paths)));
        }
        &self.catalog.as_ref().expect("filled above").1
    }

    /// Plays a case and judges it.
    ///
    /// # Errors
    /// The stage is of no more use.
    pub fn play(&mut self, case: &Case, recorded: Option<&Recorded>) -> Result<Judged, Fault> {
        if let Some(skipped) = Judged::skipped(case) {
            return Ok(skipped);
        }
        match self.stage.play(&case.plan) {
            Ok(transcript) => Ok(Judged::of(case, transcript, recorded)),
            Err(fault @ Fault::Driver { .. }) => Ok(Judged::failed(case, &fault)),
            Err(Fault::Harness { message }) => {
                Err(Fault::Harness { message: format!("{message} (in the case {})", case.title()) })
            }
        }
    }
}

impl Loaded {
    /// The accepted snapshot of a case's runtimes.
    pub fn snapshot_of(&self, case: &Case) -> Option<&Recorded> {
        self.recorded.get(&case.snapshot_key)
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
    catalog: &Catalog,
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
    let cases = scenario.cases(symbols, catalog, &overrides).map_err(LoadError::Mistakes)?;
    Ok(Loaded { scenario, snapshots: found.snapshots.clone(), cases, recorded })
}

/// The snapshot file of these cases, if all of them were played: their blocks
/// in order. Nothing if a case of them has none.
pub fn snapshot_content(judged: &[&Judged]) -> Option<String> {
    let block = |judged: &&Judged| judged.played.as_ref().map(|played| played.block(&judged.case));
    let blocks: Option<Vec<String>> = judged.iter().map(block).collect();
    blocks.map(|blocks| snapshot::content(&blocks))
}
