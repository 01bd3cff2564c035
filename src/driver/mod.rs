//! The actors' side: the built-in drivers, the embedded drivers of other
//! runtimes, and what of them stands ready on this machine.

pub mod builtin;
mod catalog;
mod spec;
mod table;

pub use catalog::{Catalog, Missing, Runtime};
pub use spec::{Spec, SpecError, Version};
pub use table::{DRIVERS, DriverInfo, ModeInfo};
