//! The verbs about alerts, of the store and of its read side.

use async_trait::async_trait;
use workflow_types::Timestamp;
use workflow_types::alert::{
    Acknowledged, Alert, AlertChange, AlertFilter, AlertKey, AlertPage, AlertSource, CheckedItem,
    Delivery, DeliveryEnd, Findings, Notice, NoticePage, Receipt, RoundRecorded,
};
use workflow_types::damage::Listed;
use workflow_types::id::{AlertId, NoticeId, SinkName};

use super::{SqliteReader, SqliteStore};
use crate::store::{AlertReads, AlertStore, StoreError};

#[async_trait]
impl AlertStore for SqliteStore {
    async fn record_findings(&self, findings: Findings) -> Result<RoundRecorded, StoreError> {
        self.write(move |c| db::alert::record(c, &findings)).await
    }

    async fn clear_alerts(
        &self,
        source: AlertSource,
        reason: String,
        at: Timestamp,
    ) -> Result<Vec<AlertChange>, StoreError> {
        self.write(move |c| db::alert::clear(c, &source, &reason, at))
            .await
    }

    async fn acknowledge_alert(&self, id: AlertId, by: Acknowledged) -> Result<Alert, StoreError> {
        self.write(move |c| db::alert::acknowledge(c, id, &by))
            .await
    }

    async fn acknowledge_all_alerts(&self, by: Acknowledged) -> Result<usize, StoreError> {
        self.write(move |c| db::alert::acknowledge_all(c, &by))
            .await
    }

    async fn remind_of_alerts(
        &self,
        told_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Alert>, StoreError> {
        self.write(move |c| db::alert::remind(c, told_before, now, limit))
            .await
    }

    async fn configure_alert_sinks(&self, sinks: Vec<SinkName>) -> Result<(), StoreError> {
        self.write(move |c| db::alert::configure_sinks(c, &sinks))
            .await
    }

    async fn end_delivery(&self, end: DeliveryEnd) -> Result<(), StoreError> {
        self.write(move |c| db::alert::end_delivery(c, &end)).await
    }

    async fn prune_alerts(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.write(move |c| db::alert::prune(c, before, limit))
            .await
    }
}

#[async_trait]
impl AlertReads for SqliteReader {
    async fn alert(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        self.read(move |c| db::alert::find(c, id)).await
    }

    async fn alerts(
        &self,
        filter: AlertFilter,
        after: Option<AlertKey>,
        limit: usize,
    ) -> Result<AlertPage, StoreError> {
        self.read(move |c| db::alert::list(c, filter, after.as_ref(), limit))
            .await
    }

    async fn count_unread_alerts(&self) -> Result<usize, StoreError> {
        self.read(db::alert::count_unread).await
    }

    async fn count_held_up(&self) -> Result<usize, StoreError> {
        self.read(db::alert::count_held_up).await
    }

    async fn checked_items(&self, source: &AlertSource) -> Result<Listed<CheckedItem>, StoreError> {
        let source = source.clone();
        self.read(move |c| db::alert::items(c, &source)).await
    }

    async fn notices_of(&self, id: AlertId) -> Result<Vec<Notice>, StoreError> {
        self.read(move |c| db::alert::notices_of(c, id)).await
    }

    async fn notices_after(&self, place: u64, limit: usize) -> Result<NoticePage, StoreError> {
        self.read(move |c| db::alert::notices_after(c, place, limit))
            .await
    }

    async fn latest_notice(&self) -> Result<u64, StoreError> {
        self.read(db::alert::latest_notice).await
    }

    async fn receipts(&self, notice: NoticeId) -> Result<Vec<Receipt>, StoreError> {
        self.read(move |c| db::alert::receipts(c, notice)).await
    }

    async fn alert_sinks(&self) -> Result<Vec<SinkName>, StoreError> {
        self.read(db::alert::sinks).await
    }

    async fn next_delivery(&self, sink: &SinkName) -> Result<Option<Delivery>, StoreError> {
        let sink = sink.clone();
        self.read(move |c| db::alert::next_delivery(c, &sink)).await
    }

    async fn longest_untold_alert(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(db::alert::longest_untold).await
    }
}
