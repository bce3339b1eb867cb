//! From a pattern's text to bit sets, collecting every mistake.
//!
//! Knows the number and order of fields, lists, nicknames and how the day fields are
//! combined (rules P1 to P5); items are read next door.

use std::ops::Range;

use super::days::DayRule;
use super::error::CronError;
use super::field::{FIVE, Field, SEVEN, SIX};
use super::foreign;
use super::item::{self, Item};
use super::lexer::{self, Kind, Token, Word};
use super::mistake::Place;
use super::sets::{Sets, YearRange};

/// Longest pattern that is read, in bytes; no sensible one comes near.
const MAX_LENGTH: usize = 1_000;

/// Reads a pattern; the errors are never empty and stand in the order of the pattern.
pub(super) fn parse(pattern: &str) -> Result<Sets, Vec<CronError>> {
    if pattern.len() > MAX_LENGTH {
        return Err(vec![foreign::too_long(pattern, MAX_LENGTH)]);
    }
    let words = lexer::words(pattern)?;
    if let Some(at) = words.iter().find(|word| word.text.starts_with('@')) {
        return match nickname(&at.text.to_ascii_lowercase()) {
            Some(expansion) if words.len() == 1 => parse(expansion),
            Some(_) | None => Err(vec![foreign::nickname(pattern, at, words.len())]),
        };
    }
    if let Some(error) = foreign::other_syntax(pattern, &words) {
        return Err(vec![error]);
    }
    let fields = match words.len() {
        5 => FIVE,
        6 => SIX,
        7 => SEVEN,
        _ => return Err(vec![foreign::field_count(pattern, &words)]),
    };
    let sets = read_fields(pattern, fields, &words)?;
    if sets.ever_on(0x7f) {
        Ok(sets)
    } else {
        let both = sets.days.rule == DayRule::Both;
        Err(vec![if both {
            foreign::days_never_agree(pattern, fields, &words)
        } else {
            foreign::never_fires(pattern, fields, &words)
        }])
    }
}

/// The five fields behind a nickname (rule P1).
fn nickname(name: &str) -> Option<&'static str> {
    Some(match name {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => return None,
    })
}

fn read_fields(
    pattern: &str,
    fields: &[Field],
    words: &[Word<'_>],
) -> Result<Sets, Vec<CronError>> {
    let mut sets = Sets {
        // Five fields fire at second 0 of their minutes.
        seconds: u64::from(!fields.contains(&Field::Second)),
        ..Sets::default()
    };
    let mut errors = Vec::new();
    let mut restricted = Restricted::default();
    for (&field, word) in fields.iter().zip(words) {
        let upper = word.text.to_ascii_uppercase();
        let tokens = lexer::tokens(&upper, word.span.start);
        let source = FieldSource {
            pattern,
            field,
            fields: fields.len(),
            span: word.span.clone(),
        };
        source.read(&tokens, &mut sets, &mut restricted, &mut errors);
    }
    if errors.is_empty() {
        sets.days.rule = restricted.rule();
        sets.years.simplify();
        Ok(sets)
    } else {
        Err(errors)
    }
}

/// What the two day fields were written as.
#[derive(Default)]
struct Restricted {
    month: bool,
    week: bool,
    both: bool,
}

impl Restricted {
    /// Rule P4.
    fn rule(&self) -> DayRule {
        match (self.month, self.week) {
            (false, false) => DayRule::Every,
            (true, false) => DayRule::OfMonth,
            (false, true) => DayRule::OfWeek,
            (true, true) if self.both => DayRule::Both,
            (true, true) => DayRule::Either,
        }
    }
}

struct FieldSource<'a> {
    pattern: &'a str,
    field: Field,
    /// How many fields the pattern has, for remedies.
    fields: usize,
    span: Range<usize>,
}

impl FieldSource<'_> {
    fn read(
        &self,
        tokens: &[Token<'_>],
        sets: &mut Sets,
        restricted: &mut Restricted,
        errors: &mut Vec<CronError>,
    ) {
        let (both, tokens) = self.strip_plus(tokens);
        let bare = matches!(tokens, [only] if matches!(only.kind, Kind::Sign('*' | '?')));
        match self.field {
            Field::DayOfMonth => restricted.month = !bare,
            Field::DayOfWeek => {
                restricted.week = !bare;
                restricted.both = both;
            }
            Field::Second | Field::Minute | Field::Hour | Field::Month | Field::Year => {}
        }
        if self.field.is_day() && bare {
            return;
        }
        let mut comma = 0;
        for item in tokens.split(|token| token.kind == Kind::Sign(',')) {
            comma += item.len();
            let span = match item {
                [first, .., last] => first.span.start..last.span.end,
                [only] => only.span.clone(),
                // Nothing between two commas: the comma is where the eye should go.
                [] => tokens
                    .get(comma)
                    .or(tokens.last())
                    .map_or_else(|| self.span.clone(), |token| token.span.clone()),
            };
            comma += 1;
            let place = Place {
                pattern: self.pattern,
                field: self.field,
                fields: self.fields,
                span,
                tokens: item,
            };
            let read = if item.is_empty() {
                Err(place.empty_item(&self.span))
            } else {
                item::parse(&place)
            };
            match read {
                Ok(item) => insert(sets, self.field, item),
                Err(error) => errors.push(error),
            }
        }
    }

    /// A `+` before the day of week asks for both day fields (rule P4).
    fn strip_plus<'t, 'k>(&self, tokens: &'t [Token<'k>]) -> (bool, &'t [Token<'k>]) {
        match tokens {
            [plus, rest @ ..]
                if self.field == Field::DayOfWeek
                    && plus.kind == Kind::Sign('+')
                    && !rest.is_empty() =>
            {
                (true, rest)
            }
            _ => (false, tokens),
        }
    }
}

fn insert(sets: &mut Sets, field: Field, item: Item) {
    if field.is_time_of_day() && matches!(item, Item::Every | Item::Stepped { .. }) {
        sets.interval = true;
    }
    let (first, last, step) = match item {
        Item::Every => (field.min(), field.last(), 1),
        Item::Range { first, last } => (first, last, 1),
        Item::Stepped { first, last, step } => (first, last, step),
        Item::BeforeLast(before) => return sets.days.before_last |= 1 << before,
        Item::LastWeekday => return sets.days.last_weekday = true,
        Item::NearestWeekday(day) => return sets.days.nearest_weekday |= 1 << day,
        Item::LastOf { first, last } => return sets.days.last |= weekdays(first, last, 1),
        Item::Nth { first, last, nth } => {
            // `nth` is 1 to 5, and the array has five places.
            if let Some(week) = sets.days.nth.get_mut(nth as usize - 1) {
                *week |= weekdays(first, last, 1);
            }
            return;
        }
    };
    match field {
        Field::Second => sets.seconds |= stepped(first, last, step),
        Field::Minute => sets.minutes |= stepped(first, last, step),
        Field::Hour => sets.hours |= stepped(first, last, step),
        Field::DayOfMonth => {
            #[expect(clippy::cast_possible_truncation, reason = "31 is the last day")]
            let days = stepped(first, last, step) as u32;
            sets.days.of_month |= days;
        }
        Field::Month => sets.months |= stepped(first, last, step),
        Field::DayOfWeek => sets.days.of_week |= weekdays(first, last, step),
        Field::Year => sets.years.0.push(YearRange { first, last, step }),
    }
}

fn stepped(first: u32, last: u32, step: u32) -> u64 {
    let mut set = 0;
    let mut value = first;
    while value <= last {
        set |= 1 << value;
        value += step;
    }
    set
}

/// Like [`stepped`], with 7 folded onto Sunday.
fn weekdays(first: u32, last: u32, step: u32) -> u8 {
    let set = stepped(first, last, step);
    ((set | set >> 7) & 0x7f) as u8
}
