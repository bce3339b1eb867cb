//! End-to-end tests: the real binary on real files and a real database.
#![expect(
    clippy::unwrap_used,
    reason = "a test says what is wrong by panicking, its helpers too"
)]

mod addresses;
mod alerts;
mod backup_rotate;
mod bad_databases;
mod bad_files;
mod bad_usage;
mod carried_on;
mod check;
mod config;
mod crashes;
mod damaged;
mod deciders;
mod deploy_check;
mod disk_full;
mod doctor;
mod explain;
mod graph;
mod heartbeat_days;
mod heartbeat_files;
mod heartbeat_usage;
mod heartbeats;
mod held;
mod hostile;
mod init;
mod interrupted;
mod kills;
mod kills_anywhere;
mod listing;
mod mcp;
mod mistakes;
mod models;
mod offline;
mod operations;
mod output;
mod reloading;
mod rules;
mod schedules;
mod secrets;
mod serve;
mod signals;
mod simulate;
mod support;
mod tools;
mod turns;
mod watching;
