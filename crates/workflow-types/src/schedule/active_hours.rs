//! The window of the week in which a schedule may fire (rules A1 to A4).
//!
//! Works on wall time; knows zones only to ask what the wall shows at an instant.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use super::cron::CronExpression;
use super::cron::calendar::{DAY, weekday};
use super::time_of_day::{EndOfDay, TimeOfDay};
use super::zone::TimeZone;

/// Why active hours were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActiveHoursError {
    /// Start and end are the same.
    #[error(
        "active hours start and end at {at}, expected two different times; the whole day is 00:00 to 24:00"
    )]
    Empty {
        /// The time.
        at: TimeOfDay,
    },
    /// `daysOfWeek` is an empty list.
    #[error(
        "found no days in `daysOfWeek`, expected 1 (Monday) to 7 (Sunday); leave the key out for every day"
    )]
    NoDays,
    /// A day that is not 1 to 7.
    #[error("found day {found} in `daysOfWeek`, expected 1 (Monday) to 7 (Sunday){}", day_hint(*found))]
    UnknownDay {
        /// The number.
        found: i64,
    },
}

fn day_hint(found: i64) -> &'static str {
    if found == 0 { "; Sunday is 7" } else { "" }
}

/// `[start, end)` on certain days of the week, in the schedule's zone.
///
/// A start later than the end is overnight and belongs to the day it starts on: Friday
/// 22:00 to 06:00 includes Saturday 03:00 and not Sunday 03:00 (rule A1).
///
/// ```
/// use workflow_types::schedule::ActiveHours;
///
/// let night = ActiveHours::every_day("22:00".parse()?, "06:00".parse()?)?.on_days(&[5])?;
/// assert!(night.contains("2026-03-07T03:00:00".parse()?)); // Saturday
/// assert!(!night.contains("2026-03-08T03:00:00".parse()?)); // Sunday
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawActiveHours", into = "RawActiveHours")]
pub struct ActiveHours {
    start: TimeOfDay,
    end: EndOfDay,
    /// Bit 0 is Sunday; `None` when the author named no days.
    days: Option<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawActiveHours {
    start: TimeOfDay,
    end: EndOfDay,
    #[serde(
        default,
        deserialize_with = "super::present",
        skip_serializing_if = "Option::is_none"
    )]
    days_of_week: Option<Vec<i64>>,
}

impl ActiveHours {
    /// The same window every day.
    ///
    /// # Errors
    /// [`ActiveHoursError::Empty`] when both bounds are the same.
    pub fn every_day(start: TimeOfDay, end: EndOfDay) -> Result<Self, ActiveHoursError> {
        if start.minutes() == end.minutes() {
            return Err(ActiveHoursError::Empty { at: start });
        }
        Ok(Self {
            start,
            end,
            days: None,
        })
    }

    /// The window on certain days only: 1 is Monday, 7 is Sunday (rule A2). Repeated days
    /// count once.
    ///
    /// # Errors
    /// [`ActiveHoursError::NoDays`] or [`ActiveHoursError::UnknownDay`].
    pub fn on_days(self, days: &[i64]) -> Result<Self, ActiveHoursError> {
        if days.is_empty() {
            return Err(ActiveHoursError::NoDays);
        }
        let mut set = 0;
        for &day in days {
            Self::check_day(day)?;
            set |= 1 << (day % 7);
        }
        Ok(Self {
            days: Some(set),
            ..self
        })
    }

    /// Whether a number is a day of the week, 1 (Monday) to 7 (Sunday).
    ///
    /// # Errors
    /// [`ActiveHoursError::UnknownDay`].
    pub(crate) fn check_day(day: i64) -> Result<(), ActiveHoursError> {
        if (1..=7).contains(&day) {
            Ok(())
        } else {
            Err(ActiveHoursError::UnknownDay { found: day })
        }
    }

    /// When the window opens.
    pub fn start(&self) -> TimeOfDay {
        self.start
    }

    /// When it closes; at or before [`start`](Self::start), on the day after.
    pub fn end(&self) -> EndOfDay {
        self.end
    }

    /// The days on which it opens, 1 (Monday) to 7 (Sunday) in order; `None` if the
    /// author named none, which means every day.
    pub fn days_of_week(&self) -> Option<Vec<i64>> {
        let set = self.days?;
        Some((1..=7).filter(|day| set >> (day % 7) & 1 != 0).collect())
    }

    /// Whether a wall time in the schedule's zone lies inside.
    pub fn contains(&self, wall: NaiveDateTime) -> bool {
        self.contains_seconds(wall.and_utc().timestamp())
    }

    /// Whether an instant lies inside, by the wall clock of a zone.
    pub fn contains_instant(&self, zone: TimeZone, instant: DateTime<Utc>) -> bool {
        self.contains(zone.wall_time(instant))
    }

    /// Whether any fire of the pattern can lie inside (rule A4); zones do not matter,
    /// because both speak of wall time.
    pub fn ever_meets(&self, cron: &CronExpression) -> bool {
        let sets = cron.sets();
        let open = |from: i64, to: i64| sets.time_at_or_after(from).is_some_and(|time| time < to);
        let mut weekdays = 0;
        for day in 0..7 {
            let own = self.opens_on(day) && open(self.opening(), self.first_closing());
            let tail =
                self.is_overnight() && self.opens_on((day + 6) % 7) && open(0, self.closing());
            weekdays |= u8::from(own || tail) << day;
        }
        sets.ever_on(weekdays)
    }

    /// Whether any time of day that is a multiple of so many minutes, a divisor of the day's,
    /// lies inside.
    pub(crate) fn meets_every(&self, minutes: i64) -> bool {
        let times = (0..DAY).step_by(usize::try_from(minutes * 60).unwrap_or(usize::MAX));
        let week = (0..7).map(|day| day * DAY);
        week.flat_map(|midnight| times.clone().map(move |time| midnight + time))
            .any(|wall| self.contains_seconds(wall))
    }

    /// [`contains`](Self::contains) for seconds of wall time since 1970.
    pub(super) fn contains_seconds(&self, wall: i64) -> bool {
        let today = weekday(wall.div_euclid(DAY));
        let time = wall.rem_euclid(DAY);
        let own = self.opens_on(today) && (self.opening()..self.first_closing()).contains(&time);
        own || (self.is_overnight() && time < self.closing() && self.opens_on((today + 6) % 7))
    }

    /// The first opening at or after a wall time, in seconds.
    pub(super) fn next_opening(&self, wall: i64) -> i64 {
        let today = wall.div_euclid(DAY);
        (today..=today + 7)
            .filter(|day| self.opens_on(weekday(*day)))
            .map(|day| day * DAY + self.opening())
            .find(|opening| *opening >= wall)
            // A week and a day hold an opening, because no set of days is empty.
            .unwrap_or(wall + 7 * DAY)
    }

    fn opens_on(&self, weekday: u32) -> bool {
        self.days.is_none_or(|set| set >> weekday & 1 != 0)
    }

    fn opening(&self) -> i64 {
        i64::from(self.start.minutes()) * 60
    }

    fn closing(&self) -> i64 {
        i64::from(self.end.minutes()) * 60
    }

    /// Where the part on the day of opening ends.
    fn first_closing(&self) -> i64 {
        if self.is_overnight() {
            DAY
        } else {
            self.closing()
        }
    }

    fn is_overnight(&self) -> bool {
        self.start.minutes() > self.end.minutes()
    }
}

impl fmt::Display for ActiveHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        write!(f, "{}-{}", self.start, self.end)?;
        let Some(days) = self.days_of_week() else {
            return Ok(());
        };
        let names: Vec<&str> = (1..)
            .zip(NAMES)
            .filter(|(day, _)| days.contains(day))
            .map(|(_, name)| name)
            .collect();
        write!(f, " on {}", names.join(", "))
    }
}

impl TryFrom<RawActiveHours> for ActiveHours {
    type Error = ActiveHoursError;

    fn try_from(raw: RawActiveHours) -> Result<Self, ActiveHoursError> {
        let RawActiveHours {
            start,
            end,
            days_of_week,
        } = raw;
        let hours = Self::every_day(start, end)?;
        match days_of_week {
            Some(days) => hours.on_days(&days),
            None => Ok(hours),
        }
    }
}

impl From<ActiveHours> for RawActiveHours {
    fn from(hours: ActiveHours) -> Self {
        Self {
            days_of_week: hours.days_of_week(),
            start: hours.start,
            end: hours.end,
        }
    }
}
