//! One question to a model that has tools: what it is told, and what its answer leads to.

use std::sync::Arc;

use workflow_types::execution::{
    CallState, FinishReason, ModelTurn, Outcome, StepFailureKind, TurnCall,
};

use super::{Live, Step};
use crate::engine::perform::{self, AttemptEnd, Question, Refusal, Screen, Toolbox, Words};
use crate::engine::request::Request;
use crate::engine::sealed::Sealed;
use crate::engine::{Engine, budget, cancel, drive, size};
use crate::error::Error;
use crate::model::{ModelReply, WantedCall};

/// Most calls that one answer may ask for.
const MOST_CALLS: usize = 64;

/// How many times as large as an output all that a model is told may be.
const OUTPUTS_TOLD: usize = 8;

/// What an answer leads to.
enum Heard {
    /// Calls are to be made; the answer is noted.
    Calls,
    /// The attempt is over.
    End(AttemptEnd),
}

/// Puts the next question of the open visit.
pub(super) async fn put(engine: &Arc<Engine>, live: &mut Live) -> Result<Step, Error> {
    let (began, _) = live.attempt(engine);
    if live.cancelled.is_cancelled() {
        return cancel::end(engine, live, AttemptEnd::Interrupted).await;
    }
    if let Some(refusal) = budget::exceeded(engine, live).await? {
        let end = perform::refused(engine, live, refusal);
        return drive::follow(engine, live, began, end).await;
    }
    let heard = match answer(engine, live).await {
        None => Heard::End(AttemptEnd::Interrupted),
        Some(Ok(reply)) => hear(engine, live, reply),
        Some(Err(refusal)) => Heard::End(perform::refused(engine, live, refusal)),
    };
    match heard {
        Heard::Calls if live.cancelled.is_cancelled() => {
            cancel::end(engine, live, AttemptEnd::Interrupted).await
        }
        Heard::Calls => super::advance(engine, live, None).await,
        Heard::End(end) if live.cancelled.is_cancelled() => cancel::end(engine, live, end).await,
        Heard::End(end) => drive::follow(engine, live, began, end).await,
    }
}

/// What the model answers within what is left of the attempt; none if the gateway stopped it.
async fn answer(engine: &Engine, live: &mut Live) -> Option<Result<ModelReply, Refusal>> {
    let (_, deadline) = live.attempt(engine);
    if deadline.at <= engine.clock.now() {
        return Some(Err(deadline.passed()));
    }
    let toolbox = match toolbox(engine, live) {
        Ok(toolbox) => toolbox,
        Err(refusal) => return Some(Err(refusal)),
    };
    let live = &*live;
    perform::bounded(engine, live, deadline, |cancelled| {
        let Request::Model {
            model,
            prompt,
            system,
            secrets,
        } = perform::request(live)?
        else {
            let message = "the stored request is no question";
            return Err(Refusal::permanent(StepFailureKind::Internal, message));
        };
        let words = Sealed::new(Words { prompt, system }, secrets, &engine.secrets);
        let question = Question { model, words };
        perform::ask(engine, live, question, toolbox, (deadline, cancelled))
    })
    .await
}

/// The tools of the step and the turns so far; refused if the model has had all of its turns, or would be told too much.
fn toolbox(engine: &Engine, live: &Live) -> Result<Toolbox, Refusal> {
    let action = super::action(&live.definition, &live.open);
    let (next, most) = (live.turns.next_number(), most_turns(live));
    if next > most {
        let message = format!("the model has had all of its {most} turns (`maxTurns`)");
        return Err(Refusal::permanent(StepFailureKind::Error, message));
    }
    let limit = engine.limits.max_output.saturating_mul(OUTPUTS_TOLD);
    let told = live.turns.bytes();
    if told > limit {
        let turns = next - 1;
        let message = format!(
            "the answers and results of {turns} turns have {told} bytes, at most {limit} are told \
             to a model"
        );
        return Err(Refusal::permanent(StepFailureKind::OutputTooLarge, message));
    }
    Ok(Toolbox {
        tools: action
            .map(|action| action.tools().to_vec())
            .unwrap_or_default(),
        turns: live.turns.all().to_vec(),
    })
}

fn most_turns(live: &Live) -> u32 {
    let action = super::action(&live.definition, &live.open);
    action.map_or(1, workflow_types::action::ModelAction::turns)
}

/// Notes an answer, and says what it leads to.
fn hear(engine: &Engine, live: &mut Live, reply: ModelReply) -> Heard {
    live.note_usage((reply.usage, reply.cost));
    if let Some(problem) = too_large(&reply, engine.limits.max_output) {
        let outcome = Outcome::failure(StepFailureKind::OutputTooLarge, problem);
        return Heard::End(AttemptEnd::Finished(outcome));
    }
    let is_whole = !matches!(
        reply.usage.finish,
        Some(FinishReason::Length | FinishReason::Refused)
    );
    if is_whole && !reply.calls.is_empty() {
        return hear_calls(engine, live, reply);
    }
    let step = live.definition.step(&live.open.step);
    let schema = step.and_then(|step| perform::schema_of(step.action()));
    match perform::understood(&reply, schema, &Screen::of(engine)) {
        Ok(output) => {
            let outcome = size::outcome(output, engine.limits.max_output);
            Heard::End(AttemptEnd::Finished(outcome))
        }
        Err(refusal) if refusal.failure.kind == StepFailureKind::BadAnswer => {
            hear_mistake(engine, live, reply, refusal)
        }
        Err(refusal) => Heard::End(perform::refused(engine, live, refusal)),
    }
}

/// Tools are to be called, unless nobody could be told of it any more.
fn hear_calls(engine: &Engine, live: &mut Live, reply: ModelReply) -> Heard {
    let wanted = reply.calls.len();
    if wanted > MOST_CALLS {
        let message =
            format!("the model asks for {wanted} calls at once, at most {MOST_CALLS} are made");
        let refusal = Refusal::permanent(StepFailureKind::Error, message);
        return Heard::End(perform::refused(engine, live, refusal));
    }
    let mut turn = noted(engine, live, reply.text);
    let numbered = (1_u32..).zip(reply.calls);
    turn.calls = numbered
        .map(|(number, WantedCall { id, tool, args })| TurnCall {
            number,
            id,
            tool,
            args,
            attempt: live.open.attempt,
            state: CallState::Asked,
        })
        .collect();
    let (number, most) = (turn.number, most_turns(live));
    live.turns.push(turn);
    if number < most {
        return Heard::Calls;
    }
    let message = format!(
        "the model still called tools in turn {number}, its last one (`maxTurns`); none of these \
         calls was made"
    );
    let refusal = Refusal::permanent(StepFailureKind::Error, message);
    Heard::End(perform::refused(engine, live, refusal))
}

/// The answer does not fit: the attempt has failed, and the next one tells the model why.
fn hear_mistake(
    engine: &Engine,
    live: &mut Live,
    reply: ModelReply,
    mut refusal: Refusal,
) -> Heard {
    let mut turn = noted(engine, live, reply.text);
    turn.refused = Some(size::clipped(refusal.failure.message.clone()));
    let (number, most) = (turn.number, most_turns(live));
    live.turns.push(turn);
    if number >= most {
        let said = refusal.failure.message;
        let message = format!("{said}; that was turn {number}, its last one (`maxTurns`)");
        refusal = Refusal::permanent(StepFailureKind::BadAnswer, message);
    }
    Heard::End(perform::refused(engine, live, refusal))
}

fn noted(engine: &Engine, live: &Live, text: String) -> ModelTurn {
    ModelTurn {
        visit: live.open.number,
        number: live.turns.next_number(),
        attempt: live.open.attempt,
        answered_at: engine.clock.now(),
        text,
        refused: None,
        calls: Vec::new(),
    }
}

/// Why an answer with its calls is too large to be stored, if it is.
fn too_large(reply: &ModelReply, most: usize) -> Option<String> {
    let ModelReply { text, calls, .. } = reply;
    let mut bytes = text.len();
    for WantedCall { id, tool, args } in calls {
        if let Some(problem) = size::output_problem(args, most) {
            return Some(format!("the arguments of a call are too large: {problem}"));
        }
        bytes += id.len() + tool.len() + size::bytes(args);
    }
    (bytes > most).then(|| format!("the answer has {bytes} bytes, at most {most} are kept"))
}
