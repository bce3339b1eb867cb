//! The published schemas refuse what the parser refuses, as far as a schema can say it.

use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use workflow_types::diagnostic::{Code, Diagnostic, Diagnostics, Part, Place};
use workflow_types::{Heartbeat, WorkflowDefinition, json_schema};

use super::mutate::{Mutation, mutations};
use super::{generate, published};

static WORKFLOW: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&json_schema::workflow()).unwrap());
static HEARTBEAT: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&json_schema::heartbeat()).unwrap());

/// Whether a schema can say what a diagnostic says.
#[derive(Debug, PartialEq, Eq)]
enum Sayable {
    Yes,
    /// Some of it, such as that a schema is a mapping, but not whether it is a good one.
    Partly,
    No,
}

/// The codes of what schemas are for: which keys there are and of what kind their values.
const STRUCTURE: [Code; 7] = [
    Code::DuplicateKey,
    Code::UnknownKey,
    Code::MissingKey,
    Code::WrongType,
    Code::ForeignKey,
    Code::NoSteps,
    Code::TooManySteps,
];

fn sayable(diagnostic: &Diagnostic, document: &Value) -> Sayable {
    let is_key = matches!(
        &diagnostic.place,
        Place::Node {
            part: Part::Key,
            ..
        }
    );
    let says = |text: &str| diagnostic.message.contains(text);
    let is_length = is_duration(diagnostic, document);
    let code = diagnostic.code;
    if code == Code::BadSchema {
        return Sayable::Partly;
    }
    // No pattern says how long `90d` is, and no schema compares one key's value with another's.
    let is_value = code == Code::InvalidValue
        && !(says("a timeout is at least") && is_length
            || says("approvals cannot come")
            || says("is named twice")
            || says("is none of the")
            || says("the prompt is empty"));
    let is_interval = code == Code::BadInterval && !is_length;
    // Of cron patterns and time zones it can say that they are not empty.
    if is_empty_text(diagnostic, document) {
        return Sayable::Yes;
    }
    // Whether a window ever opens is counted, not read.
    let is_hours = code == Code::BadActiveHours && !(is_key || says("start and end at"));
    // All else is the meaning of strings, or spans steps.
    let said = STRUCTURE.contains(&code) || is_value || is_interval || is_hours;
    if said { Sayable::Yes } else { Sayable::No }
}

/// Whether an empty text stands where a cron pattern or a time zone is expected.
fn is_empty_text(diagnostic: &Diagnostic, document: &Value) -> bool {
    let Place::Node { pointer, .. } = &diagnostic.place else {
        return false;
    };
    let key = pointer.as_str().rsplit('/').next().unwrap_or_default();
    ["trigger", "cron", "timezone"].contains(&key)
        && document.pointer(pointer.as_str()) == Some(&Value::from(""))
}

/// Whether the value at the place is written as a length of time should be.
fn is_duration(diagnostic: &Diagnostic, document: &Value) -> bool {
    let Place::Node { pointer, .. } = &diagnostic.place else {
        return false;
    };
    let text = document
        .pointer(pointer.as_str())
        .and_then(Value::as_str)
        .unwrap_or_default();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_nothing = text.trim_start_matches('0').len() == unit.len();
    // That it is more than nothing a pattern can say.
    unit.len() < text.len() && !is_nothing && ["ms", "s", "m", "h", "d"].contains(&unit)
}

/// The parser's errors that a schema can say are there if and only if the schema refuses.
fn agree(
    document: &Value,
    found: Option<&Diagnostics>,
    validator: &Validator,
) -> Result<(), TestCaseError> {
    let errors = || found.into_iter().flat_map(Diagnostics::errors);
    let told =
        |wanted: &[Sayable]| errors().any(|error| wanted.contains(&sayable(error, document)));
    let refused: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{error} at {}", error.instance_path().as_str()))
        .collect();
    let explain = || {
        let said: Vec<String> = errors().map(ToString::to_string).collect();
        format!("{document:#}\nparser: {said:#?}\nschema: {refused:#?}")
    };
    if refused.is_empty() {
        prop_assert!(
            !told(&[Sayable::Yes]),
            "only the parser refuses\n{}",
            explain()
        );
    } else {
        prop_assert!(
            told(&[Sayable::Yes, Sayable::Partly]),
            "only the schema refuses\n{}",
            explain()
        );
    }
    Ok(())
}

fn workflows_agree(document: &Value) -> Result<(), TestCaseError> {
    let problems = WorkflowDefinition::from_json(document).err();
    agree(document, problems.as_ref(), &WORKFLOW)
}

fn heartbeats_agree(settings: &Value) -> Result<(), TestCaseError> {
    // JSON is YAML, so any settings can stand in a front matter as they are.
    let text = format!("---\n{settings}\n---\n- [ ] a\n");
    let problems = Heartbeat::parse(text.as_bytes()).err();
    agree(settings, problems.as_ref(), &HEARTBEAT)
}

fn apply(mutations: &[Mutation], mut document: Value) -> Value {
    for mutation in mutations {
        mutation.apply(&mut document);
    }
    document
}

fn example() -> impl Strategy<Value = Value> {
    let documents: Vec<Value> = published::examples()
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    proptest::sample::select(documents)
}

proptest! {
    #[test]
    fn schema_and_parser_agree_on_examples_with_mistakes(
        document in example(),
        mutations in mutations(&json_schema::workflow()),
    ) {
        workflows_agree(&apply(&mutations, document))?;
    }

    #[test]
    fn schema_and_parser_agree_on_generated_workflows_with_mistakes(
        document in generate::workflow(),
        mutations in mutations(&json_schema::workflow()),
    ) {
        workflows_agree(&document)?;
        workflows_agree(&apply(&mutations, document))?;
    }

    #[test]
    fn schema_and_parser_agree_on_heartbeats_with_mistakes(
        settings in generate::heartbeat(),
        mutations in mutations(&json_schema::heartbeat()),
    ) {
        heartbeats_agree(&settings)?;
        heartbeats_agree(&apply(&mutations, settings))?;
    }
}

/// Agreeing about documents that are all good, or all bad, would prove little.
#[test]
fn some_documents_with_mistakes_are_refused_and_some_are_not() {
    let documents = (generate::workflow(), mutations(&json_schema::workflow()));
    let mut runner = TestRunner::deterministic();
    let refused = (0..200)
        .map(|_| documents.new_tree(&mut runner).unwrap().current())
        .filter(|(document, mutations)| !WORKFLOW.is_valid(&apply(mutations, document.clone())))
        .count();
    assert!((50..150).contains(&refused), "{refused} of 200");
}

/// What a schema says of a step is about the step's own action.
#[test]
fn a_key_of_another_action_is_refused_where_it_stands() {
    let document = json!({"name": "W", "steps": [{"id": "a", "action": "noop", "prompt": "p"}]});
    let places: Vec<String> = WORKFLOW
        .iter_errors(&document)
        .map(|error| error.instance_path().as_str().to_owned())
        .collect();
    assert_eq!(places, ["/steps/0"]);
    workflows_agree(&document).unwrap();
}

/// What the two say of an input: whether the schema refuses, and what the parser says.
fn inputs() -> Vec<(bool, Value)> {
    vec![
        (false, json!({"type": "object", "required": ["a"]})),
        (
            false,
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
        ),
        (
            false,
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}),
        ),
        (false, json!({"oneOf": [{"type": "object"}], "title": "t"})),
        (false, json!({"additionalProperties": false})),
        (false, json!({"type": "object", "x-note": 5})),
        (
            false,
            json!({"type": "object", "id": "string", "title": "string"}),
        ),
        (
            false,
            json!({"required": "boolean", "oneOf": {"type": "array"}}),
        ),
        (false, json!({"a": {"type": ["string", "null"]}})),
        (true, json!({"a": {"type": "strin"}})),
        (true, json!({"a": {"type": []}})),
        (true, json!({"a": "strin"})),
        (true, json!({"a": {"enum": []}})),
        (true, json!({"a": {"enum": "b"}})),
        (true, json!({"a": {"description": 5}})),
        (true, json!({"type": "object", "a": [1]})),
    ]
}

#[test]
fn schema_and_parser_take_the_same_inputs_for_json_schemas() {
    for (refused, input) in inputs() {
        let steps = json!([{"id": "a", "action": "noop"}]);
        let document = json!({"name": "W", "input": input, "steps": steps});
        assert_eq!(!WORKFLOW.is_valid(&document), refused, "{input}");
        let parsed = WorkflowDefinition::from_json(&document);
        assert_eq!(parsed.is_err(), refused, "{input}: {parsed:?}");
    }
    let open = json!({"name": "W", "input": {"type": "object", "additionalProperties":
        {"type": "string"}}, "steps": [{"id": "a", "action": "noop"}]});
    let definition = WorkflowDefinition::from_json(&open).unwrap();
    let input = definition.input().unwrap();
    assert!(input.apply(json!({"any": "text"})).is_ok());
    assert!(input.apply(json!({"any": 5})).is_err());
}

#[test]
fn nothing_is_no_time_no_pattern_and_no_zone() {
    let step = |more: Value| {
        let mut step = json!({"id": "a", "action": "noop"});
        let step_map = step.as_object_mut().unwrap();
        step_map.extend(more.as_object().unwrap().clone());
        json!({"name": "W", "steps": [step]})
    };
    let steps = json!([{"id": "a", "action": "noop"}]);
    for document in [
        step(json!({"timeout": "0s"})),
        step(json!({"approvalRequired": {"timeout": 0}})),
        step(json!({"approvalRequired": {"timeout": "0h"}})),
        json!({"name": "W", "trigger": "", "steps": steps}),
        json!({"name": "W", "trigger": {"cron": ""}, "steps": steps}),
        json!({"name": "W", "trigger": {"cron": "@daily", "timezone": ""}, "steps": steps}),
    ] {
        assert!(!WORKFLOW.is_valid(&document), "{document}");
        assert!(
            WorkflowDefinition::from_json(&document).is_err(),
            "{document}"
        );
        workflows_agree(&document).unwrap();
    }
}

#[test]
fn too_many_steps_are_refused_by_both() {
    for count in [0, 1_000, 1_001] {
        let steps: Vec<Value> = (0..count)
            .map(|step| json!({"id": format!("s{step}"), "action": "noop"}))
            .collect();
        workflows_agree(&json!({"name": "W", "steps": steps})).unwrap();
    }
}
