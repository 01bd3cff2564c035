//! All that /proc says of a process and that a case must not change. For programs
//! that anybody may have written: a count of descriptors doesn't notice that one
//! was put in another's place, `stat` knows neither real-time signals nor those that
//! are pending for the whole process.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::state::{Check, Item};

/// Lines of `status` that must stay (proc_pid_status(5)). A kernel that lacks one
/// lacks it in both readings.
const STATUS: &[(&str, Check)] = &[
    ("SigPnd", Check::Signals),
    ("ShdPnd", Check::Signals),
    ("SigBlk", Check::Signals),
    ("SigIgn", Check::Signals),
    ("SigCgt", Check::Signals),
    ("Umask", Check::Surroundings),
    ("TracerPid", Check::Surroundings),
    ("Uid", Check::Surroundings),
    ("Gid", Check::Surroundings),
    ("Groups", Check::Surroundings),
    ("CapInh", Check::Surroundings),
    ("CapPrm", Check::Surroundings),
    ("CapEff", Check::Surroundings),
    ("CapBnd", Check::Surroundings),
    ("CapAmb", Check::Surroundings),
    ("NoNewPrivs", Check::Surroundings),
    ("Seccomp", Check::Surroundings),
    ("Cpus_allowed", Check::Surroundings),
];

/// Fields of `stat` that must stay (proc_pid_stat(5)), by number.
const STAT: &[(usize, &str)] = &[
    (5, "the process group"),
    (6, "the session"),
    (19, "the niceness"),
    (40, "the real-time priority"),
    (41, "the scheduling policy"),
];

/// Reads it all; `stat` is what follows the program's name there.
pub(super) fn read(pid: i32, stat: &[u8]) -> io::Result<Vec<Item>> {
    let dir = Path::new("/proc").join(pid.to_string());
    let mut items = Vec::new();
    let mut add = |check, name: String, value: String| {
        let alone = matches!(check, Check::Descriptors | Check::Threads);
        items.push(Item { check, name, value, alone });
    };

    for number in names(&dir.join("fd"))? {
        let target = fs::read_link(dir.join("fd").join(&number))?;
        let info = text(&dir.join("fdinfo").join(&number))?;
        // O_NONBLOCK and the like; an offset may move.
        let flags = info.lines().find(|line| line.starts_with("flags:")).unwrap_or_default();
        add(Check::Descriptors, format!("descriptor {number}"), format!("{} {flags}", target.display()));
    }
    for thread in names(&dir.join("task"))? {
        let task = dir.join("task").join(&thread);
        add(Check::Threads, format!("thread {thread}"), "there".into());
        let children = text(&task.join("children"))?;
        add(Check::Children, format!("the list of children of thread {thread}"), children);
        for line in text(&task.join("status"))?.lines() {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            if let Some((_, check)) = STATUS.iter().find(|(known, _)| *known == name) {
                add(*check, format!("{name} of thread {thread}"), value.trim().into());
            }
        }
    }
    let stat = String::from_utf8_lossy(stat);
    let fields: Vec<&str> = stat.split_ascii_whitespace().collect();
    for (number, name) in STAT {
        // The first field here is the third.
        let value = fields.get(number - 3).copied().unwrap_or_default();
        add(Check::Surroundings, (*name).into(), value.into());
    }
    for link in ["cwd", "root"] {
        add(Check::Surroundings, link.into(), fs::read_link(dir.join(link))?.display().to_string());
    }
    add(Check::Surroundings, "the table of limits".into(), text(&dir.join("limits"))?);
    // Those of timer_create(2), where the kernel tells (CONFIG_CHECKPOINT_RESTORE).
    let timers = text(&dir.join("timers")).unwrap_or_default();
    add(Check::Surroundings, "the list of timers".into(), timers);
    Ok(items)
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The text of a file that isn't longer than a page, by a single read.
fn text(path: &Path) -> io::Result<String> {
    let mut buffer = [0; 4096];
    let length = File::open(path)?.read(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}
