//! How long executions are kept. An unfinished one always is.

use std::time::Duration;

use crate::Timestamp;

/// Which finished executions are kept. Without any bound, all are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Those that ended longer ago are deleted.
    pub older_than: Option<Duration>,
    /// Of the others, each workflow keeps only so many, the newest.
    pub keep_per_workflow: Option<u32>,
}

impl Retention {
    /// What this means at an instant.
    pub fn at(self, now: Timestamp) -> Prune {
        let ended_before = self.older_than.and_then(|age| {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            // Before the beginning of time nothing ended.
            Timestamp::from_millis(now.as_millis().saturating_sub(age)).ok()
        });
        Prune {
            ended_before,
            keep_per_workflow: self.keep_per_workflow,
        }
    }

    /// Whether it keeps everything.
    pub const fn keeps_all(self) -> bool {
        self.older_than.is_none() && self.keep_per_workflow.is_none()
    }
}

/// Which finished executions are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prune {
    /// Those that ended before then.
    pub ended_before: Option<Timestamp>,
    /// Those of the others that have so many newer ones of their workflow.
    pub keep_per_workflow: Option<u32>,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Finished executions.
    pub executions: usize,
    /// Definitions that nothing referred to any more.
    pub definitions: usize,
}
