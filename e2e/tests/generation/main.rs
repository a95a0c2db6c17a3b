//! Services that are generated, built, tested, booted and found healthy, by the real `smart`.
//!
//! A binary of its own, because its compilers would keep both processors busy while the other tests watch the clock.
//! The first service after a change of the framework takes minutes, each one after it seconds: like all services of a
//! machine, these share one build folder.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an unexpected error has failed"
)]

mod framework;
mod services;
mod smart;
