//! The tests that need more than one module or a process, one module a theme.

mod drivers;
mod puppet;
