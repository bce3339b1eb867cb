//! A pattern in English words: `saffron` for what it knows, our own words for the rest.
//!
//! `saffron` gets the time of day and at most one plain day field, always in normal form:
//! it panics on some other strings, counts weekdays from another day, and calls "either
//! day" "and". Seconds, years, `L`, `W`, `#` and pairs of day fields are put into words here.

use saffron::parse::{CronExpr, English, HourFormat};

use super::days::{DayRule, Days, bits};
use super::field::Field;
use super::normal;
use super::sets::{Sets, YearRange};

/// The sentence, without a full stop.
pub(super) fn describe(sets: &Sets) -> String {
    let mut text = seconds(sets);
    let (shared, rest) = days(sets);
    match shared.strip_prefix("Every minute") {
        Some(rest) if text.starts_with("Every") => text.push_str(rest),
        Some(_) | None => append(&mut text, &shared),
    }
    text.push_str(&rest);
    if !sets.years.0.is_empty() {
        let years = sets.years.0.iter().map(year).collect();
        text.push_str(" in ");
        text.push_str(&list(years, "and"));
    }
    text
}

/// What `saffron` says, and what is added to it about days and months.
fn days(sets: &Sets) -> (String, String) {
    let days = &sets.days;
    let plain_month_days = days.nearest_weekday == 0 && days.before_last == 0 && !days.last_weekday;
    let plain_weekdays = days.nth == [0; 5] && days.last == 0;
    let month = normal::month(sets.months);
    let shared = match days.rule {
        DayRule::Every => Some(format!("* {month} *")),
        DayRule::OfMonth if plain_month_days => {
            Some(format!("{} {month} *", normal::plain_days(days.of_month)))
        }
        DayRule::OfWeek if plain_weekdays => Some(format!(
            "* {month} {}",
            normal::plain_weekdays(days.of_week)
        )),
        DayRule::OfMonth | DayRule::OfWeek | DayRule::Either | DayRule::Both => None,
    };
    match shared {
        Some(day_fields) => (by_saffron(sets, &day_fields), String::new()),
        None => (by_saffron(sets, "* * *"), own_days(sets)),
    }
}

/// `saffron`'s words for a pattern of the grammar that it shares with us.
fn by_saffron(sets: &Sets, day_fields: &str) -> String {
    let [_, minute, hour] = normal::time_fields(sets);
    let pattern = format!("{minute} {hour} {day_fields}");
    let mut english = English::new();
    english.hour = HourFormat::Hour24;
    // It reads every normal form of this grammar; the pattern itself is the way out.
    pattern.parse::<CronExpr>().map_or_else(
        |_| format!("At {pattern}"),
        |expression| expression.describe(english).to_string(),
    )
}

/// Days that `saffron` cannot say or says misleadingly, with their months.
fn own_days(sets: &Sets) -> String {
    let days = &sets.days;
    let by_month = format!("on {}", list(month_days(days), "and"));
    let by_week = format!("on {}", list(weekdays(days), "and"));
    let chosen = match days.rule {
        DayRule::Every => return String::new(),
        DayRule::OfMonth => by_month,
        DayRule::OfWeek => by_week,
        DayRule::Either => format!("{by_month} or {by_week}"),
        DayRule::Both => format!("{by_month}, but only {by_week},"),
    };
    let months: Vec<String> = bits(low_bits(sets.months)).filter_map(month_name).collect();
    if months.len() == 12 {
        format!(" {chosen} of every month")
    } else {
        format!(" {chosen} of {}", list(months, "and"))
    }
}

fn month_days(days: &Days) -> Vec<String> {
    let mut parts = plain_month_days(days.of_month);
    parts.extend(
        bits(days.nearest_weekday).map(|day| format!("the weekday nearest the {}", ordinal(day))),
    );
    parts.extend(bits(days.before_last).map(|before| match before {
        0 => "the last day".to_owned(),
        1 => "the day before the last day".to_owned(),
        before => format!("{before} days before the last day"),
    }));
    if days.last_weekday {
        parts.push("the last weekday".to_owned());
    }
    parts
}

fn plain_month_days(days: u32) -> Vec<String> {
    if let Some((first, last, step)) = normal::progression(u64::from(days)) {
        let (step, first, last) = (ordinal(step), ordinal(first), ordinal(last));
        return vec![format!("every {step} day from the {first} to the {last}")];
    }
    runs(days)
        .map(|(first, last)| match last - first {
            0 => format!("the {}", ordinal(first)),
            _ => format!("the {} to {}", ordinal(first), ordinal(last)),
        })
        .collect()
}

fn weekdays(days: &Days) -> Vec<String> {
    let mut parts: Vec<String> = bits(u32::from(days.of_week)).map(day_name).collect();
    for (nth, set) in (1..).zip(days.nth) {
        parts.extend(
            bits(u32::from(set)).map(|day| format!("the {} {}", ordinal(nth), day_name(day))),
        );
    }
    parts.extend(bits(u32::from(days.last)).map(|day| format!("the last {}", day_name(day))));
    parts
}

/// Nothing for second 0, which is what a pattern without seconds means.
fn seconds(sets: &Sets) -> String {
    let every = Field::Second.last() + 1;
    if sets.seconds == 1 {
        return String::new();
    }
    if sets.seconds.count_ones() == every {
        return "Every second".to_owned();
    }
    let [second, _, _] = normal::time_fields(sets);
    if let Some(step) = second.strip_prefix("*/") {
        return format!("Every {step} seconds");
    }
    let word = if sets.seconds.is_power_of_two() {
        "second"
    } else {
        "seconds"
    };
    let values = second
        .split(',')
        .map(|value| value.replace('-', " to "))
        .collect();
    format!("At {word} {}", list(values, "and")).replace('/', " by ")
}

fn append(text: &mut String, clause: &str) {
    if text.is_empty() {
        text.push_str(clause);
        return;
    }
    let mut rest = clause.chars();
    text.push_str(", ");
    text.extend(rest.next().map(|first| first.to_ascii_lowercase()));
    text.push_str(rest.as_str());
}

fn year(range: &YearRange) -> String {
    let YearRange { first, last, step } = range;
    match (first == last, step) {
        (true, _) => first.to_string(),
        (false, 1) => format!("{first} to {last}"),
        (false, _) => format!("every {} year from {first} to {last}", ordinal(*step)),
    }
}

fn list(mut parts: Vec<String>, conjunction: &str) -> String {
    let Some(last) = parts.pop() else {
        return String::new();
    };
    if parts.is_empty() {
        last
    } else {
        format!("{} {conjunction} {last}", parts.join(", "))
    }
}

/// First and last of each run of set bits.
fn runs(set: u32) -> impl Iterator<Item = (u32, u32)> {
    let starts = bits(set & !(set << 1));
    let ends = bits(set & !(set >> 1));
    starts.zip(ends)
}

fn ordinal(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

fn day_name(day: u32) -> String {
    const NAMES: [&str; 7] = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    NAMES
        .get(day as usize)
        .copied()
        .unwrap_or_default()
        .to_owned()
}

fn month_name(month: u32) -> Option<String> {
    let month = u8::try_from(month).ok()?;
    chrono::Month::try_from(month)
        .ok()
        .map(|month| month.name().to_owned())
}

#[expect(clippy::cast_possible_truncation, reason = "months are bits 1 to 12")]
fn low_bits(months: u64) -> u32 {
    months as u32
}
