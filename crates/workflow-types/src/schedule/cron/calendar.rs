//! Arithmetic of the Gregorian calendar on day numbers.
//!
//! Knows no patterns, zones or clocks. Hand-written rather than chrono's, because the
//! search works on plain numbers and may not fail halfway.

/// Seconds in a day without a transition.
pub(crate) const DAY: i64 = 86_400;

/// A date of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i32,
    /// 1 to 12.
    pub(crate) month: u32,
    /// 1 to 31.
    pub(crate) day: u32,
}

impl Date {
    /// The date of a day counted from 1970-01-01.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "parts of a day within an era are small and not negative"
    )]
    pub(crate) fn from_day_number(number: i64) -> Self {
        // Eras of 400 years that begin on 1 March, so that leap days come last.
        let shifted = number + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: year as i32,
            month: month as u32,
            day: day as u32,
        }
    }

    /// Days since 1970-01-01.
    pub(crate) fn day_number(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let shifted_month = (i64::from(self.month) + 9) % 12;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

/// Day of the week of a day number: 0 is Sunday, 6 is Saturday.
#[expect(clippy::cast_possible_truncation, reason = "the remainder is 0 to 6")]
pub(crate) fn weekday(day_number: i64) -> u32 {
    (day_number + 4).rem_euclid(7) as u32
}

/// Whether a year has a 29 February.
pub(crate) fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month (1 to 12), 28 to 31.
pub(crate) fn month_length(month: u32, leap: bool) -> u32 {
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate, TimeDelta};

    #[test]
    fn agrees_with_chrono_for_two_cycles() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for number in -146_097..2 * 146_097 {
            let theirs = epoch + TimeDelta::days(number);
            let ours = Date::from_day_number(number);
            assert_eq!(
                (ours.year, ours.month, ours.day),
                (theirs.year(), theirs.month(), theirs.day())
            );
            assert_eq!(ours.day_number(), number);
            assert_eq!(weekday(number), theirs.weekday().num_days_from_sunday());
            assert_eq!(is_leap(ours.year), theirs.leap_year());
            assert!(ours.day <= month_length(ours.month, is_leap(ours.year)));
        }
    }
}
