//! Draws patterns, windows and instants, the same for the same seed.

use chrono::{DateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::window::Window;

/// A source of numbers.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        // Seeds that differ in one bit begin far from each other; zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    pub(crate) fn between(&mut self, first: i64, last: i64) -> i64 {
        first + i64::try_from(self.below(u64::try_from(last - first + 1).unwrap())).unwrap()
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// A pattern with the finest field that is asked for; not every one fires.
    pub(crate) fn pattern(&mut self, seconds: bool) -> String {
        let minute = self.time_field(59);
        // The hours in which clocks change, more often than others.
        let hour = match self.below(3) {
            0 => self
                .one_of(&["*", "2", "1-3", "0", "0,1,2,3", "23", "*/2", "1-3/1"])
                .to_string(),
            1 => self.between(0, 3).to_string(),
            _ => self.time_field(23),
        };
        let days = [
            "*", "*", "*", "*", "?", "1", "L", "LW", "15W", "1W", "30W", "31", "L-3", "8-14",
            "*/3", "25-31", "1,15,L",
        ];
        let weekdays = [
            "*",
            "*",
            "*",
            "*",
            "?",
            "MON-FRI",
            "FRI-SUN",
            "SUN",
            "7",
            "0",
            "SUN#L",
            "0L",
            "6#5",
            "SUN#1,SUN#2",
            "+SUN",
            "+1-5",
            "FRI#L,SAT",
            "*/2",
        ];
        let months = ["*", "*", "*", "*", "3,10", "MAR-NOV", "*/2", "9-12", "APR"];
        let (day, weekday) = (*self.one_of(&days), *self.one_of(&weekdays));
        let five = format!("{minute} {hour} {day} {} {weekday}", self.one_of(&months));
        match self.below(8) {
            0 if seconds => format!("{} {five}", self.time_field(59)),
            1 => format!("{} {five}", self.between(0, 59)),
            2 => format!(
                "0 {five} {}",
                self.one_of(&["*", "1970-2099", "2001-2099/2"])
            ),
            _ => five,
        }
    }

    fn time_field(&mut self, most: i64) -> String {
        let (a, b) = (self.between(0, most), self.between(0, most));
        let (first, last) = (a.min(b), a.max(b));
        let step = self.between(1, (last - first).max(1));
        match self.below(9) {
            0 => "*".to_owned(),
            1 => format!("*/{}", self.between(1, most)),
            2 if first < last => format!("{first}-{last}"),
            3 if first < last => format!("{first}-{last}/{step}"),
            4 if first < last => format!("{first},{last}"),
            5 => "0".to_owned(),
            6 => "30".to_owned(),
            _ => a.to_string(),
        }
    }

    /// A window, half of the time.
    pub(crate) fn window(&mut self) -> Option<Window> {
        if self.below(2) == 0 {
            return None;
        }
        // Windows that end or begin in the night, more often than others.
        let bounds = [0, 60, 90, 120, 150, 180, 240, 360, 1_320, 1_410];
        let (start, end) = match self.below(2) {
            0 => (
                *self.one_of(&bounds),
                *self.one_of(&[60, 120, 180, 210, 360, 1_440]),
            ),
            _ => (self.between(0, 1_439), self.between(1, 1_440)),
        };
        let days = (self.below(2) == 0).then(|| {
            let count = self.between(1, 3);
            (0..count).map(|_| self.between(1, 7)).collect()
        });
        (start != end).then_some(Window { start, end, days })
    }
}

/// An instant at which the clocks of a zone change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) at: i64,
    /// Seconds by which they are put forward, or back.
    pub(crate) by: i32,
}

/// The changes of a zone between two instants, by a look a week.
pub(crate) fn changes(zone: Tz, first: DateTime<Utc>, last: DateTime<Utc>) -> Vec<Change> {
    const WEEK: usize = 7 * 86_400;
    let offset = |instant: i64| {
        let utc = DateTime::from_timestamp(instant, 0).unwrap().naive_utc();
        zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
    };
    let mut changes = Vec::new();
    let mut seen = first.timestamp();
    for instant in (seen..last.timestamp()).step_by(WEEK) {
        if offset(instant) != offset(seen) {
            let (mut before, mut after) = (seen, instant);
            while after - before > 1 {
                let middle = before.midpoint(after);
                if offset(middle) == offset(seen) {
                    before = middle;
                } else {
                    after = middle;
                }
            }
            let by = offset(after) - offset(before);
            changes.push(Change { at: after, by });
        }
        seen = instant;
    }
    changes
}
