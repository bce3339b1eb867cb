//! One instant as people write it: with an offset, or as a clock on the wall of a zone shows it.
//!
//! Reads no clock; the zone comes in.

use std::fmt;
use std::str::FromStr;

use chrono::offset::LocalResult;
use chrono::{Duration, NaiveDateTime, TimeZone as _};

use super::zone::TimeZone;
use crate::Timestamp;

/// Forms of a local time, most exact first.
const FORMS: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
];

/// An instant, or a local time that a zone makes one.
///
/// ```
/// use workflow_types::schedule::AtTime;
///
/// let local: AtTime = "2026-01-31 09:00".parse()?;
/// let instant: AtTime = "2026-01-31T09:00:00+01:00".parse()?;
/// let berlin = "Europe/Berlin".parse()?;
/// assert_eq!(local.in_zone(berlin)?, instant.in_zone(berlin)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtTime {
    /// Written with an offset: the same everywhere.
    Instant(Timestamp),
    /// Written without: read in the zone of the schedule.
    Local(NaiveDateTime),
}

/// Why a text, or a local time, is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AtTimeError {
    /// The text is no date with a time.
    #[error(
        "`{}` is no instant: expected a date and a time, as `2026-01-31T09:00` in the schedule's zone or `2026-01-31T09:00:00+01:00`", found.escape_debug()
    )]
    Unreadable {
        /// The text.
        found: String,
    },
    /// The clocks of the zone are put forward across it.
    #[error(
        "{local} does not exist in {zone}: the clocks are put forward from before it to {resumes}; name a later time, or write it with its offset"
    )]
    Skipped {
        /// The local time.
        local: NaiveDateTime,
        /// The zone.
        zone: TimeZone,
        /// What the clocks show next.
        resumes: NaiveDateTime,
    },
    /// It lies beyond the years that can be written.
    #[error("{local} lies beyond the years 0001 to 9999")]
    OutOfRange {
        /// The local time.
        local: NaiveDateTime,
    },
}

impl AtTime {
    /// The instant; a local time that comes twice is meant at its first pass.
    ///
    /// # Errors
    /// If the clocks of the zone skip the local time.
    pub fn in_zone(self, zone: TimeZone) -> Result<Timestamp, AtTimeError> {
        let local = match self {
            Self::Instant(at) => return Ok(at),
            Self::Local(local) => local,
        };
        let instant = match zone.tz().from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant,
            LocalResult::None => {
                return Err(AtTimeError::Skipped {
                    local,
                    zone,
                    resumes: after_gap(zone, local),
                });
            }
        };
        Timestamp::try_from(instant.to_utc()).map_err(|_| AtTimeError::OutOfRange { local })
    }
}

impl AtTime {
    /// The instant; a local time that the clocks skip is meant as the first instant after it.
    ///
    /// # Errors
    /// If it lies beyond the years that can be written.
    pub(crate) fn first_in_zone(self, zone: TimeZone) -> Result<Timestamp, AtTimeError> {
        match self.in_zone(zone) {
            Err(AtTimeError::Skipped { resumes, .. }) => Self::Local(resumes).in_zone(zone),
            found => found,
        }
    }
}

/// What the clocks show after the gap in which a local time lies.
fn after_gap(zone: TimeZone, local: NaiveDateTime) -> NaiveDateTime {
    // No gap is longer than a day and a half.
    let (mut skipped, mut shown) = (0, 36 * 60);
    let minute = |count: i64| local + Duration::minutes(count);
    let is_skipped = |count| {
        let found = zone.tz().from_local_datetime(&minute(count));
        matches!(found, LocalResult::None)
    };
    while shown - skipped > 1 {
        let middle = skipped + (shown - skipped) / 2;
        if is_skipped(middle) {
            skipped = middle;
        } else {
            shown = middle;
        }
    }
    let seconds = minute(shown).and_utc().timestamp().rem_euclid(60);
    minute(shown) - Duration::seconds(seconds)
}

impl FromStr for AtTime {
    type Err = AtTimeError;

    fn from_str(text: &str) -> Result<Self, AtTimeError> {
        let trimmed = text.trim();
        if let Ok(instant) = trimmed.parse() {
            return Ok(Self::Instant(instant));
        }
        FORMS
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(trimmed, form).ok())
            .map(Self::Local)
            .ok_or_else(|| AtTimeError::Unreadable {
                found: trimmed.chars().take(64).collect(),
            })
    }
}

impl fmt::Display for AtTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(at) => at.fmt(f),
            Self::Local(local) => local.format("%Y-%m-%dT%H:%M:%S%.f").fmt(f),
        }
    }
}
