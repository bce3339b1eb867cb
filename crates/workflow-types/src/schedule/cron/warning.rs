//! Valid patterns that may not do what their author means (rule P6).
//!
//! Reads the author's text, because the same bit sets can be written harmlessly. Never
//! refuses anything.

use std::fmt;
use std::ops::Range;

use super::CronExpression;
use super::calendar::month_length;
use super::days::DayRule;
use super::field::{FIVE, Field, SEVEN, SIX};
use super::lexer::{self, Word};

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CronWarningKind {
    /// Both day fields restrict, and either suffices (rule P4).
    EitherDay,
    /// Days 29 to 31, which some months lack.
    MissingDays,
    /// `*/n` whose last interval is shorter.
    UnevenStep,
    /// Six fields that make more sense with a year at the end than with seconds first.
    YearLast,
    /// A fixed time in a gap of the coming year (rule T3).
    Gap,
}

/// A remark about a valid pattern, with its place and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronWarning {
    kind: CronWarningKind,
    message: String,
    span: Range<usize>,
    help: String,
}

impl CronWarning {
    /// A warning that is found outside the pattern's text, about all of it.
    pub(in crate::schedule) fn about_whole(
        cron: &CronExpression,
        kind: CronWarningKind,
        message: String,
        help: String,
    ) -> Self {
        Self {
            kind,
            message,
            span: 0..cron.as_str().len(),
            help,
        }
    }

    /// What the warning is about.
    pub fn kind(&self) -> CronWarningKind {
        self.kind
    }

    /// What will happen.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Bytes of [`CronExpression::as_str`] that cause it.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What to write if that is not meant.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for CronWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

pub(super) fn of_pattern(cron: &CronExpression) -> Vec<CronWarning> {
    let text = cron.as_str();
    // The text was parsed before, so its blanks are in order; a nickname has no fields.
    let words = lexer::words(text).unwrap_or_default();
    let fields = match words.len() {
        5 => FIVE,
        6 => SIX,
        7 => SEVEN,
        _ => return Vec::new(),
    };
    let mut warnings = Vec::new();
    for (&field, word) in fields.iter().zip(&words) {
        warnings.extend(uneven_steps(field, word));
        if field == Field::DayOfMonth {
            warnings.extend(missing_days(cron, word));
        }
        if field == Field::DayOfWeek {
            warnings.extend(either_day(cron, word));
        }
    }
    warnings.extend(year_last(&words));
    warnings
}

fn either_day(cron: &CronExpression, day_of_week: &Word<'_>) -> Option<CronWarning> {
    (cron.sets.days.rule == DayRule::Either).then(|| CronWarning {
        kind: CronWarningKind::EitherDay,
        message: "both day fields are restricted, so it fires on days that match either one"
            .to_owned(),
        span: day_of_week.span.clone(),
        help: format!("to require both, write `+{}`", day_of_week.text),
    })
}

/// Lists that name the 29th, 30th or 31st on purpose; a range such as `15-31` reaches
/// them only to mean the rest of the month.
fn missing_days(cron: &CronExpression, day_of_month: &Word<'_>) -> Option<CronWarning> {
    let days = &cron.sets.days;
    let named: Vec<u32> = day_of_month
        .text
        .split(',')
        .filter_map(|item| {
            let digits = item
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(item.len());
            item.get(..digits)?.parse().ok()
        })
        .filter(|day| *day >= 29)
        .collect();
    let lacking = (1..=12)
        .filter(|month| cron.sets.months & (1 << month) != 0)
        .any(|month| named.iter().any(|day| *day > month_length(month, false)));
    let on_purpose = days.rule == DayRule::OfMonth && days.before_last == 0 && !days.last_weekday;
    (on_purpose && lacking).then(|| CronWarning {
        kind: CronWarningKind::MissingDays,
        message: "months that lack a day of this list skip it".to_owned(),
        span: day_of_month.span.clone(),
        help: "for the last day of every month write `L`".to_owned(),
    })
}

fn uneven_steps(field: Field, word: &Word<'_>) -> Vec<CronWarning> {
    let mut warnings = Vec::new();
    let mut start = word.span.start;
    for item in word.text.split(',') {
        let span = start..start + item.len();
        start = span.end + 1;
        let Some(step) = item.strip_prefix("*/").and_then(|step| step.parse().ok()) else {
            continue;
        };
        if let Some((message, help)) = uneven_step(field, step) {
            warnings.push(CronWarning {
                kind: CronWarningKind::UnevenStep,
                message: format!("`{item}` {message}"),
                span,
                help,
            });
        }
    }
    warnings
}

fn uneven_step(field: Field, step: u32) -> Option<(String, String)> {
    let size = field.last() - field.min() + 1;
    if step <= 1 {
        return None;
    }
    match field {
        Field::Second | Field::Minute | Field::Hour | Field::Month => (!size.is_multiple_of(step))
            .then(|| {
                let left = size % step;
                (
                    format!(
                        "does not divide the {size} values of the {} field: the last interval \
                         is {left}, not {step}",
                        field.name()
                    ),
                    format!("for even intervals write a divisor of {size}"),
                )
            }),
        Field::DayOfMonth => Some((
            "starts again on the 1st of each month, so the last interval is shorter".to_owned(),
            "for even intervals name a day of the week, for example `MON`, or leave the field `*`"
                .to_owned(),
        )),
        Field::DayOfWeek => Some((
            "starts again each Sunday, so the last interval is shorter".to_owned(),
            "name the days, for example `MON,WED,FRI`".to_owned(),
        )),
        Field::Year => None,
    }
}

/// `0 9 * * 1 *` and the like: second and minute fixed, every hour, where the author may
/// have meant minute and hour with a year behind them.
fn year_last(words: &[Word<'_>]) -> Option<CronWarning> {
    let [second, minute, hour, _, _, day_of_week] = words else {
        return None;
    };
    let looks_like_hour = minute.text != "0"
        && minute
            .text
            .split([',', '-'])
            .all(|value| value.parse::<u32>().is_ok_and(|value| value < 24));
    let looks_like_minute = second.text.parse::<u32>().is_ok();
    let open_end = matches!(day_of_week.text, "*" | "?");
    (looks_like_minute && looks_like_hour && hour.text == "*" && open_end).then(|| CronWarning {
        kind: CronWarningKind::YearLast,
        message: format!(
            "six fields begin with seconds: this fires every hour at minute {} and second {}",
            minute.text, second.text
        ),
        span: second.span.start..day_of_week.span.end,
        help: format!(
            "if the last field was meant as the year, leave it out: `{}`",
            [second, minute, hour, &words[3], &words[4]]
                .map(|word| word.text)
                .join(" ")
        ),
    })
}
