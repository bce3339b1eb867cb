//! `agentspace heartbeats ls`: when each runs, and what it found last.

use std::path::Path;

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::alert::{Alert, AlertFilter, AlertSource, CheckedItem};
use gateway::workflow_types::execution::Execution;
use gateway::workflow_types::heartbeat::RUNS;
use gateway::workflow_types::id::HeartbeatName;
use gateway::workflow_types::schedule::{
    FireOutcome, FirePage, FireRecord, Off, Schedule, Standing, Timing,
};
use gateway::{
    Clock as _, ErrorKind, ExecutionFilter, FileReport, GatewayBuilder, Reader, SystemClock,
};
use serde_json::{Value, json};

use super::{none_is_configured, now};
use crate::cli::Global;
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::output;
use crate::view::schedule as view;

/// Open alerts that are looked at.
const MOST_ALERTS: usize = 1_000;

pub(super) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let builder = host::builder(global, &Trusted::default());
    let reader = match Reader::open(&global.db).await {
        Ok(reader) => Some(reader),
        // Nothing has run yet.
        Err(error) if error.kind() == ErrorKind::Missing => None,
        Err(error) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for (name, file) in &global.heartbeats {
        all.push(Shown::read(global, (name, file), &builder, reader.as_ref()).await?);
    }
    if global.json {
        let items: Vec<Value> = all.iter().map(Shown::to_json).collect();
        output::list("heartbeats", &items, &[]);
        return Ok(Exit::Ok);
    }
    if all.is_empty() {
        output::talk(&none_is_configured());
    }
    for shown in &all {
        shown.print();
    }
    Ok(Exit::Ok)
}

/// What there is to say of a heartbeat.
struct Shown {
    name: HeartbeatName,
    report: FileReport,
    /// As it runs, or as it would if it were served.
    timing: Option<Timing>,
    next: Option<Timestamp>,
    /// The schedule by which it was served, if it ever was.
    schedule: Option<Schedule>,
    last_run: Option<Execution>,
    last_fire: Option<FireRecord>,
    items: Vec<CheckedItem>,
    alerts: Vec<Alert>,
}

impl Shown {
    async fn read(
        global: &Global,
        (name, file): (&HeartbeatName, &Path),
        builder: &GatewayBuilder,
        reader: Option<&Reader>,
    ) -> anyhow::Result<Self> {
        let now = SystemClock.now();
        let kept = match reader {
            Some(reader) => reader.heartbeat(name).await?,
            None => None,
        };
        let schedule = kept.as_ref().and_then(|(_, schedule)| schedule.clone());
        let created = kept.as_ref().map_or(now, |(record, _)| record.created_at);
        let report = builder.check_heartbeat(file);
        let written = report.heartbeat.as_ref();
        let written = written.and_then(|it| it.timing(global.zone, created).ok());
        let known = schedule
            .as_ref()
            .map(|schedule| schedule.spec.timing.clone());
        // The file is read again at the next run.
        let timing = written.or(known);
        let next = match &schedule {
            Some(schedule) => schedule.next().map(|next| next.fire_time),
            None => timing.as_ref().and_then(|timing| timing.next(now)),
        };
        let mut shown = Self {
            name: name.clone(),
            report,
            timing,
            next,
            schedule,
            last_run: None,
            last_fire: None,
            items: Vec::new(),
            alerts: Vec::new(),
        };
        if let Some(reader) = reader {
            shown.past(reader).await?;
        }
        Ok(shown)
    }

    /// What happened until now.
    async fn past(&mut self, reader: &Reader) -> anyhow::Result<()> {
        let filter = ExecutionFilter {
            workflow: Some(self.name.workflow()),
            ..ExecutionFilter::default()
        };
        self.last_run = reader.executions(filter, None, 1).await?.items.pop();
        if let Some(schedule) = &self.schedule {
            let page = FirePage {
                before: None,
                limit: 1,
            };
            self.last_fire = reader.fires(&schedule.spec.id, page).await?.items.pop();
        }
        let source = AlertSource::Heartbeat(self.name.clone());
        self.items = reader.checked_items(&source).await?.items;
        self.items.retain(|item| item.item != RUNS);
        let open = AlertFilter {
            open: Some(true),
            ..AlertFilter::default()
        };
        self.alerts = reader.alerts(open, None, MOST_ALERTS).await?.items;
        self.alerts.retain(|alert| alert.source == source);
        Ok(())
    }

    /// Whether its file lets it check anything.
    fn is_enabled(&self) -> bool {
        let heartbeat = self.report.heartbeat.as_ref();
        heartbeat.is_none_or(gateway::workflow_types::Heartbeat::is_enabled)
    }

    /// Why it does not run although it was served, and since when, if so.
    fn off(&self) -> Option<(Off, Timestamp)> {
        match self.schedule.as_ref()?.standing {
            Standing::Off { why, since } => Some((why, since)),
            Standing::Active(_) => None,
        }
    }

    /// Where it stands, in a word or two.
    fn state(&self) -> String {
        if self.report.is_refused() {
            return output::paint(output::RED, "refused");
        }
        if !self.is_enabled() {
            return output::paint(output::YELLOW, "switched off");
        }
        let is_known = self.schedule.is_some();
        match self.off() {
            None if is_known => output::paint(output::GREEN, "active"),
            None => output::paint(output::DIM, "not served yet"),
            Some((Off::Detached, _)) => output::paint(output::DIM, "not served any more"),
            Some((why @ (Off::Paused | Off::Failing | Off::Completed), _)) => {
                output::paint(output::YELLOW, why.as_str())
            }
        }
    }

    /// Since when it does not run, and what lets it run again.
    fn off_line(&self) -> Option<String> {
        let (why, since) = self.off()?;
        let again = match why {
            Off::Paused | Off::Failing => {
                let id = &self.schedule.as_ref()?.spec.id;
                format!("`agentspace schedules resume {id}` lets it run again")
            }
            Off::Detached => "the next `agentspace serve` lets it run again".to_owned(),
            Off::Completed => "its cadence names no more times".to_owned(),
        };
        Some(format!("  off        since {since}; {again}"))
    }

    fn cadence(&self) -> Option<String> {
        let heartbeat = self.report.heartbeat.as_ref();
        match (heartbeat, &self.timing) {
            (Some(heartbeat), _) => Some(every(heartbeat.config().interval.into_inner())),
            (None, timing) => timing.as_ref().map(view::words),
        }
    }

    /// Why its file is refused, if so: the first of what is wrong with it.
    fn problem(&self) -> Option<&str> {
        let unreadable = self.report.unreadable.as_deref();
        unreadable.or_else(|| {
            let first = self.report.diagnostics.errors().next()?;
            Some(first.message.as_str())
        })
    }

    /// Why nothing could be started at its last fire time, if so.
    fn failure(&self) -> Option<&str> {
        match &self.last_fire.as_ref()?.outcome {
            FireOutcome::FailedToStart { reason } => Some(reason),
            FireOutcome::Started { .. }
            | FireOutcome::SkippedOverlap { .. }
            | FireOutcome::Missed
            | FireOutcome::Buffered => None,
        }
    }

    fn to_json(&self) -> Value {
        let items = self.items.iter().map(|checked| {
            json!({
                "item": checked.item,
                "verdict": checked.verdict.word(),
                "details": checked.verdict.details(),
                "unknownInARow": checked.unknowns,
                "executionId": checked.execution,
                "at": checked.at,
            })
        });
        let alerts = self.alerts.iter().map(|alert| {
            json!({
                "id": alert.id,
                "item": alert.item,
                "kind": alert.kind,
                "details": alert.details,
                "firstRaisedAt": alert.first_raised_at,
                "timesSeen": alert.times_seen,
            })
        });
        let timing = self.timing.as_ref();
        json!({
            "name": self.name,
            "file": self.report.path.display().to_string(),
            "refused": self.report.is_refused(),
            "problem": self.problem(),
            "enabled": self.is_enabled(),
            "served": self.schedule.as_ref().is_some_and(Schedule::is_active),
            "offReason": self.off().map(|(why, _)| why),
            "offSince": self.off().map(|(_, since)| since),
            "words": self.cadence(),
            "timeZone": timing.map(Timing::zone),
            "activeHours": timing.and_then(Timing::hours),
            "nextRun": self.next,
            "lastRun": self.last_run.as_ref().map(|run| json!({
                "executionId": run.id,
                "startedAt": run.started_at,
                "status": run.state.status(),
            })),
            "failedToStart": self.failure(),
            "items": items.collect::<Vec<Value>>(),
            "alerts": alerts.collect::<Vec<Value>>(),
        })
    }

    fn print(&self) {
        let file = output::plain(&self.report.path.display().to_string());
        output::data(&format!("{}  {}  {file}", self.name, self.state()));
        if let Some(off) = self.off_line() {
            output::data(&off);
        }
        if let Some(problem) = self.problem() {
            output::data(&format!(
                "  problem    {}; `agentspace heartbeats check` tells more",
                output::plain(problem)
            ));
        }
        if let Some(timing) = &self.timing {
            let cadence = self.cadence().unwrap_or_default();
            let window = view::zone_and_window(timing);
            output::data(&format!("  runs       {cadence}, {window}"));
            if let Some(next) = self.next {
                output::data(&format!("  next       {}", view::both(next, timing.zone())));
            }
        }
        match &self.last_run {
            Some(run) => output::data(&format!(
                "  last run   {} {}, execution {}",
                run.started_at,
                run.state.status(),
                run.id
            )),
            None => output::data("  last run   none"),
        }
        if let Some(reason) = self.failure() {
            let word = output::paint(output::RED, "not started");
            output::data(&format!("  {word}  {}", output::plain(reason)));
        }
        for CheckedItem { item, verdict, .. } in &self.items {
            let (style, word) = now::style(verdict);
            let word = output::paint(style, word);
            let details = verdict.details().map_or_else(String::new, |details| {
                format!("  ({})", output::plain(details))
            });
            output::data(&format!("  {word}    {}{details}", output::plain(item)));
        }
        for alert in &self.alerts {
            let word = output::paint(output::RED, "alert");
            let item = output::plain(&alert.item);
            output::data(&format!(
                "  {word}      {item}: {}",
                output::plain(&alert.details)
            ));
        }
    }
}

/// A number of minutes in words.
pub(in crate::command) fn every(minutes: i64) -> String {
    let (count, unit) = match minutes {
        _ if minutes % (24 * 60) == 0 => (minutes / (24 * 60), "day"),
        _ if minutes % 60 == 0 => (minutes / 60, "hour"),
        _ => (minutes, "minute"),
    };
    if count == 1 {
        format!("every {unit}")
    } else {
        format!("every {count} {unit}s")
    }
}
