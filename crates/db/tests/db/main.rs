//! The database at its boundary: real files, real migrations, every verb repeated.
#![expect(
    clippy::unwrap_used,
    reason = "a test says what is wrong by panicking, its helpers too"
)]

mod executions;
mod files;
mod gates;
mod groups;
mod support;
mod workflows;
