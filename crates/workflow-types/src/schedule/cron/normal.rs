//! Writes bit sets back as a pattern: the normal form.
//!
//! Ranges never wrap and days are named, which is also what `saffron` reads rightly.

use super::days::{DayRule, Days, bits};
use super::field::{Field, WEEKDAYS};
use super::sets::{Sets, YearRange};

/// The whole pattern; seconds and years only where they say something.
pub(super) fn pattern(sets: &Sets) -> String {
    let [second, minute, hour] = time_fields(sets);
    let mut fields = vec![minute, hour, day_of_month(&sets.days), month(sets.months)];
    fields.push(day_of_week(&sets.days));
    let years: Vec<String> = sets.years.0.iter().map(year).collect();
    if sets.seconds != 1 || !years.is_empty() {
        fields.insert(0, second);
    }
    if !years.is_empty() {
        fields.push(years.join(","));
    }
    fields.join(" ")
}

/// Second, minute and hour, in a form that keeps the kind of job (rule T2): a fixed-time
/// job gets no `*` and no step, an interval job at least one.
pub(super) fn time_fields(sets: &Sets) -> [String; 3] {
    let second = numbers(sets.seconds, Field::Second, sets.interval);
    let minute = numbers(sets.minutes, Field::Minute, sets.interval);
    let hour = numbers(sets.hours, Field::Hour, sets.interval);
    let mut fields = [second, minute, hour];
    if sets.interval && !fields.iter().any(|field| field.contains(['*', '/'])) {
        let [_, _, hour] = &mut fields;
        let (first, rest) = hour.split_once(',').unwrap_or((hour.as_str(), ""));
        let range = if first.contains('-') {
            format!("{first}/1")
        } else {
            format!("{first}-{first}/1")
        };
        *hour = if rest.is_empty() {
            range
        } else {
            format!("{range},{rest}")
        };
    }
    fields
}

/// Months by name; `*` for all.
pub(super) fn month(months: u64) -> String {
    if months == all(Field::Month) {
        "*".to_owned()
    } else {
        items(months, Field::Month).join(",")
    }
}

fn day_of_month(days: &Days) -> String {
    match days.rule {
        DayRule::Every | DayRule::OfWeek => return "*".to_owned(),
        DayRule::OfMonth | DayRule::Either | DayRule::Both => {}
    }
    let mut list = Vec::new();
    if days.of_month != 0 {
        list.push(plain_days(days.of_month));
    }
    list.extend(bits(days.nearest_weekday).map(|day| format!("{day}W")));
    list.extend(bits(days.before_last).map(|before| match before {
        0 => "L".to_owned(),
        before => format!("L-{before}"),
    }));
    if days.last_weekday {
        list.push("LW".to_owned());
    }
    list.join(",")
}

fn day_of_week(days: &Days) -> String {
    let plus = match days.rule {
        DayRule::Every | DayRule::OfMonth => return "*".to_owned(),
        DayRule::OfWeek | DayRule::Either => "",
        DayRule::Both => "+",
    };
    let mut list = Vec::new();
    if days.of_week != 0 {
        list.push(plain_weekdays(days.of_week));
    }
    for (nth, weekdays) in (1..).zip(days.nth) {
        list.extend(names(weekdays).map(|name| format!("{name}#{nth}")));
    }
    list.extend(names(days.last).map(|name| format!("{name}#L")));
    format!("{plus}{}", list.join(","))
}

/// Days of the month; never a bare `*`, which would not restrict (rule P4).
pub(super) fn plain_days(days: u32) -> String {
    stepped(u64::from(days), Field::DayOfMonth)
        .unwrap_or_else(|| items(u64::from(days), Field::DayOfMonth).join(","))
}

/// Days of the week by name, from Sunday on.
pub(super) fn plain_weekdays(days: u8) -> String {
    items(u64::from(days), Field::DayOfWeek).join(",")
}

/// Names of a set of weekdays.
pub(super) fn names(weekdays: u8) -> impl Iterator<Item = &'static str> {
    bits(u32::from(weekdays)).filter_map(|day| WEEKDAYS.get(day as usize).copied())
}

fn year(range: &YearRange) -> String {
    let YearRange { first, last, step } = range;
    match (first == last, step) {
        (true, _) => first.to_string(),
        (false, 1) => format!("{first}-{last}"),
        (false, _) => format!("{first}-{last}/{step}"),
    }
}

fn numbers(set: u64, field: Field, interval: bool) -> String {
    if interval && set == all(field) {
        return "*".to_owned();
    }
    let stepped = if interval { stepped(set, field) } else { None };
    stepped.unwrap_or_else(|| items(set, field).join(","))
}

/// `*/n` or `a-b/n`, where the set is one progression.
fn stepped(set: u64, field: Field) -> Option<String> {
    let (first, last, step) = progression(set)?;
    Some(if first == field.min() && last + step > field.last() {
        format!("*/{step}")
    } else {
        format!("{first}-{last}/{step}")
    })
}

/// First, last and step of a set of at least three values with equal gaps above one.
pub(super) fn progression(set: u64) -> Option<(u32, u32, u32)> {
    if set.count_ones() < 3 {
        return None;
    }
    let first = set.trailing_zeros();
    let last = set.ilog2();
    let step = (set & (set - 1)).trailing_zeros() - first;
    let expected = (first..=last)
        .step_by(step as usize)
        .fold(0, |set, value| set | 1 << value);
    (step > 1 && expected == set).then_some((first, last, step))
}

/// Single values and ranges of at least three.
fn items(set: u64, field: Field) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = set;
    while rest != 0 {
        let first = rest.trailing_zeros();
        let length = (rest >> first).trailing_ones();
        let last = first + length - 1;
        match length {
            1 => items.push(label(first, field)),
            2 => items.extend([label(first, field), label(last, field)]),
            _ => items.push(format!("{}-{}", label(first, field), label(last, field))),
        }
        rest &= u64::MAX << last << 1;
    }
    items
}

fn label(value: u32, field: Field) -> String {
    field
        .names()
        .get(value.wrapping_sub(field.min()) as usize)
        .map_or_else(|| value.to_string(), |name| (*name).to_owned())
}

fn all(field: Field) -> u64 {
    (field.min()..=field.last()).fold(0, |set, value| set | 1 << value)
}
