//! The keywords of JSON Schema, of every draft, and what stands under each.

use crate::diagnostic::closest;

/// What stands under a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A schema, or true or false.
    Schema,
    /// A schema; in old drafts also a list of them.
    Items,
    /// A list of schemas.
    SchemaList,
    /// Schemas by name.
    Schemas,
    /// Schemas or lists of names by name.
    Dependencies,
    /// The name of a type, or a list of them.
    Type,
    /// A list of names.
    Names,
    /// A list of values.
    Values,
    /// A list of values of which one must be chosen, so that it cannot be empty.
    Choices,
    /// A number.
    Number,
    /// A number; in an old draft true or false.
    Limit,
    /// A number above 0.
    Positive,
    /// A whole number from 0.
    Count,
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// A regular expression.
    Pattern,
    /// The name of a format.
    Format,
    /// The address of another schema.
    Reference,
    /// The address of a draft of JSON Schema.
    Draft,
    /// Any value.
    Anything,
}

/// Every keyword with its shape.
const KEYWORDS: &[(&str, Shape)] = &[
    ("$defs", Shape::Schemas),
    ("$ref", Shape::Reference),
    ("$schema", Shape::Draft),
    ("additionalItems", Shape::Schema),
    ("additionalProperties", Shape::Schema),
    ("allOf", Shape::SchemaList),
    ("anyOf", Shape::SchemaList),
    ("const", Shape::Anything),
    ("contains", Shape::Schema),
    ("contentEncoding", Shape::Text),
    ("contentMediaType", Shape::Text),
    ("contentSchema", Shape::Schema),
    ("default", Shape::Anything),
    ("definitions", Shape::Schemas),
    ("dependencies", Shape::Dependencies),
    ("dependentRequired", Shape::Dependencies),
    ("dependentSchemas", Shape::Schemas),
    ("deprecated", Shape::Flag),
    ("description", Shape::Text),
    ("else", Shape::Schema),
    ("enum", Shape::Choices),
    ("examples", Shape::Values),
    ("exclusiveMaximum", Shape::Limit),
    ("exclusiveMinimum", Shape::Limit),
    ("format", Shape::Format),
    ("id", Shape::Text),
    ("if", Shape::Schema),
    ("items", Shape::Items),
    ("maxContains", Shape::Count),
    ("maxItems", Shape::Count),
    ("maxLength", Shape::Count),
    ("maxProperties", Shape::Count),
    ("maximum", Shape::Number),
    ("minContains", Shape::Count),
    ("minItems", Shape::Count),
    ("minLength", Shape::Count),
    ("minProperties", Shape::Count),
    ("minimum", Shape::Number),
    ("multipleOf", Shape::Positive),
    ("not", Shape::Schema),
    ("oneOf", Shape::SchemaList),
    ("pattern", Shape::Pattern),
    ("patternProperties", Shape::Schemas),
    ("prefixItems", Shape::SchemaList),
    ("properties", Shape::Schemas),
    ("propertyNames", Shape::Schema),
    ("readOnly", Shape::Flag),
    ("required", Shape::Names),
    ("then", Shape::Schema),
    ("title", Shape::Text),
    ("type", Shape::Type),
    ("unevaluatedItems", Shape::Schema),
    ("unevaluatedProperties", Shape::Schema),
    ("uniqueItems", Shape::Flag),
    ("writeOnly", Shape::Flag),
];

/// What other schema languages call a keyword.
const ALIASES: [(&str, &str); 6] = [
    ("choices", "enum"),
    ("max", "maximum"),
    ("min", "minimum"),
    ("options", "enum"),
    ("regex", "pattern"),
    ("values", "enum"),
];

/// Too short to be what a longer word was meant to be: `note` is not a misspelt `not`.
const NEVER_MEANT: [&str; 5] = ["else", "id", "if", "not", "then"];

/// Keywords that tell people something and check nothing.
const ANNOTATIONS: [&str; 13] = [
    "$defs",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "format",
    "id",
    "readOnly",
    "title",
    "writeOnly",
    "contentMediaType",
];

/// Formats of JSON Schema and of `OpenAPI`.
pub(super) const FORMATS: [&str; 26] = [
    "binary",
    "byte",
    "date",
    "date-time",
    "double",
    "duration",
    "email",
    "float",
    "hostname",
    "idn-email",
    "idn-hostname",
    "int32",
    "int64",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "password",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// Pairs of a lower and an upper bound.
pub(super) const BOUNDS: [(&str, &str); 6] = [
    ("minimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
];

/// Every keyword.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(keyword, _)| *keyword)
}

/// What stands under a keyword; none if there is no such keyword.
pub(super) fn shape(key: &str) -> Option<Shape> {
    KEYWORDS
        .iter()
        .find(|(keyword, _)| *keyword == key)
        .map(|(_, shape)| *shape)
}

/// Whether a key may stand in a schema although it is no keyword.
pub(super) fn is_note(key: &str) -> bool {
    key.starts_with("x-") || key.starts_with('$')
}

/// Whether a key checks nothing.
pub(super) fn is_idle(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || shape(key).is_none() && key != "$dynamicRef"
}

/// The keyword that an author most likely meant.
pub(super) fn meant(key: &str) -> Option<&'static str> {
    let known = KEYWORDS.iter().map(|(keyword, _)| *keyword);
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == key)
        .map(|(_, keyword)| *keyword)
        .or_else(|| closest(key, known.filter(|keyword| !NEVER_MEANT.contains(keyword))))
}
