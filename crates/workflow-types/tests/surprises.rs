//! Expressions that do something else than they seem to say, and many that do not.

use serde_json::{Value, json};
use workflow_types::diagnostic::Diagnostic;
use workflow_types::{SourceFormat, WorkflowDefinition};

/// A workflow whose step `check` has these conditions, each leading on.
fn workflow(conditions: &[&str]) -> Value {
    let branches: Vec<Value> = conditions
        .iter()
        .map(|condition| json!({"condition": condition, "goto": "end"}))
        .collect();
    json!({
        "name": "W",
        "input": {
            "env": {"type": "string", "enum": ["prod", "staging", "dev"]},
            "name": "string",
            "count": {"type": "integer", "default": 3},
            "deep": {"type": "boolean", "default": false},
            "tags": {"type": "array", "items": {"type": "string"}, "default": []},
            "any": {"default": null},
            "level": {"enum": [1, 2, 3]},
            "either": {"type": ["string", "null"], "default": null},
        },
        "steps": [
            {"id": "before", "action": "tool", "tool": "t"},
            {"id": "check", "action": "model", "prompt": "p", "outputSchema": {
                "type": "object",
                "properties": {
                    "healthy": {"type": "boolean"},
                    "code": {"type": "number"},
                    "reason": {"type": "string"},
                    "verdict": {"enum": ["keep", "drop"]},
                    "list": {"type": "array", "items": {
                        "type": "object", "properties": {"n": {"type": "number"}},
                    }},
                },
            }, "branches": branches},
            {"id": "end", "action": "noop"},
        ],
    })
}

fn diagnostics(document: &Value) -> Vec<Diagnostic> {
    let text = document.to_string();
    let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Json);
    assert!(checked.definition.is_some(), "{}", checked.diagnostics);
    checked
        .diagnostics
        .iter()
        .map(|diagnostic| {
            // Every place inside a string is exact: its text is a part of the condition.
            let span = checked.map.resolve(&diagnostic.place);
            assert!(checked.map.text().get(span).is_some());
            diagnostic.clone()
        })
        .collect()
}

/// One condition with what is said of it: code, place, message, help and fix.
fn said(condition: &str) -> String {
    let document = workflow(&[condition]);
    let text = document.to_string();
    let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Json);
    let described = checked.diagnostics.iter().map(|diagnostic| {
        let place = &text[checked.map.resolve(&diagnostic.place)];
        let help = diagnostic.help.as_deref().unwrap_or_default();
        let fix = diagnostic.fix.as_ref().map_or(String::new(), |fix| {
            format!("    fix: {}\n", fix.replacement)
        });
        format!(
            "  {} `{place}` {}\n    help: {help}\n{fix}",
            diagnostic.code, diagnostic.message
        )
    });
    format!("{condition}\n{}", described.collect::<String>())
}

const SURPRISING: [&str; 70] = [
    "result.code == '200'",
    "result.code != '200'",
    "result.code === '200'",
    "result.code !== '200'",
    "'200' == result.code",
    "steps.before.output.status == '200'",
    "steps.before.output['status'] != '404'",
    "result.healthy == 'true'",
    "result.healthy === 'yes'",
    "result.healthy == 1",
    "result.reason == true",
    "result.reason == 5",
    "result.list == 'a'",
    "input.count == '3'",
    "input.name == 3",
    "input.level == '1'",
    "input.either == 5",
    "input.deep == 'false'",
    "status == 1",
    "status == true",
    "steps.before.status == 0",
    "steps.before.attempts == '1'",
    "steps.before.attempts === 'one'",
    "steps.before.error === 404",
    "error == 5",
    "result.code < '500'",
    "input.name > 5",
    "status >= 2",
    "result.code > null",
    "1 < result.code < 5",
    "result.reason == 'a' == 'b'",
    "result.reason - 'x'",
    "result.code * 'x' > 1",
    "-'abc' < result.code",
    "result.code / 'two' === 1",
    "input.name == ['a', 'b']",
    "input.name === ['a']",
    "['a'] != input.name",
    "input.tags == []",
    "input.tags.length == '0'",
    "!status == 'failure'",
    "!result.code > 5",
    "!result.healthy === null",
    "result.list[0].n == '1'",
    "result.reason.trim() == 5",
    "result.reason.includes('x') == 'yes'",
    "'failed'",
    "false",
    "1 === 1",
    "'a'.length > 0",
    "[1, 2].includes(3)",
    "status == 'succes'",
    "status == 'failed'",
    "status === 'failure'",
    "status !== 'failure'",
    "steps.before.status === 'failed'",
    "steps.before.status === 'paused'",
    "input.env == 'prd'",
    "input.env === 'production' || input.env === 'qa'",
    "result.verdict === 'kept'",
    "execution.triggeredBy === 'schedule'",
    "input.any === 1 && input.any === 2",
    "input.any == 'a' && result.healthy && input.any == 'b'",
    "input.any !== 'a' || input.any !== 'b'",
    "result.healthy || true",
    "error ?? 'none' === 'none'",
    "(result.healthy && false) || input.deep",
    "input.any === 'x' ? result.healthy : 'a' == 5",
    "true ? result.healthy : input.deep",
    "input.any === 'a' || 'b'",
];

#[test]
fn surprises_say_what_happens_and_what_to_write() {
    let table: Vec<String> = SURPRISING.iter().map(|condition| said(condition)).collect();
    for one in &table {
        assert!(one.contains("WF0309") || one.contains("WF0310"), "{one}");
    }
    insta::assert_snapshot!(table.join(""));
}

const ORDINARY: [&str; 60] = [
    "true",
    " true ",
    "result.status >= 500",
    "result.status >= 400",
    "result.healthy === true",
    "result.healthy == true",
    "result.healthy",
    "!result.healthy",
    "!!result.healthy === true",
    "!result.healthy == !input.deep",
    "!(input.any == 'x')",
    "result.code < 500 && result.healthy",
    "result.code == 200",
    "result.code === -1",
    "result.code * 2 > 100",
    "result.code + '' === '200'",
    "'code ' + result.code == 'code 200'",
    "input.env == 'prod'",
    "input.env !== 'dev'",
    "input.env === 'prod' || input.env === 'staging'",
    "input.env !== 'prod' && input.env !== 'staging'",
    "['prod', 'dev'].includes(input.env)",
    "input.tags.includes('urgent')",
    "input.tags.length > 0",
    "input.tags[0] === 'a'",
    "input.tags[0] === '1'",
    "input.name == '1'",
    "input.name === '200'",
    "input.level == 2",
    "input.either == null",
    "input.either === 'x'",
    "input.any == 'x'",
    "input.any == 5",
    "input.any === '5'",
    "input.any == true",
    "input.any > '5'",
    "steps.before.output.list.length > 0",
    "steps.before.output.version === '2'",
    "steps.before.output == 'text'",
    "steps.before.output['x-y'] === 1",
    "steps.before.status === 'success'",
    "steps.before.status == 'failure'",
    "steps.before.attempts > 1",
    "steps.before.error == null",
    "steps.before.error === undefined",
    "error != null",
    "error === 'x'",
    "result ?? false",
    "result.missing ?? true",
    "(result.reason || 'none') === 'none'",
    "status == 'success'",
    "status === 'success' && result.healthy",
    "result.verdict === 'keep'",
    "result.list[0].n === 1",
    "result.reason.trim().toLowerCase() === 'ok'",
    "result.reason.indexOf('x') === -1",
    "result.healthy ? result.code > 1 : result.code > 2",
    "execution.triggeredBy === 'cron'",
    "execution.scheduledFor != null",
    "result.code > 1 && result.code < 5 && result.code !== 3",
];

#[test]
fn ordinary_conditions_pass_in_silence() {
    for condition in ORDINARY {
        let found = diagnostics(&workflow(&[condition]));
        assert!(found.is_empty(), "{condition}\n{found:#?}");
    }
    for example in ["deploy-check", "backup-rotate", "hello"] {
        let path = format!(
            "{}/../../examples/{example}.yaml",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read(path).unwrap();
        let checked = WorkflowDefinition::check(&text, SourceFormat::Yaml);
        assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    }
}

/// The codes of what is said of branches.
fn codes(conditions: &[&str]) -> Vec<(String, String)> {
    let diagnostics = diagnostics(&workflow(conditions));
    diagnostics
        .iter()
        .map(|diagnostic| {
            let place = format!("{:?}", diagnostic.place);
            let at = place.split('"').nth(1).unwrap_or_default().to_owned();
            (diagnostic.code.to_string(), at)
        })
        .collect()
}

#[test]
fn a_branch_behind_one_that_is_always_taken_is_shown() {
    let at = |position: usize| format!("/steps/1/branches/{position}/condition");
    let dead = |position| ("WF0311".to_owned(), at(position));
    assert_eq!(codes(&["result.code > 1", "true"]), []);
    assert_eq!(
        codes(&["true", "result.code > 1", "true"]),
        [dead(1), dead(2)]
    );
    assert_eq!(
        codes(&[
            "result.reason === 'a'",
            "result.healthy",
            "result.reason  ===  \"a\"",
            "result.reason === 'b'",
        ]),
        [dead(2)]
    );
}

#[test]
fn templates_are_looked_at_too() {
    let mut document = workflow(&[]);
    document["steps"][2] = json!({
        "id": "end",
        "action": "tool",
        "tool": "t",
        "args": {"a/b": ["x", "is {{ steps.check.output.code == '5' ? 'é' : \"b\" }}"], "c": "{{ 'fixed' }}"},
        "approvalRequired": {"message": "{{ input.env === 'prd' ? 1 : 2 }}"},
    });
    let text = document.to_string();
    let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Json);
    let found: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = &text[checked.map.resolve(&diagnostic.place)];
            format!("{} {place}", diagnostic.code)
        })
        .collect();
    assert_eq!(
        found,
        ["WF0309 steps.check.output.code == '5'", "WF0310 'prd'"]
    );
}

#[test]
fn a_gate_leaves_people_time_to_answer() {
    let gate = |timeout: Value| {
        let step = json!({"id": "a", "action": "noop", "approvalRequired": {"timeout": timeout}});
        let text = json!({"name": "W", "steps": [step]}).to_string();
        let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Json);
        let codes = checked.diagnostics.iter().map(|found| {
            let fix = found.fix.as_ref().map(|fix| fix.replacement.to_string());
            (found.code.to_string(), fix)
        });
        codes.collect::<Vec<_>>()
    };
    let refused = [("WF0104".to_owned(), None)];
    assert_eq!(gate(json!(0)), refused);
    assert_eq!(gate(json!("0s")), refused);
    assert_eq!(
        gate(json!(30)),
        [("WF0312".to_owned(), Some("30s".to_owned()))]
    );
    assert_eq!(gate(json!("999ms")), [("WF0312".to_owned(), None)]);
    assert_eq!(gate(json!("1s")), []);
    assert_eq!(gate(json!(60_000)), []);
}

/// The longest conditions and the deepest, on half the stack of a thread.
#[test]
fn long_and_deep_conditions_are_looked_at() {
    let long = vec!["input.any === 1"; 200].join(" || ");
    let row = vec!["input.any"; 300].join(" + ");
    let nested = format!("{}input.any === 1{}", "!(".repeat(30), ")".repeat(30));
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    let looked = small.spawn(move || {
        let found = diagnostics(&workflow(&[&long, &nested, &row]));
        assert!(found.is_empty(), "{found:#?}");
    });
    looked.unwrap().join().unwrap();
}

/// The YAML examples of a page, in their order.
fn examples(page: &str) -> Vec<&str> {
    page.split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn the_examples_of_the_pages_are_wrong_and_right() {
    let pages = [
        ("WF0309", include_str!("../src/diagnostic/pages/WF0309.md")),
        ("WF0310", include_str!("../src/diagnostic/pages/WF0310.md")),
        ("WF0311", include_str!("../src/diagnostic/pages/WF0311.md")),
        ("WF0312", include_str!("../src/diagnostic/pages/WF0312.md")),
    ];
    for (code, page) in pages {
        let found: Vec<Vec<String>> = examples(page)
            .into_iter()
            .map(|text| {
                let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
                let codes = checked
                    .diagnostics
                    .iter()
                    .map(|found| found.code.to_string());
                codes.collect()
            })
            .collect();
        assert_eq!(found, [vec![code.to_owned()], Vec::new()], "{code}");
    }
}

#[test]
fn a_mistake_behind_an_anchor_is_told_once_where_it_is_written() {
    let text = |second: &str| {
        format!(
            "name: W\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args: &a {{x: \"{{{{ inptu.y }}}}\"}}\n  \
             - id: b\n    action: tool\n    tool: t\n    args: {second}\n"
        )
    };
    let places = |text: &str| {
        let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
        let place = |found: &Diagnostic| {
            let at = checked.map.resolve(&found.place).start;
            format!("{} {}", found.code, checked.map.line_column(at).line)
        };
        checked.diagnostics.iter().map(place).collect::<Vec<_>>()
    };
    let written_twice = places(&text("{x: \"{{ inptu.y }}\"}"));
    assert_eq!(written_twice.len(), 2, "{written_twice:?}");
    assert_eq!(places(&text("*a")), written_twice[..1]);
    assert_eq!(places(&text("{x: 1}")), written_twice[..1]);
}
