//! Definitions at their boundary: what authors get wrong, and the JSON shapes they are written in.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};
use workflow_types::definition::{StoredDefinition, Trigger};
use workflow_types::schedule::{MaxRuns, Misfire, Overlap, Policies};
use workflow_types::{SourceFormat, WorkflowDefinition};

/// Every diagnostic of a text, as `line:column code message (help)` in the order of the text.
fn check(text: &str) -> String {
    check_bytes(text.as_bytes(), SourceFormat::Yaml)
}

fn check_bytes(text: &[u8], format: SourceFormat) -> String {
    let checked = WorkflowDefinition::check(text, format);
    assert_eq!(
        checked.definition.is_none(),
        checked.diagnostics.has_errors()
    );
    let mut all: Vec<_> = checked.diagnostics.iter().collect();
    all.sort_by_key(|diagnostic| checked.map.resolve(&diagnostic.place).start);
    let lines: Vec<String> = all
        .into_iter()
        .map(|diagnostic| {
            let span = checked.map.resolve(&diagnostic.place);
            let at = checked.map.line_column(span.start);
            let text = &checked.map.text()[span];
            let text = text.lines().next().unwrap_or_default();
            let help = diagnostic
                .help
                .as_deref()
                .map_or(String::new(), |help| format!("\n    help: {help}"));
            format!(
                "{}:{} {} {} | {text} |{help}",
                at.line, at.column, diagnostic.code, diagnostic.message
            )
        })
        .collect();
    lines.join("\n")
}

/// What was found in one text after another.
#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn add(&mut self, found: impl Into<String>) {
        self.0.push(found.into());
    }
}

/// A workflow with one more step.
fn with_step(step: &str) -> String {
    format!("name: W\nsteps:\n  - id: first\n    action: noop\n{step}")
}

#[test]
fn eight_mistakes_are_found_in_one_run() {
    let mut found = Found::default();
    found.add(check(
        r#"name: Deploy check
triger: manual
steps:
  - id: check
    action: tool
    tool: http_request
    prompt: is it well?
    timeout: soon
  - id: check
    action: noop
    onSuccess: anounce
  - id: decide
    action: modle
    branches:
      - condition: result.healthy = true
        goto: announce
  - id: announce
    action: tool
    tool: execute_command
    args:
      command: [echo, "{{ steps.chekc.output }"]
    approval_required: yes
"#,
    ));
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

#[test]
fn syntax_mistakes_say_what_to_do() {
    let mut found = Found::default();
    found.add(check("name: W\nsteps:\n\t- id: a\n\t  action: noop\n"));
    found.add(check("name: W\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n      url: {{ input.url }}\n"));
    found.add(check("name: W\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n      url: {{ input.url }}/health\n"));
    found.add(check("name: W: X\nsteps: []\n"));
    found.add(check("name: W\nname: V\nsteps: []\n"));
    found.add(check(""));
    found.add(check(
        "name: W\nsteps: [{id: a, action: noop}]\n---\nname: V\n",
    ));
    found.add(check(
        "name: !!binary aGVsbG8=\n1: x\nsteps: [{id: a, action: noop}]\n",
    ));
    found.add(check_bytes(b"name: W\nsteps: \xff\n", SourceFormat::Yaml));
    found.add(check("- a\n- b\n"));
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

#[test]
fn limits_are_kept_without_building_anything() {
    let mut found = Found::default();
    let large = format!("name: W\ndescription: {}\n", "x".repeat(300 * 1024));
    found.add(check(&large));
    let mut anchors = String::new();
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        writeln!(anchors, "a{n}: &a{n} [{aliases}]").unwrap();
    }
    found.add(check(&format!("a0: &a0 [x, x, x]\n{anchors}")));
    let flat = format!("a: &a [x]\nb: [{}]\n", vec!["*a"; 6_000].join(", "));
    found.add(
        check(&flat)
            .split(" | ")
            .next()
            .unwrap_or_default()
            .to_owned(),
    );
    let deep = format!("a: {}{}\n", "[".repeat(70), "]".repeat(70));
    found.add(
        check(&deep)
            .split(" | ")
            .next()
            .unwrap_or_default()
            .to_owned(),
    );
    found.add(check("a: &a [*a]\n"));
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

#[test]
fn structural_mistakes_name_what_was_found_and_expected() {
    let mut found = Found::default();
    found.add(check("description: 5\nsteps: {}\n"));
    found.add(check("name: W\nsteps: []\n"));
    found.add(check(&with_step(
        "  - id: 1st\n    action: tool\n  - noop\n",
    )));
    found.add(check(&with_step("  - id: m\n    action: model\n    args: {}\n    outputSchema: {ok: bool}\n    maxTurns: 0\n")));
    found.add(check(&with_step(
        "  - id: a\n    action: noop\n    approval_requierd: true\n",
    )));
    found.add(check(&with_step(
        "  - id: a\n    action: noop\n    onSuccess: first\n    on_success: first\n",
    )));
    found.add(check(&with_step("  - id: a\n    action: noop\n    approvalRequired: {count: 3, approvers: [ann], onTimeout: ask}\n")));
    found.add(check(&with_step("  - id: a\n    action: noop\n    retry: {maxAttempts: 101, jitter: 2, backoff: 1s}\n    onInterrupt: retry\n    timeout: 30\n")));
    found.add(check("name: W\ntrigger: 61 * * * *\nmaxSteps: 0\nconcurrency: {limit: two}\ninput: {url: text}\nsteps: [{id: a, action: noop}]\n"));
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

#[test]
fn what_expressions_read_must_exist_and_come_before() {
    let mut found = Found::default();
    found.add(check(
        r#"name: W
input: {url: string}
steps:
  - id: check
    action: tool
    tool: t
    args: {u: "{{ input.ur }}", l: "{{ steps.later.output }}", s: "{{ steps.check.output }}"}
    branches:
      - {condition: "steps.check.output.x && resutl.y", goto: later}
      - {condition: "execution.di", goto: $end}
  - id: later
    action: model
    prompt: "was {{ result }}"
    system: "{{ steps.check.outputs }}"
"#,
    ));
    found.add(check(&with_step("  - id: a\n    action: tool\n    tool: execute_command\n    args:\n      command: \"echo {{ steps.first.status }}\"\n")));
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

#[test]
fn places_inside_a_literal_block_are_exact() {
    let mut found = Found::default();
    found.add(check(
        "name: W\nsteps:\n  - id: a\n    action: model\n    prompt: |\n      Hello there,\n\n        say {{ steps.b.output }} now\n"
    ));
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

#[test]
fn the_graph_is_looked_at() {
    let mut found = Found::default();
    found.add(check(
        "name: W\nsteps:\n  - {id: a, action: noop, onSuccess: c}\n  - {id: b, action: noop}\n  - {id: c, action: noop, onSuccess: d}\n  - {id: d, action: noop, onSuccess: c}\n"
    ));
    found.add(check(
        "name: W\nsteps:\n  - {id: a, action: noop, approvalRequired: true, branches: [{condition: 'input.n > 1', goto: a}]}\n"
    ));
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

#[test]
fn json_is_read_by_the_same_rules() {
    let mut found = Found::default();
    let text = b"{\n\t\"name\": \"W\\/\",\n\t\"steps\": [\n\t\t{\"id\": \"a\", \"action\": \"nop\"}\n\t]\n}\n";
    found.add(check_bytes(text, SourceFormat::Json));
    found.add(check_bytes(
        b"{\"name\": \"W\",\n \"steps\": [}",
        SourceFormat::Json,
    ));
    // Escaped surrogates, as many programs write them, cost no place and hide no repeated key.
    found.add(check_bytes(
        br#"{"name": "j \ud83d\ude00", "steps": [
  {"id": "a", "action": "noop", "approvalRequired": false, "approvalRequired": true},
  {"id": "b", "action": "noop", "onSuccess": "nowhere"}]}"#,
        SourceFormat::Json,
    ));
    let long = format!(
        r#"{{"name": "W", "{}": 1, "steps": [{{"id": "a", "action": "noop", "id": "b"}}]}}"#,
        "k".repeat(2_000)
    );
    let found_long = check_bytes(long.as_bytes(), SourceFormat::Json);
    assert!(
        found_long.contains("the key `id` stands twice"),
        "{found_long}"
    );
    insta::assert_snapshot!(found.0.join("\n---\n"));
}

/// Every field of the step and of the workflow, with the defaults that are filled in.
fn full() -> Value {
    json!({
        "name": "Deploy check",
        "description": "Checks and rolls back",
        "trigger": "0 9 * * 1-5",
        "steps": [
            {
                "id": "check",
                "action": "tool",
                "tool": "http_request",
                "args": {"url": "{{ input.url }}", "nested": [{"n": 1}]},
                "approvalRequired": false,
                "onSuccess": "judge",
                "onFailure": "alert",
                "branches": [{"condition": "result.status >= 500", "goto": "alert"}],
                "timeout": 30000
            },
            {
                "id": "judge",
                "action": "model",
                "prompt": "Is {{ steps.check.output | json }} well?",
                "outputSchema": {"healthy": "boolean"},
                "approvalRequired": true
            },
            {"id": "alert", "action": "noop", "approvalRequired": false}
        ]
    })
}

#[test]
fn the_plain_json_shape_round_trips() {
    let definition: WorkflowDefinition = serde_json::from_value(full()).unwrap();
    assert_eq!(serde_json::to_value(&definition).unwrap(), full());
    let smallest = json!({"name": "W", "steps": [{"id": "a", "action": "noop"}]});
    let definition: WorkflowDefinition = serde_json::from_value(smallest).unwrap();
    let filled = json!({
        "name": "W",
        "trigger": "manual",
        "steps": [{"id": "a", "action": "noop", "approvalRequired": false}]
    });
    assert_eq!(serde_json::to_value(&definition).unwrap(), filled);
}

#[test]
fn what_was_added_to_the_shape_round_trips_too() {
    let added = json!({
        "name": "W",
        "trigger": "manual",
        "input": {"url": "string", "n": {"type": "integer", "default": 3}},
        "maxSteps": 50,
        "maxTokens": 9000,
        "maxCost": 0.1,
        "concurrency": {"limit": 2, "onLimit": "skip"},
        "steps": [{
            "id": "a",
            "action": "model",
            "description": "asks",
            "prompt": "p",
            "system": "s",
            "model": "m",
            "tools": ["t", "u"],
            "withoutApproval": ["t"],
            "maxTurns": 4,
            "approvalRequired": {
                "message": "for {{ input.url }}?",
                "timeout": 3_600_000,
                "onTimeout": "approve",
                "approvers": ["ann", "bob"],
                "count": 2
            },
            "retry": {"maxAttempts": 3, "initialBackoff": "2s", "factor": 2.5, "maxBackoff": "1m", "jitter": 0.0},
            "onInterrupt": "fail"
        }]
    });
    let definition: WorkflowDefinition = serde_json::from_value(added.clone()).unwrap();
    assert_eq!(serde_json::to_value(&definition).unwrap(), added);
}

#[test]
fn what_is_called_unasked_is_one_of_the_tools_of_its_step() {
    let with = |tools: &[&str], unasked: &str| {
        let step = json!({
            "id": "a", "action": "model", "prompt": "p", "tools": tools,
            "withoutApproval": [unasked],
        });
        let told = WorkflowDefinition::from_json(&json!({"name": "W", "steps": [step]}));
        told.err().map(|told| told.to_string()).unwrap_or_default()
    };
    assert_eq!(with(&["restart", "look"], "look"), "");
    let near = with(&["restart"], "restrat");
    assert!(
        near.contains("`restrat` is none of the step's `tools`"),
        "{near}"
    );
    assert!(near.contains("did you mean `restart`?"), "{near}");
    let far = with(&[], "restart");
    assert!(
        far.contains("add it to `tools`, or remove it here"),
        "{far}"
    );
}

/// A workflow with a trigger.
fn triggered(trigger: &str) -> String {
    format!("name: W\n{trigger}\nsteps: [{{id: a, action: noop}}]\n")
}

#[test]
fn a_bad_trigger_is_shown_at_the_key_that_is_wrong() {
    let mut found = Vec::new();
    for trigger in [
        "trigger: [1]",
        "trigger: 5",
        "trigger:",
        "trigger: {}",
        "trigger: {cron: 5}",
        "trigger:\n  cron: 0 61 * * *\n  timezone: Europe/Berln\n  active_hours: {start: 9:00, end: '24:01'}\n  maxRuns: 0\n  maxrun: 1",
        "trigger: {cron: 0 9 * * *, timezone: UTC+2, maxRuns: soon}",
        "trigger: {cron: 0 9 * * *, timezone: [UTC], activeHours: {start: '24:00', stop: 17:00}}",
        "trigger: {cron: 0 9 * * *, activeHours: {start: 09:00, end: 09:00, daysOfWeek: [0, mon, true, 8]}}",
        "trigger: {cron: 0 9 * * *, activeHours: {start: 08:00, end: 17:00, daysOfWeek: []}}",
        "trigger: {cron: 0 9 * * *, activeHours: 08:00-17:00}",
        "trigger: {cron: 0 9 * * *, activeHours: {start: 10:00, end: 17:00, daysOfWeek: 1}}",
        "trigger:\n  cron: 0 9 * * SAT\n  activeHours:\n    start: 08:00\n    end: 17:00\n    daysOfWeek: [1, 2]",
        "trigger:\n  cron: 0 * * * *\n  misfire: al\n  catchUp: soon\n  overlap: bufferOne\n  overlapIgnoresPaused: yes\n  jitter: 25h\n  maxRuns: 1.5\n  pauseAfterFailures: 0\n  overlaps: skip",
        "trigger: {cron: 0 * * * *, misfire: fire_once_now, overlap: Forbid, catchUp: true, jitter: -1, pauseAfterFailures: three}",
        "trigger: {cron: 0 * * * *, misfire: no, overlap: often, catch_up: 5 minutes, jitter: 30, overlap_ignores_paused: 1}",
        "trigger: {cron: 0 * * * *, catchup: false, concurrencyPolicy: Replace, splay: 5m, misfire_grace_time: 60, suspend: true, max_failures: 3, input: {}}",
        "trigger: {cron: 0 * * * *, misfire: all}",
        "trigger: {cron: 0 * * * *, misfire: all, overlap: buffer_one}",
        "trigger: {cron: 0 * * * *, misfire: all, overlap: sometimes}",
    ] {
        found.push(check(&triggered(trigger)));
    }
    insta::assert_snapshot!(found.join("\n---\n"));
}

#[test]
fn a_trigger_with_zone_window_and_limit_round_trips() {
    for trigger in [
        json!("manual"),
        json!("@daily"),
        json!({"cron": "0 9 * * *"}),
        json!({
            "cron": "*/15 * * * *",
            "timezone": "Europe/Berlin",
            "activeHours": {"start": "22:00", "end": "06:00", "daysOfWeek": [1, 5]},
            "maxRuns": 3
        }),
        json!({
            "cron": "0 * * * *",
            "misfire": "all",
            "catchUp": "6h",
            "overlap": "buffer_all",
            "overlapIgnoresPaused": true,
            "jitter": "5m",
            "pauseAfterFailures": 3
        }),
        json!({"cron": "0 * * * *", "catchUp": "0ms"}),
        json!({"cron": "@hourly", "activeHours": {"start": "09:00", "end": "24:00"}}),
    ] {
        let mut shape = json!({"name": "W", "steps": [{"id": "a", "action": "noop"}]});
        shape["trigger"] = trigger.clone();
        let definition = WorkflowDefinition::from_json(&shape).unwrap();
        let written = serde_json::to_value(&definition).unwrap();
        assert_eq!(written["trigger"], trigger);
        let again = StoredDefinition::new(&definition).read().unwrap();
        assert_eq!(again, definition);
    }
}

#[test]
fn a_schedule_as_trigger_is_read_with_all_its_parts() {
    let text = triggered(
        "trigger:\n  cron: 0 9 * * MON-FRI\n  timezone: Asia/Tokyo\n  active_hours: {start: 08:00, end: '17:30', days_of_week: [5, 1]}\n  max_runs: 2",
    );
    let definition = WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml).unwrap();
    let Trigger::Schedule(schedule) = definition.trigger() else {
        panic!("{:?}", definition.trigger());
    };
    assert_eq!(schedule.cron().as_str(), "0 9 * * MON-FRI");
    assert_eq!(schedule.timezone().unwrap().name(), "Asia/Tokyo");
    let hours = schedule.active_hours().unwrap();
    assert_eq!(hours.to_string(), "08:00-17:30 on Mon, Fri");
    assert_eq!(schedule.max_runs().unwrap().into_inner(), 2);
}

#[test]
fn policies_of_a_trigger_are_those_of_any_schedule() {
    let policies = |more: &str| {
        let text = triggered(&format!("trigger: {{cron: '0 * * * *'{more}}}"));
        let definition = WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml).unwrap();
        definition.trigger().policies()
    };
    let expected = Policies {
        misfire: Misfire::Skip,
        catch_up: Some(Duration::from_mins(90)),
        overlap: Overlap::CancelOther,
        overlap_ignores_paused: true,
        jitter: Duration::from_millis(1_500),
        max_runs: Some(MaxRuns::try_new(7).unwrap()),
        pause_after_failures: NonZeroU32::new(2),
    };
    let camel = ", misfire: skip, catchUp: 90m, overlap: cancel_other, overlapIgnoresPaused: true, jitter: 1500, maxRuns: 7, pauseAfterFailures: 2";
    let snake = ", misfire: skip, catch_up: 5400s, overlap: cancel_other, overlap_ignores_paused: true, jitter: 1500ms, max_runs: 7, pause_after_failures: 2";
    assert_eq!(policies(camel), expected);
    assert_eq!(policies(snake), expected);
    // What is the default may be said or not.
    let said = ", misfire: latest, overlap: skip, overlapIgnoresPaused: false, jitter: 0";
    assert_eq!(policies(""), Policies::default());
    assert_eq!(policies(said), Policies::default());
    assert_eq!(Trigger::Manual.policies(), Policies::default());
}

#[test]
fn policies_that_nobody_changes_leave_the_digest_as_it_was() {
    let stored = |more: &str| {
        let text = triggered(&format!("trigger: {{cron: '0 * * * *'{more}}}"));
        let definition = WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml).unwrap();
        StoredDefinition::new(&definition)
    };
    assert_eq!(stored(", misfire: latest, jitter: 0s"), stored(""));
    for changed in [
        ", misfire: skip",
        ", catchUp: 1h",
        ", overlap: allow",
        ", overlapIgnoresPaused: true",
        ", jitter: 1s",
        ", pauseAfterFailures: 1",
    ] {
        assert_ne!(stored(changed), stored(""), "{changed}");
    }
}

#[test]
fn the_digest_depends_on_the_meaning_and_not_on_the_spelling() {
    let a = "name: W\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args: {x: 1, y: 2}\n    on_success: $end\n";
    let b = "steps:\n- {onSuccess: $end, args: {x: 1, y: 2}, tool: t, action: tool, id: a}\n# a comment\nname: \"W\"\n";
    let stored = |text: &str| {
        let definition = WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml).unwrap();
        StoredDefinition::new(&definition)
    };
    assert_eq!(stored(a), stored(b));
    assert_ne!(stored(a), stored(&a.replace("x: 1", "x: 3")));
    let again = StoredDefinition::from_text(stored(a).json().to_owned());
    assert_eq!(
        again.read().unwrap(),
        WorkflowDefinition::parse(b.as_bytes(), SourceFormat::Yaml).unwrap()
    );
    let turned = stored(&a.replace("{x: 1, y: 2}", "{y: 2, x: 1}"));
    assert!(
        turned.json().contains(r#""args":{"y":2,"x":1}"#),
        "the author's order is theirs"
    );
}
