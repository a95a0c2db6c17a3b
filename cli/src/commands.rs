//! The commands: each takes parsed arguments and returns an exit code.

pub(crate) mod completions;
pub(crate) mod engines;
pub(crate) mod generate_service;
pub(crate) mod render_template;
