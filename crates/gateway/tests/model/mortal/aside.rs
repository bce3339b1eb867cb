//! The verbs about alerts and heartbeats, of which the model knows nothing.
//!
//! A dead process is not answered here either, and nothing is quiet while one is asked; but none of
//! their transactions is one at which the process dies.

use async_trait::async_trait;
use gateway::store::{
    AlertReads, AlertStore, HeartbeatReads, HeartbeatStore, ReadStore, Store, StoreError,
};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::alert::{
    Acknowledged, Alert, AlertChange, AlertFilter, AlertKey, AlertPage, AlertSource, CheckedItem,
    Delivery, DeliveryEnd, Findings, Notice, NoticePage, Receipt, RoundRecorded,
};
use gateway::workflow_types::damage::Listed;
use gateway::workflow_types::heartbeat::{
    HeartbeatJudgement, HeartbeatKeeping, HeartbeatRecord, JudgementRecorded, UntoldFire,
};
use gateway::workflow_types::id::{AlertId, ExecutionId, HeartbeatName, NoticeId, SinkName};
use gateway::workflow_types::schedule::Schedule;

use super::Mortal;

/// Verbs that are handed on as long as the process lives.
macro_rules! handed_on {
    ($side:ident::$part:ident as $trait:ident
        $($verb:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl $trait for Mortal<dyn $side> {
            $(async fn $verb(&self, $($name: $kind),*) -> Result<$answer, StoreError> {
                self.read(self.inner.$part().$verb($($name),*)).await
            })*
        }
    };
}

handed_on! { Store::alerts as AlertStore
    record_findings(findings: Findings) -> RoundRecorded;
    clear_alerts(source: AlertSource, reason: String, at: Timestamp) -> Vec<AlertChange>;
    acknowledge_alert(id: AlertId, by: Acknowledged) -> Alert;
    acknowledge_all_alerts(by: Acknowledged) -> usize;
    remind_of_alerts(told_before: Timestamp, now: Timestamp, limit: usize) -> Vec<Alert>;
    configure_alert_sinks(sinks: Vec<SinkName>) -> ();
    end_delivery(end: DeliveryEnd) -> ();
    prune_alerts(before: Timestamp, limit: usize) -> usize;
}

handed_on! { ReadStore::alerts as AlertReads
    alert(id: AlertId) -> Option<Alert>;
    alerts(filter: AlertFilter, after: Option<AlertKey>, limit: usize) -> AlertPage;
    count_unread_alerts() -> usize;
    count_held_up() -> usize;
    checked_items(source: &AlertSource) -> Listed<CheckedItem>;
    notices_of(id: AlertId) -> Vec<Notice>;
    notices_after(place: u64, limit: usize) -> NoticePage;
    latest_notice() -> u64;
    receipts(notice: NoticeId) -> Vec<Receipt>;
    alert_sinks() -> Vec<SinkName>;
    next_delivery(sink: &SinkName) -> Option<Delivery>;
    longest_untold_alert() -> Option<Timestamp>;
}

handed_on! { Store::heartbeats as HeartbeatStore
    keep(keeping: HeartbeatKeeping) -> Option<Schedule>;
    detach_others(kept: Vec<HeartbeatName>, now: Timestamp) -> ();
    judge(judgement: HeartbeatJudgement) -> JudgementRecorded;
}

handed_on! { ReadStore::heartbeats as HeartbeatReads
    list() -> Listed<HeartbeatRecord>;
    find(name: &HeartbeatName) -> Option<(HeartbeatRecord, Option<Schedule>)>;
    unjudged(limit: usize) -> Vec<ExecutionId>;
    untold(limit: usize) -> Vec<UntoldFire>;
}
