//! Lengths of time as authors write them: milliseconds as a number, or `500ms`, `30s`, `5m`, `2h`, `1d`.

mod meant;
pub(crate) mod unit;

use std::time::Duration;

use thiserror::Error;

pub(crate) use meant::meant;

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is no duration: expected a number and a unit, as 500ms, 30s, 5m, 2h or 1d")]
pub struct DurationError {
    found: String,
}

impl DurationError {
    /// The text, or its beginning.
    pub(crate) fn found(&self) -> &str {
        &self.found
    }
}

/// What a text needs to be to be read, but for its size.
pub(crate) const PATTERN: &str = "^[0-9]+(ms|s|m|h|d)$";
/// The same for what is more than nothing.
pub(crate) const SOME_PATTERN: &str = "^0*[1-9][0-9]*(ms|s|m|h|d)$";

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads `500ms`, `30s`, `5m`, `2h`, `1d`; whole numbers only, so that nothing is rounded.
///
/// ```
/// use std::time::Duration;
/// use workflow_types::duration::parse;
/// assert_eq!(parse("5m")?, Duration::from_secs(300));
/// assert!(parse("5 minutes").is_err());
/// # Ok::<(), workflow_types::duration::DurationError>(())
/// ```
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let error = || DurationError {
        found: text.chars().take(40).collect(),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(error)?;
    let number: u64 = number.parse().map_err(|_| error())?;
    number
        .checked_mul(*factor)
        .map(Duration::from_millis)
        .ok_or_else(error)
}

/// Writes a length of time in its largest whole unit: `90s`, `5m`, `1500ms`.
pub fn format(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    UNITS
        .iter()
        .rev()
        .find(|(_, factor)| ms.is_multiple_of(*factor) && ms >= *factor)
        .map_or_else(
            || format!("{ms}ms"),
            |(unit, factor)| format!("{}{unit}", ms / factor),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for ms in [
            0, 1, 999, 1_000, 60_000, 90_000, 3_600_000, 86_400_000, 90_061_000,
        ] {
            let duration = Duration::from_millis(ms);
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }

    #[test]
    fn the_pattern_knows_every_unit() {
        let units: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
        assert_eq!(PATTERN, format!("^[0-9]+({})$", units.join("|")));
        let some = PATTERN.replace("[0-9]+", "0*[1-9][0-9]*");
        assert_eq!(SOME_PATTERN, some);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "1.5h",
            "5S",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
