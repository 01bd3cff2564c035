//! Has the cases of maps played: chunk by chunk, all maps together, each case reduced where it was
//! played.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{
    Axis, Bands, Behaviour, FEW, Found, Map, Method, Stop, Values, candidates,
    search::{self, Samples},
};
use crate::{
    outcome::{Judged, Status},
    runner::{Lab, Loaded, Reading},
    scenario::{Case, Overrides},
};

/// Cases that are made and handed out at once.
const CHUNK: u64 = 8192;
/// Samples of a grid: beside candidates, and alone.
const COARSE: u64 = 64;
const FINE: u64 = 1024;
/// Buffers are hardly smaller than a page, so a grid alone has so many sizes in each.
const IN_A_PAGE: u64 = 4;

/// A value of the second axis: as it was given, and in numbers.
pub type Row = (String, u64);

/// Parameters and their values.
type Params = Vec<(String, String)>;

/// One range to look at: a combination of the other parameters, in a row.
#[derive(Debug)]
struct Unit {
    group: usize,
    row: Option<Row>,
    /// What sizes are called.
    named: BTreeMap<String, u64>,
    /// By what makes alternatives of a case (`@all` in an actor).
    parts: BTreeMap<Params, Part>,
}

impl Unit {
    /// No size of it can be played: every load of it says so of each alternative.
    fn is_skipped(&self) -> bool {
        !self.parts.is_empty() && self.parts.values().all(|part| part.skipped.is_some())
    }
}

#[derive(Debug, Default)]
struct Part {
    /// Why no size of it can be played, if none can.
    skipped: Option<String>,
    streamed: Bands,
    samples: Samples,
    cases: u64,
    unexpected: Option<(u64, u64)>,
    faults: u64,
}

/// What is kept of a case.
struct Kept {
    /// `None`: it stands for all sizes.
    n: Option<u64>,
    alternative: Params,
    behaviour: Behaviour,
    status: Status,
    skipped: Option<String>,
}

/// Sizes of one unit.
type Job = (usize, Vec<u64>);

/// What plays the cases of maps.
pub(super) struct Player<'a> {
    lab: &'a mut Lab,
    reading: &'a Reading,
    overrides: &'a Overrides,
    axis: &'a Axis,
    rows: Option<&'a Axis>,
    range: (u64, u64),
    method: Method,
    /// The combinations of the other parameters.
    groups: Vec<Params>,
    /// Each shape once.
    shapes: HashSet<Arc<str>>,
    progress: &'a mut (dyn FnMut(u64, Option<u64>) + 'a),
    played: u64,
    /// Cases of the whole sweep, where that is known.
    total: Option<u64>,
}

impl<'a> Player<'a> {
    pub fn new(
        lab: &'a mut Lab,
        reading: &'a Reading,
        overrides: &'a Overrides,
        (axis, rows): (&'a Axis, Option<&'a Axis>),
        method: Method,
        progress: &'a mut (dyn FnMut(u64, Option<u64>) + 'a),
    ) -> Result<Player<'a>, Stop> {
        let Values::Range { from, to } = axis.values else { unreachable!("the first axis has a range") };
        let mut player = Player {
            lab,
            reading,
            overrides,
            axis,
            rows,
            range: (from, to),
            method,
            groups: Vec::new(),
            shapes: HashSet::new(),
            progress,
            played: 0,
            total: None,
        };
        let first = rows.map(|rows| match &rows.values {
            Values::Range { from, .. } => (from.to_string(), *from),
            Values::List(list) => list[0].clone(),
        });
        let loaded = player.load(&[], first.as_ref(), &[from])?;
        player.groups = player.product(&loaded);
        Ok(player)
    }

    /// The combinations of the parameters that aren't swept.
    fn product(&self, loaded: &Loaded) -> Vec<Params> {
        let swept = |name: &str| name == self.axis.param || self.rows.is_some_and(|rows| name == rows.param);
        let mut groups: Vec<Params> = vec![Vec::new()];
        for (name, values) in loaded.cases.values().filter(|(name, _)| !swept(name)) {
            let with = |group: Params| {
                let one =
                    |value: &&str| [group.clone(), vec![(name.to_owned(), (*value).to_owned())]].concat();
                values.iter().map(one).collect::<Vec<Params>>()
            };
            groups = groups.into_iter().flat_map(with).collect();
        }
        groups
    }

    /// The cases of these parameters, in this row, of these sizes.
    fn load(&self, params: &[(String, String)], row: Option<&Row>, sizes: &[u64]) -> Result<Loaded, Stop> {
        let mut set = self.overrides.set.clone();
        set.retain(|(name, _)| !params.iter().any(|(param, _)| param == name));
        set.extend(params.iter().map(|(name, value)| (name.clone(), vec![value.clone()])));
        if let (Some(rows), Some((_, value))) = (self.rows, row) {
            set.push((rows.param.clone(), vec![value.to_string()]));
        }
        set.push((self.axis.param.clone(), sizes.iter().map(u64::to_string).collect()));
        let loaded =
            self.reading.cases(&Overrides { set, ..Overrides::default() }).map_err(Stop::Problems)?;
        if loaded.cases.plays() != loaded.cases.len() {
            let why = "the order of its steps is open (`together`): a map needs one order".to_owned();
            return Err(Stop::Mistake(super::Mistake(why)));
        }
        Ok(loaded)
    }

    /// The maps of all combinations in these rows, rows of one combination in a row.
    pub fn maps(&mut self, rows: &[Option<Row>]) -> Result<Vec<(usize, Map)>, Stop> {
        let mut units = Vec::new();
        for group in 0..self.groups.len() {
            for row in rows {
                units.push(self.unit(group, row.clone())?);
            }
        }
        let found = match self.is_exhaustive() {
            true => self.play_all(&mut units)?,
            false => self.search(&mut units)?,
        };
        Ok(units.into_iter().flat_map(|unit| self.maps_of(unit, found)).collect())
    }

    fn unit(&self, group: usize, row: Option<Row>) -> Result<Unit, Stop> {
        let loaded = self.load(&self.groups[group], row.as_ref(), &[self.range.0])?;
        let first: Option<Case> = (!loaded.cases.is_empty()).then(|| loaded.cases.maker().case(0));
        let named = first.map(|case| candidates::named(&case, &self.reading.symbols)).unwrap_or_default();
        Ok(Unit { group, row, named, parts: BTreeMap::new() })
    }

    fn sizes(&self) -> u64 {
        self.range.1 - self.range.0 + 1
    }

    fn is_exhaustive(&self) -> bool {
        self.method.exhaustive || self.sizes() <= FEW
    }

    fn play_all(&mut self, units: &mut [Unit]) -> Result<Found, Stop> {
        let (from, to) = self.range;
        let total = self.sizes() * units.len() as u64;
        self.total = self.rows.is_none_or(|rows| matches!(rows.values, Values::List(_))).then_some(total);
        let chunks = (from..=to).step_by(CHUNK as usize);
        let chunk = |start: u64| (start..=to.min(start + CHUNK - 1)).collect::<Vec<u64>>();
        let jobs = (0..units.len()).flat_map(|unit| chunks.clone().map(move |start| (unit, chunk(start))));
        self.play(units, jobs, |part, n, behaviour| part.streamed.push(n, behaviour))?;
        Ok(Found::Exhaustively)
    }

    fn search(&mut self, units: &mut [Unit]) -> Result<Found, Stop> {
        let (from, to) = self.range;
        let page = self.reading.symbols.page;
        let candidates = !self.method.no_candidates;
        let most = if candidates { COARSE } else { FINE };
        let step = self.sizes().div_ceil(most);
        let step = if candidates { step } else { step.max(page / IN_A_PAGE) };
        let step = self.method.step.unwrap_or(step);
        let mut jobs: Vec<Job> = Vec::new();
        for (index, unit) in units.iter().enumerate() {
            let candidates = match candidates {
                true => candidates::candidates(&unit.named, page),
                false => Default::default(),
            };
            jobs.push((index, search::start(from, to, &candidates, step)));
        }
        while !jobs.is_empty() {
            self.play(units, jobs.drain(..), |part, n, behaviour| part.samples.add(n, behaviour))?;
            for (index, unit) in units.iter().enumerate() {
                let mut sizes: Vec<u64> =
                    unit.parts.values().flat_map(|part| part.samples.wanted()).collect();
                sizes.sort_unstable();
                sizes.dedup();
                if !sizes.is_empty() {
                    jobs.push((index, sizes));
                }
            }
        }
        Ok(Found::Searching { step, candidates })
    }

    /// Plays jobs in their order, so many at once that the shards have work.
    fn play(
        &mut self,
        units: &mut [Unit],
        jobs: impl Iterator<Item = Job>,
        put: impl Fn(&mut Part, u64, Behaviour),
    ) -> Result<(), Stop> {
        let mut jobs = jobs.peekable();
        while jobs.peek().is_some() {
            let (mut batch, mut loaded, mut sizes) = (Vec::new(), Vec::new(), 0);
            while let Some((unit, chunk)) = jobs.next_if(|_| sizes < CHUNK) {
                if !units[unit].is_skipped() {
                    sizes += chunk.len() as u64;
                    let row = units[unit].row.as_ref();
                    loaded.push(self.load(&self.groups[units[unit].group], row, &chunk)?);
                    batch.push(unit);
                }
            }
            self.play_loaded(units, &batch, &loaded, &put)?;
        }
        Ok(())
    }

    fn play_loaded(
        &mut self,
        units: &mut [Unit],
        batch: &[usize],
        loaded: &[Loaded],
        put: &impl Fn(&mut Part, u64, Behaviour),
    ) -> Result<(), Stop> {
        let keep = |_: usize, judged: Judged| {
            let kept = self::keep(&self.axis.param, &self.reading.scenario.params, &judged);
            let weight = kept.behaviour.weight();
            (kept, weight)
        };
        let Player { lab, shapes, progress, played, total, .. } = self;
        lab.play_keeping(loaded, &keep, |index, kept: Kept| {
            let unit = &mut units[batch[index]];
            *played += 1;
            progress(*played, *total);
            let part = unit.parts.entry(kept.alternative).or_default();
            let Some(n) = kept.n else {
                part.skipped = kept.skipped;
                return Ok(None);
            };
            part.cases += 1;
            part.faults += u64::from(kept.status == Status::Error);
            if matches!(kept.status, Status::Differs | Status::Stuck) {
                let (count, first) = part.unexpected.unwrap_or((0, n));
                part.unexpected = Some((count + 1, first.min(n)));
            }
            let mut behaviour = kept.behaviour;
            match shapes.get(&behaviour.shape) {
                Some(known) => behaviour.shape = known.clone(),
                None => drop(shapes.insert(behaviour.shape.clone())),
            }
            put(part, n, behaviour);
            Ok(None)
        })
    }

    fn maps_of(&self, unit: Unit, found: Found) -> Vec<(usize, Map)> {
        let Unit { group, row, named, mut parts } = unit;
        if parts.is_empty() {
            parts.insert(Vec::new(), Part::default());
        }
        let map = |(alternative, part): (Params, Part)| Map {
            params: [self.groups[group].clone(), alternative].concat(),
            row: row.clone(),
            skipped: part.skipped,
            bands: match found {
                Found::Exhaustively => part.streamed.finish(),
                Found::Searching { .. } => part.samples.bands(),
            },
            found,
            cases: part.cases,
            unexpected: part.unexpected,
            faults: part.faults,
            named: named.clone(),
        };
        parts.into_iter().map(|part| (group, map(part))).collect()
    }
}

/// What a case comes to; in its shard's thread.
fn keep(axis: &str, declared: &[crate::scenario::Param], judged: &Judged) -> Kept {
    let params = &judged.case.params;
    let n = params.iter().find(|(name, _)| name == axis).and_then(|(_, value)| value.parse().ok());
    let is_own = |name: &str| !declared.iter().any(|param| param.name.value == name);
    Kept {
        n,
        alternative: params.iter().filter(|(name, _)| is_own(name)).cloned().collect(),
        behaviour: Behaviour::of(judged),
        status: judged.status,
        skipped: judged.reason.clone().filter(|_| judged.status == Status::Skipped),
    }
}
