//! Schemas at their boundary: what authors get wrong in them, what values miss, what is read.

use serde_json::{Value, json};
use workflow_types::diagnostic::{Diagnostic, Part, Place};
use workflow_types::output_schema::{Problem, Subject, ValueSchema};
use workflow_types::{SourceFormat, WorkflowDefinition};

/// A diagnostic as `code pointer (part) message | help | fix`.
fn told(diagnostic: &Diagnostic) -> String {
    let Place::Node { pointer, part } = &diagnostic.place else {
        panic!("a place without node: {diagnostic}");
    };
    let place = format!("{} {}", diagnostic.code, pointer.as_str());
    let fix = diagnostic.fix.as_ref().map(|fix| &fix.replacement);
    line(
        &place,
        part,
        &diagnostic.message,
        diagnostic.help.as_ref(),
        fix,
    )
}

fn line(
    place: &str,
    part: &Part,
    message: &str,
    help: Option<&String>,
    fix: Option<&String>,
) -> String {
    let help = help.map(|help| format!("\n    help: {help}"));
    let fix = fix.map(|fix| format!("\n    fix: {fix}"));
    format!(
        "{place} ({}) {message}{}{}",
        named(part),
        help.unwrap_or_default(),
        fix.unwrap_or_default()
    )
}

fn named(part: &Part) -> String {
    match part {
        Part::Key => "key".to_owned(),
        Part::Value => "value".to_owned(),
        Part::Inside(range) => format!("{}..{}", range.start, range.end),
    }
}

/// Everything that is said of a workflow.
fn check(workflow: &Value) -> Vec<String> {
    let text = workflow.to_string();
    let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Json);
    checked.diagnostics.iter().map(told).collect()
}

fn with_input(input: &Value) -> Vec<String> {
    check(&json!({"name": "W", "input": input, "steps": [{"id": "a", "action": "noop"}]}))
}

fn with_output(schema: &Value) -> Vec<String> {
    check(&json!({
        "name": "W",
        "steps": [{"id": "a", "action": "model", "prompt": "p", "outputSchema": schema}],
    }))
}

/// Compares with the snapshot of the test.
#[track_caller]
fn shown(name: &str, text: &str) {
    insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!(name, text) });
}

/// Each value with what is said of it; every one of them has something wrong.
fn table(values: &[Value], check: impl Fn(&Value) -> Vec<String>) -> String {
    let row = |value| {
        let found = check(value);
        assert!(!found.is_empty(), "nothing is said of {value}");
        format!("{value}\n  {}", found.join("\n  "))
    };
    let rows: Vec<String> = values.iter().map(row).collect();
    rows.join("\n")
}

#[test]
fn mistakes_of_an_input_schema_are_told_at_their_own_places() {
    shown(
        "input_schemas",
        &table(
            &[
                json!({"url": "strng"}),
                json!({"url": "bool", "more": "integer"}),
                json!({"url": "colour"}),
                json!({"url": 1, "more": ["string"], "last": null}),
                json!({"retries": {"type": "integer", "defualt": 3}}),
                json!({"retries": {"type": "integr"}, "url": {"typ": "string"}}),
                json!({"retries": {"type": "integer", "default": "three"}}),
                json!({"server": {"type": "object", "properties": {"port": {"type": "integer"}},
                "default": {"port": "x", "host": "h"}, "additionalProperties": false}}),
                json!({"retries": {"type": "integer", "required": true}}),
                json!({"retries": {"type": "integer", "required": false}}),
                json!({"retries": {"type": "integer", "min": 1, "max": 3}}),
                json!({"name": {"type": "string", "max": 3}}),
                json!({"retries": {"type": "integer", "minimum": 5, "maximum": 3}}),
                json!({"name": {"type": "string", "minLength": 5, "maxLength": 3}}),
                json!({"mode": {"type": "string", "enum": "fast"}}),
                json!({"mode": {"type": "string", "enum": ["fast", 2]}}),
                json!({"mode": {"type": "string", "colour": "red"}}),
                json!({"server": {"host": "string", "port": "integer"}}),
                json!({"at": {"type": "string", "format": "datetime"}}),
                json!({"at": {"type": "string", "format": "licence plate"}}),
                json!({"at": {"type": "string", "pattern": "("}}),
                json!({"type": "object", "propertes": {"url": {"type": "string"}}}),
                json!({"type": "object", "required": ["url"], "additionalProperties": false,
                "properties": {"ulr": {"type": "string"}}}),
                json!("string"),
                json!([]),
            ],
            with_input,
        ),
    );
}

#[test]
fn mistakes_of_an_output_schema_are_told_at_their_own_places() {
    let closed = |properties: Value| json!({"type": "object", "properties": properties});
    shown(
        "output_schemas",
        &table(
            &[
                json!({"healthy": "boolaen", "reason": "string"}),
                json!({"healthy": "bool", "reason": "text", "count": "int"}),
                json!({"healthy": "boolean", "tags": ["string"]}),
                json!({"healthy": "boolean", "tags": {"type": "array"}}),
                json!({"title": "string", "ok": "bool"}),
                json!({"type": "boolaen"}),
                json!({"type": ["string", "nul"]}),
                json!({"type": 7}),
                json!({"type": []}),
                closed(json!({"ok": "boolean"})),
                closed(json!({"ok": "yes"})),
                closed(json!(["ok"])),
                json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "requred": ["ok"]}),
                json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["okay", "ok", "ok"]}),
                json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["healthy"]}),
                json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": "ok"}),
                json!({"type": "object", "additional_properties": false}),
                json!({"type": "object", "additionalProperties": "false"}),
                json!({"type": "array", "items": [{"type": "string"}]}),
                json!({"type": "array", "items": {"type": "sting"}, "uniqueItems": "yes"}),
                json!({"type": "array", "minItems": -1, "maxItems": 1.5}),
                json!({"type": "number", "multipleOf": 0, "minimum": "1"}),
                json!({"anyOf": {"type": "string"}}),
                json!({"anyOf": [{"type": "string"}, {"type": "intger"}]}),
                json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/helth"}},
                "$defs": {"health": {"type": "boolean"}}}),
                json!({"$ref": "https://example.org/schema.json"}),
                json!({"$schema": "https://example.org/draft", "type": "string"}),
                json!({"type": "string", "description": 3}),
                json!({"type": "string", "nullable": true}),
                json!({"type": "array", "items": {"type": "object", "properties":
                {"deep": {"type": "string", "enmu": ["a"]}}}}),
                json!({}),
                json!({"description": "anything"}),
                json!("boolean"),
                json!(true),
            ],
            with_output,
        ),
    );
}

#[test]
fn good_schemas_are_passed_over_in_silence() {
    for input in [
        json!({}),
        json!({"url": "string", "type": "string"}),
        json!({"retries": {"type": "integer", "default": 3, "minimum": 1, "maximum": 5}}),
        json!({"mode": {"enum": ["fast", "slow"], "default": "fast", "x-note": 1, "$comment": "c"}}),
        json!({"type": "object", "properties": {"a": true}, "required": ["a"]}),
        json!({"at": {"type": ["string", "null"], "format": "date-time", "default": null}}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
            "properties": {"pair": {"type": "array", "items": [{"type": "string"}]}},
            "definitions": {"x": {"type": "string"}}}),
        json!({"properties": {"node": {"$ref": "#/$defs/n", "default": 1}},
            "$defs": {"n": {"type": "integer"}}}),
    ] {
        assert_eq!(with_input(&input), Vec::<String>::new(), "{input}");
    }
    for schema in [
        json!({"healthy": "boolean", "reason": "string"}),
        json!({"title": "string", "description": "string"}),
        json!({"type": "object", "required": ["b"], "properties": {"a": {}},
            "additionalProperties": {"type": "string"}}),
        json!({"anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
        json!({"type": "array", "prefixItems": [{"type": "string"}], "items": false}),
        json!({"not": {"type": "null"}}),
    ] {
        assert_eq!(with_output(&schema), Vec::<String>::new(), "{schema}");
    }
}

fn problem(problem: &Problem) -> String {
    line(
        problem.at.as_str(),
        &problem.part,
        &problem.message,
        problem.help.as_ref(),
        problem.fix.as_ref(),
    )
}

/// The schema of a tool such as hosts have.
fn request() -> Value {
    let kind = |name: &str| {
        json!({"properties": {"kind": {"const": name}, name: {"type": "integer"}},
        "required": ["kind", name], "type": "object"})
    };
    json!({
        "type": "object",
        "required": ["url"],
        "additionalProperties": false,
        "properties": {
            "url": {"type": "string", "minLength": 1, "pattern": "^https?:"},
            "method": {"enum": ["GET", "POST", "PUT"]},
            "timeout": {"type": "integer", "minimum": 1, "maximum": 60},
            "headers": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": true},
            "body": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["text"]}]},
            "either": {"oneOf": [{"type": "string"}, {"type": "boolean"}]},
            "kinds": {"oneOf": [kind("low"), kind("high")]},
            "auth": {"type": "object", "properties": {"user": {"type": "string"}},
                "additionalProperties": false},
        },
        "if": {"properties": {"method": {"const": "POST"}}, "required": ["method"]},
        "then": {"required": ["body"]},
    })
}

#[test]
fn values_that_miss_a_schema_are_told_property_by_property() {
    let schema = ValueSchema::parse(&request()).unwrap();
    let subject = Subject::new("args").taken_by("http_request").masked();
    let check = |value: &Value| {
        let found = schema.problems(value, &subject);
        found.iter().map(problem).collect()
    };
    shown(
        "values",
        &table(
            &[
                json!({}),
                json!({"url": "http://h", "timeout": "5", "metod": "GET"}),
                json!({"url": 1, "timeout": 1.5}),
                json!({"url": "", "timeout": 90}),
                json!({"url": "http://h", "method": "PSOT"}),
                json!({"url": "http://h", "method": "POST"}),
                json!({"url": "http://h", "headers": {"a/b": [], "c": true}}),
                json!({"url": "http://h", "tags": ["a", "a", 3]}),
                json!({"url": "http://h", "tags": "a"}),
                json!({"url": "http://h", "body": 3}),
                json!({"url": "http://h", "body": {"txt": "t"}}),
                json!({"url": "http://h", "either": 3}),
                json!({"url": "http://h", "kinds": {"kind": "high", "high": "x"}}),
                json!({"url": "http://h", "kinds": {"kind": "middle"}}),
                json!({"url": "http://h", "auth": {"usr": "me"}, "completely": 1}),
                json!([]),
                json!("text"),
            ],
            check,
        ),
    );
}

#[test]
fn values_are_repeated_only_where_they_are_no_secret() {
    let schema = ValueSchema::parse(&request()).unwrap();
    let value = json!({"url": "hunter2", "timeout": "hunter2", "method": "hunter2",
        "tags": ["hunter2", "hunter2"], "either": ["hunter2"]});
    let masked = schema.problems(&value, &Subject::new("args").masked());
    assert_eq!(masked.len(), 5, "{masked:#?}");
    assert!(!format!("{masked:?}").contains("hunter2"), "{masked:#?}");
    let shown = schema.problems(&value, &Subject::new("args"));
    assert!(format!("{shown:?}").contains("hunter2"));
}

#[test]
fn nothing_is_said_of_what_only_the_run_can_know() {
    let schema = ValueSchema::parse(&request()).unwrap();
    let subject = Subject::new("args").with_templates();
    for value in [
        json!({"url": "{{ input.url }}", "timeout": "{{ input.timeout }}"}),
        json!({"url": "{{ input.host }}/path", "method": "{{ input.method }}"}),
        json!({"url": "http://h", "method": "P{{ input.rest }}"}),
        json!({"url": "http://h", "headers": {"a": "{{ input.a }}"}}),
        json!({"url": "http://h", "tags": ["{{ input.a }}", "{{ input.a }}"]}),
        json!({"url": "http://h", "body": "{{ input.body }}", "either": "{{ input.either }}"}),
        json!({"url": "http://h", "kinds": {"kind": "{{ input.kind }}"}}),
        json!({"url": "http://h", "method": "POST", "auth": {"user": "{{ input.user }}"}}),
    ] {
        let found = schema.problems(&value, &subject);
        assert!(found.is_empty(), "{value}: {found:#?}");
    }
    let found = |value: Value| -> Vec<String> {
        let found = schema.problems(&value, &subject);
        found
            .iter()
            .map(|problem| problem.message.clone())
            .collect()
    };
    assert_eq!(
        found(json!({"timeout": "{{ input.a }}s", "more": "{{ input.b }}"})),
        [
            "`args.timeout` is the string \"{{ input.a }}s\", expected a whole number",
            "`args.more` is not known",
            "`args` has no `url`, which is required",
        ]
    );
}

#[test]
fn members_that_a_schema_closes_off_cannot_be_read() {
    let check = |reads: &Value| {
        let schema = json!({"type": "object", "additionalProperties": false, "properties": {
            "healthy": {"type": "boolean"},
            "reason": {"type": ["string", "null"]},
            "first-seen": {"type": "string"},
            "open": {"type": "object", "properties": {"a": {"type": "string"}}},
            "nodes": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            "either": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        }, "$defs": {"node": {"type": "object", "properties": {"name": {"type": "string"}},
            "additionalProperties": false}}});
        let [condition, prompt] = ["condition", "prompt"]
            .map(|key| reads.get(key).and_then(Value::as_str).unwrap_or("input"));
        let prompt = format!("{{{{ {prompt} }}}}");
        check(&json!({
            "name": "W",
            "input": {"url": "string", "server": {"type": "object", "additionalProperties": false,
                "properties": {"host": {"type": "string"}}}},
            "steps": [
                {"id": "check", "action": "model", "prompt": "p", "outputSchema": schema,
                    "branches": [{"condition": condition, "goto": "$end"}]},
                {"id": "after", "action": "model", "prompt": prompt, "outputSchema": {"ok": "boolean"}},
            ],
        }))
    };
    let condition = |text: &str| json!({"condition": text});
    let prompt = |text: &str| json!({"prompt": text});
    shown(
        "members",
        &table(
            &[
                condition("result.helthy"),
                condition("result.healthy.reason"),
                condition("result['helthy'] && result?.healhty"),
                condition("result.nodes[0].nmae == result.nodes.lenght"),
                condition("steps.check.output.first-sen"),
                condition("result.reason.text"),
                condition("result.reason.lenght"),
                prompt("steps.check.output.helthy"),
                prompt("steps.check.result.healthy.reason"),
                prompt("steps.check.output.completely"),
                prompt("steps['check'].output.nodes[3].name.first"),
                prompt("input.server.hots"),
                prompt("input.url.host"),
                prompt("input.ulr"),
            ],
            check,
        ),
    );
    for read in [
        "result.healthy",
        "result.reason.length",
        "result.reason.includes('a')",
        "result.reason[0]",
        "result.open.b.c",
        "result.nodes.length",
        "result.nodes[0].name.length",
        "result.nodes[input.url].other",
        "result.nodes.includes('a')",
        "result.either.a",
        "steps.check.output",
        "steps.after.output.anything == null || input.server.host",
    ] {
        let said = check(&condition(read));
        let said: Vec<&String> = said.iter().filter(|line| line.contains("WF0203")).collect();
        let expected = usize::from(read.contains("anything"));
        assert_eq!(said.len(), expected, "{read}: {said:?}");
    }
}
