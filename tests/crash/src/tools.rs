//! The tools of the campaign: each call leaves a line in the ledger.

use std::sync::Arc;

use async_trait::async_trait;
use gateway::{Effect as Kind, GatewayBuilder, Tool, ToolCall, ToolError, ToolSpec};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::{Value, json};

use crate::ledger::{Effect, Ledger};
use crate::mutant::Mutation;

/// What a tool does besides its line.
#[derive(Clone, Copy)]
enum Manner {
    /// Succeeds, but for its first attempts if it is told so; may be repeated.
    Note,
    /// Succeeds; makes something new every time.
    Post,
    /// Works until it is cancelled; may be repeated.
    Linger,
    /// Stops the process; may be repeated.
    Stall,
}

struct Writer {
    manner: Manner,
    ledger: Arc<Ledger>,
    spec: ToolSpec,
}

/// A builder that knows every tool.
pub(crate) fn add(
    builder: GatewayBuilder,
    ledger: &Arc<Ledger>,
    mutation: Option<Mutation>,
) -> anyhow::Result<GatewayBuilder> {
    let post = match mutation {
        Some(Mutation::Careless) => Kind::Idempotent,
        Some(_) | None => Kind::Destructive,
    };
    let tools = [
        ("note", Manner::Note, Kind::Idempotent),
        ("post", Manner::Post, post),
        ("linger", Manner::Linger, Kind::Idempotent),
        ("stall", Manner::Stall, Kind::Idempotent),
    ];
    tools.into_iter().try_fold(builder, |builder, tool| {
        let (name, manner, effect) = tool;
        Ok(builder.tool(Writer {
            manner,
            ledger: Arc::clone(ledger),
            spec: ToolSpec::new(name.parse()?, "leaves a line in the ledger", effect),
        }))
    })
}

#[async_trait]
impl Tool for Writer {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let at = call.args.get("at").and_then(Value::as_str);
        let effect = Effect {
            at: at.unwrap_or_default().to_owned(),
            key: call.idempotency_key.clone(),
            attempt: call.attempt,
        };
        let written = self.ledger.add(&effect);
        written.map_err(|error| ToolError::permanent(error.to_string()))?;
        match self.manner {
            Manner::Note => {
                let fails = call.args.get("fails").and_then(Value::as_u64);
                if u64::from(call.attempt) <= fails.unwrap_or_default() {
                    return Err(ToolError::retryable("not yet"));
                }
            }
            Manner::Post => {}
            Manner::Linger => {
                call.cancelled.cancelled().await;
                return Err(ToolError::permanent("told to stop"));
            }
            Manner::Stall => {
                let stopped = kill_process(getpid(), Signal::STOP);
                stopped.map_err(|error| ToolError::permanent(error.to_string()))?;
            }
        }
        Ok(json!({"visit": visit(&call.idempotency_key)}))
    }
}

/// The number of the visit, which is the last part of its key.
fn visit(key: &str) -> Option<u32> {
    key.rsplit('/').next()?.parse().ok()
}
