//! All integration tests in one binary, one module a theme.

mod article;
mod articles;
mod broken;
mod detector;
mod drivers;
mod exec;
mod handles;
mod kill;
mod kinds;
mod lab;
mod layers;
mod model;
mod page;
mod play;
mod puppet;
mod reuse;
mod rewrite;
mod run;
mod semantics;
mod shards;
mod strace;
mod support;
mod surroundings;
mod threads;
mod tidy;
mod without_python;
