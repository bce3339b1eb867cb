//! The database at its boundary: real files, real migrations, every verb repeated.

mod executions;
mod files;
mod gates;
mod groups;
mod support;
mod workflows;
