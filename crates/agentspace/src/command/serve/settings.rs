//! The file of the settings while they are in force: what it says anew is told once, and holds from the
//! next start on.

use std::path::PathBuf;

use gateway::{FileReport, Reloaded};

use crate::cli::{Format, Global};
use crate::config;
use crate::{diagnostics, output};

/// What a file says, or why it cannot be read.
type Text = Result<String, String>;

/// The file, as it was read at the start and as it was last told of.
pub(super) struct SettingsFile {
    path: PathBuf,
    in_force: Text,
    told: Text,
}

impl SettingsFile {
    /// The file of which this is the report.
    pub(super) fn new(report: &FileReport) -> Self {
        let text = text(report);
        Self {
            path: report.path.clone(),
            in_force: text.clone(),
            told: text,
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Tells what it says now, if that is news: programs by a line of JSON, people by talk.
    pub(super) fn look(&mut self, global: &Global, reloaded: &Reloaded) {
        if !reloaded.host_files.contains(&self.path) {
            return;
        }
        let (report, _) = config::check(&self.path);
        let now = text(&report);
        if now == self.told {
            return;
        }
        diagnostics::show(&report, Format::Human);
        output::talk(&self.line(&report, &now));
        if global.json {
            let document = diagnostics::all_to_json(std::slice::from_ref(&report));
            output::envelope("config.changed", &document);
        }
        self.told = now;
    }

    /// What has become of it, in a line.
    fn line(&self, report: &FileReport, now: &Text) -> String {
        let path = output::plain(&self.path.display().to_string());
        if report.is_refused() {
            format!(
                "{path} is refused: what it said at the start stays in force, and `agentspace serve` \
                 does not start again before it is mended"
            )
        } else if *now == self.in_force {
            format!("{path} is again as it was at the start, which is in force")
        } else {
            format!("{path} has changed: what it says takes effect at the next start")
        }
    }
}

fn text(report: &FileReport) -> Text {
    match &report.unreadable {
        Some(reason) => Err(reason.clone()),
        None => Ok(report.map.text().to_owned()),
    }
}
