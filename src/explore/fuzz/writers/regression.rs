//! A finding as a scenario that `pipelab run` plays: it expects what the policy says, and so
//! differs as long as the runtime does something else. (Which of the writer's bytes a read was
//! given no expectation can say: of that there is the comment alone.)

use super::{Writer, shrink::Shrunk};
use crate::{
    explore::fuzz::Regression,
    model::writer::Told,
    outcome::Outcome,
    policy::{Move, Predicted},
};

/// `page`: bytes in a page; `from`: the seed and the script's index.
pub(super) fn regression(writer: &Writer, page: u64, from: (u64, u64), shrunk: &Shrunk) -> Regression {
    let ((seed, index), driver) = (from, &writer.subject.name);
    let predicted = shrunk.script.predicted(writer.policy, page);
    let mut lines = vec![
        format!("about  = {}", quoted(&format!("What the policy of {driver} doesn't say"))),
        format!(
            "source = {}",
            quoted(&format!("pipelab fuzz --driver {driver} --seed {seed}, script {index}"))
        ),
        "\n[channels]".to_owned(),
        format!("log = {{ kind = \"fifo\", capacity = {} }}", shrunk.script.pipe),
        "\n[actors]".to_owned(),
        format!("writer = {}", quoted(driver)),
        "reader = \"raw\"".to_owned(),
        "\n[setting]\nsigpipe = \"ignore\"".to_owned(),
        "\nscript = '''".to_owned(),
    ];
    lines.extend(steps(shrunk, &predicted));
    lines.push(format!("# runtime: {}", shrunk.differing.seen));
    lines.push(format!("# policy:  {}", shrunk.differing.predicted));
    lines.extend(undecided(writer));
    lines.push("'''".to_owned());
    lines.extend(expects(&predicted));
    let name = format!("{}-{seed}-{index}", file_name(driver));
    Regression { name, text: lines.join("\n") + "\n" }
}

/// What may be the reason, and no mistake.
fn undecided(writer: &Writer) -> Option<String> {
    let ids: Vec<&str> = writer.undecided.iter().map(|rule| rule.info().id).collect();
    (!ids.is_empty()).then(|| format!("# the fit didn't tell apart: {}", ids.join(", ")))
}

/// The script's lines: what was seen of those before the last, and what the policy says of that.
fn steps(shrunk: &Shrunk, predicted: &[Predicted]) -> Vec<String> {
    let script = shrunk.script.to_string();
    let texts: Vec<&str> = script.lines().collect();
    let opens = texts.len() - shrunk.script.moves.len();
    let width = texts.iter().map(|text| text.len()).max().unwrap_or(0);
    let seen = shrunk.differing.observed.outcomes().map(expected);
    let mut expectations: Vec<String> = seen.take(shrunk.differing.at).collect();
    let last = shrunk.script.moves.get(shrunk.differing.at).zip(predicted.get(shrunk.differing.at));
    expectations.extend(last.map(|(it, predicted)| foreseen(*it, predicted)));
    let line = |(at, text): (usize, &&str)| match at.checked_sub(opens).and_then(|at| expectations.get(at)) {
        Some(expectation) => format!("{text:width$}  -> {expectation}"),
        None => (*text).to_owned(),
    };
    texts.iter().enumerate().map(line).collect()
}

/// What was seen, as an expectation.
fn expected(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok { bytes: Some(bytes) } => format!("ok {bytes}"),
        Outcome::Failed(failure) => failure.errno.clone(),
        other => other.kind().to_owned(),
    }
}

/// What the policy says of a move, as an expectation.
fn foreseen(it: Move, predicted: &Predicted) -> String {
    match (predicted.told, it) {
        (Some(Told::Ok { bytes }), _) => format!("ok {bytes}"),
        (Some(Told::Failed { errno, .. }), _) => errno.name().to_owned(),
        // Which of these it is hangs on the writer's end, of which the policy says nothing.
        (None, Move::Read(_)) if predicted.delivered() == 0 => "ok 0 or EAGAIN or eof".to_owned(),
        (None, Move::Read(_)) => format!("ok {}", predicted.delivered()),
        _ => "ok".to_owned(),
    }
}

/// What must hold at the end.
fn expects(predicted: &[Predicted]) -> Vec<String> {
    let Some(last) = predicted.last() else { return vec![] };
    let told: u64 = predicted.iter().filter_map(|predicted| predicted.told).map(taken).sum();
    vec![
        "\n[expect]".to_owned(),
        format!("accepted   = {told}"),
        format!("kernel     = {}", last.accepted),
        "duplicated = 0".to_owned(),
        "reordered  = 0".to_owned(),
    ]
}

/// Bytes that the writer is told were taken.
fn taken(told: Told) -> u64 {
    match told {
        Told::Ok { bytes } | Told::Failed { bytes, .. } => bytes,
        Told::Done => 0,
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A driver's spec as a part of a file's name.
fn file_name(driver: &str) -> String {
    let fit = |byte: char| if byte.is_ascii_alphanumeric() || byte == '.' { byte } else { '-' };
    driver.chars().map(fit).collect()
}
