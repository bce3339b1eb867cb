//! How long a provider asks to wait before the next question.

use std::time::Duration;

use chrono::DateTime;
use gateway::workflow_types::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The wait that headers ask for: in milliseconds as some providers say it, else in seconds, or
/// until a date (RFC 9110, section 10.2.3).
pub(super) fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let ms = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok());
    if let Some(wait) = ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1_000.0).ok()) {
        return Some(wait);
    }
    let after = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = DateTime::parse_from_rfc2822(after).ok()?;
    let date = Timestamp::from_millis(date.timestamp_millis()).ok()?;
    // A date that has passed asks for no wait.
    Some(date.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_every_form_that_providers_write() {
        let now: Timestamp = "2026-01-31T09:00:00Z".parse().unwrap();
        let asked = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            asked(&headers, now).map(|wait| wait.as_millis())
        };
        let after = "retry-after";
        assert_eq!(asked(after, "7"), Some(7_000));
        assert_eq!(asked(after, " 0 "), Some(0));
        assert_eq!(asked(after, "1.5"), Some(1_500));
        assert_eq!(asked("retry-after-ms", "250"), Some(250));
        assert_eq!(asked(after, "Sat, 31 Jan 2026 09:01:30 GMT"), Some(90_000));
        assert_eq!(asked(after, "Sat, 31 Jan 2026 08:00:00 GMT"), Some(0));
        for nonsense in ["", "soon", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(asked(after, nonsense), None, "{nonsense}");
        }
        assert_eq!(super::asked(&HeaderMap::new(), now), None);
    }
}
