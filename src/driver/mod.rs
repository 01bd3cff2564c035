//! The actors' side: the built-in drivers, the embedded drivers of other
//! runtimes, and what of them stands ready on this machine.

pub mod builtin;
mod catalog;
mod environment;
pub mod python;
mod spec;
mod start;
mod table;

pub use catalog::{Catalog, Missing, Runtime};
pub use environment::environment;
pub use spec::{Spec, SpecError, Version};
pub use start::Started;
pub use table::{DRIVERS, DriverInfo, ModeInfo};
