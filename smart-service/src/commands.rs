//! What a service can do besides serving.

pub(crate) mod config;
pub(crate) mod healthcheck;
pub(crate) mod migrate;
