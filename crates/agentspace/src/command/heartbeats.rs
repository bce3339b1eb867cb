//! `agentspace heartbeats`: the checklists that an agent works through at an interval.

mod list;
mod now;

use std::path::{Path, PathBuf};

use gateway::FileReport;
use gateway::workflow_types::id::HeartbeatName;

use crate::cli::{Format, Global, Heartbeats};
use crate::command::init;
use crate::exit::{Exit, UsageError};
use crate::host::{self, Trusted};
use crate::{diagnostics, output};

pub(super) use list::every;

pub(super) async fn run(global: &Global, command: Heartbeats) -> anyhow::Result<Exit> {
    match command {
        Heartbeats::Ls => list::run(global).await,
        Heartbeats::Run { name } => now::run(global, &chosen(global, name)?).await,
        Heartbeats::Check { files } => check(global, files),
        Heartbeats::Init { file } => init::heartbeat(&file),
    }
}

/// The heartbeat that is meant: the one that is named, or the only one.
fn chosen(global: &Global, named: Option<HeartbeatName>) -> Result<HeartbeatName, UsageError> {
    if let Some(name) = named {
        return Ok(name);
    }
    match global.heartbeats.as_slice() {
        [(only, _)] => Ok(only.clone()),
        [] => Err(UsageError(none_is_configured())),
        several => {
            let known: Vec<&str> = several.iter().map(|(name, _)| name.as_ref()).collect();
            let known = known.join(", ");
            Err(UsageError(format!(
                "there are several heartbeats; name one of {known}"
            )))
        }
    }
}

/// What there is to say where there is no heartbeat.
fn none_is_configured() -> String {
    "there is no heartbeat: `agentspace heartbeats init` writes a HEARTBEAT.md, and \
     [heartbeats.NAME] in agentspace.toml names others"
        .to_owned()
}

/// Says everything there is to say about the files of heartbeats.
fn check(global: &Global, files: Vec<PathBuf>) -> anyhow::Result<Exit> {
    let files = if files.is_empty() {
        global
            .heartbeats
            .iter()
            .map(|(_, file)| file.clone())
            .collect()
    } else {
        files
    };
    if files.is_empty() {
        return Err(UsageError(none_is_configured()).into());
    }
    let builder = host::builder(global, &Trusted::default());
    let check = |file: &PathBuf| builder.check_heartbeat(Path::new(file));
    let reports: Vec<FileReport> = files.iter().map(check).collect();
    if global.json {
        output::envelope("check", &diagnostics::all_to_json(&reports));
    } else {
        for report in &reports {
            diagnostics::show(report, Format::Human);
            if !report.is_refused() {
                let path = output::plain(&report.path.display().to_string());
                output::data(&format!("{path}  {}", output::paint(output::GREEN, "good")));
            }
        }
        if let Some(more) = diagnostics::explained_by(&reports) {
            output::talk(&more);
        }
    }
    let is_refused = reports.iter().any(FileReport::is_refused);
    Ok(if is_refused { Exit::Usage } else { Exit::Ok })
}
