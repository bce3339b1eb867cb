//! `agentspace check`: says everything there is to say about files, and stores nothing.

use std::path::{Path, PathBuf};

use gateway::workflow_types::config::DEFAULT_WORKFLOWS;
use gateway::{FileKind, FileReport, GatewayBuilder, HEARTBEAT};

use crate::cli::{Check, Format, Global};
use crate::config::{self, Loaded, Origin};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Trusted};
use crate::{diagnostics, output};

pub(super) fn run(loaded: Loaded, args: &Check) -> anyhow::Result<Exit> {
    let Loaded { global, report } = loaded;
    let format = format(&global, args)?;
    let builder = host::builder(&global, &Trusted::default());
    let paths = if args.paths.is_empty() {
        written_by_init(&global, report.as_ref())
    } else {
        args.paths.clone()
    };
    // Whatever is checked, the settings are; a good file is named where everything is asked for.
    let mut reports: Vec<FileReport> = report
        .filter(|report| args.paths.is_empty() || report.is_refused())
        .into_iter()
        .collect();
    if args.paths.is_empty() && paths.is_empty() && global.heartbeats.is_empty() {
        reports.push(nothing(&global));
    }
    let beats = global
        .heartbeats
        .iter()
        .filter(|_| args.paths.is_empty())
        .map(|(_, file)| Ok(vec![builder.check_heartbeat(file)]));
    let found = paths.iter().map(|path| check(&builder, path));
    for found in found.chain(beats) {
        let found = found?;
        // A file may be named more than once, or stand in a directory that is.
        let new =
            |report: &FileReport| !reports.iter().any(|known| same(&report.path, &known.path));
        let new: Vec<FileReport> = found.into_iter().filter(new).collect();
        reports.extend(new);
    }
    refuse_twins(&mut reports);
    for report in &reports {
        diagnostics::show(report, format);
    }
    Ok(conclude(&reports, format, args))
}

/// The form that is asked for, which `--json` is one way to do.
fn format(global: &Global, args: &Check) -> Result<Format, UsageError> {
    match (global.json, args.format) {
        (false, None) => Ok(Format::Human),
        (false, Some(format)) => Ok(format),
        (true, None | Some(Format::Json)) => Ok(Format::Json),
        (true, Some(Format::Human | Format::Github)) => Err(UsageError(
            "--json and another --format contradict each other; leave out one of them".to_owned(),
        )),
    }
}

/// Where `agentspace init` writes, as far as there is something, but for the configuration, which was
/// read before, and for the heartbeats that it names. A directory that somebody named has to be there.
fn written_by_init(global: &Global, settings: Option<&FileReport>) -> Vec<PathBuf> {
    let is_there = global.workflows.exists();
    let workflows = (is_there || is_named(global)).then(|| global.workflows.clone());
    let beside = settings.and_then(|report| report.path.parent());
    let beside = [beside, Some(Path::new(""))].into_iter().flatten();
    let usual = beside
        .map(|directory| directory.join(HEARTBEAT))
        .filter(|path| path.is_file());
    let paths: Vec<PathBuf> = workflows.into_iter().chain(usual).collect();
    let is_nothing = paths.is_empty() && global.heartbeats.is_empty();
    if !(is_there || is_nothing) {
        output::talk(&format!(
            "there is no workflow directory {}; `agentspace init` makes one, --workflows names \
             another",
            global.workflows.display()
        ));
    }
    paths
}

/// Whether a flag, a variable or the file says where workflows are.
fn is_named(global: &Global) -> bool {
    let mut settings = global.settings.iter();
    settings.any(|setting| setting.name == "workflows" && setting.origin != Origin::Default)
}

/// The report of a place without workflows and heartbeats: what was looked for, and what to do.
fn nothing(global: &Global) -> FileReport {
    let mut nothing = FileReport::of(&global.workflows, FileKind::Workflow);
    nothing.unreadable = Some(format!(
        "there is no such directory, and no heartbeat: no {HEARTBEAT} beside it, and \
             no [heartbeats.NAME] in {}; `agentspace init` writes them, or name the files to check",
        config::NAME
    ));
    nothing
}

/// Says what all of it comes to.
fn conclude(reports: &[FileReport], format: Format, args: &Check) -> Exit {
    let errors = diagnostics::errors(reports);
    let warnings = diagnostics::warnings(reports);
    let refused = reports.iter().filter(|report| report.is_refused()).count();
    let denied = args.deny_warnings && warnings > 0;
    match format {
        Format::Json => {
            let mut document = diagnostics::all_to_json(reports);
            document["denied"] = denied.into();
            output::envelope("check", &document);
        }
        Format::Human => {
            let verdict = match (refused, denied) {
                (0, false) => output::paint(output::GREEN, "good"),
                (0, true) => output::paint(output::RED, "refused by --deny-warnings"),
                (_, _) => output::paint(output::RED, &format!("{refused} refused")),
            };
            output::talk(&summary(reports.len(), &verdict, errors, warnings));
            if let Some(more) = diagnostics::explained_by(reports) {
                output::talk(&more);
            }
        }
        Format::Github => {}
    }
    if refused > 0 || denied {
        Exit::Usage
    } else {
        Exit::Ok
    }
}

/// Refuses workflow files of one directory with one stem, which would be one workflow, as the
/// directory as a whole would be read.
fn refuse_twins(reports: &mut [FileReport]) {
    let place = |report: &FileReport| {
        let is_read = report.kind == FileKind::Workflow && report.unreadable.is_none();
        is_read.then(|| Some(location(&report.path)?.with_extension("")))?
    };
    let places: Vec<Option<PathBuf>> = reports.iter().map(place).collect();
    for (report, place) in reports.iter_mut().zip(&places) {
        let twins = places.iter().filter(|other| *other == place).count();
        if let Some(place) = place
            && twins > 1
        {
            let stem = place.file_name().unwrap_or_default().to_string_lossy();
            let mut refused = FileReport::of(&report.path, FileKind::Workflow);
            refused.id = report.id.take();
            refused.unreadable = Some(gateway::twins(twins, &stem));
            *report = refused;
        }
    }
}

/// Whether two paths name one file.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    location(one).is_some_and(|one| location(other) == Some(one))
}

/// Where a file stands, whatever it is a link to.
fn location(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    Some(parent.canonicalize().ok()?.join(path.file_name()?))
}

/// The reports of a file, or of every file in a directory and of the workflows that it has as
/// `agentspace init` makes them.
fn check(builder: &GatewayBuilder, path: &Path) -> anyhow::Result<Vec<FileReport>> {
    if path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
        && !path.is_dir()
    {
        return Ok(vec![config::check(path).0]);
    }
    if !path.is_dir() {
        return Ok(vec![host::check_file(builder, path)]);
    }
    let workflows = path.join(DEFAULT_WORKFLOWS);
    let mut reports = directory(builder, path, &workflows)?;
    if workflows.is_dir() {
        reports.extend(directory(builder, &workflows, &workflows)?);
    }
    let settings = path.join(config::NAME);
    if settings.is_file() {
        reports.push(config::check(&settings).0);
    }
    if reports.is_empty() {
        output::talk(&format!(
            "there are no workflow files in {}",
            path.display()
        ));
    }
    Ok(reports)
}

/// The reports of a directory's workflows and heartbeat; what it passes over is named, but for the
/// workflows that are read beside it.
fn directory(
    builder: &GatewayBuilder,
    path: &Path,
    workflows: &Path,
) -> anyhow::Result<Vec<FileReport>> {
    let failed = |error: std::io::Error| {
        UsageError(format!(
            "the directory {} cannot be read: {error}",
            path.display()
        ))
    };
    let mut reports = builder.check_directory(path).map_err(failed)?;
    let heartbeat: PathBuf = path.join(HEARTBEAT);
    if heartbeat.is_file() {
        reports.push(builder.check_file(&heartbeat));
    }
    for passed in builder.not_read(path).map_err(failed)? {
        let name = output::plain(&passed.display().to_string());
        if !passed.is_dir() {
            output::talk(&format!(
                "not read: {name}; workflows end in .yaml, .yml or .json, a heartbeat is called \
                 {HEARTBEAT}"
            ));
        } else if passed != workflows {
            output::talk(&format!(
                "not read: {name}, a directory with files that look like workflows; name it to \
                 check them"
            ));
        }
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
