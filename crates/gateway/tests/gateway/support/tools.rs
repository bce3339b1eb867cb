//! Tools and a model that do what their arguments say, and write it down.

use std::sync::Arc;

use async_trait::async_trait;
use gateway::{
    Effect, ModelClient, ModelError, ModelReply, ModelRequest, Tool, ToolCall, ToolError, ToolSpec,
};
use serde_json::{Value, json};

use super::ledger::Ledger;

/// A tool that does what its argument `do` says.
///
/// `give` is what it answers; until the attempt `from` it fails instead.
pub(crate) struct Scripted {
    name: &'static str,
    effect: Effect,
    ledger: Arc<Ledger>,
}

impl Scripted {
    /// `act` is destructive, `put` idempotent, `look` read-only; `unsure` panics when it is asked.
    pub(crate) fn all(ledger: &Arc<Ledger>) -> [Self; 4] {
        let tool = |name, effect| Self {
            name,
            effect,
            ledger: Arc::clone(ledger),
        };
        [
            tool("act", Effect::Destructive),
            tool("put", Effect::Idempotent),
            tool("look", Effect::ReadOnly),
            tool("unsure", Effect::ReadOnly),
        ]
    }
}

#[async_trait]
impl Tool for Scripted {
    fn spec(&self) -> ToolSpec {
        let schema = json!({
            "type": "object",
            "properties": {
                "do": {"type": "string"},
                "from": {"type": "integer"},
                "token": {"type": "integer"},
            },
        });
        ToolSpec::new(
            self.name.parse().unwrap(),
            "does as it is told",
            self.effect,
        )
        .with_input(&schema)
        .unwrap()
    }

    fn effect_of(&self, _: &serde_json::Map<String, Value>) -> Effect {
        assert!(self.name != "unsure", "on purpose");
        self.effect
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        self.ledger.tool(self.name, &call);
        let from = call.args.get("from").and_then(Value::as_u64).unwrap_or(0);
        if u64::from(call.attempt) < from {
            return Err(ToolError::retryable(format!("not before attempt {from}")));
        }
        match call.args.get("do").and_then(Value::as_str) {
            None | Some("succeed") => {}
            Some("fail") => return Err(ToolError::retryable("it failed")),
            Some("refuse") => return Err(ToolError::permanent("it is refused")),
            Some("panic") => panic!("on purpose"),
            Some("wait") => self.ledger.leave().await,
            Some("wait or be cancelled") => {
                tokio::select! {
                    () = self.ledger.leave() => {}
                    () = call.cancelled.cancelled() => {
                        self.ledger.cancelled();
                        return Err(ToolError::retryable("it was cancelled"));
                    }
                }
            }
            Some("finish when cancelled") => {
                call.cancelled.cancelled().await;
                self.ledger.cancelled();
            }
            Some("ignore cancellation") => {
                call.cancelled.cancelled().await;
                self.ledger.cancelled();
                std::future::pending::<()>().await;
            }
            Some("throw") => {
                return match self.ledger.throw(&call) {
                    -1 => Err(ToolError::retryable("not this time")),
                    -2 => Err(ToolError::permanent("never")),
                    value => Ok(json!(value)),
                };
            }
            Some("nest") => {
                return Ok((0..200).fold(Value::Null, |inner, _| json!([inner])));
            }
            Some(other) => panic!("`{other}` is not in the script"),
        }
        Ok(call.args.get("give").cloned().unwrap_or(Value::Null))
    }
}

/// A model that answers what the ledger says; without an answer it fails, and `wait` takes until
/// the test lets it go.
pub(crate) struct Asks(pub(crate) Arc<Ledger>);

#[async_trait]
impl ModelClient for Asks {
    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        self.0.model(&request);
        match self.0.next_answer() {
            Some(text) => {
                if text == "wait" {
                    self.0.leave().await;
                }
                Ok(ModelReply::text(text))
            }
            None => Err(ModelError::Retryable {
                message: "no answer".to_owned(),
            }),
        }
    }
}
