//! Reads a mapping key by key, so that every mistake in it is found, not only the first.
//!
//! Which keys there are, what they may say and which must be there stands in the mapping's shape.

pub(super) mod unknown;

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value};

use super::remedy;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Remedy, Report, closest, type_remedy};
use crate::duration;
use crate::shape::{Key, Presence, Shape, snake_case};

/// The mapping that is being read.
pub(crate) struct Fields<'v, 'r> {
    map: &'v Map<String, Value>,
    at: Pointer,
    /// The keys that are known here.
    shapes: Vec<&'static Shape>,
    /// Required keys that are not there, until it is known whether others were meant by them.
    missing: Vec<(&'static str, Diagnostic)>,
    pub(crate) report: &'r mut Report,
}

/// A value with its address.
pub(crate) struct Field<'v> {
    pub(crate) value: &'v Value,
    pub(crate) at: Pointer,
}

impl<'v, 'r> Fields<'v, 'r> {
    /// Begins to read a value that should be a mapping; reports if it is none.
    pub(crate) fn open(
        value: &'v Value,
        at: &Pointer,
        shape: &'static Shape,
        report: &'r mut Report,
    ) -> Option<Self> {
        let Value::Object(map) = value else {
            let expected = "a mapping";
            let written = report.written(at, value);
            let remedy =
                remedy::of_shape(shape, value).or_else(|| type_remedy(expected, value, &written));
            report.wrong_type_but(at, expected, value, remedy);
            return None;
        };
        if let Some(key) = unknown::wrapper(map, shape) {
            report.push(
                Diagnostic::new(
                    Code::UnknownKey,
                    Place::key(&at.key(key)),
                    format!("the key `{key}` stands around {}", shape.called),
                )
                .label("unknown key")
                .help(format!("remove `{key}:` and indent what is under it less")),
            );
            return None;
        }
        Some(Self {
            map,
            at: at.clone(),
            shapes: vec![shape],
            missing: Vec::new(),
            report,
        })
    }

    /// Lets the keys of another shape stand here too.
    pub(crate) fn also(&mut self, shape: &'static Shape) {
        self.shapes.push(shape);
    }

    /// The address of the mapping.
    pub(crate) fn at(&self) -> &Pointer {
        &self.at
    }

    /// The value of a key in its camelCase or `snake_case` spelling.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Field<'v>> {
        self.key(name);
        let snake = snake_case(name);
        let camel_entry = self.map.get_key_value(name);
        let snake_entry = (snake != name)
            .then(|| self.map.get_key_value(&snake))
            .flatten();
        if let (Some(_), Some(_)) = (camel_entry, snake_entry) {
            self.report.push(
                Diagnostic::new(
                    Code::DuplicateKey,
                    Place::key(&self.at.key(&snake)),
                    format!("`{name}` and `{snake}` are the same key"),
                )
                .related(Place::key(&self.at.key(name)), "first here")
                .help("remove one of them"),
            );
        }
        let (key, value) = camel_entry.or(snake_entry)?;
        Some(Field {
            value,
            at: self.at.key(key),
        })
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&mut self, name: &'static str) -> Option<Field<'v>> {
        match self.key(name).map(|key| key.presence) {
            Some(Presence::Required(remedy)) => self.require_or(name, remedy),
            Some(Presence::Optional) | None => self.take(name),
        }
    }

    /// The value of a key that must be there; `remedy` is for the author who left it out.
    pub(crate) fn require_or(
        &mut self,
        name: &'static str,
        remedy: &'static str,
    ) -> Option<Field<'v>> {
        let field = self.take(name);
        if field.is_none() {
            let missing = Diagnostic::new(
                Code::MissingKey,
                Place::value(&self.at.key(name)),
                format!("`{name}` is missing from {}", self.place_name()),
            );
            self.missing.push((name, missing.help(remedy)));
        }
        field
    }

    /// Whether a key is there, be its value right or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name) || self.map.contains_key(&snake_case(name))
    }

    /// What a key says if that is `true` or `false`, whatever it should say.
    pub(crate) fn given_boolean(&self, name: &str) -> Option<bool> {
        let value = self
            .map
            .get(name)
            .or_else(|| self.map.get(&snake_case(name)));
        value?.as_bool()
    }

    /// The string of a key that must be there.
    pub(crate) fn require_string(&mut self, name: &'static str) -> Option<(&'v str, Pointer)> {
        let field = self.require(name)?;
        self.string_of(name, &field)
    }

    /// A string, if the key is there.
    pub(crate) fn string(&mut self, name: &'static str) -> Option<(&'v str, Pointer)> {
        let field = self.take(name)?;
        self.string_of(name, &field)
    }

    /// The string of a key; reports if it is none.
    pub(crate) fn string_of(
        &mut self,
        name: &'static str,
        field: &Field<'v>,
    ) -> Option<(&'v str, Pointer)> {
        match field.value.as_str() {
            Some(text) => Some((text, field.at.clone())),
            None => {
                self.wrong_type_but(name, "a string", field);
                None
            }
        }
    }

    /// The string of an item; reports if it is none.
    pub(crate) fn as_string(&mut self, field: &Field<'v>) -> Option<(&'v str, Pointer)> {
        match field.value.as_str() {
            Some(text) => Some((text, field.at.clone())),
            None => {
                self.report.wrong_type(&field.at, "a string", field.value);
                None
            }
        }
    }

    /// A validated text, if the key is there.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &'static str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let (text, at) = self.string(name)?;
        text.parse()
            .map_err(|error| self.report.invalid(&at, error))
            .ok()
    }

    /// One of a few words, if the key is there.
    pub(crate) fn word<T>(
        &mut self,
        name: &'static str,
        from_word: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (text, at) = self.string(name)?;
        let found = from_word(text);
        if found.is_none() {
            self.no_word(name, text, &at, |_| None);
        }
        found
    }

    /// Reports a text that is none of a key's words; `meant` knows what else is written there.
    pub(crate) fn no_word(
        &mut self,
        name: &'static str,
        text: &str,
        at: &Pointer,
        meant: fn(&str) -> Option<Remedy>,
    ) {
        let words: Vec<&str> = self.key(name).map_or_else(Vec::new, |key| key.form.words());
        let diagnostic = Diagnostic::new(
            Code::InvalidValue,
            Place::value(at),
            format!("`{at}` is \"{text}\", expected one of {}", words.join(", ")),
        );
        let remedy = closest(text, words)
            .map(Remedy::meant)
            .or_else(|| meant(text));
        self.report.push(match remedy {
            Some(remedy) => remedy.of(diagnostic),
            None => diagnostic,
        });
    }

    /// A list, if the key is there; reports if it is none.
    pub(crate) fn list(&mut self, name: &'static str) -> Option<(&'v [Value], Pointer)> {
        let field = self.take(name)?;
        match field.value.as_array() {
            Some(items) => Some((items, field.at)),
            None => {
                self.wrong_type(name, &field);
                None
            }
        }
    }

    /// A list of validated texts; empty if the key is not there.
    pub(crate) fn parsed_list<T: FromStr>(&mut self, name: &'static str) -> Vec<T>
    where
        T::Err: std::fmt::Display,
    {
        let items = self.placed_list(name).into_iter();
        items.map(|(item, _)| item).collect()
    }

    /// As [`Self::parsed_list`], each text with its address.
    pub(crate) fn placed_list<T: FromStr>(&mut self, name: &'static str) -> Vec<(T, Pointer)>
    where
        T::Err: std::fmt::Display,
    {
        let Some((items, at)) = self.list(name) else {
            return Vec::new();
        };
        let mut parsed = Vec::with_capacity(items.len());
        for (index, value) in items.iter().enumerate() {
            let at = at.index(index);
            let Some((text, at)) = self.as_string(&Field { value, at }) else {
                continue;
            };
            match text.parse() {
                Ok(item) => parsed.push((item, at)),
                Err(error) => self.report.invalid(&at, error),
            }
        }
        parsed
    }

    /// A whole number in the range that its shape says, if the key is there.
    pub(crate) fn positive(&mut self, name: &'static str) -> Option<(NonZeroU32, Pointer)> {
        let field = self.take(name)?;
        let number = self.whole(name, &field)?;
        let number = u32::try_from(number).ok().and_then(NonZeroU32::new);
        match number {
            Some(number) => Some((number, field.at)),
            None => {
                self.wrong_type(name, &field);
                None
            }
        }
    }

    /// The whole number of a key; reports if it is none, or not in the range that its shape says.
    pub(crate) fn whole(&mut self, name: &'static str, field: &Field<'v>) -> Option<u64> {
        let range = self.key(name).and_then(|key| key.form.range())?;
        let number = field.value.as_u64();
        if number.is_some_and(|number| range.contains(&number)) {
            return number;
        }
        // What is too small or too large is a number still; a fraction is not a whole one.
        let is_outside = |number: &f64| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "near the ends it is exact above"
            )]
            let inside = *range.start() as f64..=*range.end() as f64;
            number.fract() == 0.0 && (field.value.is_u64() || !inside.contains(number))
        };
        if field.value.as_f64().is_some_and(|n| is_outside(&n)) {
            self.out_of_range(name, field);
        } else {
            self.wrong_type(name, field);
        }
        None
    }

    fn out_of_range(&mut self, name: &str, field: &Field<'_>) {
        let Some(key) = self.key(name) else {
            return;
        };
        let written = self.report.written(&field.at, field.value);
        let diagnostic = Diagnostic::new(
            Code::InvalidValue,
            Place::value(&field.at),
            format!(
                "`{}` is {written}, expected {}",
                field.at,
                key.form.expected()
            ),
        );
        self.report.push(match remedy::of_key(key, field.value) {
            Some(remedy) => remedy.of(diagnostic),
            None => diagnostic,
        });
    }

    /// A number in a range, if the key is there.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        range: &RangeInclusive<f64>,
    ) -> Option<f64> {
        let field = self.take(name)?;
        let Some(number) = field.value.as_f64() else {
            self.wrong_type(name, &field);
            return None;
        };
        if range.contains(&number) {
            return Some(number);
        }
        let (least, most) = (range.start(), range.end());
        let reason = format!("expected a number from {least} to {most}");
        let remedy = if number < *least {
            format!("write {least} or more")
        } else {
            format!("write {most} or less")
        };
        self.report
            .invalid_but(&field.at, reason, Some(Remedy::told(remedy)));
        None
    }

    /// `true` or `false`, if the key is there.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let field = self.take(name)?;
        let flag = field.value.as_bool();
        if flag.is_none() {
            self.wrong_type(name, &field);
        }
        flag
    }

    /// Milliseconds as a number, or a text such as `30s`, if the key is there.
    pub(crate) fn duration(&mut self, name: &'static str) -> Option<(Duration, Field<'v>)> {
        let field = self.take(name)?;
        let duration = match field.value {
            Value::Number(number) => number.as_u64().map(Duration::from_millis),
            Value::String(text) => match duration::parse(text) {
                Ok(duration) => Some(duration),
                Err(error) => {
                    let remedy = duration::meant(text).map(|meant| {
                        let meant = duration::format(meant);
                        Remedy::put(format!("write {meant}"), meant)
                    });
                    self.report.invalid_but(&field.at, error, remedy);
                    return None;
                }
            },
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        match duration {
            Some(duration) => Some((duration, field)),
            None => {
                self.wrong_type(name, &field);
                None
            }
        }
    }

    /// Reports every key that is not known here.
    pub(crate) fn finish(self) {
        self.finish_but(|_| None);
    }

    /// Reports every key that is not known here; `foreign` explains keys of other places.
    pub(crate) fn finish_but(self, foreign: impl Fn(&str) -> Option<String>) {
        self.finish_with(|key, place| {
            let diagnostic = Diagnostic::new(Code::ForeignKey, place, foreign(key)?);
            let help = "remove it, or change `action`";
            Some(diagnostic.label("does not belong here").help(help))
        });
    }

    /// Reports every key that is not known here; `told` knows of some what is wrong, and what to do.
    pub(crate) fn finish_told(self, told: impl Fn(&str) -> Option<(String, String)>) {
        self.finish_with(|key, place| {
            let (message, help) = told(key)?;
            let diagnostic = Diagnostic::new(Code::UnknownKey, place, message);
            Some(diagnostic.label("unknown key").help(help))
        });
    }

    fn finish_with(mut self, own: impl Fn(&str, Place) -> Option<Diagnostic>) {
        let mut explained: Vec<&'static str> = Vec::new();
        for key in self.map.keys() {
            if self.shapes.iter().any(|shape| shape.knows(key)) {
                continue;
            }
            let at = self.at.key(key);
            let place = Place::key(&at);
            let diagnostic = match own(key, place.clone()) {
                Some(diagnostic) => diagnostic,
                None => {
                    let owner = self.place_name();
                    let unknown = unknown::key(key, place, &owner, self.map, &self.shapes);
                    explained.extend(unknown.explains);
                    unknown.diagnostic
                }
            };
            self.report.push(diagnostic);
        }
        // One diagnostic for one mistake: what is only called otherwise is not missing.
        for (name, diagnostic) in std::mem::take(&mut self.missing) {
            if !explained.contains(&name) {
                self.report.push(diagnostic);
            }
        }
    }

    /// What an author would call the mapping.
    fn place_name(&self) -> String {
        if self.at == Pointer::root() {
            self.shapes[0].called.to_owned()
        } else {
            format!("`{}`", self.at)
        }
    }

    /// What the shapes say of a key. Whoever asks for one that no shape has fails every test of his
    /// mapping: an author could never be told of it.
    fn key(&self, name: &str) -> Option<&'static Key> {
        let key = self.shapes.iter().find_map(|shape| shape.key(name));
        debug_assert!(
            key.is_some(),
            "`{name}` is no key of `{}`",
            self.shapes[0].name
        );
        key
    }

    /// Reports that a key's value is not what its shape says.
    pub(crate) fn wrong_type(&mut self, name: &str, field: &Field<'_>) {
        if let Some(key) = self.key(name) {
            self.wrong_type_but(name, &key.form.expected(), field);
        }
    }

    /// As [`Self::wrong_type`], with its own words for what was expected.
    pub(crate) fn wrong_type_but(&mut self, name: &str, expected: &str, field: &Field<'_>) {
        let written = self.report.written(&field.at, field.value);
        let remedy = self
            .key(name)
            .and_then(|key| remedy::of_key(key, field.value))
            .or_else(|| type_remedy(expected, field.value, &written));
        self.report
            .wrong_type_but(&field.at, expected, field.value, remedy);
    }
}
