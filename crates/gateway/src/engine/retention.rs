//! Deletes executions and alerts that are not kept: at the start, and once a day.

use std::sync::Arc;
use std::time::Duration;

use workflow_types::execution::{Pruned, Retention};

use super::Engine;
use crate::error::{During as _, Error};

/// How long alerts are kept after their end, unless the host says how long executions are.
const ALERTS: Duration = Duration::from_hours(24 * 90);
/// How many executions, or alerts, are deleted in one transaction.
const BATCH: usize = 500;
/// How long it is from one time to the next.
const PERIOD: Duration = Duration::from_hours(24);

/// Runs until the engine drains.
pub(super) async fn run(engine: Arc<Engine>) {
    loop {
        let retention = engine.limits.retention;
        if let Err(error) = engine.prune_alerts(retention).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "alerts that are not kept cannot be deleted for now");
        }
        match engine.prune(retention).await {
            Ok(pruned) if pruned == Pruned::default() => {}
            Ok(Pruned {
                executions,
                definitions,
            }) => tracing::info!(executions, definitions, "deleted what is not kept"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "what is not kept cannot be deleted for now");
            }
        }
        let next = engine.clock.now().saturating_add(PERIOD);
        tokio::select! {
            () = engine.clock.sleep_until(next) => {}
            () = engine.draining.cancelled() => return,
        }
    }
}

impl Engine {
    /// Deletes alerts that ended so long ago that they are not kept, if somebody has read them and
    /// every sink was told.
    async fn prune_alerts(&self, retention: Retention) -> Result<(), Error> {
        let retention = Retention {
            older_than: retention.older_than.or(Some(ALERTS)),
            keep_per_workflow: None,
        };
        let Some(before) = retention.at(self.clock.now()).ended_before else {
            return Ok(());
        };
        while !self.is_draining() {
            let pruned = self.store.alerts().prune_alerts(before, BATCH).await;
            match pruned.during("deleting alerts that are not kept")? {
                0 => break,
                alerts => tracing::info!(alerts, "deleted alerts that are not kept"),
            }
        }
        Ok(())
    }

    /// Deletes what is not kept, in small transactions between which others write.
    pub(crate) async fn prune(&self, retention: Retention) -> Result<Pruned, Error> {
        if retention.keeps_all() {
            return Ok(Pruned::default());
        }
        let prune = retention.at(self.clock.now());
        let mut all = Pruned::default();
        while !self.is_draining() {
            let pruned = self.store.prune(prune, BATCH).await;
            let pruned = pruned.during("deleting what is not kept")?;
            if pruned == Pruned::default() {
                break;
            }
            all.executions += pruned.executions;
            all.definitions += pruned.definitions;
        }
        Ok(all)
    }
}
