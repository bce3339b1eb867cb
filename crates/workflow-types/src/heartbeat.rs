//! A heartbeat: the checklist that an agent works through at an interval, as `HEARTBEAT.md` says it.
//!
//! The file is Markdown with an optional YAML front matter. Nothing but [`Heartbeat::check`] and
//! [`Heartbeat::parse`] builds one. It knows neither when it ran last nor what came of it.

mod cadence;
mod checklist;
mod definition;
mod front_matter;
mod record;
mod settings;

use std::num::NonZeroU32;

use crate::diagnostic::{Diagnostics, Report};
use crate::id::{ModelName, ToolName};
use crate::schedule::HeartbeatConfig;
use crate::source::{self, SourceMap};

pub use definition::{RUNS, findings};
use front_matter::FrontMatter;
pub use record::{
    HeartbeatJudgement, HeartbeatKeeping, HeartbeatRecord, HeartbeatRun, JudgementRecorded,
    UntoldFire,
};
use settings::Settings;

/// After how many runs in a row in which an item could not be judged somebody is told, if the file
/// does not say.
// The number is not zero.
pub const DEFAULT_UNKNOWN_AFTER: NonZeroU32 = NonZeroU32::new(3).expect("not zero");

/// A validated heartbeat: how often it runs, with which model and tools, and what it checks.
///
/// No two of its [`checks`](Self::checks) have the same text, so that a text identifies one.
///
/// ```
/// use workflow_types::Heartbeat;
///
/// let text = "---\ninterval: 15\n---\n- [ ] The site answers\n- [x] The old site is gone\n";
/// let heartbeat = Heartbeat::parse(text.as_bytes())?;
/// assert_eq!(heartbeat.config().interval.into_inner(), 15);
/// let checks: Vec<&str> = heartbeat.checks().map(|item| item.text()).collect();
/// assert_eq!(checks, ["The site answers"]);
/// # Ok::<(), workflow_types::Diagnostics>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    config: HeartbeatConfig,
    model: Option<ModelName>,
    tools: Vec<ToolName>,
    without_approval: Vec<ToolName>,
    enabled: bool,
    unknown_after: NonZeroU32,
    items: Vec<HeartbeatItem>,
}

/// What reading a `HEARTBEAT.md` gave: the heartbeat unless there are errors, and all diagnostics.
#[derive(Debug)]
pub struct CheckedHeartbeat {
    /// The heartbeat, unless a diagnostic is an error.
    pub heartbeat: Option<Heartbeat>,
    /// Errors and warnings in the order of their discovery.
    pub diagnostics: Diagnostics,
    /// From the diagnostics' places to lines and columns of the whole file.
    pub map: SourceMap,
}

impl Heartbeat {
    /// Reads a file and says everything there is to say about it, warnings included.
    pub fn check(bytes: &[u8]) -> CheckedHeartbeat {
        let mut report = Report::default();
        let (heartbeat, map) = match source::text(bytes, &mut report) {
            Some(text) => read(text, &mut report),
            None => (None, source::unreadable(bytes)),
        };
        CheckedHeartbeat {
            heartbeat: heartbeat.filter(|_| !report.has_errors()),
            diagnostics: report.finish(),
            map,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// All problems, warnings included, if there is an error among them.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostics> {
        let checked = Self::check(bytes);
        checked.heartbeat.ok_or(checked.diagnostics)
    }

    /// How often it runs, in which zone and in which hours.
    pub fn config(&self) -> &HeartbeatConfig {
        &self.config
    }

    /// The model that judges the items; none stands for the gateway's default.
    pub fn model(&self) -> Option<&ModelName> {
        self.model.as_ref()
    }

    /// The tools that the model may call; empty stands for none.
    pub fn tools(&self) -> &[ToolName] {
        &self.tools
    }

    /// Those of its tools that the model calls without asking anybody, although they are destructive.
    /// Any other destructive call waits for an approval, and the run with it.
    pub fn without_approval(&self) -> &[ToolName] {
        &self.without_approval
    }

    /// Whether it runs at all; it does unless the author says otherwise.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// After how many runs in a row in which an item could not be judged somebody is told.
    pub fn unknown_after(&self) -> NonZeroU32 {
        self.unknown_after
    }

    /// Every item of the checklist in the order of the file, ticked ones included; never empty.
    pub fn items(&self) -> &[HeartbeatItem] {
        &self.items
    }

    /// The items that a run checks: those that are not ticked. None if all of them are.
    pub fn checks(&self) -> impl Iterator<Item = &HeartbeatItem> {
        self.items.iter().filter(|item| !item.ticked)
    }
}

/// One item of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatItem {
    text: String,
    line: usize,
    ticked: bool,
}

impl HeartbeatItem {
    /// What is to be checked. Wrapped lines are joined by a blank; paragraphs, nested bullets and
    /// code keep their line breaks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of the file on which it begins, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether it is ticked off (`- [x]`) and so left out.
    pub fn is_ticked(&self) -> bool {
        self.ticked
    }
}

/// Reads settings and checklist; mistakes in one do not hide those in the other.
fn read(text: &str, report: &mut Report) -> (Option<Heartbeat>, SourceMap) {
    let (settings, map, body) = match front_matter::split(text) {
        FrontMatter::Unclosed { fence } => {
            report.push(front_matter::unclosed(fence));
            return (None, SourceMap::new(text));
        }
        FrontMatter::Absent => {
            front_matter::check_absent(text, report);
            (
                Some(Settings::default()),
                SourceMap::new(text),
                0..text.len(),
            )
        }
        FrontMatter::Present { yaml, body } if front_matter::is_empty(&text[yaml.clone()]) => {
            (Some(Settings::default()), SourceMap::new(text), body)
        }
        FrontMatter::Present { yaml, body } => {
            let document = source::read_part(text, yaml, report);
            let settings = document
                .value
                .and_then(|value| settings::read(&value, report));
            (settings, document.map, body)
        }
    };
    let most = settings.as_ref().map_or_else(
        || definition::most_items(&[], &[]),
        |settings| definition::most_items(&settings.tools, &settings.without_approval),
    );
    let items = checklist::read(text, body, most, report);
    let heartbeat = settings.map(|settings| Heartbeat {
        config: settings.config,
        model: settings.model,
        tools: settings.tools,
        without_approval: settings.without_approval,
        enabled: settings.enabled,
        unknown_after: settings.unknown_after,
        items,
    });
    (heartbeat, map)
}
