//! A pattern as bit sets per field, and the search for the next matching wall time.
//!
//! Wall times are seconds since 1970-01-01T00:00 of an unnamed local clock: no zones here.

use super::calendar::{DAY, Date, is_leap, month_length, weekday};
use super::days::{Days, spread};
use super::field::{FIRST_YEAR, LAST_YEAR};

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
        let every = YearRange {
            first: FIRST_YEAR,
            last: LAST_YEAR,
            step: 1,
        };
        if self.0.contains(&every) {
            self.0.clear();
        }
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
        let day = from.div_euclid(DAY);
        if self.matches_day(day)
            && let Some(time) = self.time_at_or_after(from.rem_euclid(DAY))
        {
            return Some(day * DAY + time);
        }
        let day = self.next_day(day + 1)?;
        Some(day * DAY + self.first_time())
    }

    /// Whether any matching day, in the whole 400-year cycle, falls on one of `weekdays`
    /// (bit 0 is Sunday).
    ///
    /// Days follow from leap or not and the weekday of 1 January alone, so the fourteen
    /// kinds of year are the cycle.
    pub(crate) fn ever_on(&self, weekdays: u8) -> bool {
        let mut seen = 0_u16;
        let mut year = FIRST_YEAR;
        while let Some(named) = self.years.at_or_after(year)
            && seen != 0b11_1111_1111_1111
        {
            let leap = is_leap(named.cast_signed());
            let first = weekday(day_number(named, 1, 1));
            let kind = 1 << (first * 2 + u32::from(leap));
            if seen & kind == 0 {
                seen |= kind;
                if self.in_kind_of_year(leap, first, weekdays) {
                    return true;
                }
            }
            year = named + 1;
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

    fn matches_day(&self, number: i64) -> bool {
        let date = Date::from_day_number(number);
        u32::try_from(date.year).is_ok_and(|year| self.years.at_or_after(year) == Some(year))
            && self.months & (1 << date.month) != 0
            && self.days_of(date.year, date.month) & (1 << date.day) != 0
    }

    /// First matching day at or after a day number.
    fn next_day(&self, number: i64) -> Option<i64> {
        let date = Date::from_day_number(number);
        let from = u32::try_from(date.year).map_or(FIRST_YEAR, |year| year.max(FIRST_YEAR));
        let mut year = self.years.at_or_after(from)?;
        let starts_here = i64::from(year) == i64::from(date.year);
        let (mut month, mut unseen) = if starts_here {
            (date.month, u32::MAX << date.day)
        } else {
            (1, u32::MAX)
        };
        loop {
            let months = self.months & (u64::MAX << month);
            if months == 0 {
                year = self.years.at_or_after(year + 1)?;
                (month, unseen) = (1, u32::MAX);
                continue;
            }
            let found = months.trailing_zeros();
            if found != month {
                unseen = u32::MAX;
            }
            let days = self.days_of(year.cast_signed(), found) & unseen;
            if days != 0 {
                return Some(day_number(year, found, days.trailing_zeros()));
            }
            (month, unseen) = (found + 1, u32::MAX);
        }
    }

    fn days_of(&self, year: i32, month: u32) -> u32 {
        let first = Date {
            year,
            month,
            day: 1,
        }
        .day_number();
        self.days
            .in_month(month_length(month, is_leap(year)), weekday(first))
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
