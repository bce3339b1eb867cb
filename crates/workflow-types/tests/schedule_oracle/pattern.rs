//! Cron patterns by the letter of rules P1 to P4: each value of each field is asked by itself.
//!
//! Shares no code with the library, keeps no sets, and is told only patterns that the library takes.

use chrono::{Datelike, NaiveDate, Weekday};

/// A pattern as its seven fields, in capital letters.
pub(crate) struct Pattern {
    second: String,
    minute: String,
    hour: String,
    day: String,
    month: String,
    weekday: String,
    year: String,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Pattern {
    /// P1: five fields, six with seconds first, seven with a year last, or a nickname.
    pub(crate) fn read(text: &str) -> Self {
        let text = text.to_ascii_uppercase();
        let text = match text.trim() {
            "@HOURLY" => "0 * * * *",
            "@DAILY" | "@MIDNIGHT" => "0 0 * * *",
            "@WEEKLY" => "0 0 * * 0",
            "@MONTHLY" => "0 0 1 * *",
            "@YEARLY" | "@ANNUALLY" => "0 0 1 1 *",
            fields => fields,
        };
        let mut fields: Vec<&str> = text.split_ascii_whitespace().collect();
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        if fields.len() == 6 {
            fields.push("*");
        }
        let [second, minute, hour, day, month, weekday, year] =
            <[&str; 7]>::try_from(fields).unwrap().map(str::to_owned);
        Self {
            second,
            minute,
            hour,
            day,
            month,
            weekday,
            year,
        }
    }

    /// T2: no `*`, `?` or step in seconds, minutes and hours.
    pub(crate) fn is_fixed_time(&self) -> bool {
        let times = [&self.second, &self.minute, &self.hour];
        !times.iter().any(|field| field.contains(['*', '?', '/']))
    }

    /// The times of day that match, in seconds.
    pub(crate) fn times(&self) -> Vec<i64> {
        let values = |field: &str, most: u32| -> Vec<u32> {
            let all = 0..=most;
            all.filter(|value| plain(field, *value, (0, most), &[]))
                .collect()
        };
        let (minutes, seconds) = (values(&self.minute, 59), values(&self.second, 59));
        let mut times = Vec::new();
        for hour in values(&self.hour, 23) {
            for minute in &minutes {
                let minutes = i64::from(hour * 60 + minute);
                times.extend(
                    seconds
                        .iter()
                        .map(|second| minutes * 60 + i64::from(*second)),
                );
            }
        }
        times
    }

    /// P3 and P4: whether a date matches.
    pub(crate) fn has(&self, date: NaiveDate) -> bool {
        let year = u32::try_from(date.year()).unwrap();
        if !plain(&self.year, year, (1970, 9999), &[])
            || !plain(&self.month, date.month(), (1, 12), &MONTHS)
        {
            return false;
        }
        let free = |field: &str| field == "*" || field == "?";
        let by_day = self.day.split(',').any(|item| day_of_month(item, date));
        let (weekday, both) = match self.weekday.strip_prefix('+') {
            Some(weekday) => (weekday, true),
            None => (self.weekday.as_str(), false),
        };
        let by_weekday = weekday.split(',').any(|item| day_of_week(item, date));
        match (free(&self.day), free(weekday)) {
            (true, true) => true,
            (true, false) => by_weekday,
            (false, true) => by_day,
            (false, false) if both => by_day && by_weekday,
            (false, false) => by_day || by_weekday,
        }
    }
}

/// `L`, `L-n`, `LW`, `nW` and what every field has.
fn day_of_month(item: &str, date: NaiveDate) -> bool {
    let last = last_of_month(date);
    if item == "L" {
        return date == last;
    }
    if item == "LW" {
        let mut day = last;
        while is_weekend(day) {
            day = day.pred_opt().unwrap();
        }
        return date == day;
    }
    if let Some(before) = item.strip_prefix("L-") {
        return date.day() + before.parse::<u32>().unwrap() == last.day();
    }
    if let Some(day) = item.strip_suffix('W') {
        let meant = date.with_day(day.parse().unwrap());
        return meant.is_some_and(|meant| date == nearest_workday(meant));
    }
    plain(item, date.day(), (1, 31), &[])
}

/// The working day of the same month that is nearest to a day.
fn nearest_workday(day: NaiveDate) -> NaiveDate {
    let distance = |other: &NaiveDate| (*other - day).num_days().abs();
    let month = (1..=31).filter_map(|number| day.with_day(number));
    let workdays = month.filter(|other| !is_weekend(*other));
    workdays.min_by_key(distance).unwrap()
}

/// `d#n`, `d#L`, `dL` and what every field has; 0 and 7 are Sunday.
fn day_of_week(item: &str, date: NaiveDate) -> bool {
    let number = date.weekday().num_days_from_sunday();
    let is = |day: &str| plain(day, number, (0, 6), &WEEKDAYS) || sunday_is_seven(day, number);
    let in_last_week = date.day() + 7 > last_of_month(date).day();
    if let Some((day, nth)) = item.split_once('#') {
        return is(day)
            && match nth {
                "L" => in_last_week,
                nth => date.day().div_ceil(7) == nth.parse::<u32>().unwrap(),
            };
    }
    match item.strip_suffix('L') {
        Some(day) => is(day) && in_last_week,
        None => is(item),
    }
}

/// Whether an item means a Sunday by 7, or by its name at the end of a range.
fn sunday_is_seven(item: &str, number: u32) -> bool {
    let item = item.replace("-SUN", "-7");
    number == 0 && !item.starts_with('*') && plain(&item, 7, (0, 7), &WEEKDAYS)
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn last_of_month(date: NaiveDate) -> NaiveDate {
    let days = [31, 30, 29, 28];
    days.into_iter().find_map(|day| date.with_day(day)).unwrap()
}

/// Whether a list of `*`, `a`, `a-b`, each perhaps with `/n`, has a value.
fn plain(field: &str, value: u32, (low, high): (u32, u32), names: &[&str]) -> bool {
    let number = |text: &str| match names.iter().position(|name| *name == text) {
        Some(position) => low + u32::try_from(position).unwrap(),
        None => text.parse().unwrap(),
    };
    field.split(',').any(|item| {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (first, last) = match range {
            "*" | "?" => (low, high),
            range => match range.split_once('-') {
                // The Sunday itself is asked about by its 7.
                Some((first, "SUN")) if names.len() == 7 => (number(first), 6),
                Some((first, last)) => (number(first), number(last)),
                None => (number(range), number(range)),
            },
        };
        (first..=last).contains(&value) && (value - first).is_multiple_of(step.parse().unwrap())
    })
}
