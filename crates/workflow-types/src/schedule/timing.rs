//! When a schedule fires: by a pattern, by an interval or once, inside its window (section Kinds,
//! rules A1 to A4).
//!
//! Knows neither what is fired nor what became of it, and reads no clock.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::NaiveDateTime;

use super::active_hours::ActiveHours;
use super::at_time::{AtTime, AtTimeError};
use super::config::ScheduleConfigError;
use super::cron::{CronError, CronExpression};
use super::interval::{Interval, IntervalError, Steps, back};
use super::next_fire::{next, next_within};
use super::trigger::TriggerSchedule;
use super::zone::TimeZone;
use crate::Timestamp;

const EVERY: &str = "@every ";
const AT: &str = "@at ";

/// When a schedule fires, as it was asked for: not yet tied to a zone or to a beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// By a pattern, on the wall clock of the zone.
    Cron(CronExpression),
    /// Again and again, after the same time has passed.
    Every(Interval),
    /// Once.
    At(AtTime),
}

/// When a schedule fires, on the whole: kind, zone and window, which meet at least once.
///
/// ```
/// use workflow_types::schedule::{TimeZone, Timing, When};
///
/// let noon = When::Cron("0 12 * * *".parse()?);
/// let now = "2026-01-31T09:00:00Z".parse()?;
/// let timing = Timing::resolve(noon, "Europe/Berlin".parse()?, None, now)?;
/// assert_eq!(timing.next(now), Some("2026-01-31T11:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    kind: TimingKind,
    zone: TimeZone,
    hours: Option<ActiveHours>,
}

/// The kinds of schedules, each with all that its fire times follow from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimingKind {
    /// By a pattern, on the wall clock of the zone.
    Cron(CronExpression),
    /// At the anchor, and whenever the interval has passed since.
    Every {
        /// The time between two fires, as it passes on a clock that is never set.
        interval: Interval,
        /// Where counting begins; kept for good.
        anchor: Timestamp,
    },
    /// Once.
    At(Timestamp),
}

/// Why a timing was refused although each of its parts is valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// Pattern and window never meet (rule A4).
    #[error(transparent)]
    Pattern(#[from] ScheduleConfigError),
    /// Interval and window never meet (rule A4).
    #[error(
        "an interval of {interval} from {anchor} on never fires inside the active hours {hours}; widen the hours or change the interval"
    )]
    Interval {
        /// The interval.
        interval: Interval,
        /// Its beginning.
        anchor: Timestamp,
        /// The window.
        hours: ActiveHours,
    },
    /// The one instant lies outside of the window (rule A4).
    #[error(
        "{at} is {wall} in {zone}, outside of the active hours {hours}; move it, or leave the hours out"
    )]
    Instant {
        /// The instant.
        at: Timestamp,
        /// What the clock on the wall shows then.
        wall: NaiveDateTime,
        /// The zone.
        zone: TimeZone,
        /// The window.
        hours: ActiveHours,
    },
    /// A local time that the clocks skip, or one beyond what can be written.
    #[error(transparent)]
    Local(#[from] AtTimeError),
}

impl Timing {
    /// Ties what was asked for to a zone, and an interval to its beginning.
    ///
    /// # Errors
    /// If nothing ever fires inside the window, or if the clocks of the zone skip a local time.
    pub fn resolve(
        when: When,
        zone: TimeZone,
        hours: Option<ActiveHours>,
        anchor: Timestamp,
    ) -> Result<Self, TimingError> {
        let kind = match when {
            When::Cron(pattern) => TimingKind::Cron(pattern),
            When::Every(interval) => TimingKind::Every { interval, anchor },
            When::At(at) => TimingKind::At(at.in_zone(zone)?),
        };
        Self::try_new(kind, zone, hours)
    }

    /// A timing of these parts.
    ///
    /// # Errors
    /// If nothing ever fires inside the window (rule A4).
    pub fn try_new(
        kind: TimingKind,
        zone: TimeZone,
        hours: Option<ActiveHours>,
    ) -> Result<Self, TimingError> {
        if let Some(hours) = &hours {
            kind.meets(zone, hours)?;
        }
        Ok(Self { kind, zone, hours })
    }

    /// The timing of a workflow's own trigger.
    pub fn of_trigger(trigger: &TriggerSchedule, default_zone: TimeZone) -> Self {
        Self {
            kind: TimingKind::Cron(trigger.cron().clone()),
            zone: trigger.timezone().unwrap_or(default_zone),
            hours: trigger.active_hours().cloned(),
        }
    }

    /// The kind, with all that its fire times follow from.
    pub fn kind(&self) -> &TimingKind {
        &self.kind
    }

    /// The zone in which pattern and window are read.
    pub fn zone(&self) -> TimeZone {
        self.zone
    }

    /// The window in which it may fire; `None` means always.
    pub fn hours(&self) -> Option<&ActiveHours> {
        self.hours.as_ref()
    }

    /// What was asked for, without zone and window.
    pub fn when(&self) -> When {
        match &self.kind {
            TimingKind::Cron(pattern) => When::Cron(pattern.clone()),
            TimingKind::Every { interval, .. } => When::Every(*interval),
            TimingKind::At(at) => When::At(AtTime::Instant(*at)),
        }
    }

    /// The first fire time strictly later than `after`; `None` if there is none up to the year
    /// 9999.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            TimingKind::Cron(pattern) => {
                let fire = match &self.hours {
                    None => next(pattern, self.zone, after.to_utc()),
                    Some(hours) => next_within(pattern, self.zone, hours, after.to_utc()),
                };
                fire.and_then(|fire| Timestamp::try_from(fire).ok())
            }
            TimingKind::Every { interval, anchor } => {
                let steps = Steps::new(*interval, *anchor);
                match &self.hours {
                    None => steps.next(after),
                    Some(hours) => steps.next_within(after, self.zone, hours),
                }
            }
            TimingKind::At(at) => (*at > after).then_some(*at),
        }
    }

    /// All fire times strictly later than `after`, in order.
    pub fn times(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.next(after), |last| self.next(*last))
    }

    /// The latest fire times strictly later than `after` and not later than `until`, at most
    /// `most` of them, in order; and whether there were earlier ones.
    ///
    /// What it costs depends on `most`, and not on how long the time between is.
    pub fn latest(&self, after: Timestamp, until: Timestamp, most: usize) -> Latest {
        let mut span = Duration::from_mins(1);
        loop {
            let from = back(until, span).max(after);
            let mut times = VecDeque::new();
            let mut are_earlier = false;
            for time in self.times(from).take_while(|time| *time <= until) {
                times.push_back(time);
                if times.len() > most {
                    times.pop_front();
                    are_earlier = true;
                }
            }
            if are_earlier || from == after {
                return Latest {
                    times: times.into(),
                    are_earlier,
                };
            }
            span = span.saturating_mul(4);
        }
    }

    /// Whether it names one instant only.
    pub fn is_once(&self) -> bool {
        matches!(self.kind, TimingKind::At(_))
    }
}

/// The latest fire times of a stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// The times, in order.
    pub times: Vec<Timestamp>,
    /// Whether the stretch had earlier ones.
    pub are_earlier: bool,
}

impl TimingKind {
    /// Refuses what never fires inside a window (rule A4).
    fn meets(&self, zone: TimeZone, hours: &ActiveHours) -> Result<(), TimingError> {
        match self {
            Self::Cron(pattern) => Ok(ScheduleConfigError::unless_met(pattern, hours)?),
            Self::Every { interval, anchor } => {
                let first = back(*anchor, Duration::from_millis(1));
                let steps = Steps::new(*interval, *anchor);
                match steps.next_within(first, zone, hours) {
                    Some(_) => Ok(()),
                    None => Err(TimingError::Interval {
                        interval: *interval,
                        anchor: *anchor,
                        hours: hours.clone(),
                    }),
                }
            }
            Self::At(at) if hours.contains_instant(zone, at.to_utc()) => Ok(()),
            Self::At(at) => Err(TimingError::Instant {
                at: *at,
                wall: zone.wall_time(at.to_utc()),
                zone,
                hours: hours.clone(),
            }),
        }
    }
}

/// As the command line and the database write it: a pattern, `@every 90s`, or `@at` an instant.
impl fmt::Display for TimingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(pattern) => pattern.fmt(f),
            Self::Every { interval, .. } => write!(f, "{EVERY}{interval}"),
            Self::At(at) => write!(f, "{AT}{at}"),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(pattern) => pattern.fmt(f),
            Self::Every(interval) => write!(f, "{EVERY}{interval}"),
            Self::At(at) => write!(f, "{AT}{at}"),
        }
    }
}

/// Why a text says of no kind when something fires.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// What stands there for a pattern is none.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// What stands behind `@every` is no interval.
    #[error(transparent)]
    Every(#[from] IntervalError),
    /// What stands behind `@at` is no time.
    #[error(transparent)]
    At(#[from] AtTimeError),
}

/// Reads a pattern, `@every 90s`, or `@at 2026-01-31T09:00`.
impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        let text = text.trim();
        if let Some(interval) = text.strip_prefix(EVERY) {
            return Ok(Self::Every(interval.trim().parse()?));
        }
        if let Some(at) = text.strip_prefix(AT) {
            return Ok(Self::At(at.trim().parse()?));
        }
        Ok(Self::Cron(text.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn timing(when: &str, hours: Option<(&str, &str)>) -> Result<Timing, TimingError> {
        let hours = hours.map(|(start, end)| {
            ActiveHours::every_day(start.parse().unwrap(), end.parse().unwrap()).unwrap()
        });
        let zone = "Europe/Berlin".parse().unwrap();
        let anchor = at("2026-03-28T09:00:00Z");
        Timing::resolve(when.parse().unwrap(), zone, hours, anchor)
    }

    fn next_three(timing: &Timing, after: &str) -> Vec<String> {
        let times = timing.times(at(after)).take(3);
        times.map(|time| time.to_string()).collect()
    }

    #[test]
    fn an_interval_counts_elapsed_time_from_its_anchor_whatever_the_clocks_do() {
        // The night between 28 and 29 March has one hour less in Berlin.
        let daily = timing("@every 1d", None).unwrap();
        assert_eq!(
            next_three(&daily, "2026-03-28T09:00:00Z"),
            [
                "2026-03-29T09:00:00.000Z",
                "2026-03-30T09:00:00.000Z",
                "2026-03-31T09:00:00.000Z"
            ]
        );
        // Not before the anchor, which is the first time itself.
        assert_eq!(
            daily.next(at("2020-01-01T00:00:00Z")),
            Some(at("2026-03-28T09:00:00Z"))
        );
    }

    #[test]
    fn an_interval_fires_only_inside_its_window() {
        let hourly = timing("@every 5h", Some(("09:00", "11:00"))).unwrap();
        for time in hourly.times(at("2026-03-28T09:00:00Z")).take(50) {
            assert!(
                hourly
                    .hours()
                    .unwrap()
                    .contains_instant(hourly.zone(), time.to_utc())
            );
        }
        let never = timing("@every 7d", Some(("13:00", "14:00"))).unwrap_err();
        assert!(never.to_string().contains("never fires inside"), "{never}");
    }

    #[test]
    fn one_instant_is_read_in_the_zone_at_its_first_pass_and_refused_where_clocks_skip_it() {
        let once = timing("@at 2026-10-25T02:30", None).unwrap();
        assert_eq!(*once.kind(), TimingKind::At(at("2026-10-25T00:30:00Z")));
        assert_eq!(once.next(at("2026-10-25T00:30:00Z")), None);
        let skipped = timing("@at 2026-03-29 02:30", None)
            .unwrap_err()
            .to_string();
        assert!(skipped.contains("03:00"), "{skipped}");
        let outside = timing("@at 2026-03-28T12:00", Some(("09:00", "11:00"))).unwrap_err();
        assert!(
            outside.to_string().contains("outside of the active hours"),
            "{outside}"
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "*/5 * * * *",
            "@daily",
            "@every 90s",
            "@at 2026-01-31T09:00:00.000Z",
            "@at 2026-01-31T09:00:00",
        ] {
            let when: When = text.parse().unwrap();
            assert_eq!(when.to_string(), text);
        }
        for text in ["@every 0s", "@every soon", "@at noon", "@every"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_latest_times_are_found_without_counting_from_the_beginning() {
        let secondly = timing("* * * * * *", None).unwrap();
        let until = at("2036-01-01T00:00:00Z");
        let latest = secondly.latest(at("2026-01-01T00:00:00Z"), until, 2);
        assert_eq!(latest.times, [at("2035-12-31T23:59:59Z"), until]);
        assert!(latest.are_earlier);
        let yearly = timing("@yearly", None).unwrap();
        let latest = yearly.latest(at("2026-06-01T00:00:00Z"), at("2028-06-01T00:00:00Z"), 2);
        assert_eq!((latest.times.len(), latest.are_earlier), (2, false));
        let latest = yearly.latest(at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"), 2);
        assert_eq!((latest.times, latest.are_earlier), (Vec::new(), false));
    }
}
