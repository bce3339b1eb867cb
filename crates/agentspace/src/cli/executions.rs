//! Which executions are listed, in the words of their list.

use std::num::NonZeroUsize;

use clap::Args;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::execution::{ExecutionStatus, FailureKind, TriggeredBy};
use gateway::workflow_types::id::WorkflowId;

use super::number;

/// Which executions are listed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of a workflow.
    #[arg(long)]
    pub(crate) workflow: Option<WorkflowId>,
    /// Only those of a status: running (with those that are queued), queued, paused, completed, failed
    /// (with those that were cancelled) or cancelled.
    #[arg(long, value_parser = listed)]
    pub(crate) status: Option<ListedStatus>,
    /// Only those that failed with a kind, such as `step_failed` or cancelled.
    #[arg(long, value_name = "KIND", value_parser = failure_kind)]
    pub(crate) failure_kind: Option<FailureKind>,
    /// Only those that were started by this: manual, cron or heartbeat.
    #[arg(long, value_parser = trigger)]
    pub(crate) trigger: Option<TriggeredBy>,
    /// Only those started then or later, as 2026-01-31T09:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<Timestamp>,
    /// Only those started before then.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: Option<Timestamp>,
    /// Only those that come after this execution in the list: the last one of the page before.
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
    /// At most so many.
    #[arg(long, default_value = "50", value_parser = number::some, allow_negative_numbers = true)]
    pub(crate) limit: NonZeroUsize,
}

/// A state of executions in the words of their list, some of which are narrower than a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListedStatus {
    /// A status, as it is stored.
    Stored(ExecutionStatus),
    /// Running, and not yet: it waits for its turn.
    Queued,
    /// Failed, because somebody cancelled it.
    Cancelled,
}

fn listed(text: &str) -> Result<ListedStatus, String> {
    match text {
        "queued" => Ok(ListedStatus::Queued),
        "cancelled" => Ok(ListedStatus::Cancelled),
        text => ExecutionStatus::from_word(text)
            .map(ListedStatus::Stored)
            .ok_or_else(|| {
                format!("`{text}` is none of running, queued, paused, completed, failed, cancelled")
            }),
    }
}

fn failure_kind(text: &str) -> Result<FailureKind, String> {
    FailureKind::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("`{text}` is none of {}", words.join(", "))
    })
}

fn trigger(text: &str) -> Result<TriggeredBy, String> {
    TriggeredBy::from_word(text)
        .ok_or_else(|| format!("`{text}` is none of manual, cron, heartbeat"))
}
