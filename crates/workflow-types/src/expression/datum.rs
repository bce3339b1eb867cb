//! The values that expressions read and give, and how a host shows them its data.
//!
//! Must not know syntax: [`Datum`] is what JavaScript would hold, borrowed wherever it can be.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Number, Value};

use super::{number, utf16};

/// The names that an expression may start with, such as `input` and `steps`.
///
/// A JSON object is a scope: its keys are the names.
///
/// # Examples
///
/// ```
/// use workflow_types::expression::{Expression, Scope};
///
/// let scope = serde_json::json!({ "input": { "retries": 3 } });
/// let scope = scope.as_object().unwrap();
/// let expression = Expression::parse("input.retries > 2").unwrap();
/// assert!(expression.evaluate(scope).unwrap().truthy());
/// ```
pub trait Scope {
    /// The value of `name`; a name that is not there reads as `undefined`.
    fn get(&self, name: &str) -> Option<Datum<'_>>;
}

impl Scope for Map<String, Value> {
    fn get(&self, name: &str) -> Option<Datum<'_>> {
        Map::get(self, name).map(Datum::from)
    }
}

/// An object whose members are looked up when they are read, so that live state need not be
/// copied into JSON first.
///
/// Two objects are equal to an expression if they are at one address; give each its own.
pub trait Object: fmt::Debug {
    /// The member `key`; one that is not there reads as `undefined`.
    fn get(&self, key: &str) -> Option<Datum<'_>>;

    /// The names of all members, in the order in which they are written out.
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_>;

    /// The whole object as JSON. Members that are `undefined` are left out, as JavaScript does.
    ///
    /// The provided method builds it from [`keys`](Self::keys) and [`get`](Self::get).
    fn to_json(&self) -> Value {
        let present = self.keys().filter_map(|key| Some((key, self.get(key)?)));
        let defined = present.filter(|(_, datum)| !datum.is_undefined());
        Value::Object(
            defined
                .map(|(key, datum)| (key.to_owned(), datum.to_json()))
                .collect(),
        )
    }
}

/// A value within an expression: what JavaScript would hold, borrowing the data it came from.
///
/// Cloning is cheap except for text that the expression itself made. There is no `==`, because
/// JavaScript has two of them.
#[derive(Debug, Clone)]
pub enum Datum<'a> {
    /// What a missing key reads as.
    Undefined,
    /// JSON's `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Every number is a double, as after JavaScript's `JSON.parse`: integers beyond 2^53 round.
    Number(f64),
    /// Text, borrowed from the data or from the expression unless it was computed.
    String(Cow<'a, str>),
    /// An array in JSON data.
    Array(&'a Vec<Value>),
    /// An object in JSON data.
    Record(&'a Map<String, Value>),
    /// An object that answers when it is asked.
    Virtual(&'a dyn Object),
    /// An array that the expression made: a literal, or a `slice`.
    List(Rc<[Datum<'a>]>),
}

impl<'a> From<&'a Value> for Datum<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Number(number) => Self::Number(double(number)),
            Value::String(text) => Self::from(text.as_str()),
            Value::Array(elements) => Self::Array(elements),
            Value::Object(members) => Self::Record(members),
        }
    }
}

impl<'a> From<&'a str> for Datum<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

/// `as_f64` has no answer only if some crate turns on arbitrary precision; then the text decides.
fn double(number: &Number) -> f64 {
    number
        .as_f64()
        .or_else(|| number.to_string().parse().ok())
        .unwrap_or(f64::NAN)
}

impl Datum<'_> {
    /// Whether a condition with this value is met: all but `undefined`, `null`, `false`, `0`,
    /// not-a-number and the empty string.
    ///
    /// # Examples
    ///
    /// ```
    /// use workflow_types::expression::Datum;
    ///
    /// assert!(Datum::from("false").truthy());
    /// assert!(!Datum::from("").truthy());
    /// assert!(!Datum::Number(f64::NAN).truthy());
    /// ```
    pub fn truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(bool) => *bool,
            Self::Number(number) => !number.is_nan() && *number != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Array(_) | Self::Record(_) | Self::Virtual(_) | Self::List(_) => true,
        }
    }

    /// The value as JSON, by the rules of `JSON.stringify`: `undefined` within an array and
    /// numbers that are not finite become `null`, `-0` becomes `0`. `undefined` itself, which
    /// JSON lacks, becomes `null` too. Data that was JSON already comes back unchanged.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Undefined | Self::Null => Value::Null,
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Number(number) => json_number(*number),
            Self::String(text) => Value::String(text.clone().into_owned()),
            Self::Array(elements) => Value::Array((*elements).clone()),
            Self::Record(members) => Value::Object((*members).clone()),
            Self::Virtual(object) => object.to_json(),
            Self::List(elements) => elements.iter().map(Datum::to_json).collect(),
        }
    }

    /// What messages call a value of this kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) | Self::List(_) => "an array",
            Self::Record(_) | Self::Virtual(_) => "an object",
        }
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    pub(super) fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// The own property `key`; undefined where JavaScript has none or would throw.
    pub(super) fn property(self, key: &str) -> Self {
        match self {
            Self::Undefined | Self::Null | Self::Bool(_) | Self::Number(_) => Self::Undefined,
            Self::Record(members) => members.get(key).map_or(Self::Undefined, Self::from),
            Self::Virtual(object) => object.get(key).unwrap_or(Self::Undefined),
            Self::String(_) | Self::Array(_) | Self::List(_) => {
                if key == "length" {
                    self.length()
                } else if let Some(index) = number::key_index(key) {
                    self.element(index)
                } else {
                    Self::Undefined
                }
            }
        }
    }

    /// The element at `index` of an array or a string; undefined for all else.
    pub(super) fn element(self, index: usize) -> Self {
        match self {
            Self::String(Cow::Borrowed(text)) => {
                character(utf16::slice(text, index..index.saturating_add(1)))
            }
            Self::String(Cow::Owned(text)) => {
                let unit = utf16::slice(&text, index..index.saturating_add(1));
                character(Cow::Owned(unit.into_owned()))
            }
            Self::Array(elements) => elements.get(index).map_or(Self::Undefined, Self::from),
            Self::List(elements) => elements.get(index).map_or(Self::Undefined, Self::clone),
            Self::Undefined
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Record(_)
            | Self::Virtual(_) => Self::Undefined,
        }
    }

    fn length(&self) -> Self {
        if let Self::String(text) = self {
            return Self::Number(number::from_count(utf16::length(text)));
        }
        Elements::of(self).map_or(Self::Undefined, |elements| {
            Self::Number(number::from_count(elements.len()))
        })
    }
}

fn character(unit: Cow<'_, str>) -> Datum<'_> {
    if unit.is_empty() {
        Datum::Undefined
    } else {
        Datum::String(unit)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only whole numbers within 2^53 are cast"
)]
fn json_number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Value::from(number as i64)
    } else {
        // Not-a-number and the infinities have no JSON form and become null.
        Value::from(number)
    }
}

/// The elements of either kind of array, read without copying.
#[derive(Debug, Clone, Copy)]
pub(super) enum Elements<'d, 'a> {
    Json(&'a [Value]),
    List(&'d [Datum<'a>]),
}

impl<'d, 'a: 'd> Elements<'d, 'a> {
    /// The elements of `datum` if it is an array.
    pub(super) fn of(datum: &'d Datum<'a>) -> Option<Self> {
        match datum {
            Datum::Array(elements) => Some(Self::Json(elements)),
            Datum::List(elements) => Some(Self::List(elements)),
            Datum::Undefined
            | Datum::Null
            | Datum::Bool(_)
            | Datum::Number(_)
            | Datum::String(_)
            | Datum::Record(_)
            | Datum::Virtual(_) => None,
        }
    }

    pub(super) fn len(self) -> usize {
        match self {
            Self::Json(elements) => elements.len(),
            Self::List(elements) => elements.len(),
        }
    }

    /// Those from `from` on.
    pub(super) fn iter_from(self, from: usize) -> Box<dyn Iterator<Item = Datum<'d>> + 'd> {
        match self {
            Self::Json(elements) => Box::new(elements.iter().skip(from).map(Datum::from)),
            Self::List(elements) => Box::new(elements.iter().skip(from).map(reborrowed)),
        }
    }
}

/// The same value, its text borrowed even if the original owns it.
fn reborrowed<'d, 'a: 'd>(datum: &'d Datum<'a>) -> Datum<'d> {
    match datum {
        Datum::Undefined => Datum::Undefined,
        Datum::Null => Datum::Null,
        Datum::Bool(bool) => Datum::Bool(*bool),
        Datum::Number(number) => Datum::Number(*number),
        Datum::String(text) => Datum::from(text.as_ref()),
        Datum::Array(elements) => Datum::Array(elements),
        Datum::Record(members) => Datum::Record(members),
        Datum::Virtual(object) => Datum::Virtual(*object),
        Datum::List(elements) => Datum::List(Rc::clone(elements)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug)]
    struct Step {
        output: Value,
    }

    impl Object for Step {
        fn get(&self, key: &str) -> Option<Datum<'_>> {
            match key {
                "output" => Some(Datum::from(&self.output)),
                "error" => Some(Datum::Undefined),
                _ => None,
            }
        }

        fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
            Box::new(["output", "error", "absent"].into_iter())
        }
    }

    #[test]
    fn objects_become_json_without_their_undefined_members() {
        let step = Step { output: json!([1]) };
        assert_eq!(Datum::Virtual(&step).to_json(), json!({ "output": [1] }));
    }

    #[test]
    fn numbers_become_json_as_javascript_writes_them() {
        for (number, json) in [
            (3.0, "3"),
            (-0.0, "0"),
            (-3.0, "-3"),
            (0.5, "0.5"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
            (9_007_199_254_740_992.0, "9007199254740992"),
        ] {
            assert_eq!(Datum::Number(number).to_json().to_string(), json);
        }
    }

    #[test]
    fn lists_become_json_with_null_for_undefined() {
        let list = Datum::List(Rc::from([Datum::Undefined, Datum::from("a")]));
        assert_eq!(list.to_json(), json!([null, "a"]));
    }

    #[test]
    fn large_integers_round_as_in_javascript() {
        let value = json!(9_007_199_254_740_993_u64);
        assert!(matches!(
            Datum::from(&value),
            Datum::Number(9_007_199_254_740_992.0)
        ));
    }

    #[test]
    fn only_own_properties_are_there() {
        let value = json!({ "list": [1, 2], "text": "ab", "record": {} });
        for (key, property) in [
            ("list", "constructor"),
            ("list", "01"),
            ("list", "2"),
            ("text", "toString"),
            ("text", "2"),
            ("record", "__proto__"),
            ("missing", "length"),
        ] {
            let datum = Datum::from(&value).property(key).property(property);
            assert!(matches!(datum, Datum::Undefined), "{key}.{property}");
        }
        let character = Datum::from(&value).property("text").property("1");
        assert_eq!(character.to_json(), json!("b"));
    }
}
