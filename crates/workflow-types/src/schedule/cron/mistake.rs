//! The mistakes that one item of a field can make, each with its remedy (rule P2).
//!
//! Knows what authors meant by forms that other tools take; decides nothing that is valid.

use std::ops::Range;

use super::error::CronError;
use super::field::{Field, MONTHS, WEEKDAYS};
use super::item::text;
use super::lexer::{Kind, Token};
use super::remedy;

/// An item under the eye: where it stands and what it is made of.
pub(super) struct Place<'a> {
    pub(super) pattern: &'a str,
    pub(super) field: Field,
    /// How many fields the pattern has.
    pub(super) fields: usize,
    pub(super) span: Range<usize>,
    pub(super) tokens: &'a [Token<'a>],
}

impl Place<'_> {
    /// The value in a token, a number or a name.
    pub(super) fn value(&self, index: usize) -> Result<u32, CronError> {
        let token = &self.tokens[index];
        match token.kind {
            Kind::Number(number) if (self.field.min()..=self.field.max()).contains(&number) => {
                Ok(number)
            }
            Kind::Number(number) => Err(self.out_of_range(token, number)),
            Kind::Letters(word) => self
                .field
                .named(word)
                .ok_or_else(|| self.unknown_word(token, word)),
            Kind::Sign(_) => Err(self.garbage()),
        }
    }

    /// A step, which must stay within the field.
    pub(super) fn step(&self, step: u32) -> Result<u32, CronError> {
        let largest = match self.field {
            Field::Year => self.field.max() - self.field.min(),
            Field::Second
            | Field::Minute
            | Field::Hour
            | Field::DayOfMonth
            | Field::Month
            | Field::DayOfWeek => self.field.max(),
        };
        if (1..=largest).contains(&step) {
            return Ok(step);
        }
        let span = self.last_token_span();
        let help = if step == 0 {
            "a step counts upwards: write `*` for every value or for example `*/2`".to_owned()
        } else {
            format!(
                "a step beyond the {} field never takes effect: write a single value here; longer \
                 intervals are steps of a field further right, for example `0 */2 * * *` for every \
                 two hours",
                self.field.name()
            )
        };
        let found = format!("step `{}`", &self.pattern[span.clone()]);
        Err(self.expected(span, &found, &format!("a step of 1-{largest}"), help))
    }

    /// The `n` of `d#n`.
    pub(super) fn nth(&self, nth: u32) -> Result<u32, CronError> {
        if (1..=5).contains(&nth) {
            return Ok(nth);
        }
        let span = self.last_token_span();
        let found = format!("`#{nth}`");
        let help =
            "a month has at most five of a weekday: write `#1` to `#5`, or `#L` for the last";
        Err(self.expected(span, &found, "`#1` to `#5`", help.to_owned()))
    }

    /// `L-0`, `L-31`.
    pub(super) fn last_out_of_range(&self) -> CronError {
        let help = "`L` alone is the last day, `L-1` the day before it".to_owned();
        self.expected(self.span.clone(), &self.quoted(), "`L-1` to `L-30`", help)
    }

    /// `22-2`: the remedy is the same set in two ranges.
    pub(super) fn reversed_range(&self, first: u32, last: u32, step: u32) -> CronError {
        let remedy = if step > 1 {
            remedy::wrapped_values(self.field, first, last, step)
        } else {
            remedy::wrapped_ranges(self.field, first, last, self.uses_names())
        };
        let help = format!("write `{remedy}`");
        self.expected(
            self.span.clone(),
            &format!("reversed range {}", self.quoted()),
            "the smaller value first",
            help,
        )
    }

    /// Nothing between two commas; `field` is the whole field's place.
    pub(super) fn empty_item(&self, field: &Range<usize>) -> CronError {
        let text = self.pattern.get(field.clone()).unwrap_or_default();
        let items: Vec<&str> = text.split(',').filter(|item| !item.is_empty()).collect();
        let help = if items.is_empty() {
            self.field.advice().to_owned()
        } else {
            format!("remove the extra comma: `{}`", items.join(","))
        };
        let found = format!("an empty item in the list `{text}`");
        self.expected(self.span.clone(), &found, "a value", help)
    }

    /// Names the mistake of an item that fits no form.
    pub(super) fn not_an_item(&self, kinds: &[Kind<'_>]) -> CronError {
        use Kind::{Letters, Number, Sign};
        let has = |sign: char| kinds.contains(&Sign(sign));
        let modifier = kinds
            .iter()
            .any(|kind| matches!(kind, Letters("L" | "W" | "LW" | "WL")));
        let double_dash = kinds.windows(2).any(|pair| pair == [Sign('-'), Sign('-')]);
        if has('?') {
            self.question_mark()
        } else if has('#') || (modifier && !has('+')) {
            self.modifier()
        } else if has('+') {
            self.plus()
        } else if matches!(kinds, [Sign('-'), Number(_), ..]) || double_dash {
            self.negative()
        } else if has('/') {
            self.bad_step(kinds)
        } else if let [_, Sign(';' | ':' | '.' | '&' | '|'), ..] = kinds {
            self.wrong_separator()
        } else if has('-') {
            self.bad_range(kinds)
        } else {
            self.garbage()
        }
    }

    fn out_of_range(&self, token: &Token<'_>, number: u32) -> CronError {
        let looks_like_year = (1970..=9999).contains(&number);
        let help = if self.field == Field::DayOfWeek && self.fields == 6 && looks_like_year {
            self.year_last()
        } else {
            self.field.advice().to_owned()
        };
        let found = format!(
            "`{}` in the {} field",
            text(self.pattern, token),
            self.field.name()
        );
        self.expected(token.span.clone(), &found, self.field.expected(), help)
    }

    fn unknown_word(&self, token: &Token<'_>, word: &str) -> CronError {
        let found = format!(
            "`{}` in the {} field",
            text(self.pattern, token),
            self.field.name()
        );
        let help = match (word, self.field) {
            ("L" | "LW" | "W" | "WL", _) => return self.modifier(),
            ("H", _) => "`H` is Jenkins syntax: write a value, and spread load by `jitter`".into(),
            (_, field) => self.name_elsewhere(word).unwrap_or_else(|| {
                remedy::closest(word, field.names()).map_or_else(
                    || field.advice().to_owned(),
                    |name| format!("did you mean `{name}`?"),
                )
            }),
        };
        self.expected(token.span.clone(), &found, self.field.expected(), help)
    }

    /// A month or a day of the week in another field.
    fn name_elsewhere(&self, word: &str) -> Option<String> {
        let (what, home) = if MONTHS.contains(&word) {
            ("month", Field::Month)
        } else if WEEKDAYS.contains(&word) {
            ("day of the week", Field::DayOfWeek)
        } else {
            return None;
        };
        if self.fields == 6 && self.field == Field::Month && home == Field::DayOfWeek {
            return Some(self.year_last());
        }
        let position = if home == Field::Month { 2 } else { 1 };
        let order = if self.fields == 7 {
            position + 1
        } else {
            position
        };
        Some(format!(
            "`{word}` is a {what}: it belongs into the {} field, number {} from the left",
            home.name(),
            self.fields + 1 - order
        ))
    }

    fn year_last(&self) -> String {
        format!(
            "six fields begin with seconds and have no year; with a year write all seven: `0 {}`",
            self.pattern.trim()
        )
    }

    fn question_mark(&self) -> CronError {
        let help = if self.field.is_day() {
            "`?` means every day and stands alone in its field; for a step write `*/2`".to_owned()
        } else if self.fields == 6 && self.field == Field::Month {
            self.year_last()
        } else {
            format!("write `*` for every {}", self.field.name())
        };
        let expected = if self.field.is_day() {
            "`?` alone in the field"
        } else {
            "`?` only in the day fields"
        };
        self.expected(self.span.clone(), &self.quoted(), expected, help)
    }

    fn modifier(&self) -> CronError {
        let (expected, help) = match self.field {
            Field::DayOfMonth => (
                "`L`, `L-3`, `LW` or `15W`",
                "`L` is the last day, `L-3` three days before it, `LW` the last weekday and \
                 `15W` the weekday nearest to the 15th, each without blanks; \
                 `#` belongs into the day-of-week field",
            ),
            Field::DayOfWeek => (
                "`FRI#2`, `FRI#L` or `5L`",
                "`FRI#2` is the second Friday of the month, `MON-FRI#1` each first weekday, \
                 `FRI#L` or `5L` the last Friday; `L` alone and `W` belong into the \
                 day-of-month field",
            ),
            Field::Second | Field::Minute | Field::Hour | Field::Month | Field::Year => (
                "`L`, `W` and `#` only in the day fields",
                "`L`, `LW` and `15W` belong into the day-of-month field, `FRI#2` and `FRI#L` \
                 into the day-of-week field",
            ),
        };
        let found = format!("{} in the {} field", self.quoted(), self.field.name());
        self.expected(self.span.clone(), &found, expected, help.to_owned())
    }

    fn plus(&self) -> CronError {
        let help = "a single `+` at the start of the day-of-week field asks for both day fields \
                    at once, as in `0 9 1-7 * +MON`; leave it out elsewhere";
        self.expected(
            self.span.clone(),
            &format!("{} in the {} field", self.quoted(), self.field.name()),
            "`+` only before the whole day-of-week field",
            help.to_owned(),
        )
    }

    fn negative(&self) -> CronError {
        self.expected(
            self.span.clone(),
            &format!("negative value in {}", self.quoted()),
            self.field.expected(),
            self.field.advice().to_owned(),
        )
    }

    fn bad_step(&self, kinds: &[Kind<'_>]) -> CronError {
        use Kind::{Letters, Number, Sign};
        let item = self.text();
        let help = match kinds {
            [Number(_) | Letters(_), Sign('/'), Number(step)] => {
                return self
                    .value(0)
                    .map_or_else(|error| error, |first| self.start_with_step(first, *step));
            }
            [Sign('/'), Number(step)] | [Sign('*'), Sign('/'), Sign('/'), Number(step)] => {
                format!("write `*/{step}`")
            }
            [head @ .., Sign('/')] if !head.is_empty() && !head.contains(&Sign('/')) => {
                format!("add a step right after the slash, without a blank: `{item}2`")
            }
            _ => "a step is one whole number after `*` or a range: `*/5` or `10-50/5`".to_owned(),
        };
        let found = format!("{} in the {} field", self.quoted(), self.field.name());
        self.expected(
            self.span.clone(),
            &found,
            "`*/step` or `first-last/step`",
            help,
        )
    }

    /// `5/15`, which tools read differently.
    fn start_with_step(&self, first: u32, step: u32) -> CronError {
        let remedy = remedy::open_step(self.field, first, step, self.uses_names());
        self.expected(
            self.span.clone(),
            &format!("{}, a step without the end of its range", self.quoted()),
            "`first-last/step`",
            format!("write `{remedy}`"),
        )
    }

    fn bad_range(&self, kinds: &[Kind<'_>]) -> CronError {
        use Kind::Sign;
        let help = match kinds {
            [Sign('*'), Sign('-'), ..] | [.., Sign('-'), Sign('*')] => {
                "`*` is every value already: write `*`, or a range with two values".to_owned()
            }
            [.., Sign('-')] | [Sign('-'), ..] => format!(
                "a range needs both ends: for example `{}-{}`",
                self.field.min(),
                self.field.last()
            ),
            _ => "a range has two values, `1-3`; join several by commas, `1-3,5`".to_owned(),
        };
        let found = format!("{} in the {} field", self.quoted(), self.field.name());
        self.expected(self.span.clone(), &found, "a range `first-last`", help)
    }

    fn wrong_separator(&self) -> CronError {
        self.expected(
            self.span.clone(),
            &format!("{} in the {} field", self.quoted(), self.field.name()),
            self.field.expected(),
            "values are whole numbers, joined by commas as in `1,2` or by a dash as in `1-3`"
                .to_owned(),
        )
    }

    fn garbage(&self) -> CronError {
        let foreign = self.text().chars().find(|c| !c.is_ascii());
        let help = match foreign {
            Some(c) => format!(
                "`{c}` is no ASCII character: type the value anew; {}",
                self.field.advice()
            ),
            None => self.field.advice().to_owned(),
        };
        let found = format!("{} in the {} field", self.quoted(), self.field.name());
        self.expected(self.span.clone(), &found, self.field.expected(), help)
    }

    fn uses_names(&self) -> bool {
        self.tokens
            .iter()
            .any(|token| matches!(token.kind, Kind::Letters(_)))
    }

    fn text(&self) -> &str {
        self.pattern.get(self.span.clone()).unwrap_or_default()
    }

    fn quoted(&self) -> String {
        format!("`{}`", self.text())
    }

    fn last_token_span(&self) -> Range<usize> {
        self.tokens
            .last()
            .map_or_else(|| self.span.clone(), |token| token.span.clone())
    }

    fn expected(&self, span: Range<usize>, found: &str, wanted: &str, help: String) -> CronError {
        let message = format!("found {found}, expected {wanted}");
        CronError::new(self.pattern, span, message, help)
    }
}
