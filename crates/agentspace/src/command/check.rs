//! `agentspace check`: says everything there is to say about files, and stores nothing.

use std::path::{Path, PathBuf};

use gateway::{FileReport, GatewayBuilder};

use crate::cli::{Check, Format, Global};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Trusted};
use crate::{diagnostics, output};

pub(super) fn run(global: &Global, args: Check) -> anyhow::Result<Exit> {
    let format = if global.json {
        Format::Json
    } else {
        args.format
    };
    let builder = host::builder(global, &Trusted::default());
    let paths = if args.paths.is_empty() {
        if !global.workflows.exists() {
            output::talk(&format!(
                "there is no workflow directory {}; `agentspace init` makes one, --workflows names \
                 another",
                global.workflows.display()
            ));
        }
        vec![global.workflows.clone()]
    } else {
        args.paths
    };
    let mut reports = Vec::new();
    for path in paths {
        reports.extend(check(&builder, &path)?);
    }
    for report in &reports {
        diagnostics::show(report, format);
    }
    let errors = diagnostics::errors(&reports);
    let warnings = diagnostics::warnings(&reports);
    let refused = reports.iter().filter(|report| report.is_refused()).count();
    let denied = args.deny_warnings && warnings > 0;
    match format {
        Format::Json => {
            output::envelope("check", &diagnostics::all_to_json(&reports));
        }
        Format::Human => {
            let verdict = match (refused, denied) {
                (0, false) => output::paint(output::GREEN, "good"),
                (0, true) => output::paint(output::RED, "refused by --deny-warnings"),
                (_, _) => output::paint(output::RED, &format!("{refused} refused")),
            };
            output::talk(&summary(reports.len(), &verdict, errors, warnings));
            if let Some(more) = diagnostics::explained_by(&reports) {
                output::talk(&more);
            }
        }
        Format::Github => {}
    }
    Ok(if refused > 0 || denied {
        Exit::Usage
    } else {
        Exit::Ok
    })
}

/// The reports of a file, or of every file in a directory.
fn check(builder: &GatewayBuilder, path: &Path) -> anyhow::Result<Vec<FileReport>> {
    if !path.is_dir() {
        return Ok(vec![host::check_file(builder, path)]);
    }
    let mut reports = builder.check_directory(path).map_err(|error| {
        UsageError(format!(
            "the directory {} cannot be read: {error}",
            path.display()
        ))
    })?;
    let heartbeat: PathBuf = path.join("HEARTBEAT.md");
    if heartbeat.is_file() {
        reports.push(builder.check_file(&heartbeat));
    }
    if reports.is_empty() {
        output::talk(&format!(
            "there are no workflow files in {}",
            path.display()
        ));
    }
    Ok(reports)
}

fn summary(files: usize, verdict: &str, errors: usize, warnings: usize) -> String {
    let plural =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!(
        "{} checked, {verdict}: {}, {}",
        plural(files, "file"),
        plural(errors, "error"),
        plural(warnings, "warning")
    )
}
