//! Cases a second, beside a hand-written baseline in C that plays the same nine
//! steps, proves the same open blocked and checks the same bytes.
//!
//!     cargo bench --bench cases
//!
//! Ours comes with all that `pipelab run` does for a case: it is made from its
//! scenario, played, its bytes counted, its ledger drawn up, its expectations held
//! against it. Each round plays one of the two and then the other, pinned alike, and
//! the table shows the median of the rounds' ratios: what else the machine does
//! meanwhile cancels out.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use criterion::{Criterion, SamplingMode};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use pipelab::{
    outcome::{Judged, Status},
    runner::{Lab, Loaded, find},
    scenario::Overrides,
    stage::{Fault, Options},
};

/// One line of the table.
struct Figure {
    name: &'static str,
    /// Cases a second: ours, and what it is held against, of each round.
    rounds: Vec<(f64, Option<f64>)>,
    target: f64,
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let allowed = sched_getaffinity(Pid::from_raw(0)).expect("the CPUs of this process");
    let cpus: Vec<usize> = (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false)).collect();
    let mut one = CpuSet::new();
    one.set(cpus[0]).expect("a CPU");
    let pin = |set: &CpuSet| sched_setaffinity(Pid::from_raw(0), set).expect("pinned");
    let baseline = Baseline::compiled(cpus[0]);

    // Whoever is started from here on is pinned too.
    pin(&one);
    let mut figures = vec![
        {
            let mut ours = Ours::new(&Options::default(), 1, "raw", 1000);
            let name = "reused actors, to C's";
            figure(&mut criterion, name, 0.75, &mut ours, |cases| Some(baseline.run(cases, "reuse")))
        },
        {
            let mut ours = Ours::new(&Options { fresh: true, ..Options::default() }, 1, "raw", 300);
            let name = "fresh processes, to C's forks";
            figure(&mut criterion, name, 0.7, &mut ours, |cases| Some(baseline.run(cases, "fork")))
        },
    ];
    let mut python = Ours::new(&Options::default(), 1, "python:raw", 300);
    match python.skipped() {
        Some(reason) => println!("SKIPPED: warm CPython: {reason}"),
        None => {
            figures.push(figure(&mut criterion, "warm CPython, cases/s", 500.0, &mut python, |_| None));
        }
    }
    pin(&allowed);
    if cpus.len() > 1 {
        let mut two = Ours::new(&Options::default(), 2, "raw", 2000);
        let mut one = Ours::new(&Options::default(), 1, "raw", 2000);
        figures.push(figure(&mut criterion, "two shards, to one", 1.4, &mut two, |_| Some(one.run())));
    } else {
        println!("SKIPPED: two shards: this process may use one CPU only");
    }
    criterion.final_summary();
    figures.iter().for_each(Figure::show);
}

/// Rounds of ours and of what it is held against.
fn figure(
    criterion: &mut Criterion,
    name: &'static str,
    target: f64,
    ours: &mut Ours,
    mut other: impl FnMut(usize) -> Option<Duration>,
) -> Figure {
    let mut rounds = Vec::new();
    let mut group = criterion.benchmark_group("cases");
    // A sample is a round, whatever it takes.
    group.sampling_mode(SamplingMode::Flat).sample_size(15);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(4));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut sum = Duration::ZERO;
            for _ in 0..iterations {
                let other = other(ours.cases);
                let time = ours.run();
                let rate = |time: Duration| ours.cases as f64 / time.as_secs_f64();
                rounds.push((rate(time), other.map(rate)));
                sum += time;
            }
            sum / ours.cases as u32
        });
    });
    group.finish();
    Figure { name, rounds, target }
}

impl Figure {
    fn show(&self) {
        let ours = median(self.rounds.iter().map(|(ours, _)| *ours));
        let other = median(self.rounds.iter().filter_map(|(_, other)| *other));
        let value = match other {
            None => ours,
            Some(_) => median(self.rounds.iter().filter_map(|(ours, other)| Some(ours / (*other)?))),
        };
        let (Some(ours), Some(value)) = (ours, value) else { return };
        let verdict = if value >= self.target { "met" } else { "MISSED" };
        let absolute = other.map_or(String::new(), |other| format!(" ({ours:.0} and {other:.0} cases/s)"));
        println!("{:32} {value:7.2}   target {:6.2} {verdict:6}{absolute}", self.name, self.target);
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The scenario, loaded, and a lab to play it in.
struct Ours {
    lab: Lab,
    loaded: Vec<Loaded>,
    cases: usize,
}

impl Ours {
    fn new(options: &Options, shards: usize, driver: &str, cases: usize) -> Ours {
        // The stage of `pipelab run`: this binary has criterion's libraries mapped too, for
        // which each fork would pay.
        let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_pipelab")));
        let options = Options { program, ..options.clone() };
        let mut lab = Lab::sharded(&options, shards).expect("a stage");
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/nine-steps.toml");
        let mut overrides = Overrides::default();
        let rounds: Vec<String> = (1..=cases).map(|round| round.to_string()).collect();
        overrides.set(&format!("round=[{}]", rounds.join(","))).expect("values");
        overrides.set(&format!("driver={driver}")).expect("a value");
        let loaded = lab.load(&find(&[scenario]).expect("the scenario"), &overrides).expect("it loads");
        Ours { lab, loaded, cases }
    }

    /// Why it can't be played here, if it can't.
    fn skipped(&self) -> Option<String> {
        let skip = self.loaded[0].cases.maker().case(0).skip?;
        Some(format!("{}: {}", skip.reason, skip.remedy))
    }

    /// Plays all cases, which must be as expected.
    fn run(&mut self) -> Duration {
        let start = Instant::now();
        let mut played = 0;
        let take = |_, judged: &Judged| {
            // No snapshot knows it, and all expectations hold.
            assert_eq!(judged.status, Status::Unrecorded, "{:?}", judged.differences);
            played += 1;
            Ok::<(), Fault>(())
        };
        self.lab.play_all(&self.loaded, take).expect("it plays");
        let time = start.elapsed();
        assert_eq!(played, self.cases);
        time
    }
}

/// The program in C.
struct Baseline {
    program: PathBuf,
    cpu: usize,
}

impl Baseline {
    fn compiled(cpu: usize) -> Baseline {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/baseline/fifo.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fifo");
        let status = Command::new("cc").arg("-O2").arg("-o").args([&program, &source]).status();
        assert!(status.expect("cc").success());
        Baseline { program, cpu }
    }

    /// The time that so many cases took.
    fn run(&self, cases: usize, mode: &str) -> Duration {
        // As the stage does: in memory, where that can be had.
        let shm = Path::new("/dev/shm");
        let dir = if shm.is_dir() { shm } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
        let words = [self.cpu.to_string(), cases.to_string(), mode.to_owned()];
        let output = Command::new(&self.program).arg(dir).args(words).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let each: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("nanoseconds");
        Duration::from_secs_f64(each * cases as f64 / 1e9)
    }
}
