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

/// A workflow with these steps, as text.
fn steps(steps: &str) -> Vec<String> {
    found(&format!("name: W\ninput: {{who: string}}\nsteps:\n{steps}"))
}

#[test]
fn a_template_that_cannot_be_parsed_hides_no_other_mistake() {
    let args = "  - {id: a, action: tool, tool: t, args: {x: '{{ 1 + }}', y: '{{ input.whom }}', z: '{{ ( }}'}}\n";
    assert_eq!(steps(args), ["WF0202 4:54", "WF0203 4:72", "WF0202 4:91"]);
    let texts =
        "  - id: a\n    action: model\n    prompt: '{{ 1 + }}'\n    system: '{{ inptu.who }}'\n";
    assert_eq!(steps(texts), ["WF0202 6:21", "WF0203 7:17"]);
}

#[test]
fn every_value_of_a_retry_that_is_out_of_range_is_told_where_it_stands() {
    let retry = "  - id: a\n    action: noop\n    retry:\n      max_attempts: 0\n      factor: 0.5\n      jitter: 2\n";
    assert_eq!(steps(retry), ["WF0104 7:21", "WF0104 8:15", "WF0104 9:15"]);
}

#[test]
fn whole_numbers_that_are_too_small_or_too_large_have_one_code_and_a_remedy() {
    for number in [json!(0), json!(-1), json!(1_000_000), json!(1e30)] {
        let document = json!({"name": "W", "maxSteps": number, "steps": [{
            "id": "a", "action": "model", "prompt": "p", "maxTurns": number,
            "retry": {"maxAttempts": number},
        }]});
        let checked = WorkflowDefinition::check_json(&document);
        for diagnostic in &checked.diagnostics {
            assert_eq!(diagnostic.code.as_str(), "WF0104", "{diagnostic}");
            assert!(diagnostic.help.is_some(), "{diagnostic}");
        }
        assert_eq!(checked.diagnostics.len(), 3, "{}", checked.diagnostics);
    }
    for runs in [json!(0), json!(-1)] {
        let trigger = json!({"cron": "0 9 * * *", "maxRuns": runs});
        let step = json!({"id": "a", "action": "noop"});
        let document = json!({"name": "W", "trigger": trigger, "steps": [step]});
        assert_eq!(of(&document), ["WF0104 /trigger/maxRuns"]);
    }
    let fraction = json!({"name": "W", "maxSteps": 3.5, "steps": [{"id": "a", "action": "noop"}]});
    assert_eq!(of(&fraction), ["WF0103 /maxSteps"]);
}

#[test]
fn warnings_of_the_graph_are_given_beside_errors_that_leave_the_ways_as_they_are() {
    let unreachable = "WF0301 5:10";
    let graph = |first: &str| {
        let rest = "  - {id: b, action: noop}\n  - {id: c, action: noop}\n";
        steps(&format!(
            "  - {{id: a, action: noop, onSuccess: c{first}}}\n{rest}"
        ))
    };
    assert_eq!(graph(""), [unreachable]);
    assert_eq!(graph(", timeout: soon"), ["WF0104 4:50", unreachable]);
    assert_eq!(graph(", onFailure: x"), ["WF0107 4:52"]);
    assert_eq!(graph(", onFailur: b"), ["WF0101 4:41"]);
}

#[test]
fn a_loop_without_a_way_out_is_one_mistake_and_its_gate_another() {
    let looped = "  - {id: a, action: noop}\n  - {id: b, action: noop, approvalRequired: true}\n  - {id: c, action: noop, onSuccess: b}\n";
    assert_eq!(steps(looped), ["WF0302 5:10", "WF0303 5:10"]);
}

#[test]
fn one_mistake_is_told_once() {
    for (text, expect) in [
        ("steps: [{id: a, action: noop, timeout: 0}]", "WF0104 2:40"),
        (
            "trigger: {at: '09:00'}\nsteps: [{id: a, action: noop}]",
            "WF0101 2:11",
        ),
        ("steps: [{step: {id: a, action: noop}}]", "WF0101 2:10"),
        (
            "steps: [{id: b, action: noop, onSuccess: a}, {step: {id: a, action: noop}}]",
            "WF0101 2:47",
        ),
        (
            "trigger: Manual\nsteps: [{id: a, action: noop}]",
            "WF0110 2:10",
        ),
        (
            "trigger: manaul\nsteps: [{id: a, action: noop}]",
            "WF0110 2:10",
        ),
        ("steps: [{id: a, action: model, prompt: ''}]", "WF0104 2:40"),
    ] {
        assert_eq!(found(&format!("name: W\n{text}\n")), [expect], "{text}");
    }
    let around = "workflow:\n  name: W\n  steps: [{id: a, action: noop}]\n";
    assert_eq!(found(around), ["WF0101 1:1"]);
}

#[test]
fn of_two_spellings_of_one_key_the_later_one_is_the_repetition() {
    for (first, second) in [("onSuccess", "on_success"), ("on_success", "onSuccess")] {
        let text = format!(
            "name: W\nsteps:\n  - id: a\n    action: noop\n    {first}: $end\n    {second}: $end\n"
        );
        let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
        let diagnostic = checked.diagnostics.iter().next().unwrap();
        assert_eq!(&text[checked.map.resolve(&diagnostic.place)], second);
        let related = &diagnostic.related[0];
        assert_eq!(&text[checked.map.resolve(&related.place)], first);
    }
}
