//! Executions at their boundary: the JSON shapes that readers know, and what the journal folds to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use serde_json::{Value, json};
use workflow_types::Timestamp;
use workflow_types::execution::{
    Execution, ExecutionContext, ExecutionState, History, Outcome, StepFailureKind, StepResult,
    TriggeredBy, Visit, VisitState, WorkflowExecutionState,
};
use workflow_types::template::Template;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_769_850_000_000 + second * 1_000).unwrap()
}

fn visit(number: u32, step: &str, outcome: Outcome) -> Visit {
    Visit {
        execution_id: ID.parse().unwrap(),
        number,
        step: step.parse().unwrap(),
        attempt: number,
        request: None,
        begun_at: at(0),
        reused_from: None,
        state: VisitState::Done {
            at: at(i64::from(number)),
            outcome,
        },
    }
}

fn success(output: Value) -> Outcome {
    Outcome::Success { output }
}

fn execution() -> Execution {
    Execution {
        id: ID.parse().unwrap(),
        workflow_id: "deploy-check".parse().unwrap(),
        definition: "0".repeat(64).parse().unwrap(),
        triggered_by: TriggeredBy::Manual,
        schedule: None,
        scheduled_for: None,
        origin: None,
        idempotency_key: None,
        input: json!({"url": "u"}),
        started_at: at(0),
        queued: false,
        state: ExecutionState::Running,
    }
}

#[test]
fn every_field_of_a_step_result_round_trips() {
    for shape in [
        json!({"status": "success", "output": {"a": [1, null]}, "completedAt": "2026-01-31T09:00:00.000Z"}),
        json!({"status": "failure", "output": "why", "completedAt": "2026-01-31T09:00:00.000Z"}),
        json!({"status": "paused", "output": null}),
    ] {
        let read: StepResult = serde_json::from_value(shape.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), shape);
    }
    assert!(serde_json::from_value::<StepResult>(json!({"status": "done", "output": 1})).is_err());
}

#[test]
fn every_field_of_an_execution_round_trips() {
    let full = json!({
        "id": ID,
        "workflowId": "deploy-check",
        "status": "failed",
        "currentStepId": "rollback",
        "stepResults": {"rollback": {"status": "failure", "output": "no", "completedAt": "2026-01-31T09:00:00.000Z"}},
        "startedAt": "2026-01-31T09:00:00.000Z",
        "pausedAt": "2026-01-31T09:00:01.000Z",
        "completedAt": "2026-01-31T09:00:02.000Z",
        "error": "step `rollback` failed: no",
        "triggeredBy": "heartbeat"
    });
    let smallest = json!({
        "id": ID,
        "workflowId": "w",
        "status": "running",
        "stepResults": {},
        "startedAt": "2026-01-31T09:00:00.000Z",
        "triggeredBy": "cron"
    });
    for shape in [full, smallest] {
        let read: WorkflowExecutionState = serde_json::from_value(shape.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), shape);
    }
}

#[test]
fn the_journal_folds_to_the_latest_visit_of_each_step() {
    let history = History::fold([
        visit(1, "check", success(json!(1))),
        visit(
            2,
            "act",
            Outcome::failure(StepFailureKind::Timeout, "too slow"),
        ),
        visit(3, "check", success(json!(2))),
    ]);
    assert_eq!(history.visits(), 3);
    assert_eq!(history.error(), Some("too slow"));
    let waiting = "gate".parse().unwrap();
    let results = serde_json::to_value(history.results(Some(&waiting))).unwrap();
    assert_eq!(
        results,
        json!({
            "act": {"status": "failure", "output": "too slow", "completedAt": at(2)},
            "check": {"status": "success", "output": 2, "completedAt": at(3)},
            "gate": {"status": "paused", "output": null},
        })
    );
}

#[test]
fn templates_read_the_live_state_and_outputs_are_never_expanded_again() {
    let history = History::fold([
        visit(
            1,
            "check",
            success(json!({"code": 503, "text": "{{ input.url }}"})),
        ),
        visit(2, "act", Outcome::failure(StepFailureKind::Error, "why")),
    ]);
    let execution = execution();
    let context = ExecutionContext::new(&execution, "Deploy check", &history);
    let render = |text: &str| Template::parse(text).unwrap().render(&context).unwrap();
    assert_eq!(render("{{ steps.check.result.code }}"), json!(503));
    assert_eq!(
        render("{{ steps.check.output.text }}"),
        json!("{{ input.url }}")
    );
    assert_eq!(
        render("{{ steps.act.status }}/{{ steps.act.attempts }}"),
        json!("failure/2")
    );
    assert_eq!(render("{{ error }}"), json!("why"));
    assert_eq!(
        render("{{ workflow.name }} {{ execution.triggeredBy }}"),
        json!("Deploy check manual")
    );
    assert_eq!(render("{{ steps.never.output.x }}"), Value::Null);
    assert_eq!(
        render("{{ steps | json }}"),
        json!(
            r#"{"act":{"output":null,"status":"failure","error":"why","attempts":2},"check":{"output":{"code":503,"text":"{{ input.url }}"},"status":"success","error":null,"attempts":1}}"#
        )
    );
}
