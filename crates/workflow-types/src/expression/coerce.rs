//! JavaScript's conversions and comparisons: to a primitive, a number, a text; `==`, `===`, `<`.
//!
//! Must not know syntax. Every loop over data asks the budget first.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ptr;
use std::rc::Rc;

use super::budget::{Budget, Exhausted, MAX_NESTING};
use super::datum::{Datum, Elements};
use super::{number, utf16};

/// What objects and arrays turn into before an operator looks at them.
#[derive(Debug, Clone)]
pub(super) enum Primitive<'d> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    String(Cow<'d, str>),
}

impl<'d> Primitive<'d> {
    pub(super) fn into_text(self) -> Cow<'d, str> {
        match self {
            Self::Undefined => Cow::Borrowed("undefined"),
            Self::Null => Cow::Borrowed("null"),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(number::to_text(number)),
            Self::String(text) => text,
        }
    }

    pub(super) fn to_number(&self, budget: &mut Budget) -> Result<f64, Exhausted> {
        Ok(match self {
            Self::Undefined => f64::NAN,
            Self::Null => 0.0,
            Self::Bool(bool) => f64::from(*bool),
            Self::Number(number) => *number,
            Self::String(text) => {
                budget.read(text.len())?;
                number::from_text(text)
            }
        })
    }
}

const OBJECT: &str = "[object Object]";

pub(super) fn to_primitive<'d, 'a: 'd>(
    datum: &'d Datum<'a>,
    budget: &mut Budget,
) -> Result<Primitive<'d>, Exhausted> {
    Ok(match datum {
        Datum::Undefined => Primitive::Undefined,
        Datum::Null => Primitive::Null,
        Datum::Bool(bool) => Primitive::Bool(*bool),
        Datum::Number(number) => Primitive::Number(*number),
        Datum::String(text) => Primitive::String(Cow::Borrowed(text)),
        Datum::Array(_) | Datum::List(_) | Datum::Record(_) | Datum::Virtual(_) => {
            Primitive::String(to_text(datum, budget)?)
        }
    })
}

/// JavaScript's `Number(value)`.
pub(super) fn to_number(datum: &Datum<'_>, budget: &mut Budget) -> Result<f64, Exhausted> {
    to_primitive(datum, budget)?.to_number(budget)
}

/// JavaScript's `String(value)`.
pub(super) fn to_text<'d, 'a: 'd>(
    datum: &'d Datum<'a>,
    budget: &mut Budget,
) -> Result<Cow<'d, str>, Exhausted> {
    Ok(Cow::Borrowed(match datum {
        Datum::String(text) => text.as_ref(),
        Datum::Undefined => "undefined",
        Datum::Null => "null",
        Datum::Bool(true) => "true",
        Datum::Bool(false) => "false",
        Datum::Record(_) | Datum::Virtual(_) => OBJECT,
        Datum::Number(number) => return Ok(Cow::Owned(number::to_text(*number))),
        Datum::Array(_) | Datum::List(_) => {
            let mut joined = Joined::new(budget);
            joined.append(datum)?;
            return Ok(Cow::Owned(joined.text));
        }
    }))
}

/// JavaScript's `array.join(separator)`.
pub(super) fn join(
    elements: Elements<'_, '_>,
    separator: &str,
    budget: &mut Budget,
) -> Result<String, Exhausted> {
    let mut joined = Joined::new(budget);
    joined.append_all(elements, separator)?;
    Ok(joined.text)
}

/// Text being joined from elements, which may be arrays again.
struct Joined<'b> {
    text: String,
    nesting: u32,
    budget: &'b mut Budget,
}

impl<'b> Joined<'b> {
    fn new(budget: &'b mut Budget) -> Self {
        Self {
            text: String::new(),
            nesting: 0,
            budget,
        }
    }

    fn append_all(&mut self, elements: Elements<'_, '_>, separator: &str) -> Result<(), Exhausted> {
        if self.nesting >= MAX_NESTING {
            return Err(Exhausted::Nesting);
        }
        self.nesting += 1;
        self.budget.steps(elements.len())?;
        for (at, element) in elements.iter_from(0).enumerate() {
            if at > 0 {
                self.push(separator)?;
            }
            if !element.is_nullish() {
                self.append(&element)?;
            }
        }
        self.nesting -= 1;
        Ok(())
    }

    fn append(&mut self, datum: &Datum<'_>) -> Result<(), Exhausted> {
        if let Some(elements) = Elements::of(datum) {
            return self.append_all(elements, ",");
        }
        let text = to_text(datum, self.budget)?;
        self.push(&text)
    }

    fn push(&mut self, text: &str) -> Result<(), Exhausted> {
        self.budget.make(text.len())?;
        self.text.push_str(text);
        Ok(())
    }
}

/// JavaScript's `===`. Arrays and objects are equal only to themselves.
pub(super) fn strictly_equal(
    left: &Datum<'_>,
    right: &Datum<'_>,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    Ok(match (left, right) {
        (Datum::Undefined, Datum::Undefined) | (Datum::Null, Datum::Null) => true,
        (Datum::Bool(left), Datum::Bool(right)) => left == right,
        #[expect(clippy::float_cmp, reason = "JavaScript compares exactly")]
        (Datum::Number(left), Datum::Number(right)) => left == right,
        (Datum::String(left), Datum::String(right)) => same_text(left, right, budget)?,
        (Datum::Array(left), Datum::Array(right)) => ptr::eq(*left, *right),
        (Datum::Record(left), Datum::Record(right)) => ptr::eq(*left, *right),
        (Datum::Virtual(left), Datum::Virtual(right)) => ptr::addr_eq(*left, *right),
        (Datum::List(left), Datum::List(right)) => Rc::ptr_eq(left, right),
        _ => false,
    })
}

fn same_text(left: &str, right: &str, budget: &mut Budget) -> Result<bool, Exhausted> {
    if left.len() != right.len() {
        return Ok(false);
    }
    budget.read(left.len())?;
    Ok(left == right)
}

/// JavaScript's `==`: equal after the conversions that it makes.
pub(super) fn loosely_equal(
    left: &Datum<'_>,
    right: &Datum<'_>,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    if left.is_nullish() || right.is_nullish() {
        return Ok(left.is_nullish() && right.is_nullish());
    }
    if is_object(left) && is_object(right) {
        return strictly_equal(left, right, budget);
    }
    let left = to_primitive(left, budget)?;
    let right = to_primitive(right, budget)?;
    if let (Primitive::String(left), Primitive::String(right)) = (&left, &right) {
        return same_text(left, right, budget);
    }
    #[expect(clippy::float_cmp, reason = "JavaScript compares exactly")]
    Ok(left.to_number(budget)? == right.to_number(budget)?)
}

fn is_object(datum: &Datum<'_>) -> bool {
    match datum {
        Datum::Array(_) | Datum::List(_) | Datum::Record(_) | Datum::Virtual(_) => true,
        Datum::Undefined | Datum::Null | Datum::Bool(_) | Datum::Number(_) | Datum::String(_) => {
            false
        }
    }
}

/// As `===`, but not-a-number equals itself: what `includes` asks of elements.
pub(super) fn same_value_zero(
    left: &Datum<'_>,
    right: &Datum<'_>,
    budget: &mut Budget,
) -> Result<bool, Exhausted> {
    if let (Datum::Number(left), Datum::Number(right)) = (left, right)
        && left.is_nan()
        && right.is_nan()
    {
        return Ok(true);
    }
    strictly_equal(left, right, budget)
}

/// The order that `<` and its kin look at; `None` if either is not a number, nor both text.
pub(super) fn order(
    left: &Datum<'_>,
    right: &Datum<'_>,
    budget: &mut Budget,
) -> Result<Option<Ordering>, Exhausted> {
    let left = to_primitive(left, budget)?;
    let right = to_primitive(right, budget)?;
    if let (Primitive::String(left), Primitive::String(right)) = (&left, &right) {
        budget.read(left.len().min(right.len()))?;
        return Ok(Some(utf16::compare(left, right)));
    }
    let left = left.to_number(budget)?;
    Ok(left.partial_cmp(&right.to_number(budget)?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check_text(value: &Value, expect: &str) {
        let datum = Datum::from(value);
        let text = to_text(&datum, &mut Budget::default());
        assert_eq!(text.as_deref(), Ok(expect));
    }

    #[test]
    fn values_become_text_as_in_javascript() {
        check_text(
            &json!([1, [2, [null, "x"]], {}, true]),
            "1,2,,x,[object Object],true",
        );
        check_text(&json!({}), OBJECT);
        check_text(&json!([]), "");
        check_text(&json!([null]), "");
        check_text(&json!(null), "null");
        check_text(&json!(1.0), "1");
    }

    #[test]
    fn loose_equality_converts() {
        let values = [
            (json!([1]), json!(1), true),
            (json!("1"), json!(1), true),
            (json!(""), json!(0), true),
            (json!(null), json!(0), false),
            (json!(true), json!("1"), true),
            (json!([]), json!(false), true),
            (json!({}), json!(OBJECT), true),
            (json!([]), json!([]), false),
        ];
        for (left, right, expect) in &values {
            let equal = loosely_equal(
                &Datum::from(left),
                &Datum::from(right),
                &mut Budget::default(),
            );
            assert_eq!(equal, Ok(*expect), "{left} == {right}");
        }
    }

    #[test]
    fn arrays_are_equal_only_to_themselves() {
        let value = json!([[], []]);
        let [first, second] = [0, 1].map(|at| Datum::from(&value).element(at));
        let mut budget = Budget::default();
        assert_eq!(strictly_equal(&first, &first, &mut budget), Ok(true));
        assert_eq!(strictly_equal(&first, &second, &mut budget), Ok(false));
    }

    #[test]
    fn deep_arrays_are_refused_not_overflowed() {
        let mut value = json!(1);
        for _ in 0..=MAX_NESTING {
            value = Value::Array(vec![value]);
        }
        let text = to_text(&Datum::from(&value), &mut Budget::default()).map(Cow::into_owned);
        assert_eq!(text, Err(Exhausted::Nesting));
    }
}
