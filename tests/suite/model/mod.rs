//! The model against the kernel that runs.
//!
//! - `calls`: random calls of one process, non-blocking, on a pipe and a FIFO
//! - `trials`: random scripts with blocked calls, played on threads
//! - `predicted`: scenarios, against what the model says of them
//! - `kernel`: the real channels that both use

mod calls;
mod kernel;
mod predicted;
mod trials;
