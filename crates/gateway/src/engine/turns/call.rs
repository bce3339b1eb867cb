//! One call of a tool that a model asked for: whether it may be made, and what comes of it.
//!
//! What a tool answers, and why it does not, is told to the model and fails nothing by itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::{Map, Value};
use workflow_types::action::{ActionKind, ModelAction};
use workflow_types::approval::Gate;
use workflow_types::execution::{Outcome, StepFailureKind, TurnCall};
use workflow_types::id::ToolName;
use workflow_types::output_schema::{Subject, in_one_line};

use super::{Live, Step};
use crate::engine::perform::{self, Attempt, AttemptEnd, Deadline, Refusal, ToolInput};
use crate::engine::request::Request;
use crate::engine::sealed::Sealed;
use crate::engine::{Engine, cancel, drive, recall, size};
use crate::error::Error;
use crate::tool::{Effect, Registered};

/// Whether a call may be made.
pub(super) enum Judged {
    /// It is not made; this is what the model is told.
    Refused(Outcome),
    /// It is made.
    Runs,
    /// It is made if somebody says so.
    Asks(Box<Gate>),
    /// Nobody knows yet: the gateway stops, or the execution is cancelled.
    Later,
}

/// Judges the open call: by its name and arguments, and by what it does to the world.
pub(super) async fn judge(engine: &Engine, live: &Live, deadline: Deadline) -> Judged {
    let refused = |message: String| {
        let message = size::clipped(message);
        Judged::Refused(Outcome::failure(StepFailureKind::Error, message))
    };
    let Some(action) = super::action(&live.definition, &live.open) else {
        return refused("this step has no tools".to_owned());
    };
    let Some((place, call)) = live.turns.open_call() else {
        return refused("there is no such call".to_owned());
    };
    let (name, args) = match callable(action, call) {
        Ok(found) => found,
        Err(message) => return refused(message),
    };
    let tool = match find(engine, live, name, deadline).await {
        None => return Judged::Later,
        Some(Err(refusal)) => {
            return Judged::Refused(Outcome::Failure(refusal.into_failure()));
        }
        Some(Ok(tool)) => tool,
    };
    if let Some(message) = misfit(&tool, &call.args) {
        return refused(message);
    }
    // One that panics when it is asked is not trusted.
    let effect = catch_unwind(AssertUnwindSafe(|| tool.effect_of(args)));
    let is_harmless = effect.is_ok_and(|effect| effect != Effect::Destructive);
    if is_harmless || action.without_approval().contains(name) {
        return Judged::Runs;
    }
    match super::gate(engine, live, place) {
        Some(gate) => Judged::Asks(Box::new(gate)),
        None => refused("nobody can be asked about it".to_owned()),
    }
}

/// The tool and the arguments of a call; the reason if it cannot be made, for the model to mend.
fn callable<'c>(
    action: &'c ModelAction,
    call: &'c TurnCall,
) -> Result<(&'c ToolName, &'c Map<String, Value>), String> {
    let mut listed = action.tools().iter();
    let Some(name) = listed.find(|name| name.as_ref() == call.tool) else {
        let known: Vec<&str> = action.tools().iter().map(AsRef::as_ref).collect();
        return Err(format!(
            "there is no tool `{}`; you may call: {}",
            call.tool,
            known.join(", ")
        ));
    };
    let args = call.args.as_object();
    let args = args.ok_or_else(|| no_object(&call.args))?;
    Ok((name, args))
}

/// What is wrong with arguments that are no JSON object. A text is what the model wrote, and is
/// repeated because it is shown none of it otherwise.
fn no_object(args: &Value) -> String {
    let found = match args {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Err(error) => {
                return format!("the arguments are not valid JSON: {error}; found: {text}");
            }
            Ok(_) => "a text",
        },
        Value::Array(_) => "a list",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Object(_) => "an object",
    };
    format!("the arguments are {found}, expected a JSON object")
}

/// The tool, for which a source may have to be asked; none if the gateway stops meanwhile, or if the
/// execution is cancelled.
async fn find(
    engine: &Engine,
    live: &Live,
    name: &ToolName,
    deadline: Deadline,
) -> Option<Result<Registered, Refusal>> {
    if let Some(tool) = engine.tools.get(name) {
        return Some(Ok(tool.clone()));
    }
    let (tools, name) = (engine.tools.clone(), name.clone());
    // What the source says of its failure is told and stored.
    let (secrets, names) = (engine.secrets.clone(), recall::names_of_visit(live));
    perform::bounded(engine, live, deadline, |_| {
        Ok(Box::pin(async move {
            let recalled = secrets.recall(&names).await;
            recalled.map_err(perform::without_secret)?;
            let found = tools.find(&name).await;
            found.map_err(perform::refused_by_tool)?.ok_or_else(|| {
                let message = format!("there is no tool `{name}`");
                Refusal::permanent(StepFailureKind::Error, message)
            })
        }))
    })
    .await
}

/// Why arguments do not fit a tool, if they do not. The model that wrote them is told what it wrote.
fn misfit(tool: &Registered, args: &Value) -> Option<String> {
    let name = tool.spec().name();
    let subject = Subject::new("args").taken_by(name.as_ref());
    let problems = tool.spec().input()?.problems(args, &subject);
    let problems = (!problems.is_empty()).then(|| in_one_line(&problems))?;
    Some(format!(
        "the arguments do not fit tool `{name}`: {problems}"
    ))
}

/// Makes the open call, which has begun.
pub(super) async fn make(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    let (began, attempt) = live.attempt(engine);
    if live.cancelled.is_cancelled() {
        return cancel::end(engine, live, AttemptEnd::Interrupted).await;
    }
    let answer = match recall::of_visit(engine, live, attempt).await {
        None => None,
        Some(Ok(())) => answer(engine, live, attempt).await,
        Some(Err(_)) if live.cancelled.is_cancelled() => None,
        Some(Err(refusal)) => {
            // This process has not made the call, the one before may have: it stays the same call,
            // with its key, for the attempt that follows.
            live.turns.put_back(live.open.attempt);
            let end = perform::refused(engine, live, refusal);
            return drive::follow(engine, live, began, end).await;
        }
    };
    let now = engine.clock.now();
    let outcome = answer.map(|answer| match answer {
        Ok(output) => size::outcome(output, engine.limits.max_output),
        Err(refusal) => Outcome::Failure(refusal.into_failure()),
    });
    let is_late = attempt.at <= now && outcome.as_ref().is_some_and(timed_out);
    let is_known = outcome.is_some();
    if let Some(outcome) = outcome {
        live.end_call(outcome, now);
    }
    if live.cancelled.is_cancelled() {
        return cancel::end(engine, live, AttemptEnd::Interrupted).await;
    }
    if !is_known {
        return Ok(Step::Leave);
    }
    if is_late {
        let end = perform::refused(engine, live, attempt.passed());
        return drive::follow(engine, live, began, end).await;
    }
    super::advance(engine, live, None).await
}

fn timed_out(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Success { .. } => false,
        Outcome::Failure(failure) => failure.kind == StepFailureKind::Timeout,
    }
}

/// What the tool answers, within what is left of the attempt; none if the gateway stopped it.
async fn answer(engine: &Engine, live: &Live, attempt: Deadline) -> Option<Result<Value, Refusal>> {
    let mut deadline = Deadline::after(engine, "call", patience(live));
    deadline.at = deadline.at.min(attempt.at);
    let key = live.turns.open_call().map(|(place, call)| {
        let visit = live.open.idempotency_key();
        call.idempotency_key(&visit, place.turn)
    });
    let request = live.turns.open_request();
    perform::bounded(engine, live, deadline, |cancelled| {
        let (
            Some(key),
            Some(Request::Tool {
                tool,
                args,
                secrets,
            }),
        ) = (key, request)
        else {
            let message = "this cannot be called";
            return Err(Refusal::permanent(StepFailureKind::Error, message));
        };
        let input = Sealed::new(ToolInput { args }, secrets, &engine.secrets);
        let attempt = Attempt {
            key,
            // Each call is made once; after a crash, the same one again.
            number: 1,
            cancelled,
            deadline,
        };
        perform::call_tool(engine, &tool, input, attempt)
    })
    .await
}

/// How long a call may take: as a step that calls a tool, or as the author says of this one.
fn patience(live: &Live) -> std::time::Duration {
    let step = live.definition.step(&live.open.step);
    let stated = step.and_then(workflow_types::definition::Step::stated_timeout);
    stated.unwrap_or_else(|| ActionKind::Tool.default_timeout())
}
