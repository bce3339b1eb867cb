//! Instants as the product writes them: UTC, milliseconds, fixed width.
//!
//! The fixed width makes text order time order, which the database relies on. Nothing here reads a
//! clock; instants are handed in.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Duration, SecondsFormat, TimeZone as _, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// An instant in UTC with millisecond precision between the years 0001 and 9999.
///
/// Its text form is RFC 3339 of fixed width, `2026-01-31T09:00:00.000Z`.
///
/// ```
/// use workflow_types::Timestamp;
/// let at: Timestamp = "2026-01-31T10:00:00+01:00".parse()?;
/// assert_eq!(at.to_string(), "2026-01-31T09:00:00.000Z");
/// # Ok::<(), workflow_types::time::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// A text or number that is no instant between the years 0001 and 9999.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{found}` is no instant: expected RFC 3339 such as 2026-01-31T09:00:00Z, year 0001 to 9999"
)]
pub struct TimestampError {
    found: String,
}

/// Milliseconds since 1970 of 0001-01-01T00:00:00Z.
const FIRST_MS: i64 = -62_135_596_800_000;
/// Milliseconds since 1970 of 9999-12-31T23:59:59.999Z.
const LAST_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// 0001-01-01T00:00:00Z, before which there is none.
    pub(crate) const FIRST: Self = match DateTime::from_timestamp_millis(FIRST_MS) {
        Some(instant) => Self(instant),
        None => Self::EPOCH,
    };

    /// The instant so many milliseconds after 1970-01-01T00:00:00Z.
    pub fn from_millis(ms: i64) -> Result<Self, TimestampError> {
        if !(FIRST_MS..=LAST_MS).contains(&ms) {
            return Err(TimestampError {
                found: format!("{ms} ms"),
            });
        }
        Utc.timestamp_millis_opt(ms)
            .single()
            .map(Self)
            .ok_or_else(|| TimestampError {
                found: format!("{ms} ms"),
            })
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// The instant as chrono writes it.
    pub fn to_utc(self) -> DateTime<Utc> {
        self.0
    }

    /// The instant `duration` later, held at the end of year 9999 rather than overflowing.
    #[must_use]
    pub fn saturating_add(self, duration: std::time::Duration) -> Self {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(LAST_MS);
        let later = self.as_millis().saturating_add(ms).min(LAST_MS);
        Self::from_millis(later).unwrap_or(self)
    }

    /// How long after `earlier` this instant is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> std::time::Duration {
        (self.0 - earlier.0)
            .max(Duration::zero())
            .to_std()
            .unwrap_or_default()
    }
}

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = TimestampError;

    fn try_from(instant: DateTime<Utc>) -> Result<Self, TimestampError> {
        Self::from_millis(instant.timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .and_then(|instant| Self::try_from(instant.with_timezone(&Utc)).ok())
            .ok_or_else(|| TimestampError {
                found: text.chars().take(64).collect(),
            })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_is_time_order_at_the_edges() {
        let texts: Vec<String> = [FIRST_MS, -1, 0, 999, 1_000, LAST_MS]
            .iter()
            .map(|ms| Timestamp::from_millis(*ms).unwrap().to_string())
            .collect();
        assert!(texts.is_sorted());
        assert!(texts.iter().all(|t| t.len() == 24));
        assert!(Timestamp::from_millis(LAST_MS + 1).is_err());
        assert!(Timestamp::from_millis(FIRST_MS - 1).is_err());
    }

    #[test]
    fn finer_than_a_millisecond_is_cut() {
        let at: Timestamp = "2026-01-31T09:00:00.123987Z".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-31T09:00:00.123Z");
        assert!("2026-02-30T00:00:00Z".parse::<Timestamp>().is_err());
    }

    #[test]
    fn adding_never_leaves_the_range() {
        let last = Timestamp::from_millis(LAST_MS).unwrap();
        assert_eq!(last.saturating_add(std::time::Duration::MAX), last);
    }
}
