//! Under construction.

pub mod schedule;
