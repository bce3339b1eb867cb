//! Mistakes that authors make, one at a time: each is told, and once.

use serde_json::{Value, json};
use workflow_types::WorkflowDefinition;
use workflow_types::approval::ApprovalPolicy;
use workflow_types::definition::Step;
use workflow_types::diagnostic::Place;
use workflow_types::{Diagnostics, SourceFormat};

/// Every diagnostic of a text, as `code line:column`, in the order of the text.
fn found(text: &str) -> Vec<String> {
    let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
    let mut all: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let start = checked.map.resolve(&diagnostic.place).start;
            let at = checked.map.line_column(start);
            (
                start,
                format!("{} {}:{}", diagnostic.code, at.line, at.column),
            )
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, shown)| shown).collect()
}

/// Every diagnostic of a value, as `code pointer`.
fn of(document: &Value) -> Vec<String> {
    pointers(&WorkflowDefinition::check_json(document).diagnostics)
}

fn pointers(diagnostics: &Diagnostics) -> Vec<String> {
    let shown = diagnostics
        .iter()
        .map(|diagnostic| match &diagnostic.place {
            Place::Node { pointer, .. } => format!("{} {}", diagnostic.code, pointer.as_str()),
            Place::Text(range) => format!("{} {range:?}", diagnostic.code),
        });
    shown.collect()
}

/// A workflow of one step.
fn with(step: &Value) -> Value {
    json!({"name": "W", "input": {"who": "string"}, "steps": [step]})
}

fn gate(approval: &Value) -> Vec<String> {
    of(&with(
        &json!({"id": "a", "action": "noop", "approvalRequired": approval}),
    ))
}

fn command(command: &Value) -> Vec<String> {
    of(&with(&json!({
        "id": "a", "action": "tool", "tool": "execute_command", "args": {"command": command},
    })))
}

#[test]
fn a_gate_that_too_few_people_can_open_is_refused() {
    let twice = "WF0104 /steps/0/approvalRequired/approvers/1";
    let count = "WF0104 /steps/0/approvalRequired/count";
    assert_eq!(
        gate(&json!({"approvers": ["ann", "ann"], "count": 2})),
        [twice, count]
    );
    assert_eq!(gate(&json!({"approvers": ["ann", "ann"]})), [twice]);
    assert_eq!(gate(&json!({"approvers": ["ann"], "count": 2})), [count]);
    assert!(gate(&json!({"approvers": ["ann", "bob"], "count": 2})).is_empty());
}

#[test]
fn a_template_in_code_is_refused_and_in_an_argument_it_is_not() {
    let who = "{{ input.who }}";
    let code = "echo {{ input.who }}";
    for (words, at) in [
        (json!(["sh", "-c", code]), 2),
        (json!(["bash", "-lc", code]), 2),
        (json!(["/bin/sh", "-ec", code]), 2),
        (json!(["env", "sh", "-c", code]), 3),
        (json!(["sudo", "bash", "-c", code]), 3),
        (json!(["cmd", "/c", code]), 2),
        (json!(["powershell", "-Command", code]), 2),
        (json!(["python3", "-c", code]), 2),
        (json!(["node", "-e", code]), 2),
        (json!(["perl", "-e", code]), 2),
        (json!(["ruby", "-e", code]), 2),
    ] {
        let expect = format!("WF0206 /steps/0/args/command/{at}");
        assert_eq!(command(&words), [expect], "{words}");
    }
    for words in [
        json!(["sh", "-c", "echo \"$1\"", "x", who]),
        json!(["sh", "script.sh", who]),
        json!(["echo", "-c", code]),
        json!(["python3", "-c", "import sys", who]),
    ] {
        assert!(command(&words).is_empty(), "{words}");
    }
}

#[test]
fn warnings_of_a_good_definition_are_given_without_a_text() {
    let steps = || {
        WorkflowDefinition::builder("W")
            .step(Step::noop("a").on_success("c"))
            .step(Step::noop("b"))
            .step(Step::noop("c"))
    };
    let judged = steps().check();
    assert_eq!(judged.definition, steps().build().ok());
    assert!(judged.definition.is_some());
    assert_eq!(pointers(&judged.diagnostics), ["WF0301 /steps/1/id"]);
    assert_eq!(of(&steps().into_document()), ["WF0301 /steps/1/id"]);
}

#[test]
fn requiring_an_approval_once_more_keeps_who_may_approve() {
    let policy = || ApprovalPolicy::builder().approvers(["ann"]);
    let build = |step| {
        let definition = WorkflowDefinition::builder("W").step(step).build().unwrap();
        definition
            .first_step()
            .approval()
            .unwrap()
            .approvers()
            .len()
    };
    assert_eq!(
        build(Step::noop("a").approval(policy()).requires_approval()),
        1
    );
    assert_eq!(
        build(Step::noop("a").requires_approval().approval(policy())),
        1
    );
    assert_eq!(build(Step::noop("a").requires_approval()), 0);
}
