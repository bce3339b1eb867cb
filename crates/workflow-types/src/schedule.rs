//! When things fire: cron patterns, zones, active hours, schedules and what is due of them.
//!
//! Pure: `now` and `after` come in as parameters. Knows neither rows nor who acts.

mod active_hours;
mod at_time;
mod config;
mod cron;
mod fire;
mod gap_warning;
mod heartbeat;
mod held;
mod id;
mod interval;
mod next_fire;
mod plan;
mod policy;
mod policy_warning;
mod record;
mod time_of_day;
mod timing;
mod trigger;
mod zone;

use serde::{Deserialize, Deserializer};

pub use active_hours::{ActiveHours, ActiveHoursError};
pub use at_time::{AtTime, AtTimeError};
pub use config::{ScheduleConfig, ScheduleConfigError};
pub use cron::{CronError, CronExpression, CronWarning, CronWarningKind};
pub use fire::{
    FireCause, FireOutcome, FirePage, FireRecord, FireWord, Fired, Firing, Gap, Missed, Slot,
    Upcoming,
};
pub use heartbeat::HeartbeatConfig;
pub use held::HeldUp;
pub use id::{
    HeartbeatInterval, HeartbeatIntervalError, LONGEST_INTERVAL, MaxRuns, MaxRunsError,
    ScheduleName, ScheduleNameError,
};
pub use interval::{Interval, IntervalError};
pub use next_fire::{Fire, Fires, fires_after, fires_within, next, next_within};
pub use plan::{InTheWay, ON_TIME, Overlapped, Plan, Run, overlap, plan};
pub use policy::{
    JitterError, LONGEST_CATCH_UP, LONGEST_JITTER, MOST_CAUGHT_UP, Misfire, Overlap, Policies,
    check_jitter,
};
pub use policy_warning::PolicyWarning;
pub use record::{
    Change, Following, Keeper, Next, Off, Revision, Schedule, ScheduleError, ScheduleSpec,
    Standing, follow,
};
pub(crate) use time_of_day::{END_PATTERN, TIME_PATTERN};
pub use time_of_day::{EndOfDay, TimeOfDay, TimeOfDayError};
pub use timing::{Latest, Timing, TimingError, TimingKind, When, WhenError};
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
