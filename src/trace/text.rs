//! A program's calls in words: `write out 4096 = 4096`, `write out 100 = EPIPE`.

use nix::errno::Errno;

use super::{
    Calls, Seen,
    record::Counted,
    table::{On, Watched},
};

/// More lines than that aren't a list that anybody reads: then the counts are shown.
const MOST_LINES: usize = 24;

/// One call.
pub fn line(seen: &Seen, channel: &dyn Fn(usize) -> String) -> String {
    let mut words = call_words(seen.call, &seen.channels, channel);
    words.extend(seen.asked.map(|bytes| bytes.to_string()));
    let injected = if seen.injected { " (injected)" } else { "" };
    format!("{} = {}{injected}", words.join(" "), result(seen))
}

fn call_words(call: Watched, channels: &[usize], channel: &dyn Fn(usize) -> String) -> Vec<String> {
    std::iter::once(call.name().to_owned()).chain(channels.iter().map(|at| channel(*at))).collect()
}

fn result(seen: &Seen) -> String {
    match seen.errno() {
        0 if seen.call.info().on == On::Children && seen.result > 0 => "a child".to_owned(),
        0 => seen.result.to_string(),
        errno => errno_name(errno),
    }
}

/// As in errno(3); what the kernel begins again is `interrupted`.
pub fn errno_name(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno if (512..=516).contains(&errno) => "interrupted".to_owned(),
        Errno::UnknownErrno => format!("errno {errno}"),
        // Not all have the variant's name.
        errno => format!("{errno:?}"),
    }
}

/// A program's calls in a step, those of each of its threads together, in the order of
/// their births; calls that are alike in a row are one line. Of many calls the counts.
pub fn lines(calls: &Calls, channel: &dyn Fn(usize) -> String) -> Vec<String> {
    let name = |by: u32| calls.names.get(&by).map_or("?", String::as_str);
    let mut by: Vec<u32> = calls.kept().map(|seen| seen.by).collect();
    by.sort_unstable();
    by.dedup();
    let mut lines: Vec<(String, u64)> = Vec::new();
    for by in by {
        for seen in calls.kept().filter(|seen| seen.by == by) {
            let text = format!("{}: {}", name(by), line(seen, channel));
            match lines.last_mut() {
                Some((before, count)) if *before == text => *count += 1,
                _ => lines.push((text, 1)),
            }
        }
    }
    if calls.left_out > 0 || lines.len() > MOST_LINES {
        let mut counts: Vec<&Counted> = calls.counts.iter().collect();
        counts.sort_by_key(|counted| (counted.call, counted.channels.clone(), counted.errno));
        return counts.into_iter().map(|counted| count_line(counted, channel)).collect();
    }
    let times =
        |(text, count): (String, u64)| if count > 1 { format!("{text}, {count} times") } else { text };
    lines.into_iter().map(times).collect()
}

fn count_line(counted: &Counted, channel: &dyn Fn(usize) -> String) -> String {
    let words = call_words(counted.call, &counted.channels, channel).join(" ");
    let result = match counted.errno {
        0 if counted.bytes > 0 => format!("{} in all", counted.bytes),
        0 => "ok".to_owned(),
        errno => errno_name(errno),
    };
    format!("{words}: {} calls = {result}", counted.count)
}
