//! The AgentSpace command line.
#![forbid(unsafe_code)]

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the command that serves registers them")
)]
mod tools;

fn main() {}
