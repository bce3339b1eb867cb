//! `agentspace heartbeats`: the checklists that an agent works through at an interval.

mod list;
mod now;

use std::path::{Path, PathBuf};

use gateway::workflow_types::diagnostic::closest;
use gateway::workflow_types::id::HeartbeatName;
use gateway::{FileReport, database};

use crate::cli::{Format, Given, Global, Heartbeats};
use crate::command::check::same;
use crate::command::{init, reload};
use crate::config;
use crate::exit::{Exit, UsageError};
use crate::host::{self, Trusted};
use crate::{diagnostics, output};

pub(super) use list::every;

pub(super) async fn run(
    given: &Given,
    global: &Global,
    command: Heartbeats,
) -> anyhow::Result<Exit> {
    match command {
        Heartbeats::Ls => list::run(global).await,
        Heartbeats::Run { name } => now::run(global, &chosen(global, name)?).await,
        Heartbeats::Check { files } => check(global, files),
        Heartbeats::Init { file } => init(given, global, &file).await,
    }
}

/// The heartbeat that is meant: the one that is named, or the only one.
fn chosen(global: &Global, named: Option<HeartbeatName>) -> Result<HeartbeatName, UsageError> {
    let known: Vec<&str> = global
        .heartbeats
        .iter()
        .map(|(name, _)| name.as_ref())
        .collect();
    if known.is_empty() {
        return Err(UsageError(none_is_configured()));
    }
    let Some(named) = named else {
        return match global.heartbeats.as_slice() {
            [(only, _)] => Ok(only.clone()),
            _ => Err(UsageError(format!(
                "there are several heartbeats; name one of {}",
                known.join(", ")
            ))),
        };
    };
    if known.contains(&named.as_ref()) {
        return Ok(named);
    }
    let help = match closest(named.as_ref(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", known.join(", ")),
    };
    let message = format!("there is no heartbeat `{named}`; {help}");
    Err(UsageError(message))
}

/// Writes a heartbeat, and says what makes it run.
async fn init(given: &Given, global: &Global, file: &Path) -> anyhow::Result<Exit> {
    let is_new = init::heartbeat(file)?;
    // As it is found from now on.
    let found = config::load(given)?.global.heartbeats;
    if !found.iter().any(|(_, known)| same(known, file)) {
        let file = output::plain(&file.display().to_string());
        output::talk(&format!(
            "next: name it in {}, as [heartbeats.NAME] with file = \"{file}\"",
            config::NAME
        ));
        return Ok(Exit::Ok);
    }
    output::talk("next: `agentspace heartbeats check`, then `agentspace heartbeats run`");
    let server = database::owner_called(&global.db, reload::SERVER).await?;
    if let Some(process) = server.filter(|_| is_new) {
        output::talk(&format!(
            "process {process}, which serves the database, does not know it before it is started \
             again"
        ));
    }
    Ok(Exit::Ok)
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
