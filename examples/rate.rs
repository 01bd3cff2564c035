//! How many cases a second, quickly: `cargo run --release --example rate [DRIVER] [fresh]`.
use std::{path::Path, time::Instant};

use pipelab::{
    outcome::Judged,
    runner::{Lab, find},
    scenario::Overrides,
    stage::Options,
};

fn main() {
    pipelab::stage::become_stage_if_asked();
    let args: Vec<String> = std::env::args().collect();
    let fresh = args.iter().any(|word| word == "fresh");
    let cpu: Option<usize> = std::env::var("CPU").ok().map(|cpu| cpu.parse().unwrap());
    if let Some(cpu) = cpu {
        let mut set = nix::sched::CpuSet::new();
        set.set(cpu).unwrap();
        nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set).unwrap();
    }
    let mut lab = Lab::open(&Options { fresh, cpu, ..Options::default() }).unwrap();
    let mut over = Overrides::default();
    if let Some(driver) = args.get(1).filter(|word| *word != "fresh") {
        over.set(&format!("writer={driver}")).unwrap();
    }
    let loaded = lab.load(&find(&[Path::new("/tmp/m/nine.toml").into()]).unwrap(), &over).unwrap();
    let case = &loaded[0].cases[0];
    let count = if fresh { 500 } else { 5000 };
    {
        let t = lab.stage().play(&case.plan).unwrap();
        let time = |name: &str, f: &mut dyn FnMut()| {
            let s = Instant::now();
            for _ in 0..2000 {
                f();
            }
            println!("{name} {:?}", s.elapsed() / 2000);
        };
        time("clone case", &mut || drop(std::hint::black_box(case.clone())));
        time("clone transcript", &mut || drop(std::hint::black_box(t.clone())));
        time("ledger", &mut || drop(std::hint::black_box(pipelab::outcome::Ledger::of(&case.plan, &t))));
        let l = pipelab::outcome::Ledger::of(&case.plan, &t);
        time("block", &mut || drop(std::hint::black_box(pipelab::outcome::snapshot::block(case, &t, &l))));
        time("judged", &mut || drop(std::hint::black_box(Judged::of(case, t.clone(), None))));
        time("postcard", &mut || {
            let b = postcard::to_stdvec(&t).unwrap();
            let t: pipelab::outcome::Transcript = postcard::from_bytes(&b).unwrap();
            std::hint::black_box(t);
        });
        time("postcard plan", &mut || {
            let b = postcard::to_stdvec(&case.plan).unwrap();
            let t: pipelab::stage::Plan = postcard::from_bytes(&b).unwrap();
            std::hint::black_box(t);
        });
        time("payload", &mut || {
            let o = pipelab::outcome::Offer { offset: 0, len: 4097, piece: 4097, newline: false };
            std::hint::black_box(pipelab::outcome::offer_bytes(1, &o));
        });
    }
    for _ in 0..5 {
        let start = Instant::now();
        let mut sent = 0;
        let mut judging = std::time::Duration::ZERO;
        for taken in 0..count {
            while sent < count && sent < taken + 16 {
                lab.stage().submit(&case.plan).unwrap();
                sent += 1;
            }
            let transcript = lab.stage().next().unwrap();
            let s = Instant::now();
            let judged = Judged::of(case, transcript, None);
            judging += s.elapsed();
            assert!(judged.differences.is_empty(), "{:?}", judged.differences);
        }
        let each = start.elapsed() / count;
        println!("{:.0}/s {each:?} judging {:?}", 1.0 / each.as_secs_f64(), judging / count);
    }
}
