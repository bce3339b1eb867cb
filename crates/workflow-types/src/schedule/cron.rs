//! Cron patterns: parsed once, then bit sets (rules P1 to P6).
//!
//! Knows no zones and no clock; when a pattern fires in a zone is [`next_fire`](super::next_fire).

pub(crate) mod calendar;
mod days;
mod english;
mod error;
mod field;
mod foreign;
mod item;
mod lexer;
mod mistake;
mod normal;
mod parser;
mod remedy;
mod sets;
mod warning;
mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use error::CronError;
pub use warning::{CronWarning, CronWarningKind};

pub(crate) use sets::Sets;

/// A cron pattern that fires at least once in 400 years.
///
/// Five fields, six with seconds first, seven with a year last, or a nickname; day names,
/// `L`, `LW`, `nW`, `d#n`, `dL` and `d#L` (rules P1 to P4). Keeps the author's text, which
/// [`Display`](fmt::Display) and serde write; two patterns are equal when they mean the same
/// and were written the same.
///
/// ```
/// use workflow_types::schedule::CronExpression;
///
/// let pattern: CronExpression = "0 9 * * MON-FRI".parse()?;
/// assert!(pattern.is_fixed_time());
/// assert_eq!(pattern.describe(), "At 09:00 on Monday through Friday");
/// # Ok::<(), workflow_types::schedule::CronError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CronExpression {
    text: Box<str>,
    sets: Sets,
}

impl CronExpression {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The first mistake in the pattern; [`parse_all`](Self::parse_all) gives every one.
    pub fn parse(pattern: &str) -> Result<Self, CronError> {
        // `parse_all` never returns an empty list of errors.
        Self::parse_all(pattern).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Reads a pattern and collects every mistake.
    ///
    /// # Errors
    /// All mistakes in the order of the pattern, at least one. A pattern that never fires
    /// is a mistake too (rule P5).
    pub fn parse_all(pattern: &str) -> Result<Self, Vec<CronError>> {
        let sets = parser::parse(pattern)?;
        Ok(Self {
            text: pattern.trim().into(),
            sets,
        })
    }

    /// The author's text, without blanks around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is a fixed-time job: no `*` and no step in seconds, minutes and hours.
    /// All others are interval jobs; daylight saving treats the two differently (rule T2).
    pub fn is_fixed_time(&self) -> bool {
        !self.sets.interval
    }

    /// One text for all spellings of the same schedule: sorted lists, day and month
    /// names, no nicknames. Parsing it gives the same fires.
    ///
    /// ```
    /// use workflow_types::schedule::CronExpression;
    ///
    /// let pattern = CronExpression::parse("0,15,30-45/15 17,9 ? 3-5 5,1").unwrap();
    /// assert_eq!(pattern.normalised(), "*/15 9,17 * MAR-MAY MON,FRI");
    /// ```
    pub fn normalised(&self) -> String {
        normal::pattern(&self.sets)
    }

    /// The pattern in English words.
    pub fn describe(&self) -> String {
        words::describe(&self.sets)
    }

    /// What a valid pattern may do against its author's intent, without a clock (rule P6).
    pub fn warnings(&self) -> Vec<CronWarning> {
        warning::of_pattern(self)
    }

    pub(crate) fn sets(&self) -> &Sets {
        &self.sets
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CronExpression").field(&self.text).finish()
    }
}

impl FromStr for CronExpression {
    type Err = CronError;

    fn from_str(pattern: &str) -> Result<Self, CronError> {
        Self::parse(pattern)
    }
}

impl Serialize for CronExpression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for CronExpression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pattern = String::deserialize(deserializer)?;
        Self::parse(&pattern).map_err(|error| {
            de::Error::custom(format!("cron pattern `{pattern}`, {}", error.to_line()))
        })
    }
}
