//! Reads a struct out of the tree, and finds all faults on the way.

mod access;
mod decoder;
mod error;
mod repair;

pub(crate) use repair::{Decoded, decode, is_secret};
