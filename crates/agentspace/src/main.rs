//! The AgentSpace command line.
fn main() {}
