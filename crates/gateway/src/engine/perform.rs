//! Performs one attempt of a visit: under its timeout, cancellable, its panic contained.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use workflow_types::Timestamp;
use workflow_types::action::Action;
use workflow_types::definition::Step;
use workflow_types::execution::{FinishReason, ModelUsage, Outcome, StepFailure, StepFailureKind};
use workflow_types::id::{ModelName, ToolName};
use workflow_types::output_schema::{Subject, ValueSchema, in_one_line};

use super::Engine;
use super::drive::Live;
use super::request::Request;
use super::sealed::Sealed;
use super::size;
use crate::model::{ModelError, ModelReply, ModelRequest};
use crate::secret::{Mask, SecretError};
use crate::tool::{ToolCall, ToolError};

/// The longest wait for the next attempt that a provider may ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

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
type Answer = Result<Value, Refusal>;

/// Why an action failed, and whether another attempt may mend it.
struct Refusal {
    failure: StepFailure,
    retry: Retry,
}

enum Retry {
    Never,
    Allowed,
    AfterAtLeast(Duration),
}

impl Refusal {
    fn permanent(kind: StepFailureKind, message: impl Into<String>) -> Self {
        Self::new(kind, message, Retry::Never)
    }

    fn new(kind: StepFailureKind, message: impl Into<String>, retry: Retry) -> Self {
        let message = message.into();
        Self {
            failure: StepFailure { kind, message },
            retry,
        }
    }
}

/// What an attempt is made with.
struct Attempt {
    key: String,
    number: u32,
    cancelled: CancellationToken,
    deadline: Timestamp,
    previous_error: Option<String>,
    /// Where the action leaves what it used of a model.
    used: Arc<OnceLock<ModelUsage>>,
}

/// Makes the attempt that the open visit has begun; with its end, what it used of a model.
pub(super) async fn attempt(engine: &Engine, live: &Live) -> (AttemptEnd, Option<ModelUsage>) {
    let used = Arc::default();
    let end = ended(engine, live, &used).await;
    let used = used.get().copied().filter(|used| !used.is_unknown());
    (end, used)
}

async fn ended(engine: &Engine, live: &Live, used: &Arc<OnceLock<ModelUsage>>) -> AttemptEnd {
    let Some(step) = live.definition.step(&live.open.step) else {
        let message = format!("the definition has no step `{}`", live.open.step);
        return AttemptEnd::Finished(Outcome::failure(StepFailureKind::Internal, message));
    };
    let answer = bounded(engine, live, step, used).await;
    match answer {
        None => AttemptEnd::Interrupted,
        Some(Ok(output)) => AttemptEnd::Finished(size::outcome(output, engine.limits.max_output)),
        Some(Err(refusal)) => after_refusal(engine, live, step, refusal),
    }
}

/// Runs the action under its timeout; none if the gateway stopped it.
async fn bounded(
    engine: &Engine,
    live: &Live,
    step: &Step,
    used: &Arc<OnceLock<ModelUsage>>,
) -> Option<Answer> {
    let timeout = step.timeout();
    let cancelled = engine.stopping.child_token();
    let deadline = engine.clock.now().saturating_add(timeout);
    let attempt = Attempt {
        key: live.open.idempotency_key(),
        number: live.open.attempt,
        cancelled: cancelled.clone(),
        deadline,
        previous_error: refused_before(live),
        used: Arc::clone(used),
    };
    let work = match action(engine, live, step, attempt) {
        Ok(work) => work,
        Err(refusal) => return Some(Err(refusal)),
    };
    let (mask, max_output) = (engine.secrets.mask.clone(), engine.limits.max_output);
    let mut task = AbortOnDrop(tokio::spawn(masked(work, mask, max_output)));
    tokio::select! {
        biased;
        // An answer that is there counts, however late it is looked at.
        ended = &mut task.0 => return unless_stopped(engine, joined(ended)?),
        () = engine.stopping.cancelled() => return stopped(engine, task).await,
        () = live.cancelled.cancelled() => {
            cancelled.cancel();
            return stopped(engine, task).await;
        }
        () = engine.clock.sleep_until(deadline) => {}
    }
    let end = engine.clock.now().saturating_add(engine.limits.grace);
    cancelled.cancel();
    tokio::select! {
        _ = &mut task.0 => {}
        () = engine.clock.sleep_until(end) => {}
    }
    let message = format!(
        "the attempt took longer than its timeout of {}",
        workflow_types::duration::format(timeout)
    );
    Some(Err(Refusal::new(
        StepFailureKind::Timeout,
        message,
        Retry::Allowed,
    )))
}

/// Why the previous answer of a model was refused; what else failed is no concern of the model.
fn refused_before(live: &Live) -> Option<String> {
    let before = live.previous_error.as_ref();
    let refused = before.filter(|failure| failure.kind == StepFailureKind::BadAnswer);
    refused.map(|failure| failure.message.clone())
}

/// The gateway stops, or the execution is cancelled: an attempt that still succeeds within its
/// grace is recorded, because its side effect has happened; anything else is an interruption, never
/// a failure of the tool.
async fn stopped(engine: &Engine, mut task: AbortOnDrop) -> Option<Answer> {
    let end = engine.clock.now().saturating_add(engine.limits.grace);
    tokio::select! {
        ended = &mut task.0 => unless_stopped(engine, joined(ended)?),
        () = engine.clock.sleep_until(end) => None,
    }
}

/// A tool that fails while the gateway stops may have failed because of that.
fn unless_stopped(engine: &Engine, answer: Answer) -> Option<Answer> {
    if answer.is_err() && engine.stopping.is_cancelled() {
        None
    } else {
        Some(answer)
    }
}

/// A task that does not outlive its owner.
struct AbortOnDrop(JoinHandle<Answer>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a task that has ended answered; none if its runtime was shut down under it, which says
/// nothing of its side effect.
fn joined(ended: Result<Answer, JoinError>) -> Option<Answer> {
    match ended {
        Ok(answer) => Some(answer),
        Err(error) if error.is_panic() => {
            let message = "the action panicked";
            Some(Err(Refusal::permanent(StepFailureKind::Internal, message)))
        }
        Err(_) => None,
    }
}

type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The work of the stored request: exactly what was resolved, and shown at the gate if there was
/// one.
fn action(engine: &Engine, live: &Live, step: &Step, attempt: Attempt) -> Result<Work, Refusal> {
    let damaged = |message: String| Refusal::permanent(StepFailureKind::Internal, message);
    let stored = live
        .open
        .request
        .as_ref()
        .ok_or_else(|| damaged("the visit has no stored request".to_owned()))?;
    match Request::from_json(stored).map_err(damaged)? {
        Request::Noop => Ok(Box::pin(async { Ok(Value::Null) })),
        Request::Tool {
            tool,
            args,
            secrets,
        } => {
            let input = Sealed::new(ToolInput { args }, secrets, &engine.secrets);
            call_tool(engine, &tool, input, attempt)
        }
        Request::Model {
            model,
            prompt,
            system,
            secrets,
        } => {
            let schema = match step.action() {
                Action::Model(action) => action.output_schema().cloned(),
                Action::Tool(_) | Action::Noop => None,
            };
            let question = Question { prompt, system };
            let question = Sealed::new(question, secrets, &engine.secrets);
            ask_model(engine, model.as_ref(), (question, schema), attempt)
        }
    }
}

fn call_tool(
    engine: &Engine,
    name: &ToolName,
    input: Sealed<ToolInput>,
    attempt: Attempt,
) -> Result<Work, Refusal> {
    let Some(found) = engine.tools.look_up(name) else {
        let message = format!("there is no tool `{name}`");
        return Err(Refusal::permanent(StepFailureKind::Error, message));
    };
    let name = name.clone();
    Ok(Box::pin(async move {
        let cancelled = attempt.cancelled.clone();
        let tool = tokio::select! {
            biased;
            tool = found.tool(&name) => tool.map_err(refused_by_tool)?,
            () = cancelled.cancelled() => {
                let message = format!("tool `{name}` was not found before it was cancelled");
                return Err(refused_by_tool(ToolError::retryable(message)));
            }
        };
        let input = input.open(&cancelled).await.map_err(without_secret)?;
        let call = ToolCall {
            args: input.args,
            idempotency_key: attempt.key,
            attempt: attempt.number,
            cancelled: attempt.cancelled,
            deadline: attempt.deadline,
        };
        tool.check(&call.args).map_err(refused_by_tool)?;
        tool.call(call).await.map_err(refused_by_tool)
    }))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn refused_by_tool(error: ToolError) -> Refusal {
    let retry = if error.is_retryable() {
        Retry::Allowed
    } else {
        Retry::Never
    };
    Refusal::new(StepFailureKind::Error, error.to_string(), retry)
}

/// What a tool is called with.
#[derive(Serialize, Deserialize)]
struct ToolInput {
    args: Map<String, Value>,
}

/// What a model is asked.
#[derive(Serialize, Deserialize)]
struct Question {
    prompt: String,
    system: Option<String>,
}

/// `schema` is what the answer must look like.
fn ask_model(
    engine: &Engine,
    name: Option<&ModelName>,
    (question, schema): (Sealed<Question>, Option<ValueSchema>),
    attempt: Attempt,
) -> Result<Work, Refusal> {
    let model = match name {
        Some(name) => engine.models.get(name),
        None => engine.models.default_model().map(|(_, model)| model),
    };
    let Some(model) = model.cloned() else {
        let message = match name {
            Some(name) => format!("there is no model `{name}`"),
            None => "no model is configured".to_owned(),
        };
        return Err(Refusal::permanent(StepFailureKind::Error, message));
    };
    let mask = engine.secrets.mask.clone();
    Ok(Box::pin(async move {
        let question = question.open(&attempt.cancelled).await;
        let Question { prompt, system } = question.map_err(without_secret)?;
        let request = ModelRequest {
            prompt,
            system,
            schema: schema.as_ref().map(|schema| schema.json_schema().clone()),
            previous_error: attempt.previous_error,
            idempotency_key: attempt.key,
            attempt: attempt.number,
            cancelled: attempt.cancelled,
            deadline: attempt.deadline,
        };
        let mut reply = model.ask(request).await.map_err(refused_by_model)?;
        // Before it is read: what is wrong with an answer is told with words of it.
        if let Cow::Owned(masked) = mask.text(&reply.text) {
            reply.text = masked;
        }
        // Nobody else sets it.
        let _ = attempt.used.set(reply.usage);
        understood(reply, schema.as_ref())
    }))
}

/// A secret cannot be had.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn without_secret(error: SecretError) -> Refusal {
    let retry = if error.is_retryable() {
        Retry::Allowed
    } else {
        Retry::Never
    };
    Refusal::new(StepFailureKind::Error, error.to_string(), retry)
}

/// What came back, without the values of secrets: nobody else has seen it yet.
async fn masked(work: Work, mask: Mask, max_output: usize) -> Answer {
    match work.await {
        // What is too large is not kept, and what is wrong with it is told without it.
        Ok(output) if size::output_problem(&output, max_output).is_some() => Ok(output),
        Ok(output) => Ok(mask.value(output)),
        Err(mut refusal) => {
            if let Cow::Owned(masked) = mask.text(&refusal.failure.message) {
                refusal.failure.message = masked;
            }
            Err(refusal)
        }
    }
}

/// What an answer means; half of one means nothing.
fn understood(reply: ModelReply, schema: Option<&ValueSchema>) -> Answer {
    let unanswered = |message: &str| Refusal::permanent(StepFailureKind::Error, message);
    match (reply.usage.finish, schema) {
        (Some(FinishReason::Length), _) => Err(unanswered(
            "the answer was cut off at the most tokens that it may have; let the model have more, \
             or ask for less",
        )),
        (Some(FinishReason::Refused), _) => Err(unanswered(
            "the model declined to answer; ask in other words, or another model",
        )),
        (_, None) => Ok(Value::String(reply.text)),
        (_, Some(schema)) => structured(&reply.text, schema),
    }
}

fn refused_by_model(error: ModelError) -> Refusal {
    let kind = StepFailureKind::Error;
    match error {
        ModelError::Retryable { message }
        | ModelError::RateLimited {
            message,
            retry_after: None,
        } => Refusal::new(kind, message, Retry::Allowed),
        ModelError::Permanent { message } => Refusal::permanent(kind, message),
        ModelError::RateLimited {
            message,
            retry_after: Some(wait),
        } => {
            let (wait, message) = bounded_wait(wait, message);
            Refusal::new(kind, message, Retry::AfterAtLeast(wait))
        }
    }
}

/// The wait that a provider is granted; if that is less than it asks for, the message says so.
fn bounded_wait(wait: Duration, message: String) -> (Duration, String) {
    if wait <= LONGEST_WAIT {
        return (wait, message);
    }
    let (asked, granted) = (
        workflow_types::duration::format(wait),
        workflow_types::duration::format(LONGEST_WAIT),
    );
    let message = format!("{message} (it asks for a wait of {asked}, and is granted {granted})");
    (LONGEST_WAIT, message)
}

/// An answer as JSON that fits the schema; a Markdown fence around it is taken off.
fn structured(text: &str, schema: &ValueSchema) -> Answer {
    let refuse =
        |message: String| Refusal::new(StepFailureKind::BadAnswer, message, Retry::Allowed);
    let value: Value = serde_json::from_str(unfenced(text))
        .map_err(|error| refuse(format!("the answer is not JSON: {error}")))?;
    let problems = schema.problems(&value, &Subject::new("answer"));
    if problems.is_empty() {
        Ok(value)
    } else {
        Err(refuse(format!(
            "the answer does not fit the schema: {}",
            in_one_line(&problems)
        )))
    }
}

fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
    else {
        return text;
    };
    // The first line of a fence may name a language.
    inner
        .split_once('\n')
        .map_or(inner, |(_, body)| body)
        .trim()
}

fn after_refusal(engine: &Engine, live: &Live, step: &Step, mut refusal: Refusal) -> AttemptEnd {
    // Only now: a cut through a secret would hide it from the mask.
    refusal.failure.message = size::clipped(refusal.failure.message);
    let attempt = live.open.attempt;
    let at_least = match refusal.retry {
        Retry::Never => None,
        Retry::Allowed => Some(Duration::ZERO),
        Retry::AfterAtLeast(wait) => Some(wait),
    };
    match at_least {
        Some(at_least) if attempt < step.retry().max_attempts() => AttemptEnd::Failed {
            failure: refusal.failure,
            backoff: step
                .retry()
                .backoff(attempt, engine.entropy.spread())
                .max(at_least),
        },
        Some(_) | None => AttemptEnd::Finished(Outcome::Failure(refusal.failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_provider_is_granted_an_hour_and_the_failure_says_so() {
        let wait = |wait| match refused_by_model(ModelError::RateLimited {
            message: "busy".to_owned(),
            retry_after: Some(wait),
        }) {
            Refusal {
                failure,
                retry: Retry::AfterAtLeast(wait),
            } => (wait, failure.message),
            Refusal { .. } => panic!("it has to wait"),
        };
        let hour = Duration::from_hours(1);
        assert_eq!(wait(hour), (hour, "busy".to_owned()));
        let told = "busy (it asks for a wait of 2d, and is granted 1h)".to_owned();
        assert_eq!(wait(Duration::from_hours(48)), (hour, told));
    }

    #[test]
    fn answers_are_taken_out_of_their_fence() {
        let schema = ValueSchema::parse(&json!({"ok": "boolean"})).unwrap();
        for text in [
            "{\"ok\":true}",
            "```json\n{\"ok\":true}\n```",
            "```\n{\"ok\":true}```",
            " {\"ok\":true}\n",
        ] {
            assert_eq!(
                structured(text, &schema).ok(),
                Some(json!({"ok": true})),
                "{text}"
            );
        }
        assert!(structured("yes", &schema).is_err());
        assert!(structured("{\"ok\":1}", &schema).is_err());
    }
}
