//! The integration tests, one module a theme.

mod detector;
mod play;
mod support;
