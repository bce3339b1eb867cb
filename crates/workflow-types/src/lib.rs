//! Under construction.

pub mod expression;
