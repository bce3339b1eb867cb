//! When a workflow starts itself: the schedule that stands in its own definition.
//!
//! Knows nothing of names, rows or what the other kinds of schedules are configured with.

use super::active_hours::ActiveHours;
use super::config::ScheduleConfigError;
use super::cron::CronExpression;
use super::id::MaxRuns;
use super::policy::Policies;
use super::zone::TimeZone;

/// A pattern with its zone, its window and its policies.
///
/// Its pattern and its active hours meet at least once in 400 years (rule A4).
///
/// ```
/// use workflow_types::schedule::{CronExpression, TriggerSchedule};
///
/// let schedule = TriggerSchedule::new(CronExpression::parse("0 9 * * MON-FRI")?)
///     .in_zone("Europe/Berlin".parse()?);
/// assert_eq!(schedule.cron().as_str(), "0 9 * * MON-FRI");
/// assert!(schedule.active_hours().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerSchedule {
    cron: CronExpression,
    timezone: Option<TimeZone>,
    active_hours: Option<ActiveHours>,
    policies: Policies,
}

impl TriggerSchedule {
    /// Fires by a pattern, in the gateway's default zone, always and by the default policies.
    pub fn new(cron: CronExpression) -> Self {
        Self {
            cron,
            timezone: None,
            active_hours: None,
            policies: Policies::default(),
        }
    }

    /// Read pattern and active hours in this zone (rule T1).
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self {
            timezone: Some(zone),
            ..self
        }
    }

    /// Fire inside this window only.
    ///
    /// # Errors
    /// When the pattern never fires inside it (rule A4).
    pub fn within(self, hours: ActiveHours) -> Result<Self, ScheduleConfigError> {
        ScheduleConfigError::unless_met(&self.cron, &hours)?;
        Ok(Self {
            active_hours: Some(hours),
            ..self
        })
    }

    /// Do this with what is missed or overlaps, and end so (rules F2 to F6).
    #[must_use]
    pub fn by(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }

    /// When it fires, by the wall clock of its zone.
    pub fn cron(&self) -> &CronExpression {
        &self.cron
    }

    /// Its own zone; `None` means the gateway's default.
    pub fn timezone(&self) -> Option<TimeZone> {
        self.timezone
    }

    /// The window in which it may fire; `None` means always.
    pub fn active_hours(&self) -> Option<&ActiveHours> {
        self.active_hours.as_ref()
    }

    /// After how many started fires it completes; `None` means never.
    pub fn max_runs(&self) -> Option<MaxRuns> {
        self.policies.max_runs
    }

    /// What becomes of what is missed or overlaps, and when it ends.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }
}
