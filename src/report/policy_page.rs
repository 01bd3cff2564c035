//! `docs/policies.md`: who keeps and who drops your bytes, with each policy's rules in words.

use crate::{
    model::writer::{
        Policy,
        rules::{RULES, Rule},
    },
    policy::{Fitted, Subject, Words},
};

const HEAD: &str = "\
# Who keeps and who drops your bytes

What the buffered writers of runtimes do when write(2) fails, found out from runs alone: each row's policy explains every
step and every byte of hundreds of scripts, on a FIFO whose reader leaves and comes back, and on one that is full
(O_NONBLOCK). No policy is written down for a runtime; `pipelab policy DRIVER ...` fits it anew. This page is made by

    PIPELAB_UPDATE=1 cargo test --test suite policy

and `cargo test` holds it against the runtimes that are there. Sizes are bytes; *through at* is the shortest first write that
goes to write(2) at once. A runtime's file has its buffer's size from the FIFO's `st_blksize`, where it looks at that.

";

/// The whole page.
pub fn page(fitted: &[(&Subject, Fitted)]) -> String {
    let mut page = format!("{HEAD}{HEADING}");
    for (subject, fitted) in fitted {
        page.push_str(&row(subject, fitted));
    }
    page.push_str("\n## The policies\n");
    for (policy, names) in groups(fitted) {
        page.push_str(&section(&policy, &names));
    }
    page.push_str(TAIL);
    page
}

const HEADING: &str = "\
| writer | capacity | through at | a flush fails | a write fails | close | policy |
|---|---|---|---|---|---|---|
";

const TAIL: &str = "
## What no policy says

* What comes of a write(2) that sleeps: how much a call says it had moved when the reader leaves meanwhile
  ([the first article](articles/000.md) shows that).
* What isn't told apart. A short write(2) to a pipe fills it up, so that whoever offers the rest at once is refused: where EAGAIN
  leaves in the buffer what fits (CPython), `short` can't be seen. A buffer of up to PIPE_BUF bytes is taken whole or not at all, so
  that nobody sees when its room is free again (`reclaims`).
* Characters of several bytes, streams that read as well, two streams on one descriptor.
* Runtimes that hide behind an event loop: Node.js is fitted as what `fs.writeSync` does.
";

/// A writer's line of the table.
pub fn row(subject: &Subject, fitted: &Fitted) -> String {
    let words = Words::of(&fitted.policy);
    let name = if fitted.unexplained.is_some() { "none explains it".to_owned() } else { words.name };
    format!(
        "| {} | {} | {} | {} | {} | {} | {name} |\n",
        subject.name, words.capacity, words.through, words.failed_flush, words.failed_write, words.close
    )
}

/// Each policy's rules, with all that follow it; the same for every size.
fn groups(fitted: &[(&Subject, Fitted)]) -> Vec<(Policy, Vec<String>)> {
    let mut groups: Vec<(Policy, Vec<String>)> = Vec::new();
    for (subject, fitted) in fitted.iter().filter(|(_, fitted)| fitted.unexplained.is_none()) {
        let known = groups.iter_mut().find(|(policy, _)| answers(policy) == answers(&fitted.policy));
        match known {
            Some((_, names)) => names.push(subject.name.clone()),
            None => groups.push((fitted.policy, vec![subject.name.clone()])),
        }
    }
    groups
}

fn section(policy: &Policy, names: &[String]) -> String {
    format!("\n### {}\n\n{}.\n\n{}", Words::of(policy).name, names.join(", "), answers(policy))
}

/// The rules of a policy in words, a line each. What was never seen to matter isn't among
/// them.
pub fn answers(policy: &Policy) -> String {
    let layers = |rule| policy.get(rule).is_some_and(|bytes| bytes > 0);
    let mut text = match (layers(Rule::Chunk), layers(Rule::Capacity)) {
        (true, _) => "* It collects, and hands down to a buffer.\n".to_owned(),
        (false, true) => "* It has one buffer.\n".to_owned(),
        (false, false) => "* It has no buffer.\n".to_owned(),
    };
    for info in RULES {
        let Some(answer) = policy.get(info.rule).and_then(|at| info.answers.get(at as usize)) else {
            continue;
        };
        text.push_str(&format!(
            "* `{}` {} {}. ({})\n",
            info.id,
            info.asks,
            sentence(answer.says),
            answer.source
        ));
    }
    text
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
