//! `agentspace reload`: has the files of workflows and heartbeats read again, by the process that
//! serves the database, or here if nobody does.

use std::time::Duration;

use anyhow::Context as _;
use gateway::workflow_types::Heartbeat;
use gateway::workflow_types::definition::StoredDefinition;
use gateway::workflow_types::id::{HeartbeatName, WorkflowId};
use gateway::workflow_types::schedule::Schedule;
use gateway::{
    Clock as _, ErrorKind, FileKind, FileReport, Gateway, HeartbeatReading, Reader, Reloaded,
    SystemClock, database,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::cli::{Format, Global};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Hosted, Trusted, Turn};
use crate::view::schedule as view;
use crate::{diagnostics, output};

/// What `agentspace serve` is called as the owner of a database: only such a process expects the
/// signal, which would end another.
pub(super) const SERVER: &str = "agentspace serve";
/// How long whoever serves may take to read its files.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(global: &Global) -> anyhow::Result<Exit> {
    if !global.workflows.is_dir() && global.heartbeats.is_empty() {
        return Err(UsageError(format!(
            "there is no workflow directory {} and no heartbeat; `agentspace init` makes both, \
             --workflows names another directory",
            global.workflows.display()
        ))
        .into());
    }
    let server = database::owner_called(&global.db, SERVER).await?;
    let read = match server {
        Some(process) => there(global, process).await?,
        None => here(global).await?,
    };
    for report in &read.files {
        diagnostics::show(report, Format::Human);
    }
    if global.json {
        let mut told = diagnostics::all_to_json(&read.files);
        told["server"] = json!(server);
        output::envelope("reload", &told);
    } else {
        let whose = server.map_or_else(String::new, |process| {
            format!(" by process {process}, which serves them")
        });
        output::data(&format!("{}{whose}", read.counted()));
    }
    let is_refused = read.files.iter().any(FileReport::is_refused);
    Ok(if is_refused { Exit::Usage } else { Exit::Ok })
}

/// What was read.
struct Read {
    /// Those of workflows, then those of heartbeats.
    files: Vec<FileReport>,
    /// The heartbeats, in the order of their files.
    heartbeats: Vec<HeartbeatName>,
}

impl Read {
    fn of(&self, kind: FileKind) -> impl Iterator<Item = &FileReport> {
        self.files.iter().filter(move |report| report.kind == kind)
    }

    fn heartbeats(&self) -> impl Iterator<Item = (&HeartbeatName, &FileReport)> {
        self.heartbeats.iter().zip(self.of(FileKind::Heartbeat))
    }

    /// How many are in force now; where there is no heartbeat, nothing is said of them.
    fn counted(&self) -> String {
        let counted = |kind| {
            let good = self.of(kind).filter(|report| !report.is_refused()).count();
            format!("{good} of {}", self.of(kind).count())
        };
        let workflows = counted(FileKind::Workflow);
        if self.heartbeats.is_empty() {
            return format!("{workflows} workflow files registered");
        }
        let heartbeats = counted(FileKind::Heartbeat);
        format!("{workflows} workflow files and {heartbeats} heartbeats registered")
    }
}

/// Registers the files: nobody serves the database. Who owns it for a moment is waited for.
async fn here(global: &Global) -> anyhow::Result<Read> {
    let builder = || host::builder(global, &Trusted::default());
    let turn = host::start_in_turn(builder, std::future::pending::<anyhow::Result<()>>());
    let hosted: Hosted = match turn.await? {
        Turn::Had(hosted) => hosted,
        Turn::Needless(()) => anyhow::bail!("nothing makes it needless"),
    };
    let read = registered(global, &hosted.gateway).await;
    hosted.shutdown().await?;
    read
}

async fn registered(global: &Global, gateway: &Gateway) -> anyhow::Result<Read> {
    let mut files = Vec::new();
    if global.workflows.is_dir() {
        files.extend(gateway.register_directory(&global.workflows).await?);
    }
    let mut heartbeats = Vec::new();
    for (name, _) in &global.heartbeats {
        files.push(gateway.heartbeats().reload(name).await?);
        heartbeats.push(name.clone());
    }
    Ok(Read { files, heartbeats })
}

/// Tells the process that serves the database, and waits until what is good is registered.
async fn there(global: &Global, process: u32) -> anyhow::Result<Read> {
    let read = checked(global)?;
    let reader = host::reader(global).await?;
    let mut commits = reader.commits().await?;
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let told = pid.map(|pid| kill_process(pid, Signal::USR1));
    told.with_context(|| format!("{process} is the id of no process"))?
        .with_context(|| format!("telling process {process} failed"))?;
    let deadline = SystemClock.now().saturating_add(PATIENCE);
    loop {
        let missing = match first_missing(&reader, &read.files).await? {
            Some(id) => Some(format!(
                "workflow `{id}` as {} has it",
                global.workflows.display()
            )),
            None => first_stale(&reader, &read).await?,
        };
        let Some(missing) = missing else {
            return Ok(read);
        };
        tokio::select! {
            () = commits.next() => {}
            () = SystemClock.sleep_until(deadline) => anyhow::bail!(
                "process {process} has not registered {missing}; see what it says, and whether it \
                 serves other files"
            ),
        }
    }
}

/// What the files say; nothing is registered.
fn checked(global: &Global) -> anyhow::Result<Read> {
    let builder = host::builder(global, &Trusted::default());
    let mut files = Vec::new();
    if global.workflows.is_dir() {
        let read = builder.check_directory(&global.workflows);
        files.extend(read.with_context(|| {
            let directory = global.workflows.display();
            format!("reading the workflow directory {directory} failed")
        })?);
    }
    let heartbeats = global.heartbeats.iter();
    files.extend(heartbeats.map(|(_, file)| builder.check_heartbeat(file)));
    let names = global.heartbeats.iter().map(|(name, _)| name.clone());
    Ok(Read {
        files,
        heartbeats: names.collect(),
    })
}

/// The first heartbeat of which a good file says something else than what is registered, as its
/// message names it. The zone of one that names none is the business of whoever serves it.
async fn first_stale(reader: &Reader, read: &Read) -> anyhow::Result<Option<String>> {
    for (name, report) in read.heartbeats() {
        let Some(heartbeat) = &report.heartbeat else {
            continue;
        };
        if !is_in_force(reader, name, heartbeat).await? {
            let file = report.path.display();
            return Ok(Some(format!("heartbeat `{name}` as {file} has it")));
        }
    }
    Ok(None)
}

async fn is_in_force(
    reader: &Reader,
    name: &HeartbeatName,
    heartbeat: &Heartbeat,
) -> anyhow::Result<bool> {
    let Some((record, Some(schedule))) = reader.heartbeat(name).await? else {
        return Ok(false);
    };
    let kept = &schedule.spec.timing;
    let timing = heartbeat.timing(kept.zone(), record.created_at);
    if !timing.is_ok_and(|timing| timing == *kept) {
        return Ok(false);
    }
    let definition = heartbeat.definition(name);
    let definition = definition.map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let digest = StoredDefinition::new(&definition).digest().clone();
    match reader.workflow(&name.workflow()).await {
        Ok(known) => Ok(known.digest == digest),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The first workflow of which a good file says something else than what is registered.
async fn first_missing(
    reader: &Reader,
    files: &[FileReport],
) -> anyhow::Result<Option<WorkflowId>> {
    for report in files {
        let (Some(id), Some(definition)) = (&report.id, &report.definition) else {
            continue;
        };
        let is_registered = match reader.workflow(id).await {
            Ok(known) => known.digest == *StoredDefinition::new(definition).digest(),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        if !is_registered {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}

/// Says what has become of files that were read again: programs by a line of JSON, people by talk.
pub(super) fn show(global: &Global, reloaded: &Reloaded) {
    for report in &reloaded.files {
        diagnostics::show(report, Format::Human);
    }
    if global.json {
        let mut told = diagnostics::all_to_json(&reloaded.files);
        told["registered"] = json!(reloaded.registered);
        told["gone"] = json!(reloaded.gone);
        let heartbeats = reloaded.heartbeats.iter().map(heartbeat_to_json);
        told["heartbeats"] = heartbeats.collect();
        output::envelope("workflows.reloaded", &told);
    }
    let refused = reloaded.files.iter().filter(|report| report.is_refused());
    for id in refused.filter_map(|report| report.id.as_ref()) {
        output::talk(&format!(
            "workflow {id}: its file is refused; its last good version stays, if it has one"
        ));
    }
    for id in &reloaded.registered {
        output::talk(&format!(
            "workflow {id}: registered anew; executions that have started keep what they had"
        ));
    }
    for id in &reloaded.gone {
        output::talk(&format!(
            "workflow {id}: its file is gone; its trigger is off, its last version can be started"
        ));
    }
    for reading in &reloaded.heartbeats {
        output::talk(&heartbeat_line(reading));
    }
    for (directory, reason) in &reloaded.unreadable {
        let directory = directory.display();
        output::talk(&format!("{directory} cannot be read: {reason}"));
    }
}

fn heartbeat_to_json(reading: &HeartbeatReading) -> Value {
    let schedule = reading.schedule.as_ref();
    json!({
        "name": reading.name,
        "problem": reading.problem,
        "nextRun": schedule.and_then(Schedule::next).map(|next| next.fire_time),
    })
}

/// What has become of a heartbeat that was read again.
fn heartbeat_line(reading: &HeartbeatReading) -> String {
    let HeartbeatReading {
        name,
        problem,
        schedule,
        ..
    } = reading;
    if problem.is_some() {
        return format!(
            "heartbeat {name}: its file is refused; it keeps its times, and until the file is \
             mended each run is recorded as one that could not be judged"
        );
    }
    let next = schedule.as_ref().and_then(|schedule| {
        let next = schedule.next()?;
        Some(view::both(next.fire_time, schedule.spec.timing.zone()))
    });
    match next {
        Some(next) => format!("heartbeat {name}: read anew, it runs next at {next}"),
        None => format!("heartbeat {name}: read anew, and does not run"),
    }
}
