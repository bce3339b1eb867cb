//! A pattern as bit sets per field, and the search for the next matching wall time.
//!
//! Wall times are seconds since 1970-01-01T00:00 of an unnamed local clock: no zones here.

use super::calendar::{DAY, Date, is_leap, month_length, weekday};
use super::days::{Days, spread};
use super::field::{FIRST_YEAR, LAST_YEAR};

/// Years after which leap days and weekdays repeat.
const CYCLE: u32 = 400;
/// A bit for each kind of year: leap or not, and the weekday of 1 January.
const EVERY_KIND: u16 = 0b11_1111_1111_1111;

/// Years that a pattern names, as ranges with steps; none means every year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Years(pub(super) Vec<YearRange>);

/// `first-last/step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct YearRange {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) step: u32,
}

impl Years {
    /// Forgets ranges that together with `*` mean every year.
    pub(super) fn simplify(&mut self) {
        if self.0.contains(&YearRange::EVERY) {
            self.0.clear();
        }
    }

    /// Named years, among them one of each place in the 400-year cycle that any of them has, and
    /// few of the same.
    fn of_each_kind(&self) -> impl Iterator<Item = u32> {
        let every = self.0.is_empty().then_some(YearRange::EVERY);
        let mut seen = [false; CYCLE as usize];
        let ranges = self.0.iter().copied().chain(every);
        ranges
            .flat_map(YearRange::of_each_kind)
            .filter(move |year| !std::mem::replace(&mut seen[(year % CYCLE) as usize], true))
    }

    /// The first named year at or after `year`.
    pub(super) fn at_or_after(&self, year: u32) -> Option<u32> {
        if self.0.is_empty() {
            return (year <= LAST_YEAR).then_some(year);
        }
        self.0
            .iter()
            .filter_map(|range| range.at_or_after(year))
            .min()
    }
}

impl YearRange {
    const EVERY: Self = Self {
        first: FIRST_YEAR,
        last: LAST_YEAR,
        step: 1,
    };

    /// Its years until their places in the cycle repeat.
    fn of_each_kind(self) -> impl Iterator<Item = u32> {
        let years = (self.first..=self.last).step_by(self.step as usize);
        let repeats =
            move |year: &u32| *year != self.first && (year - self.first).is_multiple_of(CYCLE);
        years.take_while(move |year| !repeats(year))
    }

    fn at_or_after(self, year: u32) -> Option<u32> {
        let steps = year.saturating_sub(self.first).div_ceil(self.step);
        let found = self.first + steps * self.step;
        (found <= self.last).then_some(found)
    }
}

/// Everything that decides when a pattern matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sets {
    pub(super) seconds: u64,
    pub(super) minutes: u64,
    pub(super) hours: u64,
    pub(super) days: Days,
    /// Bit 1 is January.
    pub(super) months: u64,
    pub(super) years: Years,
    /// A `*` or a step in seconds, minutes or hours (rule T2).
    pub(super) interval: bool,
}

impl Sets {
    /// The first matching wall time at or after `from`; none after the year 9999.
    pub(crate) fn next_wall(&self, from: i64) -> Option<i64> {
        let today = from.div_euclid(DAY);
        let date = Date::from_day_number(today);
        let days = self.days_around(date, today);
        if days & (1 << date.day) != 0
            && let Some(time) = self.time_at_or_after(from.rem_euclid(DAY))
        {
            return Some(today * DAY + time);
        }
        let later = days & (u32::MAX << date.day << 1);
        let day = if later == 0 {
            self.first_day_after_month(date)?
        } else {
            today - i64::from(date.day) + i64::from(later.trailing_zeros())
        };
        Some(day * DAY + self.first_time())
    }

    /// Whether any matching day, in the whole 400-year cycle, falls on one of `weekdays`
    /// (bit 0 is Sunday).
    ///
    /// Days follow from leap or not and the weekday of 1 January alone, so the fourteen
    /// kinds of year are the cycle.
    pub(crate) fn ever_on(&self, weekdays: u8) -> bool {
        let mut seen = 0_u16;
        for year in self.years.of_each_kind() {
            let leap = is_leap(year.cast_signed());
            let first = weekday(day_number(year, 1, 1));
            let kind = 1 << (first * 2 + u32::from(leap));
            if seen & kind == 0 {
                seen |= kind;
                if self.in_kind_of_year(leap, first, weekdays) {
                    return true;
                }
            }
            if seen == EVERY_KIND {
                return false;
            }
        }
        false
    }

    fn in_kind_of_year(&self, leap: bool, first_of_year: u32, weekdays: u8) -> bool {
        let mut first = first_of_year;
        for month in 1..=12 {
            let length = month_length(month, leap);
            if self.months & (1 << month) != 0
                && self.days.in_month(length, first) & spread(weekdays, length, first) != 0
            {
                return true;
            }
            first = (first + length) % 7;
        }
        false
    }

    /// First matching time of day at or after `from`, both in seconds.
    pub(crate) fn time_at_or_after(&self, from: i64) -> Option<i64> {
        let (hour, minute, second) = (from / 3_600, from / 60 % 60, from % 60);
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = next_bit(self.seconds, second)
            {
                return Some(hour * 3_600 + minute * 60 + second);
            }
            if let Some(minute) = next_bit(self.minutes, minute + 1) {
                return Some(hour * 3_600 + minute * 60 + lowest(self.seconds));
            }
        }
        let hour = next_bit(self.hours, hour + 1)?;
        Some(hour * 3_600 + lowest(self.minutes) * 60 + lowest(self.seconds))
    }

    fn first_time(&self) -> i64 {
        lowest(self.hours) * 3_600 + lowest(self.minutes) * 60 + lowest(self.seconds)
    }

    /// Matching days of the month of `date`, whose day number is `today`; none if year or
    /// month do not match.
    fn days_around(&self, date: Date, today: i64) -> u32 {
        let named = u32::try_from(date.year)
            .is_ok_and(|year| year >= FIRST_YEAR && self.years.at_or_after(year) == Some(year));
        if !named || self.months & (1 << date.month) == 0 {
            return 0;
        }
        let first = weekday(today - i64::from(date.day) + 1);
        self.days
            .in_month(month_length(date.month, is_leap(date.year)), first)
    }

    /// First matching day in a later month than that of `date`.
    fn first_day_after_month(&self, date: Date) -> Option<i64> {
        let from = u32::try_from(date.year).map_or(FIRST_YEAR, |year| year.max(FIRST_YEAR));
        let mut year = self.years.at_or_after(from)?;
        let starts_here = i64::from(year) == i64::from(date.year);
        let mut month = if starts_here { date.month + 1 } else { 1 };
        loop {
            let months = self.months & (u64::MAX << month);
            if months == 0 {
                year = self.years.at_or_after(year + 1)?;
                month = 1;
                continue;
            }
            let found = months.trailing_zeros();
            let first = day_number(year, found, 1);
            let length = month_length(found, is_leap(year.cast_signed()));
            let days = self.days.in_month(length, weekday(first));
            if days != 0 {
                return Some(first - 1 + i64::from(days.trailing_zeros()));
            }
            month = found + 1;
        }
    }
}

fn day_number(year: u32, month: u32, day: u32) -> i64 {
    Date {
        year: year.cast_signed(),
        month,
        day,
    }
    .day_number()
}

fn has(set: u64, value: i64) -> bool {
    set >> value & 1 != 0
}

/// Lowest member at or above `from`, which is at most 60.
fn next_bit(set: u64, from: i64) -> Option<i64> {
    let rest = set & (u64::MAX << from);
    (rest != 0).then(|| i64::from(rest.trailing_zeros()))
}

/// Lowest member of a set that is never empty.
fn lowest(set: u64) -> i64 {
    i64::from(set.trailing_zeros())
}
