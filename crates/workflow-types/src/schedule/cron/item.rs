//! One item of a field's list: what it means, or the mistake it makes.
//!
//! Knows the grammar of items (rules P2 and P3); knows no lists, field order or dates.

use super::error::CronError;
use super::field::Field;
use super::lexer::{Kind, Token};
use super::mistake::Place;

/// What one item of a list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// `*`: every value.
    Every,
    /// `first-last/step`, where 7 stands for Sunday at the end of a range.
    Range { first: u32, last: u32 },
    /// The same with a step; also `*/n`.
    Stepped { first: u32, last: u32, step: u32 },
    /// `L` (0) or `L-n` in the day-of-month field.
    BeforeLast(u32),
    /// `LW`.
    LastWeekday,
    /// `nW`.
    NearestWeekday(u32),
    /// `d#n` or `d-d#n`.
    Nth { first: u32, last: u32, nth: u32 },
    /// `dL`, `d#L` or `d-d#L`.
    LastOf { first: u32, last: u32 },
}

/// Reads one item; `place.tokens` is not empty.
pub(super) fn parse(place: &Place<'_>) -> Result<Item, CronError> {
    let kinds: Vec<Kind<'_>> = place.tokens.iter().map(|token| token.kind).collect();
    match place.field {
        Field::DayOfMonth => {
            if let Some(item) = day_of_month(place, &kinds) {
                return item;
            }
        }
        Field::DayOfWeek => {
            if let Some(item) = day_of_week(place, &kinds) {
                return item;
            }
        }
        Field::Second | Field::Minute | Field::Hour | Field::Month | Field::Year => {}
    }
    plain(place, &kinds)
}

/// The forms that every field has.
fn plain(place: &Place<'_>, kinds: &[Kind<'_>]) -> Result<Item, CronError> {
    use Kind::{Number, Sign};
    let field = place.field;
    match kinds {
        [Sign('*')] => Ok(Item::Every),
        [Sign('*'), Sign('/'), Number(step)] => Ok(Item::Stepped {
            first: field.min(),
            last: field.last(),
            step: place.step(*step)?,
        }),
        [single] if is_value(*single) => {
            let value = place.value(0)?;
            Ok(Item::Range {
                first: value,
                last: value,
            })
        }
        [from, Sign('-'), to] if is_value(*from) && is_value(*to) => {
            let (first, last) = range(place, 1)?;
            Ok(Item::Range { first, last })
        }
        [from, Sign('-'), to, Sign('/'), Number(step)] if is_value(*from) && is_value(*to) => {
            let (first, last) = range(place, *step)?;
            let step = place.step(*step)?;
            Ok(Item::Stepped { first, last, step })
        }
        _ => Err(place.not_an_item(kinds)),
    }
}

fn day_of_month(place: &Place<'_>, kinds: &[Kind<'_>]) -> Option<Result<Item, CronError>> {
    use Kind::{Letters, Number, Sign};
    match kinds {
        [Letters("L")] => Some(Ok(Item::BeforeLast(0))),
        [Letters("LW")] => Some(Ok(Item::LastWeekday)),
        [Letters("L"), Sign('-'), Number(before)] => Some(if (1..=30).contains(before) {
            Ok(Item::BeforeLast(*before))
        } else {
            Err(place.last_out_of_range())
        }),
        [Number(_), Letters("W")] => Some(place.value(0).map(Item::NearestWeekday)),
        _ => None,
    }
}

fn day_of_week(place: &Place<'_>, kinds: &[Kind<'_>]) -> Option<Result<Item, CronError>> {
    use Kind::{Letters, Number, Sign};
    let last_of = |(first, last)| Item::LastOf { first, last };
    match kinds {
        [day, Sign('#'), Letters("L")] if is_value(*day) => {
            Some(place.value(0).map(|day| last_of((day, day))))
        }
        [from, Sign('-'), to, Sign('#'), Letters("L")] if is_value(*from) && is_value(*to) => {
            Some(range(place, 1).map(last_of))
        }
        [Number(_), Letters("L")] => Some(place.value(0).map(|day| last_of((day, day)))),
        [Letters(word)] if word.len() > 1 => {
            let day = Field::DayOfWeek.named(word.strip_suffix('L')?)?;
            Some(Ok(last_of((day, day))))
        }
        [day, Sign('#'), Number(nth)] if is_value(*day) => Some(place.value(0).and_then(|day| {
            let nth = place.nth(*nth)?;
            Ok(Item::Nth {
                first: day,
                last: day,
                nth,
            })
        })),
        [from, Sign('-'), to, Sign('#'), Number(nth)] if is_value(*from) && is_value(*to) => {
            Some(range(place, 1).and_then(|(first, last)| {
                let nth = place.nth(*nth)?;
                Ok(Item::Nth { first, last, nth })
            }))
        }
        _ => None,
    }
}

fn is_value(kind: Kind<'_>) -> bool {
    matches!(kind, Kind::Number(_) | Kind::Letters(_))
}

/// The bounds in tokens 0 and 2, in order; Sunday at the end of a range is 7 (rule P2).
fn range(place: &Place<'_>, step: u32) -> Result<(u32, u32), CronError> {
    let first = place.value(0)?;
    let last = place.value(2)?;
    let ends_on_sunday = place.field == Field::DayOfWeek && last == 0 && first != 0;
    let written_as_name = matches!(place.tokens[2].kind, Kind::Letters(_));
    if ends_on_sunday && written_as_name {
        return Ok((first, 7));
    }
    if first > last {
        return Err(place.reversed_range(first, last, step));
    }
    Ok((first, last))
}

/// Text of a token, as the author wrote it.
pub(super) fn text<'a>(pattern: &'a str, token: &Token<'_>) -> &'a str {
    pattern.get(token.span.clone()).unwrap_or("")
}
