//! What templates and conditions read, written out as one JSON document.

use gateway::workflow_types::execution::{Outcome, Visit, VisitState};
use serde_json::{Map, Value, json};

use super::run::Run;

impl Run {
    /// What a template reads.
    pub(super) fn context(&self) -> Map<String, Value> {
        let mut steps = Map::new();
        for (step, visit) in self.latest() {
            steps.insert(step.to_string(), record(visit));
        }
        let latest_failure = self.visits.iter().rev().find_map(failure);
        let context = json!({
            "input": self.input,
            "steps": steps,
            "error": latest_failure,
            "execution": {
                "id": self.id.to_string(),
                "startedAt": self.started_at.to_string(),
                "triggeredBy": self.by.as_str(),
                "scheduledFor": null,
            },
            "workflow": {"id": self.flow_id, "name": self.edition.definition.name()},
        });
        let Value::Object(context) = context else {
            panic!("it is written as an object");
        };
        context
    }

    /// What a condition reads, after the last visit.
    pub(super) fn context_after(&self) -> Map<String, Value> {
        let mut context = self.context();
        let record = record(self.visits.last().expect("it has just run"));
        context.insert("result".to_owned(), record["output"].clone());
        context.insert("status".to_owned(), record["status"].clone());
        context
    }
}

fn record(visit: &Visit) -> Value {
    let VisitState::Done { outcome, .. } = &visit.state else {
        panic!("only what is over is read: {visit:?}");
    };
    let (status, output, error) = match outcome {
        Outcome::Success { output } => ("success", output.clone(), None),
        Outcome::Failure(failure) => ("failure", Value::Null, Some(failure.message.clone())),
    };
    json!({
        "output": output,
        "result": output,
        "status": status,
        "error": error,
        "attempts": visit.attempt,
    })
}

fn failure(visit: &Visit) -> Option<String> {
    match &visit.state {
        VisitState::Done {
            outcome: Outcome::Failure(failure),
            ..
        } => Some(failure.message.clone()),
        VisitState::Done { .. }
        | VisitState::Ready
        | VisitState::Waiting
        | VisitState::Begun
        | VisitState::BackingOff { .. } => None,
    }
}
