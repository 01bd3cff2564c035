//! All integration tests in one binary, one module a theme.

mod detector;
mod drivers;
mod kill;
mod model;
mod play;
mod puppet;
mod support;
mod tidy;
