//! What a schedule is configured to do: `ScheduleConfig` in its published JSON shape.
//!
//! Knows nothing of rows, next fire times or executions.

use serde::{Deserialize, Serialize};

use super::active_hours::ActiveHours;
use super::cron::CronExpression;
use super::id::{MaxRuns, ScheduleName};
use super::zone::TimeZone;
use crate::id::{ScheduleId, WorkflowId};

/// Why a schedule was refused although each of its parts is valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "pattern `{pattern}` never fires inside the active hours {hours}; widen the hours or move the pattern"
)]
pub struct ScheduleConfigError {
    pattern: CronExpression,
    hours: ActiveHours,
}

impl ScheduleConfigError {
    /// Refuses a pattern that never fires inside a window (rule A4).
    pub(super) fn unless_met(pattern: &CronExpression, hours: &ActiveHours) -> Result<(), Self> {
        if hours.ever_meets(pattern) {
            return Ok(());
        }
        Err(Self {
            pattern: pattern.clone(),
            hours: hours.clone(),
        })
    }
}

/// A schedule: when it fires and which workflow it starts.
///
/// Its pattern and its active hours meet at least once in 400 years (rule A4).
///
/// ```
/// use workflow_types::id::ScheduleId;
/// use workflow_types::schedule::{CronExpression, ScheduleConfig, ScheduleName};
///
/// let config = ScheduleConfig::new(
///     ScheduleId::try_new("nightly")?,
///     ScheduleName::try_new("Nightly backup")?,
///     CronExpression::parse("0 2 * * *")?,
/// )
/// .in_zone("Europe/Berlin".parse()?);
/// assert!(config.is_enabled());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawScheduleConfig", into = "RawScheduleConfig")]
pub struct ScheduleConfig {
    id: ScheduleId,
    name: ScheduleName,
    cron_expression: CronExpression,
    timezone: Option<TimeZone>,
    active_hours: Option<ActiveHours>,
    max_runs: Option<MaxRuns>,
    workflow_id: Option<WorkflowId>,
    enabled: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawScheduleConfig {
    id: ScheduleId,
    name: ScheduleName,
    cron_expression: CronExpression,
    #[serde(
        default,
        deserialize_with = "super::present",
        skip_serializing_if = "Option::is_none"
    )]
    timezone: Option<TimeZone>,
    #[serde(
        default,
        deserialize_with = "super::present",
        skip_serializing_if = "Option::is_none"
    )]
    active_hours: Option<ActiveHours>,
    #[serde(
        default,
        deserialize_with = "super::present",
        skip_serializing_if = "Option::is_none"
    )]
    max_runs: Option<MaxRuns>,
    #[serde(
        default,
        deserialize_with = "super::present",
        skip_serializing_if = "Option::is_none"
    )]
    workflow_id: Option<WorkflowId>,
    #[serde(default = "enabled_by_default")]
    enabled: bool,
}

fn enabled_by_default() -> bool {
    true
}

impl ScheduleConfig {
    /// An enabled schedule in the gateway's default zone, without limits or workflow.
    pub fn new(id: ScheduleId, name: ScheduleName, cron_expression: CronExpression) -> Self {
        Self {
            id,
            name,
            cron_expression,
            timezone: None,
            active_hours: None,
            max_runs: None,
            workflow_id: None,
            enabled: true,
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
        ScheduleConfigError::unless_met(&self.cron_expression, &hours)?;
        Ok(Self {
            active_hours: Some(hours),
            ..self
        })
    }

    /// Complete after so many started fires (rule F2).
    #[must_use]
    pub fn limited_to(self, runs: MaxRuns) -> Self {
        Self {
            max_runs: Some(runs),
            ..self
        }
    }

    /// Start this workflow.
    #[must_use]
    pub fn starting(self, workflow: WorkflowId) -> Self {
        Self {
            workflow_id: Some(workflow),
            ..self
        }
    }

    /// Do not fire until enabled.
    #[must_use]
    pub fn disabled(self) -> Self {
        Self {
            enabled: false,
            ..self
        }
    }

    /// Which schedule this is.
    pub fn id(&self) -> &ScheduleId {
        &self.id
    }

    /// What people call it.
    pub fn name(&self) -> &ScheduleName {
        &self.name
    }

    /// When it fires, by the wall clock of its zone.
    pub fn cron_expression(&self) -> &CronExpression {
        &self.cron_expression
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
        self.max_runs
    }

    /// The workflow it starts.
    pub fn workflow_id(&self) -> Option<&WorkflowId> {
        self.workflow_id.as_ref()
    }

    /// Whether it fires at all.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }
}

impl TryFrom<RawScheduleConfig> for ScheduleConfig {
    type Error = ScheduleConfigError;

    fn try_from(raw: RawScheduleConfig) -> Result<Self, ScheduleConfigError> {
        let RawScheduleConfig {
            id,
            name,
            cron_expression,
            timezone,
            active_hours,
            max_runs,
            workflow_id,
            enabled,
        } = raw;
        let config = Self {
            timezone,
            max_runs,
            workflow_id,
            enabled,
            ..Self::new(id, name, cron_expression)
        };
        match active_hours {
            Some(hours) => config.within(hours),
            None => Ok(config),
        }
    }
}

impl From<ScheduleConfig> for RawScheduleConfig {
    fn from(config: ScheduleConfig) -> Self {
        let ScheduleConfig {
            id,
            name,
            cron_expression,
            timezone,
            active_hours,
            max_runs,
            workflow_id,
            enabled,
        } = config;
        Self {
            id,
            name,
            cron_expression,
            timezone,
            active_hours,
            max_runs,
            workflow_id,
            enabled,
        }
    }
}
