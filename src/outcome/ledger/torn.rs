//! Write calls that came in parts, with another writer's bytes between them.

use super::{
    entry::{Cut, Torn},
    order::Order,
    source::Source,
    trace::Run,
};

/// Finds the torn records. A call that a loss, a copy or a move of its own
/// writer's bytes cut isn't torn: those have their own entries.
pub fn torn(sources: &[Source], runs: &[Run], order: &Order) -> Vec<Torn> {
    let mut torn: Vec<Torn> = Vec::new();
    for (source, stretches) in sources.iter().zip(&order.in_order) {
        for stretch in stretches {
            for (end_before, offset, at) in stretch.seams() {
                let Some(call) = source.call(offset).filter(|call| call.range.start < offset) else {
                    continue;
                };
                let between = &runs[runs.partition_point(|run| (run.at as u64) < end_before)..];
                let by = between
                    .iter()
                    .take_while(|run| (run.at as u64) < at)
                    .find_map(|run| Some(sources[run.from?.0].writer));
                let Some(by) = by.filter(|&by| by != source.writer) else { continue };
                let start = source.stream(call.range.start);
                let cut = Cut { offset: source.stream(offset), by };
                match torn.last_mut() {
                    Some(last) if (last.writer, last.start) == (source.writer, start) => last.cuts.push(cut),
                    _ => torn.push(Torn {
                        writer: source.writer,
                        record: call.record,
                        step: call.step,
                        start,
                        len: call.range.end - call.range.start,
                        cuts: vec![cut],
                    }),
                }
            }
        }
    }
    torn
}
