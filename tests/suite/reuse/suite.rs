//! The whole suite of scenarios, fresh, reused, shuffled, and beside CPU hogs.

use std::sync::{Arc, OnceLock};

use pipelab::{
    outcome::Recorded,
    report::{Jsonl, Report},
    runner::{Lab, Loaded, find},
    scenario::{Case, Overrides},
    stage::Options,
};

use crate::{
    page,
    support::{Hogs, forking, options},
};

/// The folder of all scenarios, and that of programs that come to rest.
const ALL: &str = "scenarios";
pub const PROGRAMS: &str = "scenarios/programs/rest";

/// What fits into TCP's buffers is another number each time.
const NEVER_ALIKE: &[&str] = &["tcp/full"];

/// A program that is left out of the repetitions: of some twenty plays beside CPU hogs, in one
/// this JVM was seen at rest in a futex before its thread had come to its read. Why isn't known
/// (ARCHITECTURE, Limits).
const NOT_UNDERSTOOD: &str = "Thread_.java";

/// Plays of the suite beside CPU hogs; `PIPELAB_REPETITIONS` asks for more, and
/// `PIPELAB_CASES` for so many of the cases only, evenly taken.
const REPETITIONS: usize = 3;

/// Every case that can be played here, and what plays it.
struct Suite {
    lab: Lab,
    loaded: Vec<Loaded>,
    cases: Vec<Vec<Arc<Case>>>,
    /// Play programs too.
    programs: bool,
}

impl Suite {
    /// The scenarios of a folder.
    fn open(folder: &str, fresh: bool) -> Suite {
        let _forking = forking();
        let mut lab = Lab::open(&Options { fresh, ..options() }).expect("a stage");
        let found = find(&[page::file(folder)]).expect("the scenarios");
        let loaded = lab.load(&found, &Overrides::default()).expect("they load");
        let cases = loaded.iter().map(|loaded| loaded.cases.iter().map(Arc::new).collect()).collect();
        Suite { lab, loaded, cases, programs: folder == PROGRAMS }
    }

    /// The number of scenario and case, in order. Programs are never reused, and have a test
    /// of their own.
    fn order(&self) -> Vec<(usize, usize)> {
        let is_command =
            |case: &Case| case.plan.actors.iter().any(|actor| actor.is_command() || actor.is_child());
        let playable = |(at, cases): (usize, &Vec<Arc<Case>>)| {
            let alike = !NEVER_ALIKE.contains(&self.loaded[at].scenario.name.as_str());
            let wanted = move |case: &Case| {
                case.skip.is_none()
                    && alike
                    && (self.programs || !is_command(case))
                    && !case.title().contains(NOT_UNDERSTOOD)
            };
            let playable = cases.iter().enumerate().filter(move |(_, case)| wanted(case));
            playable.map(move |(case, _)| (at, case)).collect::<Vec<_>>()
        };
        self.cases.iter().enumerate().flat_map(playable).collect()
    }

    /// Plays the cases in this order. Their records, put in order.
    fn play(&mut self, order: &[(usize, usize)]) -> Vec<String> {
        let mut records: Vec<_> =
            order.iter().map(|&(at, case)| ((at, case), self.record(at, case))).collect();
        records.sort();
        records.into_iter().map(|(_, record)| record).collect()
    }

    /// The line of `--format jsonl`, and the transcript with all that it leaves out.
    fn record(&mut self, at: usize, case: usize) -> String {
        let loaded = &self.loaded[at];
        let case = &self.cases[at][case];
        let recorded: Option<&Recorded> = loaded.snapshot_of(case);
        let judged = self.lab.play(case, recorded).expect("it plays");
        if self.programs {
            // What was counted while a program ran isn't the same twice; what the snapshot
            // holds is.
            let (name, differences) = (&loaded.scenario.name, &judged.differences);
            return format!("{name} {} {} {differences:?}", case.title(), judged.status.name());
        }
        let transcript = judged.played.as_ref().map(|played| &played.transcript);
        let transcript = serde_json::to_string(&transcript).expect("JSON");
        let mut line = Vec::new();
        Jsonl::default().case(&mut line, loaded, &judged).expect("memory");
        String::from_utf8(line).expect("UTF-8") + &transcript
    }
}

/// The records of a folder's cases, each played by processes of its own.
fn fresh(folder: &'static str) -> Vec<String> {
    // Two stages, since to start an interpreter for each case takes its time.
    let halves = [0, 1].map(|half| {
        std::thread::spawn(move || {
            let mut suite = Suite::open(folder, true);
            let order = suite.order();
            let (first, second) = order.split_at(order.len() / 2);
            suite.play(if half == 0 { first } else { second })
        })
    });
    halves.into_iter().flat_map(|half| half.join().expect("it plays")).collect()
}

/// Those of all scenarios, made once.
fn all_fresh() -> &'static [String] {
    static FRESH: OnceLock<Vec<String>> = OnceLock::new();
    FRESH.get_or_init(|| {
        let records = fresh(ALL);
        assert!(records.len() > 50, "{} cases", records.len());
        records
    })
}

fn same(fresh: &[String], here: &[String]) {
    for (fresh, here) in fresh.iter().zip(here) {
        assert!(fresh == here, "a fresh process gave\n{fresh}\nand here\n{here}");
    }
    assert_eq!(fresh.len(), here.len());
}

#[test]
fn reused_actors_give_the_records_of_fresh_ones_in_any_order() {
    let mut suite = Suite::open(ALL, false);
    let order = suite.order();
    same(all_fresh(), &suite.play(&order));
    // With actors that have played them all before.
    for seed in [1, 2, 3] {
        let mut shuffled = order.clone();
        shuffle(&mut shuffled, seed);
        assert_ne!(shuffled, order);
        same(all_fresh(), &suite.play(&shuffled));
    }
}

#[test]
fn records_stay_the_same_beside_cpu_hogs() {
    hold_beside_cpu_hogs(ALL, all_fresh());
}

/// Those of one folder alone, played as often.
pub fn records_of_a_folder_stay_the_same_beside_cpu_hogs(folder: &'static str) {
    hold_beside_cpu_hogs(folder, &fresh(folder));
}

fn hold_beside_cpu_hogs(folder: &str, fresh: &[String]) {
    assert!(!fresh.is_empty(), "no case of {folder} can be played");
    let asked = |name| std::env::var(name).ok().map(|count| count.parse().expect("a number"));
    let repetitions = asked("PIPELAB_REPETITIONS").unwrap_or(REPETITIONS);
    let wanted = asked("PIPELAB_CASES").unwrap_or(fresh.len()).clamp(1, fresh.len());
    let picked: Vec<usize> = (0..wanted).map(|at| at * fresh.len() / wanted).collect();
    // Two stages: a repetition is mostly the start of interpreters that can't be reused.
    let mut halves = [0, 1].map(|half| {
        let suite = Suite::open(folder, false);
        let all = suite.order();
        let picked = || picked.iter().skip(half).step_by(2);
        let order: Vec<_> = picked().map(|&at| all[at]).collect();
        let expected: Vec<_> = picked().map(|&at| fresh[at].clone()).collect();
        (suite, order, expected)
    });
    let _hogs = Hogs::start(4);
    for played in 1..=repetitions {
        std::thread::scope(|scope| {
            for (suite, order, expected) in &mut halves {
                scope.spawn(|| same(expected, &suite.play(order)));
            }
        });
        eprintln!("{played} times {wanted} cases, all alike");
    }
}

/// Fisher and Yates, with Knuth's MMIX generator.
fn shuffle<Item>(items: &mut [Item], mut seed: u64) {
    for last in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (seed >> 33) as usize % (last + 1));
    }
}
