//! Cases made by hand and by chance. `Scene` builds a plan and a transcript.

mod laws;
mod mutation;
mod scene;
mod speed;
mod story;
