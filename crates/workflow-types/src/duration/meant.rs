//! Guesses the length of time behind a text that is none: `5 minutes`, `1.5h`, `1h 30m`, `PT5M`.

use std::time::Duration;

/// The length that an author most likely meant; a number alone is in milliseconds.
pub(crate) fn meant(text: &str) -> Option<Duration> {
    let lower = text.trim().to_lowercase().replace(['_', ','], "");
    let mut rest = lower.strip_prefix("every ").unwrap_or(&lower).trim();
    rest = rest.strip_prefix("pt").unwrap_or(rest);
    let mut ms = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        ms += number.parse::<f64>().ok()? * factor(unit)?;
        rest = behind.trim_start();
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    // Beyond this nobody means what he writes.
    let whole = (1.0..1e12).contains(&ms) && (ms - ms.round()).abs() < 1e-6;
    let length = Duration::try_from_secs_f64(ms.round() / 1_000.0).ok()?;
    whole.then_some(length)
}

fn factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "" | "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "mins" | "minute" | "minutes" => 6e4,
        "h" | "hr" | "hrs" | "hour" | "hours" => 36e5,
        "d" | "day" | "days" => 864e5,
        "w" | "week" | "weeks" => 6_048e5,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::format;
    use super::*;

    #[test]
    fn lengths_in_words_are_understood() {
        for (text, expect) in [
            ("5 minutes", Some("5m")),
            ("5 S", Some("5s")),
            ("1_000", Some("1s")),
            ("1.5m", Some("90s")),
            ("1h 30m", Some("90m")),
            ("1 hour and 30 min", Some("90m")),
            ("PT5M", Some("5m")),
            ("every 30 minutes", Some("30m")),
            ("0.0001ms", None),
            ("-5s", None),
            ("soon", None),
            ("", None),
            ("5 lightyears", None),
        ] {
            assert_eq!(meant(text).map(format).as_deref(), expect, "{text}");
        }
    }
}
