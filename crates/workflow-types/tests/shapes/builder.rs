//! What is written in Rust is what a file says, and its mistakes are told alike.

use std::time::Duration;

use serde_json::{Value, json};
use workflow_types::action::{OnInterrupt, OnLimit};
use workflow_types::approval::{ApprovalPolicy, OnExpiry};
use workflow_types::definition::{Step, StoredDefinition, Trigger, WorkflowBuilder};
use workflow_types::diagnostic::{Diagnostics, Place};
use workflow_types::retry::RetryPolicy;
use workflow_types::schedule::{ActiveHours, Misfire, Overlap};
use workflow_types::{SourceFormat, WorkflowDefinition};

/// The digest of a good definition, or each mistake with its place.
fn outcome(result: Result<WorkflowDefinition, Diagnostics>) -> Result<String, Vec<String>> {
    let told = |place: &Place| match place {
        Place::Node { pointer, part } => format!("{} {part:?}", pointer.as_str()),
        Place::Text(range) => format!("{range:?}"),
    };
    result
        .map(|definition| StoredDefinition::new(&definition).digest().to_string())
        .map_err(|problems| {
            let all = problems.iter();
            all.map(|problem| format!("{problem} @ {}", told(&problem.place)))
                .collect()
        })
}

fn same(built: WorkflowBuilder, yaml: &str) -> Result<String, Vec<String>> {
    let written = outcome(WorkflowDefinition::parse(
        yaml.as_bytes(),
        SourceFormat::Yaml,
    ));
    assert_eq!(outcome(built.build()), written, "{yaml}");
    written
}

fn example(name: &str) -> String {
    let path = format!("{}/../../examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn command(
    id: &str,
    command: &Value,
) -> workflow_types::definition::StepBuilder<workflow_types::definition::Tool> {
    Step::tool(id, "execute_command").args(json!({"command": command}))
}

#[test]
fn hello_in_rust_is_hello() {
    let built = WorkflowDefinition::builder("Hello")
        .input(json!({"name": {"type": "string", "default": "world"}}))
        .step(
            command("greet", &json!(["echo", "Hello, {{ input.name }}!"]))
                .timeout(Duration::from_secs(10)),
        )
        .step(
            command(
                "farewell",
                &json!(["echo", "After: {{ steps.greet.output.stdout }}"]),
            )
            .requires_approval()
            .on_failure("silence"),
        )
        .step(Step::noop("done").on_success("$end"))
        .step(Step::noop("silence"));
    same(built, &example("hello")).unwrap();
}

#[test]
fn deploy_check_in_rust_is_deploy_check() {
    let alert = json!([
        "sh",
        "-c",
        r#"echo "alert: $1: $2" >> "$3""#,
        "alert",
        "{{ input.service }}",
        "{{ error ?? 'answered ' + steps.check-health.output.status + (steps.rollback.status === 'success' ? ', rolled back' : '') }}",
        "{{ input.log }}",
    ]);
    let rollback = json!([
        "sh",
        "-c",
        r#"echo "rolled back $1" >> "$2""#,
        "rollback",
        "{{ input.service }}",
        "{{ input.log }}",
    ]);
    let question =
        "{{ input.service }} answered {{ steps.check-health.output.status }}. Roll it back?";
    let built = WorkflowDefinition::builder("Deploy check")
        .description(
            "Checks a service's health, offers a rollback where it is ill, and says what happened.",
        )
        .input(json!({
            "url": "string",
            "service": {"type": "string", "default": "web"},
            "log": {"type": "string", "default": "deploy-check.log"},
        }))
        .step(
            Step::tool("check-health", "http_request")
                .description("Ask the service.")
                .args(json!({"url": "{{ input.url }}"}))
                .timeout(Duration::from_secs(10))
                .retry(
                    RetryPolicy::builder()
                        .max_attempts(3)
                        .initial_backoff(Duration::from_millis(200)),
                )
                .on_failure("alert")
                .branch("result.status >= 500", "rollback")
                .branch("result.status >= 400", "alert")
                .on_success("done"),
        )
        .step(
            command("rollback", &rollback)
                .description("Roll the service back; nothing runs before a person has approved it.")
                .approval(ApprovalPolicy::builder().message(question))
                .on_failure("alert"),
        )
        .step(
            command("alert", &alert)
                .description("Tell the people on call.")
                .on_interrupt(OnInterrupt::Rerun),
        )
        .step(Step::noop("done"));
    same(built, &example("deploy-check")).unwrap();
}

#[test]
fn backup_rotate_in_rust_is_backup_rotate() {
    let archive = "{{ input.target }}/backup-{{ execution.id }}.tar.gz";
    let minutes = Duration::from_mins(10);
    let rotate = r#"cd "$1" && ls -1t backup-*.tar.gz | tail -n "+$(($2 + 1))" | xargs -r rm --"#;
    let built = WorkflowDefinition::builder("Backup and rotate")
        .description("Archives a directory, verifies the archive and keeps the newest few.")
        .input(json!({
            "source": "string",
            "target": "string",
            "keep": {"type": "integer", "minimum": 1, "default": 7},
        }))
        .step(
            command("prepare", &json!(["mkdir", "-p", "{{ input.target }}"]))
                .on_interrupt(OnInterrupt::Rerun),
        )
        .step(
            command(
                "archive",
                &json!(["tar", "-czf", archive, "-C", "{{ input.source }}", "."]),
            )
            .timeout(minutes)
            .retry(
                RetryPolicy::builder()
                    .max_attempts(2)
                    .initial_backoff(Duration::from_secs(1)),
            )
            .on_interrupt(OnInterrupt::Rerun)
            .on_failure("clean-up"),
        )
        .step(
            command("verify", &json!(["tar", "-tzf", archive]))
                .timeout(minutes)
                .on_interrupt(OnInterrupt::Rerun)
                .on_failure("clean-up"),
        )
        .step(
            command(
                "rotate",
                &json!([
                    "sh",
                    "-c",
                    rotate,
                    "rotate",
                    "{{ input.target }}",
                    "{{ input.keep }}"
                ]),
            )
            .description("Remove all but the newest archives.")
            .on_interrupt(OnInterrupt::Rerun)
            .on_success("$end"),
        )
        .step(
            command("clean-up", &json!(["rm", "-f", archive]))
                .description("Leave no broken archive behind, and let the execution fail.")
                .on_interrupt(OnInterrupt::Rerun)
                .on_success("$fail"),
        );
    same(built, &example("backup-rotate")).unwrap();
}

#[test]
fn everything_that_can_be_written_can_be_built() {
    let hours = ActiveHours::builder("22:00", "06:00").days_of_week([1, 5]);
    let trigger = Trigger::on("*/15 * * * *")
        .timezone("Europe/Berlin")
        .active_hours(hours)
        .max_runs(3)
        .misfire(Misfire::All)
        .catch_up(Duration::from_hours(6))
        .overlap(Overlap::BufferAll)
        .overlap_ignores_paused()
        .jitter(Duration::from_mins(5))
        .pause_after_failures(3);
    let approval = ApprovalPolicy::builder()
        .message("m")
        .timeout(Duration::from_hours(1))
        .on_timeout(OnExpiry::Approve)
        .approvers(["ann", "bob"])
        .count(2);
    let retry = RetryPolicy::builder()
        .max_attempts(3)
        .initial_backoff(Duration::from_secs(2))
        .factor(2.5)
        .max_backoff(Duration::from_mins(1))
        .jitter(0.0);
    let built = WorkflowDefinition::builder("W")
        .trigger(trigger)
        .max_steps(50)
        .max_tokens(9000)
        .max_cost(0.1)
        .concurrency(2, OnLimit::Skip)
        .step(
            Step::model("a", "p")
                .system("s")
                .model("m")
                .tools(["t", "u"])
                .without_approval(["t"])
                .max_turns(4)
                .output_schema(json!({"ok": "boolean"}))
                .approval(approval)
                .retry(retry),
        );
    let yaml = r#"
name: W
trigger: {cron: "*/15 * * * *", timezone: Europe/Berlin, maxRuns: 3, misfire: all, catchUp: 6h, overlap: buffer_all, overlapIgnoresPaused: true, jitter: 5m, pauseAfterFailures: 3, activeHours: {start: "22:00", end: "06:00", daysOfWeek: [1, 5]}}
maxSteps: 50
maxTokens: 9000
maxCost: 0.1
concurrency: {limit: 2, onLimit: skip}
steps:
  - id: a
    action: model
    prompt: p
    system: s
    model: m
    tools: [t, u]
    withoutApproval: [t]
    maxTurns: 4
    outputSchema: {ok: boolean}
    approvalRequired: {message: m, timeout: 1h, onTimeout: approve, approvers: [ann, bob], count: 2}
    retry: {maxAttempts: 3, initialBackoff: 2s, factor: 2.5, maxBackoff: 1m, jitter: 0.0}
"#;
    same(built, yaml).unwrap();
}

#[test]
fn mistakes_in_rust_are_told_as_those_in_a_file() {
    let w = || WorkflowDefinition::builder("W");
    let cases = [
        (WorkflowDefinition::builder(" "), "{name: ' ', steps: []}"),
        (
            w().step(Step::noop("1st").on_success("secnd"))
                .step(Step::noop("second")),
            "{name: W, steps: [{id: 1st, action: noop, onSuccess: secnd}, {id: second, action: noop}]}",
        ),
        (
            w().step(Step::noop("a"))
                .step(Step::noop("a").timeout(Duration::ZERO)),
            "{name: W, steps: [{id: a, action: noop}, {id: a, action: noop, timeout: 0ms}]}",
        ),
        (
            w().trigger("61 * * * *")
                .max_steps(0)
                .step(Step::tool("a", "my tool").args(json!([1]))),
            "{name: W, trigger: '61 * * * *', maxSteps: 0, steps: [{id: a, action: tool, tool: my tool, args: [1]}]}",
        ),
        (
            w().step(
                Step::model("a", "{{ input. }}")
                    .max_turns(101)
                    .output_schema("x")
                    .tools(["a b"]),
            ),
            "{name: W, steps: [{id: a, action: model, prompt: '{{ input. }}', maxTurns: 101, outputSchema: x, tools: [a b]}]}",
        ),
        (
            w().trigger(
                Trigger::on("@daily")
                    .timezone("Mars")
                    .active_hours(ActiveHours::builder("9:00", "9:00")),
            )
            .step(Step::noop("a").branch("result.", "$emd")),
            "{name: W, trigger: {cron: '@daily', timezone: Mars, activeHours: {start: '9:00', end: '9:00'}}, steps: [{id: a, action: noop, branches: [{condition: result., goto: $emd}]}]}",
        ),
        (
            w().input(json!({"a": 1}))
                .concurrency(0, OnLimit::Queue)
                .step(
                    Step::tool("a", "t")
                        .args(json!({"x": "{{ inptu.a }}"}))
                        .retry(RetryPolicy::builder().jitter(2.0))
                        .approval(ApprovalPolicy::builder().approvers(["ann"]).count(2)),
                ),
            "{name: W, input: {a: 1}, concurrency: {limit: 0, onLimit: queue}, steps: [{id: a, action: tool, tool: t, args: {x: '{{ inptu.a }}'}, retry: {jitter: 2.0}, approvalRequired: {approvers: [ann], count: 2}}]}",
        ),
    ];
    for (built, yaml) in cases {
        assert!(same(built, yaml).is_err(), "{yaml}");
    }
}
