//! `agentspace reload`: has workflow files read again, by the process that serves the database, or
//! here if nobody does.

use std::time::Duration;

use anyhow::Context as _;
use gateway::workflow_types::definition::StoredDefinition;
use gateway::workflow_types::id::WorkflowId;
use gateway::{Clock as _, ErrorKind, FileReport, Reader, Reloaded, SystemClock, database};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::cli::{Format, Global};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Hosted, Trusted, Turn};
use crate::{diagnostics, output};

/// What `agentspace serve` is called as the owner of a database: only such a process expects the
/// signal, which would end another.
pub(super) const SERVER: &str = "agentspace serve";
/// How long whoever serves may take to read its files.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(global: &Global) -> anyhow::Result<Exit> {
    if !global.workflows.is_dir() {
        return Err(UsageError(format!(
            "there is no workflow directory {}; `agentspace init` makes one, --workflows names \
             another",
            global.workflows.display()
        ))
        .into());
    }
    let server = database::owner_called(&global.db, SERVER).await?;
    let files = match server {
        Some(process) => there(global, process).await?,
        None => here(global).await?,
    };
    for report in &files {
        diagnostics::show(report, Format::Human);
    }
    let refused = files.iter().filter(|report| report.is_refused()).count();
    let good = files.len() - refused;
    if global.json {
        let mut told = diagnostics::all_to_json(&files);
        told["server"] = json!(server);
        output::envelope("reload", &told);
    } else {
        let whose = server.map_or_else(String::new, |process| {
            format!(" by process {process}, which serves them")
        });
        output::data(&format!(
            "{good} of {} workflow files registered{whose}",
            files.len()
        ));
    }
    Ok(if refused > 0 { Exit::Usage } else { Exit::Ok })
}

/// Registers the files: nobody serves the database. Who owns it for a moment is waited for.
async fn here(global: &Global) -> anyhow::Result<Vec<FileReport>> {
    let builder = || host::builder(global, &Trusted::default());
    let turn = host::start_in_turn(builder, std::future::pending::<anyhow::Result<()>>());
    let hosted: Hosted = match turn.await? {
        Turn::Had(hosted) => hosted,
        Turn::Needless(()) => anyhow::bail!("nothing makes it needless"),
    };
    let read = hosted.gateway.register_directory(&global.workflows).await;
    hosted.shutdown().await?;
    Ok(read?)
}

/// Tells the process that serves the database, and waits until what is good is registered.
async fn there(global: &Global, process: u32) -> anyhow::Result<Vec<FileReport>> {
    let builder = host::builder(global, &Trusted::default());
    let files = builder.check_directory(&global.workflows);
    let files = files.with_context(|| {
        let directory = global.workflows.display();
        format!("reading the workflow directory {directory} failed")
    })?;
    let reader = host::reader(global).await?;
    let mut commits = reader.commits().await?;
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let told = pid.map(|pid| kill_process(pid, Signal::USR1));
    told.with_context(|| format!("{process} is the id of no process"))?
        .with_context(|| format!("telling process {process} failed"))?;
    let deadline = SystemClock.now().saturating_add(PATIENCE);
    loop {
        let Some(missing) = first_missing(&reader, &files).await? else {
            return Ok(files);
        };
        tokio::select! {
            () = commits.next() => {}
            () = SystemClock.sleep_until(deadline) => anyhow::bail!(
                "process {process} has not registered workflow `{missing}` as {} has it; see what \
                 it says, and whether it serves another directory",
                global.workflows.display()
            ),
        }
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
    for (directory, reason) in &reloaded.unreadable {
        let directory = directory.display();
        output::talk(&format!("{directory} cannot be read: {reason}"));
    }
}
