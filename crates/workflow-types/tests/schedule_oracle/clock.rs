//! Fires by looking at every wall time that a pattern names, one after another (rules T2 to T5, A3).
//!
//! Converts with chrono-tz alone, from wall time to instant, where the library goes the other way.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::pattern::Pattern;
use super::window::Window;

/// A pattern in a zone, and perhaps a window.
pub(crate) struct Oracle<'a> {
    pattern: &'a Pattern,
    times: Vec<i64>,
    zone: Tz,
    window: Option<&'a Window>,
    /// The gap that was found last.
    gap: RefCell<Option<Range<NaiveDateTime>>>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(pattern: &'a Pattern, zone: Tz, window: Option<&'a Window>) -> Self {
        Self {
            pattern,
            times: pattern.times(),
            zone,
            window,
            gap: RefCell::new(None),
        }
    }

    /// Every fire later than `after` and not later than `until`.
    pub(crate) fn fires(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        // No wall clock is further from UTC, and no gap that is made up for is longer.
        let margin = TimeDelta::hours(20);
        let (first, last) = (after.naive_utc() - margin, until.naive_utc() + margin);
        let mut fires = BTreeSet::new();
        for date in first
            .date()
            .iter_days()
            .take_while(|date| *date <= last.date())
        {
            if !self.pattern.has(date) {
                continue;
            }
            let midnight = date.and_hms_opt(0, 0, 0).unwrap();
            let walls = self
                .times
                .iter()
                .map(|time| midnight + TimeDelta::seconds(*time));
            for wall in walls.filter(|wall| (first..=last).contains(wall) && self.is_inside(*wall))
            {
                let instants = self.instants(wall);
                fires.extend(instants.into_iter().flatten().filter(|instant| {
                    self.is_inside(instant.with_timezone(&self.zone).naive_local())
                }));
            }
        }
        let asked = |instant: &DateTime<Utc>| after < *instant && *instant <= until;
        fires.into_iter().filter(asked).collect()
    }

    fn is_inside(&self, wall: NaiveDateTime) -> bool {
        self.window.is_none_or(|window| window.contains(wall))
    }

    /// When a wall time that the pattern names fires: T3 and T4.
    fn instants(&self, wall: NaiveDateTime) -> [Option<DateTime<Utc>>; 2] {
        let fixed = self.pattern.is_fixed_time();
        let shown = self.zone.from_local_datetime(&wall);
        match (shown.earliest(), shown.latest()) {
            (Some(first), Some(_)) if fixed => [Some(first.to_utc()), None],
            (Some(first), Some(last)) => [Some(first.to_utc()), Some(last.to_utc())],
            (None, _) | (_, None) if fixed => {
                let gap = self.gap(wall);
                let bridged = gap.end - gap.start <= TimeDelta::hours(3);
                let end = self.zone.from_local_datetime(&gap.end).earliest().unwrap();
                [bridged.then(|| end.to_utc()), None]
            }
            (None, _) | (_, None) => [None, None],
        }
    }

    /// The wall times around one that the clocks skip.
    fn gap(&self, wall: NaiveDateTime) -> Range<NaiveDateTime> {
        if let Some(gap) = self.gap.borrow().as_ref().filter(|gap| gap.contains(&wall)) {
            return gap.clone();
        }
        let exists =
            |wall: NaiveDateTime| self.zone.from_local_datetime(&wall).earliest().is_some();
        let (minute, second) = (TimeDelta::minutes(1), TimeDelta::seconds(1));
        let (mut start, mut end) = (wall, wall);
        while !exists(start - minute) {
            start -= minute;
        }
        while !exists(start - second) {
            start -= second;
        }
        while !exists(end + minute) {
            end += minute;
        }
        while !exists(end) {
            end += second;
        }
        self.gap.replace(Some(start..end));
        start..end
    }
}
