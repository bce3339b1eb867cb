//! When a pattern fires in a zone: gaps, overlaps and active hours (rules T2 to T5, A3, A4).
//!
//! The only module that knows both patterns and zones. Takes `after`, reads no clock.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::active_hours::ActiveHours;
use super::cron::CronExpression;
use super::cron::calendar::DAY;
use super::zone::{NEAR, TimeZone, wall_from_seconds};

/// Longest gap, in seconds, after which a fixed-time job still fires (rule T3).
pub(super) const LONGEST_BRIDGED_GAP: i64 = 3 * 3_600;

/// Days without a fire inside the window after which the search asks whether there is any.
const PATIENCE: u32 = 64;

/// A fire: the wall time that the pattern names, and the instant at which it happens.
///
/// The two differ by the zone's offset, except after a gap, where a fixed-time job fires
/// at the first instant that exists again (rule T3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fire {
    nominal: NaiveDateTime,
    instant: DateTime<Utc>,
}

impl Fire {
    /// The wall time in the schedule's zone that the pattern names.
    pub fn nominal(&self) -> NaiveDateTime {
        self.nominal
    }

    /// When it happens.
    pub fn instant(&self) -> DateTime<Utc> {
        self.instant
    }
}

/// The first instant strictly later than `after` at which the pattern fires in the zone;
/// `None` when there is none up to the year 9999.
///
/// ```
/// use workflow_types::schedule::{CronExpression, next};
///
/// // The night in which Berlin skips 02:00 to 03:00 (rule T3).
/// let cron = CronExpression::parse("30 2 * * *")?;
/// let fire = next(&cron, "Europe/Berlin".parse()?, "2026-03-28T12:00:00Z".parse()?);
/// assert_eq!(fire, Some("2026-03-29T01:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn next(cron: &CronExpression, zone: TimeZone, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Search::new(cron, zone)
        .first(after)
        .map(|fire| fire.instant)
}

/// Like [`next`], counting only fires inside the active hours: nominal wall time and real
/// instant both (rules A3 and A4). `None` when they never meet.
pub fn next_within(
    cron: &CronExpression,
    zone: TimeZone,
    hours: &ActiveHours,
    after: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    Search::new(cron, zone).within(hours).first_instant(after)
}

/// All fires after an instant, in order and without duplicates (rule T5).
///
/// ```
/// use workflow_types::schedule::{CronExpression, TimeZone, fires_after};
///
/// let cron = CronExpression::parse("@daily")?;
/// let next_two: Vec<String> = fires_after(&cron, TimeZone::UTC, "2026-02-27T00:00:00Z".parse()?)
///     .take(2)
///     .map(|fire| fire.instant().to_string())
///     .collect();
/// assert_eq!(next_two, ["2026-02-28 00:00:00 UTC", "2026-03-01 00:00:00 UTC"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fires_after(cron: &CronExpression, zone: TimeZone, after: DateTime<Utc>) -> Fires<'_> {
    Fires {
        search: Search::new(cron, zone),
        after: Some(after),
    }
}

/// Like [`fires_after`], inside the active hours only (rule A4).
pub fn fires_within<'a>(
    cron: &'a CronExpression,
    zone: TimeZone,
    hours: &'a ActiveHours,
    after: DateTime<Utc>,
) -> Fires<'a> {
    Fires {
        search: Search::new(cron, zone).within(hours),
        after: Some(after),
    }
}

/// Iterator of [`fires_after`] and [`fires_within`].
#[derive(Clone, Debug)]
pub struct Fires<'a> {
    search: Search<'a>,
    after: Option<DateTime<Utc>>,
}

impl Iterator for Fires<'_> {
    type Item = Fire;

    fn next(&mut self) -> Option<Fire> {
        let fire = self.search.first(self.after?);
        self.after = fire.map(|fire| fire.instant);
        fire
    }
}

impl std::iter::FusedIterator for Fires<'_> {}

#[derive(Clone, Debug)]
struct Search<'a> {
    cron: &'a CronExpression,
    zone: TimeZone,
    hours: Option<&'a ActiveHours>,
}

impl<'a> Search<'a> {
    fn new(cron: &'a CronExpression, zone: TimeZone) -> Self {
        Self {
            cron,
            zone,
            hours: None,
        }
    }

    fn within(self, hours: &'a ActiveHours) -> Self {
        Self {
            hours: Some(hours),
            ..self
        }
    }

    fn first(&self, after: DateTime<Utc>) -> Option<Fire> {
        let (nominal, instant) = self.first_seconds(after.timestamp())?;
        Some(Fire {
            nominal: wall_from_seconds(nominal),
            instant: DateTime::from_timestamp(instant, 0)?,
        })
    }

    fn first_instant(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (_, instant) = self.first_seconds(after.timestamp())?;
        DateTime::from_timestamp(instant, 0)
    }

    /// Nominal wall time and instant of the first fire after `after`, in seconds.
    ///
    /// Tries first whether no transition is anywhere near, which one or two looks at the
    /// zone tell: around `after`, where a repeated hour would matter (rule T4), and before
    /// the fire.
    fn first_seconds(&self, after: i64) -> Option<(i64, i64)> {
        let anchor = if self.cron.is_fixed_time() {
            after - DAY
        } else {
            after
        };
        let here = self.zone.span(anchor);
        let nominal = self.next_wall(after + here.offset + 1)?;
        let instant = nominal - here.offset;
        if instant < here.end {
            return Some((nominal, instant));
        }
        if after + DAY < here.end && instant - after > NEAR {
            let there = self.zone.span(instant - NEAR);
            let instant = nominal - there.offset;
            if instant < there.end {
                return Some((nominal, instant));
            }
        }
        self.search(after)
    }

    /// Nominal wall time and instant of the first fire after `after`, in seconds.
    ///
    /// The instants up to `position` and the wall times before `wall` are done with.
    /// Between two transitions wall and instant run in step, so a matching wall time is
    /// the fire unless a transition lies before it.
    fn search(&self, after: i64) -> Option<(i64, i64)> {
        let mut position = after;
        let mut offset = self.zone.offset(position);
        let mut wall = self.first_undone_wall(after, offset);
        loop {
            let nominal = self.next_wall(wall)?;
            let instant = nominal - offset;
            let far = instant - position > NEAR;
            let horizon = if far { position + DAY } else { instant };
            if self.zone.offset(horizon) == offset {
                if !far {
                    return Some((nominal, instant));
                }
                // No fire lies between: nothing matches before `nominal`, and clocks that
                // go back later cannot repeat a wall time that is more than a day old.
                position = instant - NEAR;
                offset = self.zone.offset(position);
                wall = nominal;
                continue;
            }
            let transition = self.zone.transition(position, horizon);
            let new_offset = self.zone.offset(transition);
            let (ends, begins) = (transition + offset, transition + new_offset);
            if self.bridges(nominal, ends, begins) {
                return Some((nominal, transition));
            }
            wall = if self.cron.is_fixed_time() {
                ends.max(begins)
            } else {
                begins
            };
            position = transition;
            offset = new_offset;
        }
    }

    /// The wall time to search from. Usually the second after `after`; but fixed-time
    /// jobs do not fire again while the clocks repeat themselves (rule T4).
    fn first_undone_wall(&self, after: i64, offset: i64) -> i64 {
        let wall = after + offset + 1;
        if !self.cron.is_fixed_time() {
            return wall;
        }
        let before = after - DAY;
        let old = self.zone.offset(before);
        if old > offset {
            wall.max(self.zone.transition(before, after) + old)
        } else {
            wall
        }
    }

    /// Whether a nominal time in the gap `ends..begins` fires at the gap's end (rule T3),
    /// which must lie inside the active hours as well (rule A3).
    fn bridges(&self, nominal: i64, ends: i64, begins: i64) -> bool {
        self.cron.is_fixed_time()
            && nominal < begins
            && begins - ends <= LONGEST_BRIDGED_GAP
            && self
                .hours
                .is_none_or(|hours| hours.contains_seconds(begins))
    }

    /// The first wall time at or after `from` that matches pattern and window.
    fn next_wall(&self, from: i64) -> Option<i64> {
        let sets = self.cron.sets();
        let Some(hours) = self.hours else {
            return sets.next_wall(from);
        };
        let mut wall = sets.next_wall(from)?;
        let mut misses = 0;
        while !hours.contains_seconds(wall) {
            misses += 1;
            if misses == PATIENCE && !hours.ever_meets(self.cron) {
                return None;
            }
            wall = sets.next_wall(hours.next_opening(wall))?;
        }
        Some(wall)
    }
}
