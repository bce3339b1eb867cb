//! Times on a wall clock, to the minute (rule A1).
//!
//! Knows no dates, zones or windows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Text that is no time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeOfDayError {
    /// Not two digits, a colon and two digits.
    #[error("found time `{found}`, expected HH:MM on a 24-hour clock, such as `09:00` or `17:30`")]
    Form {
        /// The text.
        found: String,
    },
    /// Hours or minutes that no clock shows.
    #[error("found time `{found}`, expected 00:00 to 23:59, or 24:00 as an end")]
    Range {
        /// The text.
        found: String,
    },
    /// `24:00` where a window starts.
    #[error("found start `24:00`, expected 00:00 to 23:59; midnight is `00:00` of the next day")]
    StartAtMidnight,
}

/// A time of day from 00:00 to 23:59, written `HH:MM`.
///
/// ```
/// use workflow_types::schedule::TimeOfDay;
///
/// let time: TimeOfDay = "09:05".parse()?;
/// assert_eq!(time.minutes(), 545);
/// assert_eq!(time.to_string(), "09:05");
/// assert!("9:05".parse::<TimeOfDay>().is_err());
/// # Ok::<(), workflow_types::schedule::TimeOfDayError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    minutes: u16,
}

/// A time of day at which a window ends: like [`TimeOfDay`], and also 24:00 (rule A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndOfDay {
    minutes: u16,
}

const MIDNIGHT: u16 = 24 * 60;

/// What [`TimeOfDay`] accepts, as a regular expression.
pub(crate) const TIME_PATTERN: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
/// What [`EndOfDay`] accepts.
pub(crate) const END_PATTERN: &str = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";

impl TimeOfDay {
    /// Minutes since 00:00, 0 to 1,439.
    pub fn minutes(self) -> u16 {
        self.minutes
    }
}

impl EndOfDay {
    /// Minutes since 00:00, 0 to 1,440.
    pub fn minutes(self) -> u16 {
        self.minutes
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        match minutes(text)? {
            MIDNIGHT => Err(TimeOfDayError::StartAtMidnight),
            minutes => Ok(Self { minutes }),
        }
    }
}

impl FromStr for EndOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        minutes(text).map(|minutes| Self { minutes })
    }
}

/// Minutes of `HH:MM`, up to and including 24:00.
fn minutes(text: &str) -> Result<u16, TimeOfDayError> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let pair = |tens: u8, ones: u8| Some(digit(tens)? * 10 + digit(ones)?);
    let parts = match text.as_bytes() {
        &[h, i, b':', m, n] => pair(h, i).zip(pair(m, n)),
        _ => None,
    };
    let Some((hours, minutes)) = parts else {
        return Err(TimeOfDayError::Form {
            found: text.to_owned(),
        });
    };
    let total = hours * 60 + minutes;
    if minutes > 59 || total > MIDNIGHT {
        return Err(TimeOfDayError::Range {
            found: text.to_owned(),
        });
    }
    Ok(total)
}

fn show(minutes: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:02}:{:02}", minutes / 60, minutes % 60)
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.minutes, f)
    }
}

impl fmt::Display for EndOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.minutes, f)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for EndOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for EndOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let schema = serde_json::json!({ "pattern": pattern });
        jsonschema::is_valid(&schema, &serde_json::Value::from(text))
    }

    #[test]
    fn every_minute_survives_text() {
        for minute in 0..=MIDNIGHT {
            let text = format!("{:02}:{:02}", minute / 60, minute % 60);
            assert_eq!(text.parse::<EndOfDay>().unwrap().to_string(), text);
            assert_eq!(text.parse::<TimeOfDay>().is_ok(), minute < MIDNIGHT);
            assert!(matches(END_PATTERN, &text));
            assert_eq!(matches(TIME_PATTERN, &text), minute < MIDNIGHT);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "", "9:00", "09:0", "09.00", "0900", "24:01", "25:00", "12:60", "ab:cd", "０9:00",
            "+9:00", " 9:00",
        ] {
            assert!(text.parse::<EndOfDay>().is_err(), "{text}");
            assert!(!matches(END_PATTERN, text), "{text}");
        }
    }
}
