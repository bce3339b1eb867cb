//! When things fire: cron patterns, zones, active hours and their configurations.
//!
//! Pure: `now` and `after` come in as parameters. Knows nothing of what is fired, of rows
//! or of missed fires.

mod active_hours;
mod config;
mod cron;
mod gap_warning;
mod heartbeat;
mod id;
mod next_fire;
mod time_of_day;
mod trigger;
mod zone;

use serde::{Deserialize, Deserializer};

pub use active_hours::{ActiveHours, ActiveHoursError};
pub use config::{ScheduleConfig, ScheduleConfigError};
pub use cron::{CronError, CronExpression, CronWarning, CronWarningKind};
pub use heartbeat::HeartbeatConfig;
pub use id::{
    HeartbeatInterval, HeartbeatIntervalError, LONGEST_INTERVAL, MaxRuns, MaxRunsError,
    ScheduleName, ScheduleNameError,
};
pub use next_fire::{Fire, Fires, fires_after, fires_within, next, next_within};
pub(crate) use time_of_day::{END_PATTERN, TIME_PATTERN};
pub use time_of_day::{EndOfDay, TimeOfDay, TimeOfDayError};
pub use trigger::TriggerSchedule;
pub use zone::{TZ_DATABASE_VERSION, TimeZone, UnknownTimeZone};

/// An optional key that, when it is there, is not `null`: the published shapes know an
/// absent key and a value, nothing between.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
