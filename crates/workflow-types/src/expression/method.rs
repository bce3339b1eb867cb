//! The methods of strings and arrays, with the arguments and results of JavaScript's own.
//!
//! Must not know syntax. Arguments that are missing are `undefined`; those too many are ignored.

use std::borrow::Cow;
use std::rc::Rc;

use super::ast::Method;
use super::budget::{Budget, Exhausted};
use super::coerce;
use super::datum::{Datum, Elements};
use super::{number, utf16};

/// Why a call gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The receiver has no such method.
    Receiver,
    Exhausted(Exhausted),
}

impl From<Exhausted> for Refused {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

/// Calls `method` on `receiver`.
pub(super) fn call<'a>(
    method: Method,
    receiver: Datum<'a>,
    arguments: &[Datum<'a>],
    budget: &mut Budget,
) -> Result<Datum<'a>, Refused> {
    let arguments = Arguments(arguments);
    match receiver {
        Datum::String(Cow::Borrowed(text)) => on_text(method, text, &arguments, budget),
        Datum::String(Cow::Owned(text)) => {
            on_text(method, &text, &arguments, budget).map(Datum::into_owned_text)
        }
        Datum::Array(_) | Datum::List(_) => on_array(method, &receiver, &arguments, budget),
        Datum::Undefined
        | Datum::Null
        | Datum::Bool(_)
        | Datum::Number(_)
        | Datum::Record(_)
        | Datum::Virtual(_) => Err(Refused::Receiver),
    }
}

struct Arguments<'d, 'a>(&'d [Datum<'a>]);

impl<'d, 'a> Arguments<'d, 'a> {
    fn get(&self, at: usize) -> &'d Datum<'a> {
        self.0.get(at).unwrap_or(&Datum::Undefined)
    }

    fn text(&self, at: usize, budget: &mut Budget) -> Result<Cow<'d, str>, Exhausted> {
        coerce::to_text(self.get(at), budget)
    }

    /// The position at `at`, or `missing` if there is none.
    fn position(&self, at: usize, missing: f64, budget: &mut Budget) -> Result<f64, Exhausted> {
        let given = self.get(at);
        if given.is_undefined() {
            return Ok(missing);
        }
        coerce::to_number(given, budget)
    }
}

fn on_text<'t>(
    method: Method,
    text: &'t str,
    arguments: &Arguments<'_, '_>,
    budget: &mut Budget,
) -> Result<Datum<'t>, Refused> {
    budget.read(text.len())?;
    Ok(match method {
        Method::Trim => Datum::from(utf16::trim(text)),
        Method::ToLowerCase => made(text.len(), budget, || text.to_lowercase())?,
        Method::ToUpperCase => made(text.len(), budget, || text.to_uppercase())?,
        Method::Slice => {
            let length = utf16::length(text);
            let range = slice_range(length, arguments, budget)?;
            Datum::String(utf16::slice(text, range))
        }
        Method::Includes => Datum::Bool(position_of(text, arguments, budget)?.is_some()),
        Method::IndexOf => position(position_of(text, arguments, budget)?),
        Method::StartsWith => {
            let needle = arguments.text(0, budget)?;
            let from = arguments.position(1, 0.0, budget)?;
            let from = number::clamp(from, utf16::length(text));
            Datum::Bool(utf16::starts_at(text, &needle, from))
        }
        Method::EndsWith => {
            let needle = arguments.text(0, budget)?;
            let end = arguments.position(1, f64::INFINITY, budget)?;
            let end = number::clamp(end, utf16::length(text));
            Datum::Bool(utf16::ends_at(text, &needle, end))
        }
        Method::Join => return Err(Refused::Receiver),
    })
}

/// Text made from `length` bytes; some letters need more bytes in the other case.
fn made<'t>(
    length: usize,
    budget: &mut Budget,
    make: impl FnOnce() -> String,
) -> Result<Datum<'t>, Exhausted> {
    budget.make(length)?;
    let text = make();
    budget.make(text.len().saturating_sub(length))?;
    Ok(Datum::String(Cow::Owned(text)))
}

fn position_of(
    text: &str,
    arguments: &Arguments<'_, '_>,
    budget: &mut Budget,
) -> Result<Option<usize>, Exhausted> {
    let needle = arguments.text(0, budget)?;
    let from = arguments.position(1, 0.0, budget)?;
    let from = number::clamp(from, utf16::length(text));
    Ok(utf16::find(text, &needle, from))
}

fn position<'a>(found: Option<usize>) -> Datum<'a> {
    Datum::Number(found.map_or(-1.0, number::from_count))
}

fn slice_range(
    length: usize,
    arguments: &Arguments<'_, '_>,
    budget: &mut Budget,
) -> Result<std::ops::Range<usize>, Exhausted> {
    let start = arguments.position(0, 0.0, budget)?;
    let end = arguments.position(1, f64::INFINITY, budget)?;
    let start = number::clamp_from_end(start, length);
    let end = number::clamp_from_end(end, length);
    Ok(start..end.max(start))
}

fn on_array<'a>(
    method: Method,
    array: &Datum<'a>,
    arguments: &Arguments<'_, 'a>,
    budget: &mut Budget,
) -> Result<Datum<'a>, Refused> {
    let elements = Elements::of(array).ok_or(Refused::Receiver)?;
    Ok(match method {
        Method::Includes => {
            let found = find(elements, coerce::same_value_zero, arguments, budget)?;
            Datum::Bool(found.is_some())
        }
        Method::IndexOf => position(find(elements, coerce::strictly_equal, arguments, budget)?),
        Method::Slice => {
            let range = slice_range(elements.len(), arguments, budget)?;
            budget.steps(range.len())?;
            Datum::List(elements.slice(range))
        }
        Method::Join => {
            let separator = if arguments.get(0).is_undefined() {
                Cow::Borrowed(",")
            } else {
                arguments.text(0, budget)?
            };
            let joined = coerce::join(elements, &separator, budget)?;
            Datum::String(Cow::Owned(joined))
        }
        Method::StartsWith
        | Method::EndsWith
        | Method::Trim
        | Method::ToLowerCase
        | Method::ToUpperCase => return Err(Refused::Receiver),
    })
}

type Equality = fn(&Datum<'_>, &Datum<'_>, &mut Budget) -> Result<bool, Exhausted>;

fn find(
    elements: Elements<'_, '_>,
    equal: Equality,
    arguments: &Arguments<'_, '_>,
    budget: &mut Budget,
) -> Result<Option<usize>, Exhausted> {
    let wanted = arguments.get(0);
    let from = arguments.position(1, 0.0, budget)?;
    let from = number::clamp_from_end(from, elements.len());
    for (at, element) in elements.iter_from(from).enumerate() {
        budget.step()?;
        if equal(&element, wanted, budget)? {
            return Ok(Some(from + at));
        }
    }
    Ok(None)
}

impl<'a> Elements<'_, 'a> {
    fn slice(self, range: std::ops::Range<usize>) -> Rc<[Datum<'a>]> {
        match self {
            Self::Json(elements) => elements
                .get(range)
                .unwrap_or_default()
                .iter()
                .map(Datum::from)
                .collect(),
            Self::List(elements) => Rc::from(elements.get(range).unwrap_or_default()),
        }
    }
}

impl Datum<'_> {
    /// The same value without the text that it was cut from.
    fn into_owned_text<'a>(self) -> Datum<'a> {
        match self {
            Datum::String(text) => Datum::String(Cow::Owned(text.into_owned())),
            Datum::Bool(bool) => Datum::Bool(bool),
            Datum::Number(number) => Datum::Number(number),
            // No method of a string gives any of these.
            Datum::Undefined
            | Datum::Null
            | Datum::Array(_)
            | Datum::Record(_)
            | Datum::Virtual(_)
            | Datum::List(_) => Datum::Undefined,
        }
    }
}
