//! The integration tests, one module a theme.

mod play;
mod support;
