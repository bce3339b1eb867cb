//! What the two forms mean, and laws that hold for every schema and value.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diagnostic::Part;

/// Schemas of names that few values miss.
fn schemas() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(kinds::TYPES.to_vec());
    let leaf = prop_oneof![
        kinds.prop_map(|kind| json!({ "type": kind })),
        Just(json!({"type": ["string", "null"]})),
        Just(json!({"enum": ["a", 1, null]})),
        Just(json!({"const": "b"})),
        Just(json!({"type": "string", "maxLength": 1, "pattern": "^a"})),
        Just(json!({"type": "integer", "minimum": 1, "multipleOf": 2})),
        Just(json!({"not": {"type": "string"}})),
        Just(json!(true)),
        Just(json!(false)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let forms = prop::collection::vec(inner.clone(), 1..3);
        let more = prop_oneof![Just(json!(true)), Just(json!(false)), inner.clone()];
        prop_oneof![
            (inner.clone(), inner.clone(), more.clone(), any::<bool>()).prop_map(
                |(a, b, more, all)| {
                    let required = if all { json!(["a", "b"]) } else { json!([]) };
                    json!({"type": "object", "properties": {"a": a, "b": b},
                        "required": required, "additionalProperties": more})
                }
            ),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"properties": {"a": a},
                "unevaluatedProperties": false, "anyOf": [{"properties": {"b": b}}, true]})),
            inner
                .clone()
                .prop_map(|item| json!({"type": "array", "items": item,
                "uniqueItems": true, "minItems": 1, "maxItems": 2})),
            inner.prop_map(|item| json!({"$ref": "#/$defs/d", "$defs": {"d": item}})),
            forms.clone().prop_map(|forms| json!({ "anyOf": forms })),
            forms.clone().prop_map(|forms| json!({ "oneOf": forms })),
            forms.prop_map(|forms| json!({ "allOf": forms })),
        ]
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            json!(null),
            json!(true),
            json!(1),
            json!(2),
            json!(0.5)
        ]),
        prop::sample::select(vec![json!("a"), json!("b"), json!("ab"), json!("")]),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let name = prop::sample::select(vec!["a", "b", "c"]);
        let entry = (name, inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            prop::collection::vec(entry, 0..3).prop_map(|entries| {
                let own = |(name, value): (&str, Value)| (name.to_owned(), value);
                Value::Object(entries.into_iter().map(own).collect())
            }),
        ]
    })
}

/// What JavaScript reads.
fn read<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

proptest! {
    #[test]
    fn a_value_has_problems_if_and_only_if_the_validator_refuses_it(
        schema in schemas().prop_filter("a mapping", Value::is_object),
        value in values(),
    ) {
        let schema = ValueSchema::parse(&schema).ok();
        prop_assume!(schema.is_some());
        let Some(schema) = schema else { return Ok(()) };
        let problems = schema.problems(&value, &Subject::new("value").masked());
        prop_assert_eq!(schema.compiled.is_valid(&value), problems.is_empty(), "{:?}", problems);
        for problem in &problems {
            let owner = match problem.part {
                Part::Key => problem.at.parent().unwrap_or_default(),
                Part::Value | Part::Inside(_) => problem.at.clone(),
            };
            prop_assert!(value.pointer(owner.as_str()).is_some(), "{:?}", problem);
        }
    }

    #[test]
    fn no_fitting_value_has_a_member_that_is_said_to_be_absent(
        schema in schemas().prop_filter("a mapping", Value::is_object),
        value in values(),
        names in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "0"]), 1..4),
    ) {
        let schema = ValueSchema::parse(&schema).ok();
        prop_assume!(schema.is_some());
        let Some(schema) = schema else { return Ok(()) };
        if let Some(absent) = schema.absent(names.iter().copied())
            && schema.compiled.is_valid(&value)
        {
            let read = names[..=absent.position]
                .iter()
                .try_fold(&value, |value, name| read(value, name));
            prop_assert_eq!(read, None);
        }
    }
}

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

#[test]
fn what_can_never_be_met_or_never_ends_is_refused() {
    let wrong = |input: Value| {
        let refused = InputSchema::parse(&input).unwrap_err();
        let all = refused.problems().iter();
        all.map(|one| format!("{}: {}", one.at, one.message))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let empty = wrong(json!({"a": {"type": "string", "enum": []}}));
    assert!(empty.contains("is an empty list"), "{empty}");
    let to_itself = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}});
    let told = wrong(to_itself);
    assert!(told.contains("which only refers back"), "{told}");
    let tree = json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object",
        "properties": {"child": {"$ref": "#/$defs/a"}}}}});
    assert!(InputSchema::parse(&tree).is_ok());
}

#[test]
fn every_type_is_no_condition() {
    let is_open = |schema: Value| ValueSchema::parse(&schema).unwrap().is_open();
    assert!(is_open(json!({"type": kinds::TYPES})));
    assert!(is_open(
        json!({"type": ["string", "number", "boolean", "array", "object", "null"]})
    ));
    assert!(!is_open(json!({"type": ["string", "number"]})));
    assert!(!is_open(json!({"type": kinds::TYPES, "minLength": 1})));
}
