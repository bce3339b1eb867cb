//! What a gateway asks of its database about heartbeats: the verbs that write, and the read side.

use async_trait::async_trait;
use workflow_types::Timestamp;
use workflow_types::damage::Listed;
use workflow_types::heartbeat::{
    HeartbeatJudgement, HeartbeatKeeping, HeartbeatRecord, JudgementRecorded, UntoldFire,
};
use workflow_types::id::{ExecutionId, HeartbeatName};
use workflow_types::schedule::Schedule;

use super::StoreError;

/// What can be written about heartbeats, under the promises of every verb of a
/// [`Store`](super::Store).
#[async_trait]
pub trait HeartbeatStore: Send + Sync {
    /// Keeps a heartbeat as its file says now: its definition becomes the newest of its workflow, and
    /// its schedule follows it, as [`follow`](workflow_types::schedule::follow) says; answers the
    /// schedule afterwards.
    ///
    /// Without what a file says, all that was known stays, and a schedule is added only where there
    /// is none, or goes on if it was detached. Repeating it changes nothing.
    async fn keep(&self, keeping: HeartbeatKeeping) -> Result<Option<Schedule>, StoreError>;

    /// Switches off the schedules of all heartbeats but these, and ends their alerts. Repeating it changes nothing.
    async fn detach_others(
        &self,
        kept: Vec<HeartbeatName>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Records what a run of a heartbeat came to, together with its findings, as with
    /// [`AlertStore::record_findings`](super::AlertStore::record_findings).
    ///
    /// Repeating it is answered as a repetition and changes nothing.
    /// [`NotFound`](super::StoreErrorKind::NotFound) if there is no such execution or heartbeat;
    /// [`Conflict`](super::StoreErrorKind::Conflict) if the execution has not ended.
    async fn judge(&self, judgement: HeartbeatJudgement) -> Result<JudgementRecorded, StoreError>;
}

/// What can be read about heartbeats, under the promises of every verb of a
/// [`ReadStore`](super::ReadStore).
#[async_trait]
pub trait HeartbeatReads: Send + Sync {
    /// Every heartbeat that was ever kept, in the order of their names.
    async fn list(&self) -> Result<Listed<HeartbeatRecord>, StoreError>;

    /// A heartbeat, with the schedule that follows its file.
    async fn find(
        &self,
        name: &HeartbeatName,
    ) -> Result<Option<(HeartbeatRecord, Option<Schedule>)>, StoreError>;

    /// At most `limit` executions that a heartbeat triggered, that have ended and of which nothing
    /// was judged, the oldest first.
    async fn unjudged(&self, limit: usize) -> Result<Vec<ExecutionId>, StoreError>;

    /// At most `limit` fires of heartbeats at which nothing could be started and of which nobody was
    /// told, the oldest first.
    async fn untold(&self, limit: usize) -> Result<Vec<UntoldFire>, StoreError>;
}
