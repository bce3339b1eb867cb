//! What the two forms mean.

use serde_json::json;

use super::*;

#[test]
fn short_input_fills_defaults_and_names_what_is_missing() {
    let schema = InputSchema::parse(&json!({
        "url": "string",
        "retries": {"type": "integer", "default": 3},
    }))
    .unwrap();
    assert_eq!(
        schema.apply(json!({"url": "u"})).unwrap(),
        json!({"url": "u", "retries": 3})
    );
    let error = schema
        .apply(json!({"retries": "x", "more": 1}))
        .unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
    assert_eq!(schema.coerce("retries", "5"), json!(5));
    assert_eq!(schema.coerce("url", "5"), json!("5"));
}

#[test]
fn schemas_that_are_none_are_refused() {
    assert!(ValueSchema::parse(&json!({"type": "strnig"})).is_err());
    assert!(ValueSchema::parse(&json!([1])).is_err());
    assert!(InputSchema::parse(&json!({"a": 1})).is_err());
    assert!(InputSchema::parse(&json!({"a": {"type": "integer", "default": "x"}})).is_err());
}

#[test]
fn a_lone_type_is_json_schema_and_not_a_property() {
    let schema = ValueSchema::parse(&json!({"type": "string"})).unwrap();
    assert!(schema.check(&json!("text")).is_empty());
}

#[test]
fn a_schema_from_elsewhere_is_taken_if_it_compiles() {
    let foreign = json!({
        "type": "object",
        "properties": {"a": {"type": "string", "exmaple": 1}},
        "required": ["b"],
    });
    assert!(ValueSchema::parse(&foreign).is_ok());
    assert!(InputSchema::parse(&foreign).is_err());
}
