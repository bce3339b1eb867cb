//! The published files are what the program makes, and their examples and defaults are true.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use workflow_types::definition::StoredDefinition;
use workflow_types::{Heartbeat, SourceFormat, WorkflowDefinition, json_schema};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The definitions of `examples/`, by file name.
pub(super) fn examples() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(repository().join("examples")).unwrap();
    let mut examples: Vec<(String, Value)> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (name, serde_yaml::from_str(&text).unwrap())
        })
        .collect();
    examples.sort_by(|a, b| a.0.cmp(&b.0));
    examples
}

/// `UPDATE_SCHEMAS=1` writes the files instead of comparing them.
#[test]
fn published_files_are_what_the_program_makes() {
    for (name, schema) in [
        ("workflow", json_schema::workflow()),
        ("heartbeat", json_schema::heartbeat()),
        ("config", json_schema::config()),
    ] {
        let path = repository().join(format!("schemas/{name}.schema.json"));
        let made = json_schema::to_text(&schema);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == made,
            "schemas/{name}.schema.json is stale; write it with \
             `UPDATE_SCHEMAS=1 cargo test -p workflow-types --test shapes published`"
        );
    }
}

#[test]
fn schemas_are_schemas_and_accept_every_example() {
    for schema in [
        json_schema::workflow(),
        json_schema::heartbeat(),
        json_schema::config(),
    ] {
        jsonschema::draft202012::meta::validate(&schema).unwrap();
    }
    let validator = jsonschema::validator_for(&json_schema::workflow()).unwrap();
    for (name, document) in examples() {
        assert!(validator.is_valid(&document), "{name}");
    }
}

#[test]
fn examples_point_editors_to_the_published_schema() {
    for (name, _) in examples() {
        let text = std::fs::read_to_string(repository().join("examples").join(&name)).unwrap();
        let head = text.lines().next().unwrap();
        let path = head
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap();
        assert!(repository().join("examples").join(path).is_file(), "{name}");
    }
}

/// A workflow that has every mapping once, with the addresses of each and of its description.
fn skeleton() -> (Value, Vec<(&'static str, &'static str)>) {
    let document = json!({
        "name": "W",
        "trigger": {"cron": "0 9 * * *", "activeHours": {"start": "08:00", "end": "18:00"}},
        "concurrency": {"limit": 5},
        "steps": [
            {
                "id": "a", "action": "tool", "tool": "t",
                "retry": {"maxAttempts": 7},
                "branches": [{"condition": "true", "goto": "$end"}],
            },
            {
                "id": "b", "action": "model", "prompt": "p", "tools": ["http_request"],
                "approvalRequired": {"message": "m"},
            },
            {"id": "c", "action": "noop"},
            {"id": "rollback", "action": "noop"},
        ],
    });
    let mappings = vec![
        ("", ""),
        ("/trigger", "/$defs/trigger"),
        ("/trigger/activeHours", "/$defs/activeHours"),
        ("/concurrency", "/$defs/concurrency"),
        ("/steps/0", "/$defs/step"),
        ("/steps/0", "/$defs/toolStep"),
        ("/steps/0/retry", "/$defs/retry"),
        ("/steps/0/branches/0", "/$defs/branch"),
        ("/steps/1", "/$defs/modelStep"),
        ("/steps/1/approvalRequired", "/$defs/approval"),
        ("/steps/2", "/$defs/step"),
    ];
    (document, mappings)
}

fn properties(schema: &Value, at: &str) -> Map<String, Value> {
    let pointer = format!("{at}/properties");
    schema
        .pointer(&pointer)
        .unwrap()
        .as_object()
        .unwrap()
        .clone()
}

#[test]
fn a_default_is_what_the_absence_of_its_key_means() {
    let schema = json_schema::workflow();
    let (document, mappings) = skeleton();
    let digest = |document: &Value| {
        let definition = WorkflowDefinition::from_json(document).unwrap();
        StoredDefinition::new(&definition).digest().clone()
    };
    let mut seen = 0;
    for (at, described) in mappings {
        for (key, property) in properties(&schema, described) {
            let mut written = document.clone();
            let mapping = written.pointer_mut(at).unwrap().as_object_mut().unwrap();
            if let Some(default) = property
                .get("default")
                .filter(|_| !mapping.contains_key(&key))
            {
                mapping.insert(key.clone(), default.clone());
                assert_eq!(digest(&written), digest(&document), "{at}/{key}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 15);
    let heartbeat = |settings: &Value| {
        Heartbeat::parse(format!("---\n{settings}\n---\n- [ ] a\n").as_bytes()).unwrap()
    };
    for (key, property) in properties(&json_schema::heartbeat(), "") {
        if let Some(default) = property.get("default") {
            assert_eq!(
                heartbeat(&json!({&*key: default})),
                heartbeat(&json!({})),
                "{key}"
            );
        }
    }
}

#[test]
fn every_key_is_described_and_its_example_is_good() {
    let schema = json_schema::workflow();
    let (document, mappings) = skeleton();
    for (at, described) in mappings {
        for (key, property) in properties(&schema, described) {
            if property.is_boolean() || property.get("doNotSuggest").is_some() {
                continue;
            }
            assert!(property["description"].is_string(), "{described}/{key}");
            let mut written = document.clone();
            let mapping = written.pointer_mut(at).unwrap().as_object_mut().unwrap();
            if key == "action" || described.is_empty() && key == "steps" {
                continue;
            }
            mapping.insert(key.clone(), property["examples"][0].clone());
            let result = if key == "message" || key == "prompt" || key == "args" {
                // They read inputs and steps that this workflow does not have.
                Ok(())
            } else {
                WorkflowDefinition::from_json(&written).map(|_| ())
            };
            assert!(result.is_ok(), "{at}/{key}: {result:?}");
        }
    }
    for (key, property) in properties(&json_schema::heartbeat(), "") {
        if property.get("doNotSuggest").is_none() {
            // What is called without approval is one of the tools.
            let settings = json!({"tools": ["http_request"], &*key: property["examples"][0]});
            let text = format!("---\n{settings}\n---\n- [ ] a\n");
            assert!(Heartbeat::parse(text.as_bytes()).is_ok(), "{text}");
        }
    }
}

#[test]
fn what_was_read_from_yaml_is_what_the_program_reads() {
    for (name, document) in examples() {
        let path = repository().join("examples").join(&name);
        let text = std::fs::read(path).unwrap();
        let parsed = WorkflowDefinition::parse(&text, SourceFormat::Yaml).unwrap();
        assert_eq!(
            WorkflowDefinition::from_json(&document).unwrap(),
            parsed,
            "{name}"
        );
    }
}
