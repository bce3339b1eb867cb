//! Tools and a model that do what the case says, and write it down before.
//!
//! They panic without telling the panic hook, which would print a trace every time.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway::{
    Effect, ModelClient, ModelError, ModelReply, ModelRequest, Tool, ToolCall, ToolError, ToolSpec,
};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::ledger::{Answer, Call, Ledger};
use crate::plan::{Manner, Reply};
use crate::pulse::Pulse;

/// More than this is not kept of an output.
pub(crate) const MOST_KEPT: usize = 2_000;

/// What tools and models have in common.
#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pulse: Arc<Pulse>,
}

impl Hands {
    /// Makes a call, until it has a reply that ends it.
    async fn call(&self, call: Call, stopped: CancellationToken) -> Reply {
        if self.pulse.is_dead() {
            return pending().await;
        }
        let Answer { reply, let_go } = self.ledger.enter(call);
        let Reply::Hangs(manner) = reply else {
            return reply;
        };
        tokio::select! {
            biased;
            Ok(reply) = let_go => reply,
            () = stopped.cancelled() => match manner {
                Manner::Obeys => Reply::Fails,
                Manner::Ignores => pending().await,
                Manner::Succeeds => Reply::Success(json!({"n": 7})),
            },
        }
    }
}

/// How the failure of a call is worded.
pub(crate) fn complaint(key: &str, attempt: u32) -> String {
    let place = key.split_once('/').map_or(key, |(_, place)| place);
    format!("{place} did not work at attempt {attempt}")
}

/// A tool of a kind; `vary` is idempotent when it is asked gently.
pub(crate) struct Scripted {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    pub(crate) hands: Hands,
}

#[async_trait]
impl Tool for Scripted {
    fn spec(&self) -> ToolSpec {
        ToolSpec::new(
            self.name.parse().unwrap(),
            "does as the case says",
            self.effect,
        )
    }

    fn effect_of(&self, args: &Map<String, Value>) -> Effect {
        if self.name == "vary" && args.get("gently") == Some(&json!("yes")) {
            return Effect::Idempotent;
        }
        self.effect
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let complaint = complaint(&call.idempotency_key, call.attempt);
        let entry = Call {
            who: self.name.to_owned(),
            args: Value::Object(call.args),
            key: call.idempotency_key,
            attempt: call.attempt,
            deadline: call.deadline,
            previous_error: None,
        };
        match self.hands.call(entry, call.cancelled).await {
            Reply::Success(output) => Ok(output),
            Reply::Fails | Reply::Busy(_) => Err(ToolError::retryable(complaint)),
            Reply::Refuses => Err(ToolError::permanent(complaint)),
            Reply::Panics => resume_unwind(Box::new("on purpose")),
            Reply::Floods => Ok(json!("x".repeat(MOST_KEPT))),
            Reply::Hangs(_) => pending().await,
        }
    }
}

/// A model; it answers text as it is, and everything else as JSON.
pub(crate) struct Asked(pub(crate) Hands);

#[async_trait]
impl ModelClient for Asked {
    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        let message = complaint(&request.idempotency_key, request.attempt);
        let entry = Call {
            who: "model".to_owned(),
            args: json!([request.prompt, request.system]),
            key: request.idempotency_key,
            attempt: request.attempt,
            deadline: request.deadline,
            previous_error: request.previous_error,
        };
        match self.0.call(entry, request.cancelled).await {
            Reply::Success(Value::String(text)) => Ok(ModelReply::text(text)),
            Reply::Success(output) => Ok(ModelReply::text(output.to_string())),
            Reply::Fails => Err(ModelError::Retryable { message }),
            Reply::Busy(ms) => Err(ModelError::RateLimited {
                message,
                retry_after: Some(Duration::from_millis(ms)),
            }),
            Reply::Refuses => Err(ModelError::Permanent { message }),
            Reply::Panics => resume_unwind(Box::new("on purpose")),
            Reply::Floods => Ok(ModelReply::text("x".repeat(MOST_KEPT))),
            Reply::Hangs(_) => pending().await,
        }
    }
}
