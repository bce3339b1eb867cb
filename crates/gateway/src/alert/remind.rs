//! The task that reminds of alerts which nobody has acknowledged.

use std::sync::Arc;

use workflow_types::Timestamp;

use crate::engine::{Engine, Patience};
use crate::error::{During as _, Error};

/// Alerts that are reminded of in one transaction.
const BATCH: usize = 200;

/// Runs until the engine drains.
pub(super) async fn run(engine: Arc<Engine>) {
    let mut news = engine.alerts.listen();
    let mut patience = Patience::new();
    loop {
        // Before it is read, so that nothing is missed.
        news.mark_unchanged();
        let next = match round(&engine).await {
            Ok(next) => {
                patience = Patience::new();
                next
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "nobody can be reminded of alerts for now");
                Some(engine.clock.now().saturating_add(patience.pause()))
            }
        };
        let due = async {
            match next {
                Some(at) => engine.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            _ = news.changed() => {}
            () = engine.draining.cancelled() => return,
        }
    }
}

/// Reminds of what is due; answers when the next is.
async fn round(engine: &Engine) -> Result<Option<Timestamp>, Error> {
    let after = engine.alerts.remind_after;
    loop {
        let oldest = engine.reads.alerts().longest_untold_alert().await;
        let oldest = oldest.during("looking for alerts to remind of")?;
        let Some(next) = oldest.map(|told| told.saturating_add(after)) else {
            return Ok(None);
        };
        let now = engine.clock.now();
        if next > now {
            return Ok(Some(next));
        }
        let before = earlier(now, after);
        let alerts = engine.store.alerts();
        let reminded = alerts.remind_of_alerts(before, now, BATCH).await;
        let reminded = reminded.during("reminding of alerts")?;
        for alert in &reminded {
            let source = &alert.source;
            tracing::warn!(alert.id = %alert.id, "nobody has acknowledged an alert of {source}");
        }
        engine.alerts.look();
        if engine.is_draining() {
            return Ok(None);
        }
    }
}

/// An instant so much earlier, or the first that there is.
fn earlier(now: Timestamp, by: std::time::Duration) -> Timestamp {
    let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(ms)).unwrap_or(Timestamp::EPOCH)
}
