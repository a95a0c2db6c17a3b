//! What a service does for its callers, its operators and its databases: the real thing, on free ports.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an unexpected error has failed"
)]

mod admin;
#[cfg(all(feature = "postgres", feature = "redis", feature = "sqlite"))]
mod databases;
mod drain;
mod fixture;
mod health;
mod limits;
mod problems;
#[cfg(feature = "sentry")]
mod reports;
mod requests;
#[cfg(all(feature = "postgres", feature = "sentry"))]
mod secrets;
