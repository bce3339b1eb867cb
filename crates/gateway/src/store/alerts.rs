//! What a gateway asks of its database about alerts: the verbs that write, and the read side.

use async_trait::async_trait;
use workflow_types::Timestamp;
use workflow_types::alert::{
    Acknowledged, Alert, AlertChange, AlertFilter, AlertKey, AlertPage, AlertSource, CheckedItem,
    Delivery, DeliveryEnd, Findings, Notice, NoticePage, Receipt, RoundRecorded,
};
use workflow_types::damage::Listed;
use workflow_types::id::{AlertId, NoticeId, SinkName};

use super::StoreError;

/// What can be written about alerts, under the promises of every verb of a
/// [`Store`](super::Store).
///
/// Whatever raises an alert, reminds of it or ends it also writes the notice that tells of it, and
/// that each configured sink is to be told, in the same transaction. The alert of a schedule that is
/// paused for its failures is raised by [`Store::pause_failing`](super::Store::pause_failing), and ends
/// when the schedule fires again, is switched off for another reason, or is deleted. That of one that
/// is held up is raised by a [`Store::fire`](super::Store::fire) that does not start because an
/// execution of the schedule waits at a gate, is seen again by each that follows, and ends with what
/// settles the gate, or lets the schedule fire beside it or not at all.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Records what an execution found out about the items of its source, and what follows from it,
    /// as [`Findings::judge`] says; alerts of items that are not named any more are over.
    ///
    /// What one execution found is recorded once: repeating it changes nothing, whatever it says.
    async fn record_findings(&self, findings: Findings) -> Result<RoundRecorded, StoreError>;

    /// Every open alert of a source is over; answers what has changed.
    async fn clear_alerts(
        &self,
        source: AlertSource,
        reason: String,
        at: Timestamp,
    ) -> Result<Vec<AlertChange>, StoreError>;

    /// Somebody has read an alert, open or not. The first who says so is named; answers the alert as
    /// it is afterwards.
    ///
    /// [`NotFound`](super::StoreErrorKind::NotFound) if there is none.
    async fn acknowledge_alert(&self, id: AlertId, by: Acknowledged) -> Result<Alert, StoreError>;

    /// Somebody has read every alert that there is; answers how many were unread.
    async fn acknowledge_all_alerts(&self, by: Acknowledged) -> Result<usize, StoreError>;

    /// Reminds of at most `limit` open and unread alerts that were last told of at `told_before` or
    /// earlier, the longest untold first; answers them. Repeating it reminds of the next ones.
    async fn remind_of_alerts(
        &self,
        told_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Alert>, StoreError>;

    /// From now on notices are for exactly these sinks. What another was not told waits until it is
    /// configured again.
    async fn configure_alert_sinks(&self, sinks: Vec<SinkName>) -> Result<(), StoreError>;

    /// Writes down how an attempt to tell a sink a notice ended; what it has taken stays taken.
    ///
    /// [`NotFound`](super::StoreErrorKind::NotFound) if it was never to be told, or if the alert was
    /// deleted.
    async fn end_delivery(&self, end: DeliveryEnd) -> Result<(), StoreError>;

    /// Deletes at most `limit` alerts that ended before then, are read, and of which every configured
    /// sink has been told, with their notices; answers how many.
    async fn prune_alerts(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError>;
}

/// What can be read about alerts, under the promises of every verb of a
/// [`ReadStore`](super::ReadStore).
#[async_trait]
pub trait AlertReads: Send + Sync {
    /// An alert.
    async fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError>;

    /// At most `limit` alerts (at least one) that match `filter`, after a place in the order of all,
    /// newest first: by when they were raised, and among those of one instant by id.
    async fn alerts(
        &self,
        filter: AlertFilter,
        after: Option<AlertKey>,
        limit: usize,
    ) -> Result<AlertPage, StoreError>;

    /// How many alerts nobody has acknowledged.
    async fn count_unread_alerts(&self) -> Result<usize, StoreError>;

    /// How many alerts of schedules that are held up are open.
    async fn count_held_up(&self) -> Result<usize, StoreError>;

    /// The last result of each item of a source, in the order of their texts.
    async fn checked_items(&self, source: &AlertSource) -> Result<Listed<CheckedItem>, StoreError>;

    /// What was told of an alert, in its order; none if there is no such alert.
    async fn notices_of(&self, id: AlertId) -> Result<Vec<Notice>, StoreError>;

    /// At most `limit` notices (at least one) of all alerts after a place, in the order in which they
    /// were written.
    ///
    /// A place is never used again, and nothing appears before one that was answered.
    async fn notices_after(&self, place: u64, limit: usize) -> Result<NoticePage, StoreError>;

    /// The place of the latest notice; 0 if there is none.
    async fn latest_notice(&self) -> Result<u64, StoreError>;

    /// How far each sink has been told a notice.
    async fn receipts(&self, notice: NoticeId) -> Result<Vec<Receipt>, StoreError>;

    /// The sinks that notices are for, in the order of their names.
    async fn alert_sinks(&self) -> Result<Vec<SinkName>, StoreError>;

    /// What a sink is to be told next, whether or not it is time: its notices in the order in which
    /// they were written. Damaged ones are logged and passed over.
    async fn next_delivery(&self, sink: &SinkName) -> Result<Option<Delivery>, StoreError>;

    /// When the open and unread alert was told of that has been told of longest ago.
    async fn longest_untold_alert(&self) -> Result<Option<Timestamp>, StoreError>;
}
