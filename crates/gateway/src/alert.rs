//! Alerts: who is told of them, and what a host reads and acknowledges.
//!
//! What is told to whom stands in the database and nowhere else: for each sink there is one task,
//! which holds one notice at a time and sleeps until it is due, and one task for all reminders.

mod deliver;
mod operation;
mod remind;
mod sink;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as channel;
use workflow_types::Timestamp;
use workflow_types::alert::{AlertChange, AlertSource, Findings, RoundRecorded};
use workflow_types::id::SinkName;

use crate::engine::Engine;
use crate::error::{During as _, Error};
pub use operation::Alerts;
pub use sink::{AlertSink, SinkError};
pub use watch::AlertWatch;

/// How long after an alert was told of somebody is reminded, unless the host says otherwise.
const REMIND_AFTER: Duration = Duration::from_hours(24);
/// How long an attempt to tell a sink may take, whatever the sink is made of.
const LONGEST_DELIVERY: Duration = Duration::from_mins(2);

/// Whether sinks are told, and people reminded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Each sink is told what it has not been told yet.
    Tell,
    /// What is to be told is kept: for hosts that come and go with one task.
    Rest,
}

/// What is known of alerts beside the database.
pub(crate) struct Telegraph {
    sinks: Vec<Arc<dyn AlertSink>>,
    telling: Telling,
    remind_after: Duration,
    /// Tells that there may be something new to tell.
    news: channel::Sender<()>,
}

/// How a host describes who is told.
#[derive(Clone)]
pub(crate) struct TellOptions {
    pub(crate) sinks: Vec<Arc<dyn AlertSink>>,
    /// None means that it follows from what becomes of what was left behind.
    pub(crate) telling: Option<Telling>,
    pub(crate) remind_after: Duration,
}

impl Default for TellOptions {
    fn default() -> Self {
        Self {
            sinks: Vec::new(),
            telling: None,
            remind_after: REMIND_AFTER,
        }
    }
}

impl Telegraph {
    pub(crate) fn new(options: TellOptions, otherwise: Telling) -> Self {
        Self {
            sinks: options.sinks,
            telling: options.telling.unwrap_or(otherwise),
            remind_after: options.remind_after,
            news: channel::Sender::new(()),
        }
    }

    /// Whether sinks are told.
    pub(crate) fn tells(&self) -> bool {
        self.telling == Telling::Tell
    }

    /// Alerts may have changed: said after it was written.
    pub(crate) fn look(&self) {
        self.news.send_replace(());
    }

    /// Hears from now on that alerts may have changed.
    fn listen(&self) -> channel::Receiver<()> {
        self.news.subscribe()
    }
}

/// Says which sinks there are, and tells them until the engine drains, unless it rests.
pub(crate) async fn start(engine: &Arc<Engine>) -> Result<(), Error> {
    let telegraph = &engine.alerts;
    let mut names: Vec<SinkName> = telegraph.sinks.iter().map(|sink| sink.name()).collect();
    names.sort();
    let known = engine.reads.alerts().alert_sinks().await;
    // A write less for all the hosts that come and go.
    if known.during("reading which sinks there are")? != names {
        let configured = engine.store.alerts().configure_alert_sinks(names).await;
        configured.during("saying which sinks there are")?;
    }
    if telegraph.tells() {
        for sink in &telegraph.sinks {
            engine.task(deliver::run(Arc::clone(engine), Arc::clone(sink)));
        }
        engine.task(remind::run(Arc::clone(engine)));
    }
    Ok(())
}

impl Engine {
    /// Records what an execution found out about the items of its source, once, with the alerts
    /// that follow from it.
    pub(crate) async fn record_findings(
        self: &Arc<Self>,
        findings: Findings,
    ) -> Result<RoundRecorded, Error> {
        let engine = Arc::clone(self);
        let work = async move {
            let doing = format!("recording what {} found", findings.source);
            let recorded = engine.store.alerts().record_findings(findings).await;
            let recorded = recorded.during(doing)?;
            if let RoundRecorded::New(changes) = &recorded {
                changes.iter().for_each(report);
                engine.alerts.look();
            }
            Ok(recorded)
        };
        self.whole(work).await
    }

    /// Ends every open alert of a source.
    pub(crate) async fn clear_alerts(
        self: &Arc<Self>,
        source: AlertSource,
        reason: String,
        at: Timestamp,
    ) -> Result<Vec<AlertChange>, Error> {
        let engine = Arc::clone(self);
        let work = async move {
            let doing = format!("ending the alerts of {source}");
            let changes = engine.store.alerts().clear_alerts(source, reason, at).await;
            let changes = changes.during(doing)?;
            changes.iter().for_each(report);
            engine.alerts.look();
            Ok(changes)
        };
        self.whole(work).await
    }
}

/// What an item is, and what was found, is nobody's business but its readers'.
pub(crate) fn report(change: &AlertChange) {
    let alert = change.alert();
    let (source, kind) = (&alert.source, alert.kind);
    match change {
        AlertChange::Raised(_) => {
            tracing::warn!(alert.id = %alert.id, %kind, "an alert of {source} was raised");
        }
        AlertChange::Seen(_) => {}
        AlertChange::Cleared(_) => {
            tracing::info!(alert.id = %alert.id, %kind, "an alert of {source} is over");
        }
    }
}
