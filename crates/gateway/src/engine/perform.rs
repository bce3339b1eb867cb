//! Performs one attempt of a visit: under its timeout, cancellable, its panic contained.

mod bounds;
mod model;
mod screen;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use workflow_types::definition::Step;
use workflow_types::execution::{Cost, ModelUsage, Outcome, StepFailure, StepFailureKind};
use workflow_types::id::ToolName;

use super::Engine;
use super::drive::Live;
use super::request::Request;
use super::sealed::Sealed;
use super::size;
use crate::secret::SecretError;
use crate::tool::{ToolCall, ToolError};

pub(super) use bounds::{Deadline, Work, bounded};
pub(super) use model::{Question, Toolbox, Words, ask, schema_of, understood};
pub(super) use screen::Screen;

/// How an attempt ended.
#[derive(Debug, PartialEq)]
pub(super) enum AttemptEnd {
    /// The visit is over.
    Finished(Outcome),
    /// Another attempt is due after a wait.
    Failed {
        failure: StepFailure,
        backoff: Duration,
    },
    /// The gateway stopped in the middle: nothing is known of the side effect.
    Interrupted,
}

/// What the action itself answered.
pub(super) type Answer = Result<Value, Refusal>;

/// Why an action failed, and whether another attempt may mend it.
pub(super) struct Refusal {
    pub(super) failure: StepFailure,
    pub(super) retry: Retry,
}

pub(super) enum Retry {
    Never,
    Allowed,
    AfterAtLeast(Duration),
}

impl Refusal {
    pub(super) fn permanent(kind: StepFailureKind, message: impl Into<String>) -> Self {
        Self::new(kind, message, Retry::Never)
    }

    pub(super) fn new(kind: StepFailureKind, message: impl Into<String>, retry: Retry) -> Self {
        let message = message.into();
        Self {
            failure: StepFailure { kind, message },
            retry,
        }
    }

    /// What a host's own error means.
    fn of(error: &dyn std::error::Error, is_retryable: bool) -> Self {
        let retry = if is_retryable {
            Retry::Allowed
        } else {
            Retry::Never
        };
        Self::new(StepFailureKind::Error, error.to_string(), retry)
    }

    /// What is written of it. Only here is it clipped: a cut through a secret would hide it from the
    /// mask.
    pub(super) fn into_failure(self) -> StepFailure {
        StepFailure {
            message: size::clipped(self.failure.message),
            ..self.failure
        }
    }
}

/// What a call of a tool is made with.
pub(super) struct Attempt {
    pub(super) key: String,
    pub(super) number: u32,
    pub(super) cancelled: CancellationToken,
    pub(super) deadline: Deadline,
}

/// What an answer used, and what that cost.
pub(super) type Used = (ModelUsage, Option<Cost>);

/// Makes the attempt that the open visit has begun; with its end, what it used of a model.
pub(super) async fn attempt(engine: &Engine, live: &Live) -> (AttemptEnd, Option<Used>) {
    let used = Arc::default();
    let end = ended(engine, live, &used).await;
    let used = used.get().copied().filter(|(used, _)| !used.is_unknown());
    (end, used)
}

async fn ended(engine: &Engine, live: &Live, used: &Arc<OnceLock<Used>>) -> AttemptEnd {
    let Some(step) = live.definition.step(&live.open.step) else {
        let message = format!("the definition has no step `{}`", live.open.step);
        return AttemptEnd::Finished(Outcome::failure(StepFailureKind::Internal, message));
    };
    let deadline = Deadline::after(engine, "attempt", step.timeout());
    let answer = bounded(engine, live, deadline, |cancelled| {
        action(engine, live, step, (deadline, cancelled, used))
    });
    match answer.await {
        None => AttemptEnd::Interrupted,
        Some(Ok(output)) => AttemptEnd::Finished(size::outcome(output, engine.limits.max_output)),
        Some(Err(refusal)) => after_refusal(engine, live, step, refusal),
    }
}

/// The stored request of the open visit: exactly what was resolved, and shown at the gate if there
/// was one.
pub(super) fn request(live: &Live) -> Result<Request, Refusal> {
    let damaged = |message: String| Refusal::permanent(StepFailureKind::Internal, message);
    let stored = live.open.request.as_ref();
    let stored = stored.ok_or_else(|| damaged("the visit has no stored request".to_owned()))?;
    Request::from_json(stored).map_err(damaged)
}

/// The work of the stored request; what it uses of a model is left in `used`.
fn action(
    engine: &Engine,
    live: &Live,
    step: &Step,
    (deadline, cancelled, used): (Deadline, CancellationToken, &Arc<OnceLock<Used>>),
) -> Result<Work<Value>, Refusal> {
    match request(live)? {
        Request::Noop => Ok(Box::pin(async { Ok(Value::Null) })),
        Request::Tool {
            tool,
            args,
            secrets,
        } => {
            let input = Sealed::new(ToolInput { args }, secrets, &engine.secrets);
            let attempt = Attempt {
                key: live.open.idempotency_key(),
                number: live.open.attempt,
                cancelled,
                deadline,
            };
            call_tool(engine, &tool, input, attempt)
        }
        Request::Model {
            model,
            prompt,
            system,
            secrets,
        } => {
            let words = Sealed::new(Words { prompt, system }, secrets, &engine.secrets);
            let question = Question { model, words };
            let bounds = (deadline, cancelled);
            let asking = ask(engine, live, question, Toolbox::default(), bounds)?;
            let schema = schema_of(step.action()).cloned();
            let (used, screen) = (Arc::clone(used), Screen::of(engine));
            Ok(Box::pin(async move {
                let reply = asking.await?;
                // Nobody else sets it.
                let _ = used.set((reply.usage, reply.cost));
                if !reply.calls.is_empty() {
                    let message = "the model asks for tools, and the step has none";
                    let kind = StepFailureKind::Error;
                    return Err(Refusal::new(kind, message, Retry::Allowed));
                }
                understood(&reply, schema.as_ref(), &screen)
            }))
        }
    }
}

/// What a tool is called with.
#[derive(Serialize, Deserialize)]
pub(super) struct ToolInput {
    pub(super) args: Map<String, Value>,
}

/// Prepares a call of a tool, whose arguments are checked first.
pub(super) fn call_tool(
    engine: &Engine,
    name: &ToolName,
    input: Sealed<ToolInput>,
    attempt: Attempt,
) -> Result<Work<Value>, Refusal> {
    let Some(found) = engine.tools.look_up(name) else {
        let message = format!("there is no tool `{name}`");
        return Err(Refusal::permanent(StepFailureKind::Error, message));
    };
    let (name, screen) = (name.clone(), Screen::of(engine));
    Ok(Box::pin(async move {
        let cancelled = attempt.cancelled.clone();
        // First: what a source of tools says of its failure is masked with them, too.
        let input = input.open(&cancelled).await.map_err(without_secret)?;
        let tool = tokio::select! {
            biased;
            tool = found.tool(&name) => tool.map_err(refused_by_tool)?,
            () = cancelled.cancelled() => {
                let message = format!("tool `{name}` was not found before it was cancelled");
                return Err(refused_by_tool(ToolError::retryable(message)));
            }
        };
        let call = ToolCall {
            args: input.args,
            idempotency_key: attempt.key,
            attempt: attempt.number,
            cancelled: attempt.cancelled,
            deadline: attempt.deadline.at,
        };
        tool.check(&call.args).map_err(refused_by_tool)?;
        screen.answer(tool.call(call).await.map_err(refused_by_tool))
    }))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn refused_by_tool(error: ToolError) -> Refusal {
    Refusal::of(&error, error.is_retryable())
}

/// A secret cannot be had.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn without_secret(error: SecretError) -> Refusal {
    Refusal::of(&error, error.is_retryable())
}

/// How the attempt of the open visit ends that was refused: another one follows, or none.
pub(super) fn refused(engine: &Engine, live: &Live, refusal: Refusal) -> AttemptEnd {
    match live.definition.step(&live.open.step) {
        Some(step) => after_refusal(engine, live, step, refusal),
        None => AttemptEnd::Finished(Outcome::Failure(refusal.into_failure())),
    }
}

fn after_refusal(engine: &Engine, live: &Live, step: &Step, refusal: Refusal) -> AttemptEnd {
    let attempt = live.open.attempt;
    let at_least = match refusal.retry {
        Retry::Never => None,
        Retry::Allowed => Some(Duration::ZERO),
        Retry::AfterAtLeast(wait) => Some(wait),
    };
    match at_least {
        Some(at_least) if attempt < step.retry().max_attempts() => AttemptEnd::Failed {
            failure: refusal.into_failure(),
            backoff: step
                .retry()
                .backoff(attempt, engine.entropy.spread())
                .max(at_least),
        },
        Some(_) | None => AttemptEnd::Finished(Outcome::Failure(refusal.into_failure())),
    }
}
