//! Every scenario under `scenarios/`, played as a test of its own name for every
//! set of runtimes on this machine, and held against its snapshot through insta.
//!
//! A runtime that isn't here, and one that no snapshot knows, are shown as
//! ignored, with the reason as their kind: they are no pass.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use libtest_mimic::{Arguments, Failed, Trial};
use pipelab::{
    outcome::{Judged, Status, snapshot},
    runner::{Lab, LoadError, Loaded, find, snapshot_content},
    scenario::{Case, Overrides},
    stage::Options,
};

fn main() {
    // This binary is its own stage.
    pipelab::stage::become_stage_if_asked();
    let args = Arguments::from_args();
    libtest_mimic::run(&args, trials()).exit();
}

fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let found = find(&[root]).expect("the scenarios");
    let mut lab = Lab::open(&Options::default()).expect("a stage");
    let loaded = match lab.load(&found, &Overrides::default()) {
        Ok(loaded) => loaded,
        Err(errors) => panic!("{}", errors.iter().map(told).collect::<Vec<_>>().join("\n")),
    };
    loaded.into_iter().flat_map(|loaded| by_runtimes(Arc::new(loaded))).collect()
}

fn told(error: &LoadError) -> String {
    match error {
        LoadError::Mistakes(problems) => problems.render(false),
        LoadError::File { path, error } => format!("{}: {error}", path.display()),
    }
}

/// One test for each set of runtimes.
fn by_runtimes(loaded: Arc<Loaded>) -> Vec<Trial> {
    let mut keys: BTreeMap<Arc<str>, Vec<Arc<Case>>> = BTreeMap::new();
    let mut trials = Vec::new();
    for case in loaded.cases.iter() {
        match &case.skip {
            None => keys.entry(case.snapshot_key.clone()).or_default().push(case.into()),
            Some(skip) => {
                let name = format!("{} {}", loaded.scenario.name, case.title());
                let kind = format!("skipped: {}: {}", skip.reason, skip.remedy);
                trials.push(Trial::test(name, || Ok(())).with_kind(kind).with_ignored_flag(true));
            }
        }
    }
    for (key, cases) in keys {
        let name = format!("{}@{key}", loaded.scenario.name);
        let unrecorded = !loaded.recorded.contains_key(&*key);
        let loaded = Arc::clone(&loaded);
        let trial = Trial::test(name, move || play(&loaded, &key, &cases)).with_ignored_flag(unrecorded);
        trials.push(if unrecorded {
            trial.with_kind("unrecorded: no snapshot knows this runtime")
        } else {
            trial
        });
    }
    trials
}

fn play(loaded: &Loaded, key: &str, cases: &[Arc<Case>]) -> Result<(), Failed> {
    let mut lab = Lab::open(&Options::default())?;
    let judged = cases
        .iter()
        .map(|case| lab.play(case, loaded.snapshot_of(case)))
        .collect::<Result<Vec<Judged>, _>>()?;
    let content = snapshot_content(judged.iter().map(Judged::block));
    if let Some(content) = content {
        let path = snapshot::path(&loaded.snapshots, &loaded.scenario.name, key);
        assert_snapshot(&path, &loaded.scenario.path, &content);
    }
    // What insta can't know: the scenario's own expectations, and ends.
    let wrong: Vec<String> = judged
        .iter()
        .filter(|judged| judged.status != Status::Ok)
        .map(|judged| {
            let why = judged.reason.iter().chain(&judged.differences).cloned().collect::<Vec<_>>();
            format!("{} is {}: {}", judged.case.title(), judged.status.name(), why.join("\n"))
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn assert_snapshot(path: &Path, source: &Path, content: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().map(PathBuf::from).unwrap_or_default());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(source);
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".snap"));
    settings.bind(|| insta::assert_snapshot!(name.expect("it is called so"), content));
}
