//! All integration tests in one binary, one module a theme.

mod article;
mod detector;
mod drivers;
mod kill;
mod lab;
mod model;
mod play;
mod puppet;
mod reuse;
mod run;
mod strace;
mod support;
mod surroundings;
mod tidy;
mod without_python;
