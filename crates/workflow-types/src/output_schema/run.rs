//! What only a run can know: values that templates will give.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::alternatives::{self, Choice};
use crate::template::Template;

/// Whether an error depends on what a template gives.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else the validator may ask, it asks of the value that a template gives"
)]
pub(super) fn is_up_to(error: &ValidationError<'_>) -> bool {
    let conditional = error
        .schema_path()
        .as_str()
        .split('/')
        .any(|word| word == "then" || word == "else");
    let value = error.instance();
    conditional
        || match error.kind() {
            Kind::Type { .. } => is_whole_template(value),
            // Keys are never templates, and neither is how many there are.
            Kind::Required { .. }
            | Kind::AdditionalProperties { .. }
            | Kind::AdditionalItems { .. }
            | Kind::MinItems { .. }
            | Kind::MaxItems { .. }
            | Kind::MinProperties { .. }
            | Kind::MaxProperties { .. }
            | Kind::PropertyNames { .. }
            | Kind::FalseSchema => false,
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                match alternatives::choose(error, context) {
                    Choice::Types(_) => is_whole_template(value),
                    Choice::One(_) | Choice::Words(_, _) | Choice::None => has_template(value),
                }
            }
            _ => has_template(value),
        }
}

/// Whether the kind of a value is known only when it runs.
fn is_whole_template(value: &Value) -> bool {
    value
        .as_str()
        .and_then(|text| Template::parse(text).ok())
        .is_some_and(|template| template.is_whole())
}

pub(super) fn has_template(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains("{{"),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(map) => map.values().any(has_template),
    }
}
