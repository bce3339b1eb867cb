//! What somebody means who writes a schedule in words: `every monday at 9:00`, `daily`, `hourly`.
//!
//! Words are not a pattern and stay refused; the pattern that they ask for is the remedy.

/// The pattern that words ask for, with what it means; none if they are no such words.
pub(super) fn remedy(words: &[&str]) -> Option<String> {
    let words: Vec<String> = words
        .iter()
        .map(|word| word.trim_matches(',').to_ascii_lowercase())
        .filter(|word| !matches!(word.as_str(), "every" | "each" | "at" | "on" | "the"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (pattern, meaning) = match words.as_slice() {
        [count, unit] if count.parse::<u32>().is_ok() => interval(count.parse().ok()?, unit)?,
        [unit] if is_unit(unit) => interval(1, unit)?,
        ["hourly"] => interval(1, "hour")?,
        [days] => at(days, (9, 0))?,
        [days, clock] => at(days, time(clock, "")?)?,
        [days, clock, half] => at(days, time(clock, half)?)?,
        _ => return None,
    };
    Some(format!(
        "a schedule is written in fields: `{pattern}` is {meaning}"
    ))
}

/// Days at a time of day.
fn at(days: &str, (hour, minute): (u32, u32)) -> Option<(String, String)> {
    let (fields, meaning) = day_fields(days)?;
    Some((
        format!("{minute} {hour} {fields}"),
        format!("{meaning} at {hour:02}:{minute:02}"),
    ))
}

/// Day of month, month and day of week.
fn day_fields(days: &str) -> Option<(String, String)> {
    const NAMES: [&str; 7] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let fixed = |fields: &str, meaning: &str| Some((fields.to_owned(), meaning.to_owned()));
    match days {
        "day" | "daily" | "everyday" => return fixed("* * *", "every day"),
        "weekday" | "weekdays" | "workday" | "workdays" => {
            return fixed("* * MON-FRI", "every working day");
        }
        "weekend" | "weekends" => return fixed("* * SAT,SUN", "every Saturday and Sunday"),
        "week" | "weekly" => return fixed("* * MON", "every Monday"),
        "month" | "monthly" => return fixed("1 * *", "the first day of every month"),
        "year" | "yearly" | "annually" => return fixed("1 1 *", "the first day of every year"),
        _ => {}
    }
    let singular = days.strip_suffix('s').unwrap_or(days);
    let begins = |name: &&&str| {
        let name = name.to_ascii_lowercase();
        name == singular || name == days || days == &name[..3]
    };
    let name = NAMES.iter().find(begins)?;
    let short = name[..3].to_ascii_uppercase();
    Some((format!("* * {short}"), format!("every {name}")))
}

/// An interval that divides its hour or its day; others have no pattern.
fn interval(count: u32, unit: &str) -> Option<(String, String)> {
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    let (size, name) = match singular {
        "minute" | "min" => (60, "minute"),
        "hour" | "h" => (24, "hour"),
        _ => return None,
    };
    if count == 0 || !u32::is_multiple_of(size, count) || count == size {
        return None;
    }
    let step = match count {
        1 => "*".to_owned(),
        _ => format!("*/{count}"),
    };
    let pattern = match name {
        "minute" => format!("{step} * * * *"),
        _ => format!("0 {step} * * *"),
    };
    let meaning = match count {
        1 => format!("every {name}"),
        _ => format!("every {count} {name}s"),
    };
    Some((pattern, meaning))
}

fn is_unit(word: &str) -> bool {
    matches!(word, "minute" | "minutes" | "hour" | "hours")
}

/// Hour and minute of `9`, `9:30`, `9am` or `9 pm`.
fn time(clock: &str, half: &str) -> Option<(u32, u32)> {
    match clock {
        "noon" => return Some((12, 0)),
        "midnight" => return Some((0, 0)),
        _ => {}
    }
    let (clock, half) = match clock.find(|c: char| c.is_ascii_alphabetic()) {
        Some(cut) if half.is_empty() => clock.split_at(cut),
        Some(_) | None => (clock, half),
    };
    let (hour, minute) = clock.split_once(':').unwrap_or((clock, "0"));
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        "am" if hour == 12 => 0,
        "pm" if hour < 12 => hour + 12,
        "" | "am" | "pm" | "h" | "o'clock" => hour,
        _ => return None,
    };
    (hour < 24 && minute < 60).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use super::remedy;
    use crate::schedule::CronExpression;

    #[test]
    fn words_ask_for_patterns_that_are_valid() {
        for (words, expected) in [
            ("every monday", "`0 9 * * MON` is every Monday at 09:00"),
            ("mondays at 8:30", "`30 8 * * MON` is every Monday at 08:30"),
            ("every tue 7pm", "`0 19 * * TUE` is every Tuesday at 19:00"),
            (
                "weekdays at 9 am",
                "`0 9 * * MON-FRI` is every working day at 09:00",
            ),
            ("daily", "`0 9 * * *` is every day at 09:00"),
            ("daily at midnight", "`0 0 * * *` is every day at 00:00"),
            ("hourly", "`0 * * * *` is every hour"),
            ("every 5 minutes", "`*/5 * * * *` is every 5 minutes"),
            ("every 6 hours", "`0 */6 * * *` is every 6 hours"),
            (
                "monthly",
                "`0 9 1 * *` is the first day of every month at 09:00",
            ),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            let found = remedy(&words).unwrap();
            assert!(found.ends_with(expected), "{words:?}: {found}");
            let pattern = found.split('`').nth(1).unwrap();
            CronExpression::parse_all(pattern).unwrap();
        }
    }

    #[test]
    fn what_has_no_pattern_or_no_meaning_has_no_remedy() {
        for words in [
            "every 7 minutes",
            "every 0 minutes",
            "every blue moon",
            "daily at 25:00",
            "every 60 minutes",
            "every",
            "",
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(remedy(&words), None, "{words:?}");
        }
    }
}
