use std::io::{self, Write};
use crate::{explore::sweep::*, report::Cost, scenario::Scenario};
pub fn human(out: &mut dyn Write, scenario: &Scenario, sweep: &Sweep, cost: &Cost) -> io::Result<()> {
    writeln!(out, "{}", scenario.name)?;
    for map in &sweep.maps {
        let naming = Naming::of(&map.named);
        writeln!(out, "{:?} row {:?} {:?} {} cases, gap {} skipped {:?} unexpected {:?}", map.params, map.row, map.found, map.cases, map.gap(), map.skipped, map.unexpected)?;
        for band in &map.bands {
            let lines = lines(&band.shape, |hole| naming.relation(&sweep.axis.param, band.relations[hole]));
            let summary: Vec<&str> = lines[..5].iter().map(|l| l.1.as_str()).collect();
            writeln!(out, "  {}..={} {} | {}", band.from, band.to, band.samples, summary.join(" | "))?;
            if std::env::var_os("LONG").is_some() { for (a,b) in &lines[5..] { writeln!(out, "        {a}: {b}")?; } }
        }
        writeln!(out, "{}", naming.legend())?;
    }
    writeln!(out, "{cost}")
}
