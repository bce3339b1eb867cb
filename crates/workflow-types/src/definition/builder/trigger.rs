//! Writes what starts a workflow.

use std::time::Duration;

use serde_json::Value;

use super::Draft;
use crate::definition::Trigger;
use crate::duration;
use crate::schedule::{ActiveHours, Misfire, Overlap};
use crate::shape::timing::{ACTIVE_HOURS, TRIGGER};

/// Writes what starts a workflow: a word or a pattern, made of a string, or a pattern with more.
#[derive(Debug, Clone)]
#[must_use = "a trigger does nothing before it is added to a workflow"]
pub struct TriggerBuilder(Written);

#[derive(Debug, Clone)]
enum Written {
    Plain(String),
    Schedule(Draft),
}

impl Trigger {
    /// Writes a cron expression that may have a zone, hours and policies.
    ///
    /// ```
    /// use workflow_types::WorkflowDefinition;
    /// use workflow_types::definition::{Step, Trigger};
    /// use workflow_types::schedule::ActiveHours;
    ///
    /// let definition = WorkflowDefinition::builder("Nightly")
    ///     .trigger(
    ///         Trigger::on("*/15 * * * *")
    ///             .timezone("Europe/Berlin")
    ///             .active_hours(ActiveHours::builder("22:00", "06:00").days_of_week([1, 5])),
    ///     )
    ///     .step(Step::noop("start"))
    ///     .build()?;
    /// assert!(matches!(definition.trigger(), Trigger::Schedule(_)));
    /// # Ok::<(), workflow_types::Diagnostics>(())
    /// ```
    pub fn on(cron: impl Into<String>) -> TriggerBuilder {
        let mut draft = Draft::new(&TRIGGER);
        draft.set("cron", cron.into());
        TriggerBuilder(Written::Schedule(draft))
    }
}

impl From<&str> for TriggerBuilder {
    fn from(text: &str) -> Self {
        Self(Written::Plain(text.to_owned()))
    }
}

impl From<String> for TriggerBuilder {
    fn from(text: String) -> Self {
        Self(Written::Plain(text))
    }
}

impl TriggerBuilder {
    /// The time zone by its IANA name.
    pub fn timezone(self, name: impl Into<String>) -> Self {
        self.with("timezone", name.into())
    }

    /// The hours outside which nothing starts.
    pub fn active_hours(self, hours: ActiveHoursBuilder) -> Self {
        self.with("activeHours", hours.0.into_value())
    }

    /// After how many starts it is done.
    pub fn max_runs(self, most: u32) -> Self {
        self.with("maxRuns", most)
    }

    /// What becomes of the times that passed while nothing could start.
    pub fn misfire(self, what: Misfire) -> Self {
        self.with("misfire", what.as_str())
    }

    /// How old a missed time may be to be caught up, in whole milliseconds: what is less is cut off.
    pub fn catch_up(self, age: Duration) -> Self {
        self.with("catchUp", duration::format(age))
    }

    /// What becomes of a time that comes while an earlier execution is not finished.
    pub fn overlap(self, what: Overlap) -> Self {
        self.with("overlap", what.as_str())
    }

    /// Lets an execution that waits for an approval stand in the way of none.
    pub fn overlap_ignores_paused(self) -> Self {
        self.with("overlapIgnoresPaused", true)
    }

    /// Starts later by up to this, in whole milliseconds: what is less is cut off.
    pub fn jitter(self, most: Duration) -> Self {
        self.with("jitter", duration::format(most))
    }

    /// After how many failed executions in a row it is paused.
    pub fn pause_after_failures(self, failures: u32) -> Self {
        self.with("pauseAfterFailures", failures)
    }

    /// A plain pattern that gets a second key becomes a mapping.
    fn with(self, name: &'static str, value: impl Into<Value>) -> Self {
        let mut draft = match self.0 {
            Written::Schedule(draft) => draft,
            Written::Plain(cron) => {
                let mut draft = Draft::new(&TRIGGER);
                draft.set("cron", cron);
                draft
            }
        };
        draft.set(name, value);
        Self(Written::Schedule(draft))
    }

    pub(super) fn into_value(self) -> Value {
        match self.0 {
            Written::Plain(text) => Value::String(text),
            Written::Schedule(draft) => draft.into_value(),
        }
    }
}

/// Writes the hours outside which nothing starts.
#[derive(Debug, Clone)]
#[must_use = "hours do nothing before they are added to a trigger"]
pub struct ActiveHoursBuilder(Draft);

impl ActiveHours {
    /// Writes a window of every day, from and to `HH:MM`.
    pub fn builder(start: impl Into<String>, end: impl Into<String>) -> ActiveHoursBuilder {
        let mut draft = Draft::new(&ACTIVE_HOURS);
        draft.set("start", start.into());
        draft.set("end", end.into());
        ActiveHoursBuilder(draft)
    }
}

impl ActiveHoursBuilder {
    /// The days on which the window opens, 1 (Monday) to 7 (Sunday).
    pub fn days_of_week(mut self, days: impl IntoIterator<Item = u8>) -> Self {
        self.0
            .set("daysOfWeek", days.into_iter().collect::<Vec<u8>>());
        self
    }
}
