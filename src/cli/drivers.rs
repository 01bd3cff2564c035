//! `pipelab drivers`.

use std::{collections::BTreeSet, io::Write};

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};

use super::Failure;
use crate::{
    driver::{Catalog, DRIVERS, DriverInfo},
    report::exit,
};

#[derive(Debug, Args)]
pub(super) struct Drivers {}

impl Drivers {
    pub(super) fn main(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let names: Vec<&str> = DRIVERS.iter().map(|info| info.name).collect();
        let catalog = Catalog::discover(&names, &BTreeSet::new());
        for info in DRIVERS {
            describe(out, info, &catalog)?;
        }
        Ok(exit::AS_EXPECTED)
    }
}

fn describe(out: &mut dyn Write, info: &DriverInfo, catalog: &Catalog) -> Result<(), Failure> {
    writeln!(out, "{}: {}", info.name, info.about)?;
    let verbs: Vec<&str> = info.verbs.iter().map(|verb| verb.name()).collect();
    writeln!(out, "   verbs: {}, kill", verbs.join(", "))?;
    let mut modes = Table::new();
    modes.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for mode in info.modes {
        let buffer = if mode.takes_buffer { "[,buffer=SIZE]" } else { "" };
        let layers = if mode.layers.is_empty() { "" } else { "[,layers]" };
        modes.add_row([format!("  {}:{}{buffer}{layers}", info.name, mode.name), mode.about.to_owned()]);
    }
    for line in modes.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let mut found = Table::new();
    found.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for runtime in catalog.runtimes.iter().filter(|runtime| runtime.driver == info.name) {
        let sizes: Vec<String> =
            runtime.symbols.iter().map(|(name, bytes)| format!("{}.{name} = {bytes}", info.name)).collect();
        let spec = match runtime.version.as_str() {
            "" => info.name.to_owned(),
            version => format!("{}@{version}", info.name),
        };
        found.add_row([format!("  {spec}"), runtime.full_version.clone(), sizes.join(", ")]);
    }
    for line in found.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    for missing in catalog.missing.iter().filter(|missing| missing.driver == info.name) {
        writeln!(out, "  missing: {}: {}", missing.what, missing.remedy)?;
    }
    writeln!(out)?;
    Ok(())
}
