//! What the validator expected, in a few plain words.

use jsonschema::JsonType;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use super::kinds;

/// What was expected, where a few words say it.
pub(super) fn expected(kind: &Kind) -> String {
    let items = |limit: u64| if limit == 1 { "item" } else { "items" };
    let characters = |limit: u64| {
        if limit == 1 {
            "character"
        } else {
            "characters"
        }
    };
    let keys = |limit: u64| if limit == 1 { "key" } else { "keys" };
    match kind {
        Kind::Type { kind } => {
            let types: Vec<&str> = types_of(kind).into_iter().map(plain).collect();
            kinds::either(&types)
        }
        Kind::Constant { expected_value } => match expected_value.as_str() {
            Some(text) => format!("\"{text}\""),
            None => expected_value.to_string(),
        },
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("at least {limit} {}", characters(*limit)),
        Kind::MaxLength { limit } => format!("at most {limit} {}", characters(*limit)),
        Kind::MinItems { limit } => format!("at least {limit} {}", items(*limit)),
        Kind::MaxItems { limit } => format!("at most {limit} {}", items(*limit)),
        Kind::AdditionalItems { limit } => format!("at most {limit} items"),
        Kind::UnevaluatedItems { .. } => "fewer items".to_owned(),
        Kind::MinProperties { limit } => format!("at least {limit} {}", keys(*limit)),
        Kind::MaxProperties { limit } => format!("at most {limit} {}", keys(*limit)),
        Kind::UniqueItems => "no two equal items".to_owned(),
        Kind::Contains => "an item of the kind that is asked for".to_owned(),
        Kind::Pattern { pattern } => format!("a text that matches `{pattern}`"),
        Kind::Format { format } => format!("a text of the format `{format}`"),
        Kind::ContentEncoding { content_encoding } => format!("a text in {content_encoding}"),
        Kind::ContentMediaType { content_media_type } => format!("a text of {content_media_type}"),
        Kind::OneOfMultipleValid { .. } => {
            "something that fits one form only, not several".to_owned()
        }
        Kind::Not { .. } => "something that the schema does not rule out".to_owned(),
        Kind::Custom { message, .. } => message.clone(),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "a text that its pattern can be tried on".to_owned()
        }
        Kind::FromUtf8 { .. } => "a text in UTF-8".to_owned(),
        Kind::Referencing(_) => "a schema that can be found".to_owned(),
        // These have messages of their own.
        Kind::Required { .. }
        | Kind::AdditionalProperties { .. }
        | Kind::UnevaluatedProperties { .. }
        | Kind::AnyOf { .. }
        | Kind::OneOfNotValid { .. }
        | Kind::PropertyNames { .. }
        | Kind::FalseSchema
        | Kind::Enum { .. } => "something else".to_owned(),
    }
}

/// Quotes that are missing or too many are behind most wrong types.
pub(super) fn quoting(kind: &Kind, value: &Value) -> Option<String> {
    let Kind::Type { kind } = kind else {
        return None;
    };
    let types = types_of(kind);
    let scalar = value.is_number() || value.is_boolean();
    if scalar && types.contains(&JsonType::String) {
        return Some("put it in quotes".to_owned());
    }
    let inner: Value = serde_json::from_str(value.as_str()?).ok()?;
    let fits = |kind: &JsonType| match kind {
        JsonType::Boolean => inner.is_boolean(),
        JsonType::Integer => inner.is_i64() || inner.is_u64(),
        JsonType::Number => inner.is_number(),
        JsonType::Null | JsonType::String | JsonType::Array | JsonType::Object => false,
    };
    types
        .iter()
        .any(fits)
        .then(|| "write it without quotes".to_owned())
}

pub(super) fn types_of(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(kind) => vec![*kind],
        TypeKind::Multiple(kinds) => kinds.iter().collect(),
    }
}

pub(super) fn plain(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
    }
}
