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
    /// There is none.
    #[error("no length stands behind `every`, expected a number and a unit, as 30s, 5m, 2h or 1d")]
    Missing,
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

    /// Reads what stands behind `every`; none if that asks for a pattern, as `monday` does.
    ///
    /// ```
    /// use workflow_types::schedule::Interval;
    ///
    /// assert!(Interval::behind_every("30m").is_some_and(|read| read.is_ok()));
    /// let mistake = Interval::behind_every("5 minutes").and_then(Result::err);
    /// assert_eq!(mistake.map(|it| it.help()), Some("write `5m`".to_owned()));
    /// assert!(Interval::behind_every("monday").is_none());
    /// ```
    pub fn behind_every(text: &str) -> Option<Result<Self, IntervalError>> {
        let text = text.trim();
        let words: Vec<&str> = text.split_whitespace().collect();
        let begins_as_number =
            |word: &str| word.starts_with(|c: char| "+-.".contains(c) || c.is_ascii_digit());
        let is_length = match words.as_slice() {
            [] => return Some(Err(IntervalError::Missing)),
            [word] => begins_as_number(word),
            [number, _] => number.parse::<f64>().is_ok(),
            _ => false,
        };
        match text.parse() {
            Ok(interval) => Some(Ok(interval)),
            Err(error) if is_length || duration::meant(text).is_some() => Some(Err(error)),
            Err(_) => None,
        }
    }

    /// The length.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl IntervalError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Missing => "write for example `every 30m`".to_owned(),
            Self::OutOfRange { found } if *found < SHORTEST => {
                format!("write `{}` or more", duration::format(SHORTEST))
            }
            Self::OutOfRange { .. } => format!("write `{}` or less", duration::format(LONGEST)),
            Self::NoDuration(error) => help_with(error.found()),
        }
    }
}

/// What to do about a text that is no length of time.
fn help_with(found: &str) -> String {
    if found.bytes().all(|byte| byte.is_ascii_digit()) && !found.is_empty() {
        return match found.parse() {
            Ok(1_u32..) => {
                format!("give it a unit: `{found}s`, `{found}m`, `{found}h` or `{found}d`")
            }
            Ok(0) | Err(_) => "write a number and a unit, as `30s`, `5m`, `2h` or `1d`".to_owned(),
        };
    }
    if found.starts_with('-') {
        return "a length of time is not negative; write for example `30m`".to_owned();
    }
    match duration::meant(found).map(Interval::try_new) {
        Some(Ok(meant)) => format!("write `{meant}`"),
        Some(Err(error)) => error.help(),
        None => "write a whole number and a unit: `s`, `m`, `h` or `d`, as `30m`".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_wrong_is_told_what_to_write_and_other_words_are_not_lengths() {
        let check = |text: &str, expected: &str| {
            let mistake = Interval::behind_every(text).and_then(Result::err);
            let help = mistake.map(|mistake| mistake.help());
            assert_eq!(help.as_deref(), Some(expected), "{text}");
        };
        check("", "write for example `every 30m`");
        check("0s", "write `1s` or more");
        check("500ms", "write `1s` or more");
        check("4000d", "write `3650d` or less");
        check("5", "give it a unit: `5s`, `5m`, `5h` or `5d`");
        check(
            "0",
            "write a number and a unit, as `30s`, `5m`, `2h` or `1d`",
        );
        check("5 minutes", "write `5m`");
        check("1.5h", "write `90m`");
        check("1h 30m and 30 s", "write `5430s`");
        check(
            "20 years",
            "write a whole number and a unit: `s`, `m`, `h` or `d`, as `30m`",
        );
        check(
            "1x",
            "write a whole number and a unit: `s`, `m`, `h` or `d`, as `30m`",
        );
        check(
            "-5m",
            "a length of time is not negative; write for example `30m`",
        );
        for text in ["monday", "day at 9", "2nd monday", "weekday", "hour"] {
            assert_eq!(Interval::behind_every(text), None, "{text}");
        }
        let read = Interval::behind_every(" 90s ").unwrap().unwrap();
        assert_eq!(read.duration(), Duration::from_secs(90));
    }
}
