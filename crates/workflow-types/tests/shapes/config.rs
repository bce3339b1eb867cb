//! The published schema of `agentspace.toml` says what the parser says.

use std::collections::BTreeMap;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use workflow_types::config::{
    AlertConfig, Config, DEFAULT_DATABASE, DEFAULT_DRAIN, DEFAULT_DURABILITY, DEFAULT_EXECUTIONS,
    DEFAULT_GRACE, DEFAULT_OUTPUT_BYTES, DEFAULT_REMIND_AFTER, DEFAULT_TIMEZONE, DEFAULT_WORKFLOWS,
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
        "mcp": {"servers": {
            "files": {
                "command": ["npx", "x"], "env": {"A": "{{ secrets.A }}"}, "inherit_env": ["B"],
                "cwd": "d",
                "timeout": 5_000,
            },
            "remote": {"url": "https://a.example/mcp", "headers": {"X-Key": "k"}, "timeout": "1m"},
        }},
        "secrets": {"A": {"env": "A_TOKEN"}, "b-2": {"file": "secrets/b"}},
        "heartbeats": {"ops": {"file": "ops.md"}},
        "default_model": "fast",
        "models": {
            "fast": {
                "adapter": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1/",
                "key_env": "A_KEY", "max_tokens": 100, "temperature": 0.5, "timeout": "60s",
                "input_price": 0.25, "output_price": 1.25,
            },
        },
        "alerts": {
            "remind_after": "4h",
            "sinks": {
                "log": {"kind": "log"},
                "hook": {
                    "kind": "webhook", "url": "https://a.example/x?y", "secret_env": "A_SECRET",
                    "allow_private_addresses": true, "timeout": "5s",
                },
                "page": {"kind": "command", "command": ["page", "ops"], "timeout": 2_000},
            },
        },
    })
}

/// No schema says how long `8d` is, which models and secrets there are, or knows templates and the
/// time zones.
fn beyond_schemas(diagnostics: &Diagnostics) -> bool {
    let length = |message: &str| {
        message.contains("longer than a day")
            || message.contains("shorter than an hour")
            || message.contains("longer than a minute")
            || message.contains("shorter than a minute")
            || message.contains("there is no model `")
            || message.contains("there are several models")
            || message.contains("only secrets are filled in")
            || message.contains("there is no secret `")
            || (message.contains("which is no time zone") && !message.contains("is ``"))
    };
    diagnostics.errors().all(|error| length(&error.message))
}

fn agree(schema: &Validator, document: &Value) -> Result<(), String> {
    let checked = Config::check(document);
    let good = checked.config.is_some() || beyond_schemas(&checked.diagnostics);
    // A number is judged by both; only texts are beyond a schema.
    let number = |key: &str| document["gateway"][key].as_u64().unwrap_or_default();
    let delivery = |name: &str| document["alerts"]["sinks"][name]["timeout"].as_u64();
    let start = |name: &str| document["mcp"]["servers"][name]["timeout"].as_u64();
    let start = start("files").max(start("remote")).unwrap_or_default();
    let answer = document["models"]["fast"]["timeout"].as_u64();
    let longest = number("drain").max(number("grace")).max(start);
    let long = longest.max(answer.unwrap_or_default()) > 86_400_000
        || delivery("hook").max(delivery("page")) > Some(60_000);
    let age = &document["gateway"]["retention"]["older_than"];
    // That none is no time a schema can say, in every unit.
    let reminder = &document["alerts"]["remind_after"];
    let short = age == "0s"
        || age.as_u64().is_some_and(|age| age < 3_600_000)
        || reminder == "0s"
        || reminder.as_u64().is_some_and(|after| after < 60_000);
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
    assert_eq!(found.len(), 68);
    found
}

/// Where a mapping of the schema stands; none if what stands there needs more than one key.
fn place(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "" => &[],
        "gateway" => &["gateway"],
        "retention" => &["gateway", "retention"],
        "tools" => &["tools"],
        "executeCommand" => &["tools", "execute_command"],
        "httpRequest" => &["tools", "http_request"],
        "heartbeatFile" => &["heartbeats", "ops"],
        "mcp" => &["mcp"],
        "mcpServer" => &["mcp", "servers", "files"],
        "secret" => &["secrets", "A"],
        "model" | "sink" | "logSink" | "webhookSink" | "commandSink" => return None,
        "alerts" => &["alerts"],
        other => panic!("{other} is new"),
    })
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
        // What stands there is needed for any of its keys; its examples are tried below.
        let Some(at) = place(name) else {
            continue;
        };
        for (key, property) in mapping["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{key}");
            let mut example = json!({});
            *inner(&mut example, at, key) = property["examples"][0].clone();
            let beside = match (name, key.as_str()) {
                ("mcpServer", "headers") => Some(("url", json!("http://a"))),
                ("mcpServer", "env" | "inherit_env" | "cwd" | "timeout") => {
                    Some(("command", json!(["x"])))
                }
                (_, _) => None,
            };
            if let Some((beside, value)) = beside {
                *inner(&mut example, at, beside) = value;
            }
            if let ("mcpServer", "env" | "headers") = (name, key.as_str()) {
                example["secrets"] = json!({"API_TOKEN": {"env": "API_TOKEN"}});
            }
            if key == "default_model" {
                example["models"] = json!({"fast": {"adapter": "ollama", "model": "m"}});
            }
            let told = Config::check(&example).diagnostics;
            assert!(told.is_empty(), "{example}: {told}");
            // A server has no default, though some of its keys have.
            if let Some(default) = property.get("default").filter(|_| name != "mcpServer") {
                *inner(&mut written, at, key) = default.clone();
            }
            described += 1;
        }
    }
    assert_eq!(described, 37);
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
        mcp_servers: BTreeMap::new(),
        secrets: BTreeMap::new(),
        heartbeats: BTreeMap::new(),
        default_model: None,
        models: std::collections::BTreeMap::new(),
        alerts: AlertConfig {
            remind_after: Some(DEFAULT_REMIND_AFTER),
            ..AlertConfig::default()
        },
    };
    assert_eq!(Config::check(&written).config, Some(expected));
}

#[test]
fn the_examples_of_a_models_keys_make_a_model() {
    let schema = json_schema::config();
    let keys = schema["$defs"]["model"]["properties"].as_object().unwrap();
    let model: serde_json::Map<String, Value> = keys
        .iter()
        .map(|(key, property)| {
            assert!(property["description"].is_string(), "{key}");
            (key.clone(), property["examples"][0].clone())
        })
        .collect();
    assert_eq!(model.len(), 9);
    let checked = Config::check(&json!({"models": {"fast": model}}));
    assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
}

#[test]
fn the_examples_of_a_sinks_keys_make_a_sink() {
    let schema = json_schema::config();
    for (kind, shape) in [
        ("log", "logSink"),
        ("webhook", "webhookSink"),
        ("command", "commandSink"),
    ] {
        let keys = schema["$defs"][shape]["properties"].as_object().unwrap();
        let mut sink = json!({ "kind": kind });
        for (key, property) in keys.iter().filter(|(key, _)| *key != "kind") {
            assert!(property["description"].is_string(), "{key}");
            sink[key] = property["examples"][0].clone();
        }
        let checked = Config::check(&json!({"alerts": {"sinks": {"s": sink}}}));
        assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
        assert_eq!(checked.config.unwrap().alerts.sinks.len(), 1);
    }
}

#[test]
fn a_sink_that_cannot_be_told_is_refused_with_what_to_write() {
    let told = |sink: Value| {
        let checked = Config::check(&json!({"alerts": {"sinks": {"s": sink}}}));
        assert!(checked.config.is_none(), "{sink}");
        checked.diagnostics.to_string()
    };
    let hook = |key: &str, value: Value| {
        let mut hook = json!({"kind": "webhook", "url": "https://a.example/"});
        hook[key] = value;
        told(hook)
    };
    for (sink, words) in [
        (json!({}), ["WF0102", "kind = \"log\""]),
        (json!({"kind": "mail"}), ["WF0104", "log, webhook, command"]),
        (json!({"kind": "webhook"}), ["WF0102", "url = "]),
        (json!({"kind": "command"}), ["WF0102", "command = ["]),
        (
            json!({"kind": "command", "command": []}),
            ["WF0104", "names no program"],
        ),
        (
            json!({"kind": "log", "url": "https://a.example/"}),
            ["WF0101", "url"],
        ),
    ] {
        let told = told(sink);
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
    for key in ["secret", "token", "key"] {
        let told = hook(key, json!("whsec_canary"));
        assert!(
            told.contains("secret_env = ") && !told.contains("canary"),
            "{told}"
        );
    }
    for value in ["whsec_canary+1", "", "1A", "A B"] {
        let told = hook("secret_env", json!(value));
        assert!(
            told.contains("may not stand in this file") && !told.contains("canary"),
            "{told}"
        );
    }
    let name = Config::check(&json!({"alerts": {"sinks": {"a b": {"kind": "log"}}}}));
    let name = name.diagnostics.to_string();
    assert!(name.contains("is no name of a sink"), "{name}");
}

#[test]
fn a_key_in_the_file_is_refused_with_where_it_belongs_and_never_repeated() {
    let with = |key: &str, value: &str| {
        let mut model = json!({"adapter": "openai", "model": "m"});
        model[key] = json!(value);
        let checked = Config::check(&json!({"models": {"fast": model}}));
        assert!(checked.config.is_none(), "{key}");
        checked.diagnostics.to_string()
    };
    for key in ["api_key", "key", "API_KEY", "token"] {
        let told = with(key, "sk-canary-0123");
        assert!(told.contains("does not stand in this file"), "{told}");
        assert!(told.contains("key_env = "), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
    for value in ["sk-canary-0123", "", "A B", "1A", "A=b", &"A".repeat(65)] {
        let told = with("key_env", value);
        assert!(told.contains("the key itself may not stand"), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn the_default_model_is_one_that_there_is_and_has_to_be_named_among_several() {
    let told = |document: Value| Config::check(&document).diagnostics.to_string();
    let model = json!({"adapter": "ollama", "model": "m"});
    assert_eq!(told(json!({"models": {"a": model}})), "");
    assert_eq!(
        told(json!({"default_model": "b", "models": {"a": model, "b": model}})),
        ""
    );
    let several = told(json!({"models": {"a": model, "b": model}}));
    assert!(
        several.contains("WF0102") && several.contains("default_model = "),
        "{several}"
    );
    let unknown = told(json!({"default_model": "c", "models": {"a": model, "b": model}}));
    assert!(
        unknown.contains("no model `c`") && unknown.contains("one of a, b"),
        "{unknown}"
    );
    let none = told(json!({"default_model": "c"}));
    assert!(none.contains("[models.c]"), "{none}");
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
