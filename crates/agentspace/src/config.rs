//! The program's settings: from flags, the environment and `agentspace.toml`, in this order.
//!
//! Nothing of a file with a mistake is applied. What its document may say is decided in
//! `workflow_types::config`.

mod document;
mod find;
mod secrets;
mod servers;
mod settings;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use gateway::workflow_types::config::Config;
use gateway::workflow_types::diagnostic::{Code, Diagnostic, Diagnostics, Place, Pointer};
use gateway::workflow_types::source;
use gateway::{FileKind, FileReport};

use crate::cli::Given;
use crate::exit::UsageError;

pub(crate) use find::NAME;
pub(crate) use servers::ConfiguredServer;
pub(crate) use settings::{Global, Origin, Setting, USUAL_HEARTBEAT};

/// The settings, and the file that they are from.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The settings; without those of a file that was refused.
    pub(crate) global: Global,
    /// What there is to say about the file; none if there is no file.
    pub(crate) report: Option<FileReport>,
}

impl Loaded {
    /// The report of a file that was refused.
    pub(crate) fn refused(&self) -> Option<&FileReport> {
        self.report.as_ref().filter(|report| report.is_refused())
    }
}

/// A file without mistakes.
#[derive(Debug)]
struct ConfigFile {
    path: PathBuf,
    config: Config,
    /// Where each of its keys stands.
    map: source::SourceMap,
}

impl ConfigFile {
    /// The line of a setting, by its name as `gateway.drain`.
    fn line(&self, name: &str) -> usize {
        let keys: Vec<&str> = name.split('.').collect();
        self.line_at(&keys)
    }

    /// The line of a key in the table of others.
    fn line_at(&self, keys: &[&str]) -> usize {
        let at = keys.iter().fold(Pointer::root(), |at, key| at.key(key));
        let span = self.map.resolve(&Place::key(&at));
        self.map.line_column(span.start).line
    }
}

/// Puts the settings together.
pub(crate) fn load(given: &Given) -> Result<Loaded, UsageError> {
    let Some(found) = find::find(&given.flags)? else {
        let global = settings::resolve(given, Path::new(""), None);
        return Ok(Loaded {
            global,
            report: None,
        });
    };
    let (report, config) = check(&found.path);
    let file = config.map(|config| ConfigFile {
        path: found.path,
        config,
        map: report.map.clone(),
    });
    Ok(Loaded {
        global: settings::resolve(given, &found.directory, file.as_ref()),
        report: Some(report),
    })
}

/// Reads a file and says everything there is to say about it; its settings, unless it is refused.
pub(crate) fn check(path: &Path) -> (FileReport, Option<Config>) {
    let mut report = FileReport::of(path, FileKind::Config);
    let bytes = match find::read(path) {
        Ok(bytes) => bytes,
        Err(reason) => {
            report.unreadable = Some(reason);
            return (report, None);
        }
    };
    let text = match source::decode(&bytes) {
        Ok(text) => text,
        Err(unreadable) => {
            (report.diagnostics, report.map) = *unreadable;
            return (report, None);
        }
    };
    let document::Document {
        value,
        mut problems,
        map,
    } = document::read(text);
    let checked = value.map(|value| Config::check(&value));
    let (config, found) = match checked {
        Some(checked) => (checked.config, checked.diagnostics),
        None => (None, Diagnostics::default()),
    };
    // A value that could not be read was said to be none.
    let unread: Vec<Place> = problems
        .iter()
        .filter(|problem| problem.code == Code::Unsupported)
        .map(|problem| problem.place.clone())
        .collect();
    let is_new = |problem: &&Diagnostic| !unread.contains(&problem.place);
    problems.extend(found.iter().filter(is_new).cloned());
    report.diagnostics = Diagnostics::from(problems);
    report.map = map;
    let config = config.filter(|_| !report.diagnostics.has_errors());
    (report, config)
}
