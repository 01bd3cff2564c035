//! `docs/semantics.md` is made of the list `docs/semantics.toml`, the scenarios that name
//! its lines, and their snapshots, which `tests/scenarios.rs` plays. To make it anew:
//!
//!     PIPELAB_UPDATE=1 cargo test --test suite semantics

mod cost;
mod list;
mod shown;

use crate::{page, reuse};
use list::{Group, Line};
use shown::{Shown, shown};

#[test]
fn the_page_is_what_scenarios_and_snapshots_say() {
    let list = list::read(&page::read("docs/semantics.toml"));
    let shown = shown();
    let wrong = mistakes(&list, &shown);
    assert!(wrong.is_empty(), "docs/semantics.toml and the scenarios don't fit:\n{}", wrong.join("\n"));
    page::assert_current("docs/semantics.md", &made(&list, &shown), "semantics");
    let count = list.iter().map(|group| group.lines.len()).sum::<usize>();
    assert!(page::read("README.md").contains(&format!(": {count} lines")), "the README counts other lines");
}

/// By itself this plays nothing but these; hundreds of times with PIPELAB_REPETITIONS=300.
#[test]
fn records_stay_the_same_beside_cpu_hogs() {
    reuse::suite::records_of_a_folder_stay_the_same_beside_cpu_hogs("scenarios/semantics");
}

/// Where list, scenarios and snapshots don't fit together.
fn mistakes(list: &[Group], shown: &[Shown]) -> Vec<String> {
    let lines = || list.iter().flat_map(|group| &group.lines);
    let mut wrong = Vec::new();
    for scenario in shown {
        let unknown = scenario.ids.iter().filter(|id| lines().all(|line| line.id != **id));
        wrong.extend(unknown.map(|id| format!("{} names {id}, which isn't in the list", scenario.name)));
        if !scenario.recorded {
            wrong.push(format!("{} names lines of the list and has no snapshot", scenario.name));
        }
    }
    for line in lines() {
        match (of(shown, &line.id).next(), &line.reason) {
            (None, None) => wrong.push(format!("{}: no scenario names it, and it has no `reason`", line.id)),
            (Some(scenario), Some(_)) => {
                wrong.push(format!("{}: {} shows it: take its `reason` away", line.id, scenario.name));
            }
            _ => {}
        }
    }
    wrong
}

/// The scenarios that name a line.
fn of<'s>(shown: &'s [Shown], id: &str) -> impl Iterator<Item = &'s Shown> {
    shown.iter().filter(move |scenario| scenario.ids.iter().any(|known| known == id))
}

fn made(list: &[Group], shown: &[Shown]) -> String {
    let count = list.iter().map(|group| group.lines.len()).sum::<usize>();
    let whole = list.iter().flat_map(|group| &group.lines).filter(|line| line.reason.is_none()).count();
    let mut text = format!(
        "# What others assert, and what the kernel says\n\n\
         What the tests and issues of other projects say about pipes, FIFOs and UNIX sockets, each line with the\n\
         scenarios that show it, every clause. `holds`: these scenarios are as their snapshots and their own\n\
         expectations say, which `cargo test --test scenarios` plays anew.\n\n\
         Of {count} lines {whole} are shown whole, and {} are not.\n",
        count - whole
    );
    for group in list {
        text.push_str(&format!(
            "\n## {}\n\n| line | says | after | scenario | verdict |\n|---|---|---|---|---|\n",
            group.name
        ));
        for line in &group.lines {
            text.push_str(&row(line, shown));
        }
    }
    text
}

fn row(line: &Line, shown: &[Shown]) -> String {
    let links: Vec<String> = of(shown, &line.id)
        .map(|scenario| {
            let short = scenario.name.strip_prefix("semantics/").unwrap_or(&scenario.name);
            format!("[{short}](../scenarios/{}.toml)", scenario.name)
        })
        .collect();
    let differs: Vec<String> =
        of(shown, &line.id).flat_map(|scenario| scenario.differences_of(&line.id)).collect();
    let verdict = match (&line.reason, &differs[..]) {
        (Some(reason), _) => format!("not covered: {reason}"),
        (None, []) => "holds".to_owned(),
        (None, differs) => format!("holds; the kernel differs in part: {}", differs.join("; ")),
    };
    let cells = [&line.id, &line.says, &line.source, &links.join(", "), &verdict];
    // A bar would end the cell.
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn line(id: &str, reason: Option<&str>) -> Line {
    let text = |text: &str| text.to_owned();
    Line { id: text(id), says: text("a|b"), source: text("t.c"), reason: reason.map(text) }
}

fn scenario(ids: &[&str], recorded: bool, text: &str) -> Shown {
    Shown::new("semantics/pipe/one", ids.iter().map(|id| (*id).to_owned()).collect(), recorded, text)
}

#[test]
fn a_list_that_fits_no_scenario_is_told_line_by_line() {
    let lines = vec![line("P01", None), line("P02", Some("hard")), line("P03", None), line("P04", Some("x"))];
    let list = [Group { name: "Pipes".to_owned(), lines }];
    let wrong = mistakes(&list, &[scenario(&["P02", "P03", "P99"], false, "")]);
    assert_eq!(
        wrong,
        [
            "semantics/pipe/one names P99, which isn't in the list",
            "semantics/pipe/one names lines of the list and has no snapshot",
            "P01: no scenario names it, and it has no `reason`",
            "P02: semantics/pipe/one shows it: take its `reason` away",
        ]
    );
}

#[test]
fn a_row_says_where_the_kernel_differs() {
    let text = "script = '''\na pipe r w  # as pipe(2)\n# The kernel differs: it says\n#   0 here.\na close r\n\
                # The kernel differs: P02: and 1 here\n'''";
    let shown = [scenario(&["P01", "P02"], true, text)];
    let link = "[pipe/one](../scenarios/semantics/pipe/one.toml)";
    assert_eq!(
        row(&line("P01", None), &shown),
        format!("| P01 | a\\|b | t.c | {link} | holds; the kernel differs in part: it says 0 here |\n")
    );
    assert_eq!(
        row(&line("P02", None), &shown),
        format!(
            "| P02 | a\\|b | t.c | {link} | holds; the kernel differs in part: it says 0 here; and 1 here |\n"
        )
    );
    assert_eq!(row(&line("P03", Some("x")), &shown), "| P03 | a\\|b | t.c |  | not covered: x |\n");
}
