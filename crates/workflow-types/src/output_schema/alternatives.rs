//! Which of several allowed forms a value was meant to have, so that one message says it.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::expected::types_of;

/// What is worth saying of a value that fits none of the forms.
pub(super) enum Choice<'e> {
    /// It was meant to be this form, and these are its errors.
    One(&'e [ValidationError<'static>]),
    /// Every form has another type.
    Types(Vec<JsonType>),
    /// Every form has other words at one place, which is that of the error.
    Words(&'e ValidationError<'static>, Vec<Value>),
    /// Nobody can say.
    None,
}

/// Chooses by what tells forms apart: first the type, then a word that stands in each of them.
pub(super) fn choose<'e>(
    error: &ValidationError<'_>,
    forms: &'e [Vec<ValidationError<'static>>],
) -> Choice<'e> {
    let mut types = Vec::new();
    let mut fitting: Vec<&Vec<ValidationError<'static>>> = Vec::new();
    for form in forms {
        let wrong_type = form.iter().find_map(|inner| {
            let Kind::Type { kind } = inner.kind() else {
                return None;
            };
            (inner.instance_path() == error.instance_path()).then_some(kind)
        });
        match wrong_type {
            Some(kind) => types.extend(types_of(kind)),
            None => fitting.push(form),
        }
    }
    if let [only] = fitting.as_slice() {
        return Choice::One(only);
    }
    if fitting.is_empty() {
        types.dedup();
        return Choice::Types(types);
    }
    let told_apart: Option<Vec<&ValidationError<'static>>> = fitting
        .iter()
        .map(|form| form.iter().find(|inner| words(inner).is_some()))
        .collect();
    fitting.retain(|form| !form.iter().any(|inner| words(inner).is_some()));
    match (fitting.as_slice(), told_apart.as_deref()) {
        ([only], _) => Choice::One(only),
        ([], Some([first, rest @ ..]))
            if rest
                .iter()
                .all(|inner| inner.instance_path() == first.instance_path()) =>
        {
            let all = std::iter::once(first).chain(rest);
            Choice::Words(
                first,
                all.filter_map(|inner| words(inner)).flatten().collect(),
            )
        }
        (_, _) => Choice::None,
    }
}

/// The values that an error would have allowed.
fn words(error: &ValidationError<'_>) -> Option<Vec<Value>> {
    if let Kind::Constant { expected_value } = error.kind() {
        return Some(vec![expected_value.as_ref().clone()]);
    }
    let Kind::Enum { options } = error.kind() else {
        return None;
    };
    options.as_array().cloned()
}
