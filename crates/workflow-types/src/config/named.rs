//! Mappings under names that the author chose.

use std::fmt::Display;
use std::str::FromStr;

use crate::definition::fields::{Field, Fields};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};

/// What stands under names that the author chose, each with its address.
pub(super) fn named<'v>(
    fields: &mut Fields<'v, '_>,
    key: &'static str,
) -> Vec<(String, Field<'v>)> {
    let Some(field) = fields.take(key) else {
        return Vec::new();
    };
    let Some(map) = field.value.as_object() else {
        fields.wrong_type(key, &field);
        return Vec::new();
    };
    let entries = map.iter().map(|(name, value)| {
        let at = field.at.key(name);
        (name.clone(), Field { value, at })
    });
    entries.collect()
}

/// A name that the author chose; reports if it is none.
pub(super) fn name_of<N: FromStr<Err: Display>>(
    name: &str,
    at: &Pointer,
    report: &mut Report,
) -> Option<N> {
    let parsed = name.parse();
    let told = |error| {
        let message = format!("the name of `{at}` is not valid: {error}");
        report.push(Diagnostic::new(Code::InvalidValue, Place::key(at), message));
    };
    parsed.map_err(told).ok()
}
