//! Attempts that failed and were followed by another one.

use super::StepFailure;
use crate::Timestamp;

/// An attempt of a visit that failed, with when the next one is due.
///
/// The last attempt of a visit is no such entry: what became of it is in the visit itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The visit, by its number within the execution.
    pub visit: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it failed.
    pub failed_at: Timestamp,
    /// When the next one is due.
    pub due_at: Timestamp,
    /// Why it failed.
    pub failure: StepFailure,
}
