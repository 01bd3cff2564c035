//! All integration tests in one binary, one module a theme.

mod article;
mod articles;
mod broken;
mod detector;
mod drivers;
mod handles;
mod kill;
mod kinds;
mod lab;
mod layers;
mod model;
mod page;
mod play;
mod programs;
mod puppet;
mod reuse;
mod rewrite;
mod run;
mod semantics;
mod shards;
mod strace;
mod support;
mod surroundings;
mod tidy;
mod trace;
mod without_python;
