//! The published schema of `agentspace.toml` says what the parser says.

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use workflow_types::config::{
    Config, DEFAULT_DATABASE, DEFAULT_DRAIN, DEFAULT_DURABILITY, DEFAULT_EXECUTIONS, DEFAULT_GRACE,
    DEFAULT_OUTPUT_BYTES, DEFAULT_TIMEZONE, DEFAULT_WORKFLOWS,
};
use workflow_types::{Diagnostics, json_schema};

use super::mutate::mutations;

/// A document with every key.
fn full() -> Value {
    json!({
        "database": "a/b.db",
        "workflows": "flows",
        "gateway": {
            "durability": "normal",
            "max_concurrent_executions": 8,
            "max_output_bytes": 4096,
            "timezone": "Europe/Berlin",
            "drain": "5s",
            "grace": 500,
            "retention": {"older_than": 7_200_000, "keep_per_workflow": 100},
        },
        "tools": {
            "execute_command": {"allow_programs": ["git"], "inherit_env": ["PATH", "*"]},
            "http_request": {"allow_private_addresses": true},
        },
    })
}

/// No schema says how long `8d` is, or knows the time zones.
fn beyond_schemas(diagnostics: &Diagnostics) -> bool {
    let length = |message: &str| {
        message.contains("longer than a day")
            || message.contains("shorter than an hour")
            || (message.contains("which is no time zone") && !message.contains("is ``"))
    };
    diagnostics.errors().all(|error| length(&error.message))
}

fn agree(schema: &Validator, document: &Value) -> Result<(), String> {
    let checked = Config::check(document);
    let good = checked.config.is_some() || beyond_schemas(&checked.diagnostics);
    // A number is judged by both; only texts are beyond a schema.
    let number = |key: &str| document["gateway"][key].as_u64().unwrap_or_default();
    let long = number("drain").max(number("grace")) > 86_400_000;
    let age = &document["gateway"]["retention"]["older_than"];
    // That none is no time a schema can say, in every unit.
    let short = age == "0s" || age.as_u64().is_some_and(|age| age < 3_600_000);
    if schema.is_valid(document) == (good && !long && !short) {
        return Ok(());
    }
    Err(format!("{document}\n{}", checked.diagnostics))
}

proptest! {
    #[test]
    fn the_schema_accepts_what_the_parser_accepts(
        changes in mutations(&json_schema::config()),
    ) {
        let schema = jsonschema::validator_for(&json_schema::config()).unwrap();
        let mut document = full();
        for change in changes {
            change.apply(&mut document);
        }
        agree(&schema, &document).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn every_value_at_every_key_is_judged_alike() {
    let schema = jsonschema::validator_for(&json_schema::config()).unwrap();
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(86_400_000),
        json!(86_400_001),
        json!(3_599_999),
        json!(3_600_000),
        json!(4_294_967_295_u64),
        json!(4_294_967_296_u64),
        json!(""),
        json!("x"),
        json!("a=b"),
        json!("a\0b"),
        json!("0s"),
        json!("full"),
        json!([]),
        json!([""]),
        json!(["x", 1]),
        json!(["a=b"]),
        json!({}),
        json!({"x": 1}),
    ];
    for at in full_pointers() {
        for value in &values {
            let mut document = full();
            *document.pointer_mut(&at).unwrap() = value.clone();
            agree(&schema, &document).unwrap();
        }
    }
}

fn full_pointers() -> Vec<String> {
    let mut open = vec![(String::new(), full())];
    let mut found = Vec::new();
    while let Some((at, value)) = open.pop() {
        if let Value::Object(map) = value {
            open.extend(
                map.into_iter()
                    .map(|(key, value)| (format!("{at}/{key}"), value)),
            );
        }
        found.push(at);
    }
    assert_eq!(found.len(), 19);
    found
}

#[test]
fn the_published_defaults_are_those_of_the_program_and_the_examples_are_good() {
    let schema = json_schema::config();
    let mut written = json!({});
    let mut described = 0;
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, mapping) in [("", &schema)]
        .into_iter()
        .chain(definitions.iter().map(|(name, of)| (name.as_str(), of)))
    {
        let at: &[&str] = match name {
            "" => &[],
            "gateway" => &["gateway"],
            "retention" => &["gateway", "retention"],
            "tools" => &["tools"],
            "executeCommand" => &["tools", "execute_command"],
            "httpRequest" => &["tools", "http_request"],
            other => panic!("{other} is new"),
        };
        for (key, property) in mapping["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{key}");
            let mut example = json!({});
            *inner(&mut example, at, key) = property["examples"][0].clone();
            let told = Config::check(&example).diagnostics;
            assert!(told.is_empty(), "{example}: {told}");
            if let Some(default) = property.get("default") {
                *inner(&mut written, at, key) = default.clone();
            }
            described += 1;
        }
    }
    assert_eq!(described, 18);
    let expected = Config {
        database: Some(DEFAULT_DATABASE.to_owned()),
        workflows: Some(DEFAULT_WORKFLOWS.to_owned()),
        durability: Some(DEFAULT_DURABILITY),
        max_concurrent_executions: Some(DEFAULT_EXECUTIONS),
        max_output_bytes: Some(DEFAULT_OUTPUT_BYTES),
        timezone: Some(DEFAULT_TIMEZONE),
        drain: Some(DEFAULT_DRAIN),
        grace: Some(DEFAULT_GRACE),
        older_than: None,
        keep_per_workflow: None,
        allow_programs: None,
        inherit_env: Some(Vec::new()),
        allow_private_addresses: Some(false),
    };
    assert_eq!(Config::check(&written).config, Some(expected));
}

fn inner<'v>(document: &'v mut Value, at: &[&str], key: &str) -> &'v mut Value {
    let mapping = at.iter().fold(document, |value, key| &mut value[*key]);
    &mut mapping[key]
}

#[test]
fn a_wait_that_looks_like_seconds_is_a_warning() {
    let warned = |value: Value| {
        let checked = Config::check(&json!({"gateway": {"drain": value, "grace": "2s"}}));
        assert!(checked.config.is_some());
        checked.diagnostics.to_string()
    };
    let told = warned(json!(30));
    assert!(
        told.contains("WF0304") && told.contains("\"30s\""),
        "{told}"
    );
    for meant in [json!(0), json!(100), json!("30ms")] {
        assert_eq!(warned(meant), "");
    }
}

#[test]
fn a_retention_of_less_than_an_hour_is_refused_because_it_was_not_meant() {
    for (age, is_good) in [
        (json!(30), false),
        (json!("59m"), false),
        (json!("1h"), true),
        (json!("30d"), true),
    ] {
        let document = json!({"gateway": {"retention": {"older_than": age}}});
        let checked = Config::check(&document);
        assert_eq!(checked.config.is_some(), is_good, "{document}");
        if !is_good {
            let told = checked.diagnostics.to_string();
            assert!(told.contains("write at least \"1h\""), "{told}");
        }
    }
}
