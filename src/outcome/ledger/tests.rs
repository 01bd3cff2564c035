//! Cases made by hand and by chance. `Scene` builds a plan and a transcript.

mod laws;
mod mutation;
mod origins;
mod passing;
mod peeking;
mod scene;
mod story;

/// So many cases of a property, or what PROPTEST_CASES says.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// Where the numbers of a property begin, or what PROPTEST_RNG_SEED says.
fn seed() -> u64 {
    std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2018)
}
