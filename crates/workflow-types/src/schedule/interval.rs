//! Intervals, and the instants that they lead to from their anchor.
//!
//! Counts elapsed time: what clocks on walls show matters to windows alone.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::active_hours::ActiveHours;
use super::zone::TimeZone;
use crate::Timestamp;
use crate::duration::{self, DurationError};

/// The shortest interval.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest interval: ten years of 365 days.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 10);
/// How many instants outside of a window are looked at before an interval is said never to meet it:
/// more than a century of daily openings.
const PATIENCE: u32 = 50_000;
/// Further than the clocks are ever set.
const MARGIN: i64 = 3 * 3_600;

/// The time between two fires of a schedule, a second to ten years; written as `90s`, `5m`, `1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(Duration);

/// Why a length of time is no interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// The text is no length of time.
    #[error(transparent)]
    NoDuration(#[from] DurationError),
    /// It is shorter than a second or longer than ten years.
    #[error("found an interval of {}, expected 1s to 3650d", duration::format(*.found))]
    OutOfRange {
        /// The length.
        found: Duration,
    },
}

impl Interval {
    /// An interval of this length, in whole milliseconds.
    ///
    /// # Errors
    /// If it is shorter than a second or longer than ten years.
    pub fn try_new(found: Duration) -> Result<Self, IntervalError> {
        if (SHORTEST..=LONGEST).contains(&found) {
            let whole = u64::try_from(found.as_millis()).unwrap_or(u64::MAX);
            Ok(Self(Duration::from_millis(whole)))
        } else {
            Err(IntervalError::OutOfRange { found })
        }
    }

    /// The length.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration::format(self.0))
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        Self::try_new(duration::parse(text)?)
    }
}

/// The instants `anchor + k * interval`, k from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    interval: i64,
    anchor: i64,
}

impl Steps {
    pub(super) fn new(interval: Interval, anchor: Timestamp) -> Self {
        Self {
            // Ten years of milliseconds fit.
            interval: i64::try_from(interval.0.as_millis()).unwrap_or(i64::MAX),
            anchor: anchor.as_millis(),
        }
    }

    /// The first one later than `after`.
    pub(super) fn next(self, after: Timestamp) -> Option<Timestamp> {
        let passed = after.as_millis() - self.anchor;
        let steps = if passed < 0 {
            0
        } else {
            passed / self.interval + 1
        };
        Timestamp::from_millis(self.anchor + steps * self.interval).ok()
    }

    /// The first one later than `after` at which the wall clock of a zone is inside a window; none
    /// if none is found in many openings.
    pub(super) fn next_within(
        self,
        after: Timestamp,
        zone: TimeZone,
        hours: &ActiveHours,
    ) -> Option<Timestamp> {
        let mut time = self.next(after)?;
        for _ in 0..PATIENCE {
            if hours.contains_instant(zone, time.to_utc()) {
                return Some(time);
            }
            let before = opening(hours, zone, time.as_millis().div_euclid(1_000)) * 1_000 - 1;
            let before = Timestamp::from_millis(before).ok()?;
            time = self.next(before.max(time))?;
        }
        None
    }
}

/// The first opening of a window at or after an instant, in seconds; or an earlier instant, if the
/// clocks are set before it.
fn opening(hours: &ActiveHours, zone: TimeZone, from: i64) -> i64 {
    let offset = zone.offset(from);
    let opening = hours.next_opening(from + offset) - offset;
    if zone.offset(opening) == offset {
        opening
    } else {
        opening - MARGIN
    }
}

/// The instant `span` earlier, held at the beginning of what can be written.
pub(super) fn back(from: Timestamp, span: Duration) -> Timestamp {
    let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(from.as_millis().saturating_sub(span)).unwrap_or(Timestamp::FIRST)
}
