//! All integration tests in one binary, one module a theme.

mod detector;
mod model;
mod play;
mod support;
