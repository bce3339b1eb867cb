//! Deletes executions that are not kept: at the start, and once a day.

use std::sync::Arc;
use std::time::Duration;

use workflow_types::execution::{Pruned, Retention};

use super::Engine;
use crate::error::{During as _, Error};

/// How many executions are deleted in one transaction.
const BATCH: usize = 500;
/// How long it is from one time to the next.
const PERIOD: Duration = Duration::from_hours(24);

/// Runs until the engine drains.
pub(super) async fn run(engine: Arc<Engine>) {
    loop {
        match engine.prune(engine.limits.retention).await {
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
    /// Deletes what is not kept, in small transactions between which others write.
    pub(crate) async fn prune(&self, retention: Retention) -> Result<Pruned, Error> {
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
