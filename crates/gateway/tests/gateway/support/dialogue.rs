//! A model that says the same whenever it is told the same, as a written dialogue has it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gateway::workflow_types::execution::{CallState, Outcome};
use gateway::{GatewayBuilder, ModelClient, ModelError, ModelReply, ModelRequest, WantedCall};
use serde_json::Value;

use super::ledger::Ledger;

type Script = dyn Fn(&ModelRequest) -> Result<ModelReply, ModelError> + Send + Sync;

/// A model that answers by what it is told, and what it was asked; shared by every gateway of a test.
#[derive(Clone)]
pub(crate) struct Dialogue {
    script: Arc<Script>,
    asked: Arc<Mutex<Vec<ModelRequest>>>,
}

impl Dialogue {
    pub(crate) fn by(
        script: impl Fn(&ModelRequest) -> Result<ModelReply, ModelError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            script: Arc::new(script),
            asked: Arc::default(),
        }
    }

    /// Answers in this order, by how many turns it has had; the last one ever after.
    pub(crate) fn of(replies: impl IntoIterator<Item = ModelReply>) -> Self {
        let replies: Vec<ModelReply> = replies.into_iter().collect();
        Self::by(move |request| {
            let turn = request.turns.len().min(replies.len() - 1);
            Ok(replies[turn].clone())
        })
    }

    /// Gives the model to a gateway; what it is asked stands in the ledger, too.
    pub(crate) fn add_to(&self, builder: GatewayBuilder, ledger: &Arc<Ledger>) -> GatewayBuilder {
        let ledger = Arc::clone(ledger);
        builder.model("dialogue", Noted(self.clone(), ledger))
    }

    /// Answers a question without a note of it.
    pub(crate) fn ask(&self, request: &ModelRequest) -> Result<ModelReply, ModelError> {
        (self.script)(request)
    }

    /// What it was asked.
    pub(crate) fn asked(&self) -> Vec<ModelRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// What it was told of the calls of its last question: `tool: result`.
    pub(crate) fn told(&self) -> Vec<String> {
        let asked = self.asked();
        let turns = asked.last().into_iter().flat_map(|last| last.turns.clone());
        let told = turns.flat_map(|turn| turn.calls.clone()).map(|call| {
            let CallState::Done { outcome, .. } = call.state else {
                panic!("a call is not over: {call:?}");
            };
            match outcome {
                Outcome::Success { output } => format!("{}: {output}", call.tool),
                Outcome::Failure(failure) => format!("{}: {}", call.tool, failure.message),
            }
        });
        told.collect()
    }
}

struct Noted(Dialogue, Arc<Ledger>);

#[async_trait]
impl ModelClient for Noted {
    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        let Self(dialogue, ledger) = self;
        ledger.model(&request);
        let answer = (dialogue.script)(&request);
        dialogue.asked.lock().unwrap().push(request);
        answer
    }
}

/// An answer that calls these tools.
pub(crate) fn calls<const N: usize>(calls: [(&str, Value); N]) -> ModelReply {
    let calls = (1..).zip(calls);
    let calls =
        calls.map(|(number, (tool, args))| WantedCall::new(format!("call_{number}"), tool, args));
    ModelReply::text("").with_calls(calls)
}

/// The last answer.
pub(crate) fn says(text: &str) -> ModelReply {
    ModelReply::text(text)
}
