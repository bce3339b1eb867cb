//! Asks a model: whom, with what, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use workflow_types::action::{Action, ModelAction};
use workflow_types::execution::{FinishReason, ModelTurn, StepFailure, StepFailureKind};
use workflow_types::id::{ModelName, ToolName};
use workflow_types::output_schema::{Subject, ValueSchema, in_one_line};

use super::bounds::{Deadline, Work};
use super::{Answer, Refusal, Retry, Screen, refused_by_tool, without_secret};
use crate::engine::Engine;
use crate::engine::drive::Live;
use crate::engine::sealed::Sealed;
use crate::model::{ModelClient, ModelError, ModelReply, ModelRequest};
use crate::tool::{ToolRegistry, ToolSpec};

/// The longest wait for the next attempt that a provider may ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The question of a visit, as it was resolved.
pub(in crate::engine) struct Question {
    pub(in crate::engine) model: Option<ModelName>,
    /// Each asking opens them anew.
    pub(in crate::engine) words: Sealed<Words>,
}

/// What a model is asked.
#[derive(Serialize, Deserialize)]
pub(in crate::engine) struct Words {
    pub(in crate::engine) prompt: String,
    pub(in crate::engine) system: Option<String>,
}

/// What its tools have to do with a question.
#[derive(Default)]
pub(in crate::engine) struct Toolbox {
    /// The names of what the model may call.
    pub(in crate::engine) tools: Vec<ToolName>,
    /// What it has answered before.
    pub(in crate::engine) turns: Vec<Arc<ModelTurn>>,
}

/// The schema of the answer of the open visit, if its step has one.
pub(in crate::engine) fn schema_of(action: &Action) -> Option<&ValueSchema> {
    match action {
        Action::Model(action) => ModelAction::output_schema(action),
        Action::Tool(_) | Action::Noop => None,
    }
}

/// Prepares a question to a model.
pub(in crate::engine) fn ask(
    engine: &Engine,
    live: &Live,
    question: Question,
    toolbox: Toolbox,
    (deadline, cancelled): (Deadline, CancellationToken),
) -> Result<Work<ModelReply>, Refusal> {
    let model = named(engine, question.model.as_ref())?;
    model.conceal(&engine.secrets.mask);
    let step = live.definition.step(&live.open.step);
    let schema = step.and_then(|step| schema_of(step.action()));
    let mut key = live.open.idempotency_key();
    if !toolbox.tools.is_empty() {
        // Each turn is a question of its own.
        key = format!("{key}/{}", toolbox.turns.len() + 1);
    }
    let mut request = ModelRequest {
        prompt: String::new(),
        system: None,
        schema: schema.map(|schema| schema.json_schema().clone()),
        previous_error: refused_before(live),
        tools: Vec::new(),
        turns: toolbox.turns,
        idempotency_key: key,
        attempt: live.open.attempt,
        cancelled,
        deadline: deadline.at,
    };
    let (registry, names) = (engine.tools.clone(), toolbox.tools);
    let (words, screen) = (question.words, Screen::of(engine));
    Ok(Box::pin(async move {
        // First: what a source of tools says of its failure is masked with them, too.
        let words = words.open(&request.cancelled).await;
        let Words { prompt, system } = words.map_err(without_secret)?;
        (request.prompt, request.system) = (prompt, system);
        request.tools = specs(&registry, &names).await?;
        let reply = model.ask(request).await.map_err(refused_by_model)?;
        Ok(screen.reply(reply))
    }))
}

/// What the model is told of its tools.
async fn specs(registry: &ToolRegistry, names: &[ToolName]) -> Result<Vec<Arc<ToolSpec>>, Refusal> {
    let mut specs = Vec::with_capacity(names.len());
    for name in names {
        let found = registry.find(name).await.map_err(refused_by_tool)?;
        let Some(tool) = found else {
            let message = format!("there is no tool `{name}`");
            return Err(Refusal::permanent(StepFailureKind::Error, message));
        };
        specs.push(tool.shared_spec());
    }
    Ok(specs)
}

fn named(engine: &Engine, name: Option<&ModelName>) -> Result<Arc<dyn ModelClient>, Refusal> {
    let model = match name {
        Some(name) => engine.models.get(name),
        None => engine.models.default_model().map(|(_, model)| model),
    };
    model.cloned().ok_or_else(|| {
        let message = match name {
            Some(name) => format!("there is no model `{name}`"),
            None => "no model is configured".to_owned(),
        };
        Refusal::permanent(StepFailureKind::Error, message)
    })
}

/// Why the previous answer of a model was refused; what else failed is no concern of the model, and
/// one that has turns finds it there.
fn refused_before(live: &Live) -> Option<String> {
    let before = live.previous_error.as_ref();
    let is_told = |failure: &&StepFailure| {
        failure.kind == StepFailureKind::BadAnswer && live.turns.is_empty()
    };
    before
        .filter(is_told)
        .map(|failure| failure.message.clone())
}

/// What an answer means; half of one means nothing.
pub(in crate::engine) fn understood(
    reply: &ModelReply,
    schema: Option<&ValueSchema>,
    screen: &Screen,
) -> Answer {
    let unanswered = |message: &str| Refusal::permanent(StepFailureKind::Error, message);
    match (reply.usage.finish, schema) {
        (Some(FinishReason::Length), _) => Err(unanswered(
            "the answer was cut off at the most tokens that it may have; let the model have more, \
             or ask for less",
        )),
        (Some(FinishReason::Refused), _) => Err(unanswered(
            "the model declined to answer; ask in other words, or another model",
        )),
        (_, None) => Ok(Value::String(reply.text.clone())),
        // Read as JSON, it has one encoding less than the text that passed before.
        (_, Some(schema)) => screen.answer(structured(&reply.text, schema)),
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
