//! When a heartbeat runs: at times of the wall clock, whatever restarts happen.
//!
//! An interval that divides an hour, or in whole hours a day, has the same times every day and is a
//! pattern. Any other one is counted from local midnight of the day on which the heartbeat was
//! created, so that its runs are evenly spaced for good.

use std::time::Duration;

use super::Heartbeat;
use crate::Timestamp;
use crate::schedule::{
    AtTime, CronExpression, HeartbeatConfig, Interval, TimeZone, Timing, TimingError, TimingKind,
};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

impl Heartbeat {
    /// When it runs, created at an instant; in the given zone unless it names its own.
    ///
    /// ```
    /// use workflow_types::Heartbeat;
    ///
    /// let heartbeat = Heartbeat::parse(b"---\ninterval: 2h\n---\n- [ ] The site answers\n")?;
    /// let created = "2026-01-31T09:20:00Z".parse()?;
    /// let timing = heartbeat.timing("Asia/Tokyo".parse()?, created)?;
    /// assert_eq!(timing.next(created), Some("2026-01-31T11:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If no run ever lies inside its active hours.
    pub fn timing(
        &self,
        default_zone: TimeZone,
        created: Timestamp,
    ) -> Result<Timing, TimingError> {
        self.config.timing(default_zone, created)
    }
}

impl HeartbeatConfig {
    /// When a heartbeat of this cadence runs, created at an instant; in the given zone unless it
    /// names its own.
    ///
    /// # Errors
    /// If no run ever lies inside its active hours.
    pub fn timing(
        &self,
        default_zone: TimeZone,
        created: Timestamp,
    ) -> Result<Timing, TimingError> {
        let zone = self.timezone.unwrap_or(default_zone);
        let minutes = self.interval.into_inner();
        let kind = match pattern(minutes) {
            Some(pattern) => TimingKind::Cron(pattern),
            None => TimingKind::Every {
                interval: interval(minutes),
                anchor: midnight(zone, created),
            },
        };
        Timing::try_new(kind, zone, self.active_hours.clone())
    }
}

/// The pattern of an interval that has the same times every day.
///
/// Hours are listed one by one, so that each is one time of the day: where the clocks are set back
/// it comes once, and where they are put forward across it, right after the gap.
fn pattern(minutes: i64) -> Option<CronExpression> {
    let pattern = if minutes == 1 {
        "* * * * *".to_owned()
    } else if minutes == HOUR {
        "0 * * * *".to_owned()
    } else if HOUR % minutes == 0 {
        format!("*/{minutes} * * * *")
    } else if minutes % HOUR == 0 && DAY % minutes == 0 {
        let step = usize::try_from(minutes / HOUR).ok()?;
        let hours: Vec<String> = (0..24).step_by(step).map(|hour| hour.to_string()).collect();
        format!("0 {} * * *", hours.join(","))
    } else {
        return None;
    };
    CronExpression::parse(&pattern).ok()
}

fn interval(minutes: i64) -> Interval {
    let seconds = u64::try_from(minutes).unwrap_or(1) * 60;
    // A minute to a week is between a second and ten years.
    Interval::try_new(Duration::from_secs(seconds)).expect("an interval of a heartbeat is one")
}

/// The first instant of a day of a zone: midnight, or the end of the gap in which it lies.
fn midnight(zone: TimeZone, day: Timestamp) -> Timestamp {
    let local = zone
        .wall_time(day.to_utc())
        .date()
        .and_time(chrono::NaiveTime::MIN);
    AtTime::Local(local).first_in_zone(zone).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_that_divide_an_hour_or_a_day_are_patterns() {
        let words = |minutes| pattern(minutes).map(|pattern| pattern.to_string());
        assert_eq!(words(1).unwrap(), "* * * * *");
        assert_eq!(words(30).unwrap(), "*/30 * * * *");
        assert_eq!(words(60).unwrap(), "0 * * * *");
        assert_eq!(words(8 * 60).unwrap(), "0 0,8,16 * * *");
        assert_eq!(words(24 * 60).unwrap(), "0 0 * * *");
        for minutes in [7, 45, 90, 7 * 60, 48 * 60, 7 * 24 * 60] {
            assert_eq!(words(minutes), None, "{minutes}");
        }
    }

    #[test]
    fn the_day_begins_where_its_midnight_is_skipped() {
        // In Cairo the clocks went from 24 April 2026, 00:00, to 01:00.
        let cairo = "Africa/Cairo".parse().unwrap();
        let noon = "2026-04-24T09:00:00Z".parse().unwrap();
        let begins = "2026-04-23T22:00:00Z".parse().unwrap();
        assert_eq!(midnight(cairo, noon), begins);
    }
}
