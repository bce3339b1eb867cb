//! What is simulated: each workflow and heartbeat by what starts it, with something that does nothing
//! in the place of its own work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gateway::workflow_types::definition::{StoredDefinition, Trigger};
use gateway::workflow_types::id::{HeartbeatName, WorkflowId};
use gateway::workflow_types::schedule::{TimeZone, Timing, TimingKind};
use gateway::workflow_types::{Heartbeat, Timestamp, WorkflowDefinition};
use gateway::{ErrorKind, FileKind, FileReport, GatewayBuilder, HEARTBEAT, Reader};
use serde_json::{Value, json};

use crate::cli::{Format, Global};
use crate::command::check;
use crate::command::heartbeats::every;
use crate::config::USUAL_HEARTBEAT;
use crate::exit::UsageError;
use crate::host::{self, Trusted};
use crate::view::schedule as view;
use crate::{diagnostics, output};

/// All that is simulated.
#[derive(Default)]
pub(super) struct StandIns {
    /// Definitions, each with the trigger of its file and one step that does nothing.
    workflows: BTreeMap<WorkflowId, Value>,
    pub(super) heartbeats: BTreeMap<HeartbeatName, Beat>,
}

/// A heartbeat in which every item is ticked.
pub(super) struct Beat {
    text: String,
    /// When it was created; its runs may be counted from that day on.
    pub(super) created: Timestamp,
}

impl StandIns {
    /// Those of some files and directories, or of all that `serve` would run if none is given; none
    /// if a file was refused, which has been shown.
    pub(super) async fn gather(
        global: &Global,
        paths: &[PathBuf],
        (from, zone): (Timestamp, TimeZone),
    ) -> anyhow::Result<Option<Self>> {
        let builder = host::builder(global, &Trusted::default());
        let found = if paths.is_empty() {
            served(global, &builder)?
        } else {
            given(global, &builder, paths)?
        };
        let refused = found.iter().filter(|found| found.report.is_refused());
        let refused: Vec<&FileReport> = refused.map(|found| &found.report).collect();
        for report in &refused {
            diagnostics::show(report, Format::Human);
        }
        if !refused.is_empty() {
            let reports: Vec<FileReport> = found.into_iter().map(|found| found.report).collect();
            if let Some(more) = diagnostics::explained_by(&reports) {
                output::talk(&more);
            }
            return Ok(None);
        }
        let mut all = Self::default();
        for found in &found {
            all.add(global, found, (from, zone)).await?;
        }
        Ok(Some(all))
    }

    async fn add(
        &mut self,
        global: &Global,
        Found { report, beat }: &Found,
        (from, zone): (Timestamp, TimeZone),
    ) -> anyhow::Result<()> {
        if let (Some(heartbeat), Some(Named { name, is_served })) = (&report.heartbeat, beat) {
            let known = if *is_served {
                created(global, name, heartbeat).await?
            } else {
                None
            };
            let created = known.map_or(from, |known| known.min(from));
            if let Some(beat) = beat_of(name, heartbeat, (created, zone))? {
                self.claim(name.as_ref())?;
                self.heartbeats.insert(name.clone(), beat);
            }
        }
        if let (Some(id), Some(definition)) = (&report.id, &report.definition)
            && let Some(stand_in) = workflow(id, definition)?
        {
            self.claim(id.as_ref())?;
            self.workflows.insert(id.clone(), stand_in);
        }
        Ok(())
    }

    /// Refuses a second file of an id.
    fn claim(&self, id: &str) -> Result<(), UsageError> {
        let is_workflow = self.workflows.keys().any(|known| known.as_ref() == id);
        let is_beat = self.heartbeats.keys().any(|known| known.as_ref() == id);
        if is_workflow || is_beat {
            return Err(UsageError(format!(
                "two files are `{id}`; name one of them, or call one something else"
            )));
        }
        Ok(())
    }

    /// Writes the workflows as files of a directory, and beside them those of the heartbeats.
    pub(super) fn write(&self, place: &Path) -> anyhow::Result<()> {
        let write = |path: PathBuf, text: &str| {
            std::fs::write(&path, text)
                .with_context(|| format!("writing {} failed", path.display()))
        };
        for (id, stand_in) in &self.workflows {
            write(place.join(format!("{id}.json")), &stand_in.to_string())?;
        }
        for (name, beat) in &self.heartbeats {
            write(file_of(place, name), &beat.text)?;
        }
        Ok(())
    }
}

/// Where the file of a heartbeat is written: beside workflows, and none of them.
pub(super) fn file_of(place: &Path, name: &HeartbeatName) -> PathBuf {
    place.join(format!("{name}.md"))
}

/// A file that was read; of a heartbeat, which one it is.
struct Found {
    report: FileReport,
    beat: Option<Named>,
}

/// Which heartbeat a file is.
struct Named {
    name: HeartbeatName,
    /// `serve` runs it, so that the database may know it.
    is_served: bool,
}

/// All that `serve` would run.
fn served(global: &Global, builder: &GatewayBuilder) -> anyhow::Result<Vec<Found>> {
    let beats = global.heartbeats.iter().map(|(name, file)| Found {
        report: builder.check_heartbeat(file),
        beat: Some(Named {
            name: name.clone(),
            is_served: true,
        }),
    });
    let mut found: Vec<Found> = beats.collect();
    if global.workflows.is_dir() {
        found.extend(workflows(builder, &global.workflows)?);
    } else if found.is_empty() {
        let message = format!(
            "there is no workflow directory {} and no heartbeat; name files, or let `agentspace \
             init` make both",
            global.workflows.display()
        );
        return Err(UsageError(message).into());
    }
    Ok(found)
}

/// The workflows of a directory.
fn workflows(
    builder: &GatewayBuilder,
    directory: &Path,
) -> anyhow::Result<impl Iterator<Item = Found>> {
    let reports = builder.check_directory(directory).map_err(|error| {
        let directory = directory.display();
        UsageError(format!("the directory {directory} cannot be read: {error}"))
    })?;
    let found = |report| Found { report, beat: None };
    Ok(reports.into_iter().map(found))
}

/// What stands at the paths that were named.
fn given(
    global: &Global,
    builder: &GatewayBuilder,
    paths: &[PathBuf],
) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(workflows(builder, path)?);
            let beat = path.join(HEARTBEAT);
            if beat.is_file() {
                found.extend(file(global, builder, &beat)?);
            }
        } else {
            found.extend(file(global, builder, path)?);
        }
    }
    if found.is_empty() {
        output::talk("there are neither workflow files nor a HEARTBEAT.md");
    }
    Ok(found)
}

/// What a file is; a heartbeat as often as the configuration names it.
fn file(global: &Global, builder: &GatewayBuilder, path: &Path) -> anyhow::Result<Vec<Found>> {
    let named = global
        .heartbeats
        .iter()
        .filter(|(_, file)| check::same(file, path));
    let known: Vec<Found> = named
        .map(|(name, _)| Found {
            report: builder.check_heartbeat(path),
            beat: Some(Named {
                name: name.clone(),
                is_served: true,
            }),
        })
        .collect();
    if !known.is_empty() {
        return Ok(known);
    }
    let report = host::check_file(builder, path);
    let beat = match report.kind {
        FileKind::Heartbeat => Some(Named {
            name: HeartbeatName::try_new(USUAL_HEARTBEAT)?,
            is_served: false,
        }),
        FileKind::Workflow | FileKind::Config => None,
    };
    Ok(vec![Found { report, beat }])
}

/// A workflow that is started when this one is; none if nothing starts it, which is said.
fn workflow(
    id: &WorkflowId,
    definition: &WorkflowDefinition,
) -> Result<Option<Value>, serde_json::Error> {
    if *definition.trigger() == Trigger::Manual {
        output::talk(&format!("`{id}` has no trigger: it starts only on request"));
        return Ok(None);
    }
    let canonical: Value = serde_json::from_str(StoredDefinition::new(definition).json())?;
    Ok(Some(json!({
        "name": definition.name(),
        "trigger": canonical["definition"]["trigger"],
        "steps": [{"id": "simulated", "action": "noop"}],
    })))
}

/// When a heartbeat was created, if its runs are counted from then on and the database knows it.
async fn created(
    global: &Global,
    name: &HeartbeatName,
    heartbeat: &Heartbeat,
) -> anyhow::Result<Option<Timestamp>> {
    let timing = heartbeat.timing(global.zone, Timestamp::EPOCH);
    let is_counted = |timing: Timing| matches!(timing.kind(), TimingKind::Every { .. });
    if !timing.is_ok_and(is_counted) {
        return Ok(None);
    }
    match Reader::open(&global.db).await {
        Ok(reader) => {
            let known = reader.heartbeat(name).await?;
            Ok(known.map(|(record, _)| record.created_at))
        }
        Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A heartbeat that runs when this one does; none if it has nothing to check, which is said.
fn beat_of(
    name: &HeartbeatName,
    heartbeat: &Heartbeat,
    (created, zone): (Timestamp, TimeZone),
) -> anyhow::Result<Option<Beat>> {
    let idle = if !heartbeat.is_enabled() {
        Some("it is switched off")
    } else if heartbeat.checks().next().is_none() {
        Some("every item is ticked off")
    } else {
        None
    };
    if let Some(why) = idle {
        output::talk(&format!("heartbeat `{name}` checks nothing: {why}"));
        return Ok(None);
    }
    let timing = heartbeat.timing(zone, created);
    let timing = timing.map_err(|error| UsageError(format!("heartbeat `{name}`: {error}")))?;
    output::talk(&format!(
        "heartbeat `{name}`: {}, {}",
        every(heartbeat.config().interval.into_inner()),
        view::zone_and_window(&timing)
    ));
    // What is JSON is YAML, too.
    let config = serde_json::to_string(heartbeat.config())?;
    Ok(Some(Beat {
        text: format!("---\n{config}\n---\n- [x] Simulated\n"),
        created,
    }))
}
