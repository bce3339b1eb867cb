//! The files of workflows and heartbeats as `agentspace doctor` reads them: as `agentspace serve`
//! would, with the same tools and models known. Nothing of them is stored.

use std::path::Path;

use gateway::{FileReport, GatewayBuilder};

use super::{Examined, counted};
use crate::config::Global;
use crate::host::{self, Trusted};

/// Reads all of them: what is refused is broken, warnings are notes.
pub(super) fn examine(global: &Global, examined: &mut Examined) {
    let builder = host::builder(global, &Trusted::default());
    let workflows = workflows(global, &builder, examined);
    examined.fact("workflowFiles", told(&workflows));
    for report in &workflows {
        judge(report, "the workflow file", examined);
    }
    let heartbeats: Vec<FileReport> = global
        .heartbeats
        .iter()
        .map(|(_, file)| builder.check_heartbeat(file))
        .collect();
    examined.fact("heartbeatFiles", told(&heartbeats));
    for ((name, _), report) in global.heartbeats.iter().zip(&heartbeats) {
        let called = format!("heartbeat `{name}` checks nothing:");
        if report.is_refused() {
            judge(report, &called, examined);
        } else {
            judge(report, "the file of a heartbeat", examined);
        }
    }
}

/// How many were read, and how many of them are refused; none of no file.
fn told(reports: &[FileReport]) -> Option<String> {
    let refused = reports.iter().filter(|report| report.is_refused()).count();
    match (reports.len(), refused) {
        (0, _) => None,
        (all, 0) => Some(all.to_string()),
        (all, refused) => Some(format!("{all}, {refused} refused")),
    }
}

fn workflows(
    global: &Global,
    builder: &GatewayBuilder,
    examined: &mut Examined,
) -> Vec<FileReport> {
    let directory = global.workflows.display();
    if !global.workflows.exists() {
        examined.notes.push(format!(
            "there is no workflow directory {directory}; `agentspace init` makes one, --workflows \
             names another"
        ));
        return Vec::new();
    }
    builder
        .check_directory(&global.workflows)
        .unwrap_or_else(|error| {
            examined.broken.push(format!(
                "the workflow directory {directory} cannot be read: {error}"
            ));
            Vec::new()
        })
}

/// Tells what is wrong with a file, and how to see all of it; `called` begins the sentence.
fn judge(report: &FileReport, called: &str, examined: &mut Examined) {
    let path = report.path.display();
    if let Some(reason) = &report.unreadable {
        // A check of this file alone could say no more.
        examined.broken.push(format!("{called} {path}: {reason}"));
        return;
    }
    let errors = report.diagnostics.errors().count();
    let warnings = report.diagnostics.warnings().count();
    let shows = format!("`{}` shows", check(&report.path));
    if errors > 0 {
        let count = counted(errors, "error");
        examined.broken.push(format!(
            "{called} {path} is refused with {count}; {shows} more"
        ));
    } else if warnings > 0 {
        let count = counted(warnings, "warning");
        examined
            .notes
            .push(format!("{called} {path} has {count}; {shows} more"));
    }
}

/// The command that tells everything about a file, as a shell takes it.
fn check(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |it: char| it.is_alphanumeric() || "/._-+:@%,=~".contains(it);
    if path.chars().all(is_plain) && !path.starts_with(['-', '~']) {
        format!("agentspace check {path}")
    } else {
        format!("agentspace check '{}'", path.replace('\'', r"'\''"))
    }
}
