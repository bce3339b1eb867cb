//! Whole patterns that are not ours: other tools' syntax, wrong counts of fields,
//! nicknames that do not exist and patterns that never fire (rules P1, P2, P5).
//!
//! Decides nothing that is valid.

use std::ops::Range;

use super::english;
use super::error::CronError;
use super::field::Field;
use super::lexer::Word;

const EVERY: &str = "write the interval in fields, for example `*/5 * * * *` for every five \
                     minutes or `0 */2 * * *` for every two hours";
const FIELDS: &str = "write minute, hour, day of month, month and day of week, for example \
                      `0 9 * * MON-FRI`; seconds may stand before them, and then a year after";

pub(super) fn too_long(pattern: &str, limit: usize) -> CronError {
    CronError::new(
        pattern,
        0..pattern.len(),
        format!(
            "found a pattern of {} bytes, expected at most {limit}",
            pattern.len()
        ),
        "use ranges and steps instead of long lists, or several schedules".to_owned(),
    )
}

/// A word that begins with `@` and is no nickname, or does not stand alone.
pub(super) fn nickname(pattern: &str, word: &Word<'_>, words: usize) -> CronError {
    let name = word.text.to_ascii_lowercase();
    let help = match name.as_str() {
        "@reboot" => {
            "schedules outlive restarts, so a restart is no event; start the workflow from \
             whatever starts the program"
                .to_owned()
        }
        "@every" => EVERY.to_owned(),
        _ => match closest(&name) {
            Some(known) if words == 1 => format!("did you mean `{known}`?"),
            Some(_) | None => "a nickname stands alone: `@hourly`, `@daily`, `@midnight`, \
                               `@weekly`, `@monthly`, `@yearly` or `@annually`"
                .to_owned(),
        },
    };
    CronError::new(
        pattern,
        word.span.clone(),
        format!(
            "found `{}`, expected a nickname alone or five to seven fields",
            word.text
        ),
        help,
    )
}

fn closest(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 7] = [
        "@hourly",
        "@daily",
        "@midnight",
        "@weekly",
        "@monthly",
        "@yearly",
        "@annually",
    ];
    // `@day` is a piece of none of them, so distance must allow for a dropped ending.
    NAMES
        .into_iter()
        .map(|known| (strsim::levenshtein(name, known), known))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Syntax of other schedulers, recognised before fields are counted.
pub(super) fn other_syntax(pattern: &str, words: &[Word<'_>]) -> Option<CronError> {
    let first = words.first()?;
    let lower = first.text.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    if let Some(comment) = words.iter().find(|word| word.text.starts_with('#')) {
        return Some(CronError::new(
            pattern,
            comment.span.start..pattern.len(),
            "found a comment, expected only fields".to_owned(),
            "remove the comment, or put it into the schedule's name".to_owned(),
        ));
    }
    let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
    if let Some(help) = english::remedy(&texts) {
        return Some(CronError::new(
            pattern,
            first.span.start..words.last().map_or(0, |last| last.span.end),
            "found words, expected the fields of a cron pattern".to_owned(),
            help,
        ));
    }
    let help = if matches!(bytes, [b'"' | b'\'' | b'`', ..]) {
        "remove the quotes".to_owned()
    } else if lower.starts_with("rate(") || lower == "every" {
        EVERY.to_owned()
    } else if lower.starts_with("cron(") {
        format!("remove the `cron( )` around the fields; {FIELDS}")
    } else if matches!(bytes, [b'p', b'0'..=b'9' | b't', ..]) {
        EVERY.to_owned()
    } else if lower.starts_with("tz=") || lower.starts_with("cron_tz=") {
        "remove it and name the zone in the schedule's `timezone`".to_owned()
    } else if pattern.contains("*-*-") {
        format!("calendar expressions of systemd are not read; {FIELDS}")
    } else if words.len() < 5 && pattern.contains(':') {
        FIELDS.to_owned()
    } else {
        return None;
    };
    Some(CronError::new(
        pattern,
        first.span.clone(),
        format!("found `{}`, expected a field of a cron pattern", first.text),
        help,
    ))
}

pub(super) fn field_count(pattern: &str, words: &[Word<'_>]) -> CronError {
    let (span, found) = match words {
        [] => (0..pattern.len(), "an empty pattern".to_owned()),
        [.., last] if words.len() > 7 => {
            let start = words.get(7).map_or(0, |word| word.span.start);
            (start..last.span.end, format!("{} fields", words.len()))
        }
        [only] => (only.span.clone(), "1 field".to_owned()),
        [first, .., last] => (
            first.span.start..last.span.end,
            format!("{} fields", words.len()),
        ),
    };
    CronError::new(
        pattern,
        span,
        format!("found {found}, expected 5, 6 or 7"),
        FIELDS.to_owned(),
    )
}

/// A pattern that no day of the 400-year cycle matches (rule P5).
pub(super) fn never_fires(pattern: &str, fields: &[Field], words: &[Word<'_>]) -> CronError {
    CronError::new(
        pattern,
        place_of(Field::DayOfMonth, pattern, fields, words),
        "found a pattern that never fires, expected a day that exists in a month and year it names"
            .to_owned(),
        "April, June, September and November have 30 days, February has 28 or in leap years 29; \
         choose another day, or `L` for the last day of the month"
            .to_owned(),
    )
}

/// Like [`never_fires`], where `+` asks for two day fields that never name the same day.
pub(super) fn days_never_agree(pattern: &str, fields: &[Field], words: &[Word<'_>]) -> CronError {
    CronError::new(
        pattern,
        place_of(Field::DayOfWeek, pattern, fields, words),
        "found a pattern that never fires, expected day fields that name the same day at least once"
            .to_owned(),
        "`+` asks for both day fields at once; remove it to fire on days that match either one, \
         or change one of the fields"
            .to_owned(),
    )
}

fn place_of(field: Field, pattern: &str, fields: &[Field], words: &[Word<'_>]) -> Range<usize> {
    fields
        .iter()
        .position(|other| *other == field)
        .and_then(|index| words.get(index))
        .map_or(0..pattern.len(), |word| word.span.clone())
}
