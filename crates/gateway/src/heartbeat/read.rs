//! Reads the file of a heartbeat, and keeps what it says: a definition and a schedule.
//!
//! A file that cannot be used costs nothing that was known. Why it cannot is said in one line, which
//! names the place and the remedy.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::Value;
use workflow_types::definition::StoredDefinition;
use workflow_types::diagnostic::Diagnostic;
use workflow_types::heartbeat::HeartbeatKeeping;
use workflow_types::id::{HeartbeatName, ScheduleId};
use workflow_types::registry::Registration;
use workflow_types::schedule::{
    HeartbeatConfig, Keeper, Policies, Schedule, ScheduleName, ScheduleSpec, TimeZone, Timing,
};
use workflow_types::{Timestamp, WorkflowDefinition};

use super::BeatFile;
use crate::engine::Engine;
use crate::error::{During as _, Error, ErrorKind};
use crate::loader::{self, FileReport, absolute};

/// What reading a file means for a fire that was planned before.
pub(crate) enum Followed {
    /// What is known is what the file says.
    Unchanged,
    /// The schedule is another one now: what is due is to be planned anew.
    Changed,
    /// The file cannot be used, for this reason.
    Broken(String),
}

/// Reads the file that a schedule follows, and keeps what it says; nothing of a schedule that
/// follows none.
pub(crate) async fn follow(engine: &Arc<Engine>, schedule: &Schedule) -> Result<Followed, Error> {
    let Keeper::Heartbeat(name) = &schedule.keeper else {
        return Ok(Followed::Unchanged);
    };
    let Some(read) = read(engine, name).await? else {
        let reason = format!("no file is configured for the heartbeat `{name}`");
        return Ok(Followed::Broken(reason));
    };
    let same = |kept: &Schedule| kept.revision == schedule.revision;
    Ok(match read.problem {
        Some(problem) => Followed::Broken(problem),
        None if read.schedule.as_ref().is_some_and(same) => Followed::Unchanged,
        None => Followed::Changed,
    })
}

/// A file that was read.
pub(super) struct Read {
    pub(super) report: FileReport,
    /// Why it cannot be used.
    pub(super) problem: Option<String>,
    /// The schedule that follows it.
    pub(super) schedule: Option<Schedule>,
}

/// Reads the file of a heartbeat and keeps what it says; none if no file is known.
pub(super) async fn read(
    engine: &Arc<Engine>,
    name: &HeartbeatName,
) -> Result<Option<Read>, Error> {
    let Some(file) = engine.beats.file(name) else {
        return Ok(None);
    };
    let _in_turn = file.reading.lock().await;
    let report = report(engine, file).await?;
    keep(engine, name, file, report).await.map(Some)
}

/// What there is to say of a file; nothing is kept.
pub(super) async fn report(engine: &Engine, file: &BeatFile) -> Result<FileReport, Error> {
    let (path, known) = (file.path.clone(), engine.beats.known.clone());
    loader::blocking(move || loader::heartbeat(&path, &known).report).await
}

/// Keeps what a file says.
pub(super) async fn keep(
    engine: &Arc<Engine>,
    name: &HeartbeatName,
    file: &BeatFile,
    report: FileReport,
) -> Result<Read, Error> {
    let found = engine.reads.heartbeats().find(name).await;
    let found = found.during(format_args!("reading heartbeat `{name}`"))?;
    let now = engine.clock.now();
    let heartbeat = Named {
        name,
        path: absolute(&file.path),
        zone: engine.scheduler.zone(),
        created: found.map_or(now, |(record, _)| record.created_at),
    };
    let made = heartbeat.made_of(&report);
    let (keeping, problem) = match made {
        Ok(made) => {
            let source = report.map.text().to_owned();
            (heartbeat.keeping(engine, made, source, now), None)
        }
        Err(problem) => (heartbeat.unread(now)?, Some(problem)),
    };
    let digest = keeping.read.as_ref().map(|read| {
        let (registration, _) = read.as_ref();
        let id = registration.id.clone();
        (id, registration.definition.digest().clone())
    });
    let kept = engine.store.heartbeats().keep(keeping).await;
    let schedule = kept.during(format_args!("keeping heartbeat `{name}`"))?;
    engine.registered(digest.into_iter().collect());
    engine.scheduler.look();
    Ok(Read {
        report,
        problem,
        schedule,
    })
}

/// What a file makes.
struct Made {
    timing: Timing,
    definition: WorkflowDefinition,
    unknown_after: NonZeroU32,
}

/// A heartbeat, without what its file says.
struct Named<'a> {
    name: &'a HeartbeatName,
    path: String,
    /// The zone if its file names none.
    zone: TimeZone,
    created: Timestamp,
}

impl Named<'_> {
    /// What the file makes, or why it cannot be used.
    fn made_of(&self, report: &FileReport) -> Result<Made, String> {
        let path = &self.path;
        let Some(heartbeat) = &report.heartbeat else {
            return Err(refusal(report, path));
        };
        let timing = heartbeat.timing(self.zone, self.created);
        let definition = heartbeat.definition(self.name);
        Ok(Made {
            timing: timing.map_err(|error| format!("{path}: {error}"))?,
            definition: definition.map_err(|problems| format!("{path}: {problems}"))?,
            unknown_after: heartbeat.unknown_after(),
        })
    }

    fn keeping(
        &self,
        engine: &Engine,
        made: Made,
        source: String,
        now: Timestamp,
    ) -> HeartbeatKeeping {
        let Made {
            timing,
            definition,
            unknown_after,
        } = made;
        let registration = Registration {
            id: self.name.workflow(),
            name: definition.name().to_owned(),
            description: definition.description().map(ToOwned::to_owned),
            path: self.path.clone(),
            definition: StoredDefinition::new(&definition),
            source,
            concurrency_limit: definition.concurrency().map(|it| it.limit),
            schedule: None,
            at: now,
        };
        engine.remember(&registration.definition, definition);
        HeartbeatKeeping {
            name: self.name.clone(),
            path: self.path.clone(),
            schedule: spec(self.name, timing),
            read: Some(Box::new((registration, unknown_after))),
            at: now,
        }
    }

    /// Of a file that cannot be used: where nothing was known, it runs at the default cadence, so
    /// that each run says why it cannot.
    fn unread(&self, now: Timestamp) -> Result<HeartbeatKeeping, Error> {
        let timing = HeartbeatConfig::default().timing(self.zone, self.created);
        let timing = timing.map_err(|error| {
            let context = "the default cadence of heartbeats is not valid";
            Error::new(ErrorKind::Internal, context).caused(error)
        })?;
        Ok(HeartbeatKeeping {
            name: self.name.clone(),
            path: self.path.clone(),
            read: None,
            schedule: ScheduleSpec {
                workflow: None,
                ..spec(self.name, timing)
            },
            at: now,
        })
    }
}

fn spec(name: &HeartbeatName, timing: Timing) -> ScheduleSpec {
    // What is a name of a heartbeat is an id, and a line of text.
    let id = ScheduleId::try_new(name.to_string()).expect("a heartbeat's name is an id");
    let called = ScheduleName::try_new(name.to_string()).expect("a heartbeat's name is a name");
    ScheduleSpec {
        id,
        name: called,
        workflow: Some(name.workflow()),
        input: Value::Object(serde_json::Map::new()),
        timing,
        policies: Policies::default(),
    }
}

/// Why a file was refused, in one line: the first of its mistakes, and how many there are.
fn refusal(report: &FileReport, path: &str) -> String {
    if let Some(reason) = &report.unreadable {
        return format!("{path}: {reason}; write it again, or take the heartbeat out");
    }
    let mut errors = report.diagnostics.errors();
    let Some(first) = errors.next() else {
        return format!("{path}: it cannot be read");
    };
    let Diagnostic {
        code,
        place,
        message,
        help,
        ..
    } = first;
    let span = report.map.resolve(place);
    let at = report.map.line_column(span.start);
    let mut text = format!("{path}:{}:{}: {message} [{code}]", at.line, at.column);
    if let Some(help) = help {
        text.push_str("; ");
        text.push_str(help);
    }
    match errors.count() {
        0 => text,
        1 => format!("{text} (and one more mistake)"),
        more => format!("{text} (and {more} more mistakes)"),
    }
}
