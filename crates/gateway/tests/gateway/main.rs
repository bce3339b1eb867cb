//! The gateway at its boundary: real files, real tools, a clock that the tests move.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod actions;
mod admission;
mod admission_laws;
mod alerts;
mod alone;
mod cancels;
mod files;
mod gates;
mod heartbeats;
mod life;
mod overlaps;
mod restarts;
mod retries;
mod schedule_laws;
mod schedule_tables;
mod schedules;
mod secrets;
mod sources;
mod staggers;
mod store;
mod support;
mod taken_twice;
mod timers;
mod triggers;
mod turns;
mod walk;
mod walk_laws;
mod watches;
