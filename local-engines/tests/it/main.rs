//! The engines of this machine, started for real.

mod postgres;
