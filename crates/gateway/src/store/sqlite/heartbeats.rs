//! The verbs about heartbeats, of the store and of its read side.

use async_trait::async_trait;
use workflow_types::Timestamp;
use workflow_types::damage::Listed;
use workflow_types::heartbeat::{
    HeartbeatJudgement, HeartbeatKeeping, HeartbeatRecord, JudgementRecorded, UntoldFire,
};
use workflow_types::id::{ExecutionId, HeartbeatName};
use workflow_types::schedule::Schedule;

use super::{SqliteReader, SqliteStore};
use crate::store::{HeartbeatReads, HeartbeatStore, StoreError};

#[async_trait]
impl HeartbeatStore for SqliteStore {
    async fn keep(&self, keeping: HeartbeatKeeping) -> Result<Option<Schedule>, StoreError> {
        self.write(move |c| db::heartbeat::keep(c, &keeping)).await
    }

    async fn detach_others(
        &self,
        kept: Vec<HeartbeatName>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |c| db::heartbeat::detach_others(c, &kept, now))
            .await
    }

    async fn judge(&self, judgement: HeartbeatJudgement) -> Result<JudgementRecorded, StoreError> {
        self.write(move |c| db::heartbeat::judge(c, &judgement))
            .await
    }
}

#[async_trait]
impl HeartbeatReads for SqliteReader {
    async fn list(&self) -> Result<Listed<HeartbeatRecord>, StoreError> {
        self.read(db::heartbeat::list).await
    }

    async fn find(
        &self,
        name: &HeartbeatName,
    ) -> Result<Option<(HeartbeatRecord, Option<Schedule>)>, StoreError> {
        let name = name.clone();
        self.read(move |c| {
            let Some(found) = db::heartbeat::find(c, &name)? else {
                return Ok(None);
            };
            let schedule = db::heartbeat::schedule(c, &name)?;
            Ok(Some((found, schedule)))
        })
        .await
    }

    async fn unjudged(&self, limit: usize) -> Result<Vec<ExecutionId>, StoreError> {
        self.read(move |c| db::heartbeat::unjudged(c, limit)).await
    }

    async fn untold(&self, limit: usize) -> Result<Vec<UntoldFire>, StoreError> {
        self.read(move |c| db::heartbeat::untold(c, limit)).await
    }
}
