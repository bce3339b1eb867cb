//! The turns of the open visit as they stand, and what of them is not written yet.

use std::sync::Arc;

use serde_json::Value;
use workflow_types::Timestamp;
use workflow_types::execution::{
    AttemptUsage, CallMoved, CallState, ModelTurn, Outcome, Progress, TurnCall, TurnPlace,
};

use crate::engine::perform::Deadline;
use crate::engine::request::Request;
use crate::engine::size;

/// The turns of the open visit. Only the last of them can have calls that are not over.
#[derive(Default)]
pub(crate) struct Turns {
    all: Vec<Arc<ModelTurn>>,
    /// Whether the last one is not written yet.
    is_new: bool,
    /// The calls of the last one that have moved since they were written.
    moved: Vec<usize>,
    /// What the last answer used, until that is written.
    usage: Option<AttemptUsage>,
    /// When the attempt began, or went on, and what bounds it.
    pub(super) running: Option<(Timestamp, Deadline)>,
}

impl Turns {
    /// Turns as they were read.
    pub(super) fn of(turns: Vec<ModelTurn>) -> Self {
        Self {
            all: turns.into_iter().map(Arc::new).collect(),
            ..Self::default()
        }
    }

    /// Every turn, in its order.
    pub(super) fn all(&self) -> &[Arc<ModelTurn>] {
        &self.all
    }

    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number of the turn that comes next.
    pub(super) fn next_number(&self) -> u32 {
        u32::try_from(self.all.len()).map_or(u32::MAX, |turns| turns.saturating_add(1))
    }

    /// The first call that is not over, and where it is.
    pub(in crate::engine) fn open_call(&self) -> Option<(TurnPlace, &TurnCall)> {
        let turn = self.all.last()?;
        let call = turn.calls.get(turn.open_call()?)?;
        let place = TurnPlace {
            turn: turn.number,
            call: call.number,
        };
        Some((place, call))
    }

    /// Where the visit stands: behind its last turn, or at the call that has begun.
    pub(super) fn place(&self) -> TurnPlace {
        let behind = TurnPlace {
            turn: self.next_number() - 1,
            call: 0,
        };
        self.begun_call().map_or(behind, |(place, _)| place)
    }

    /// What the open call does; none if it cannot be called, or if there is none.
    pub(super) fn open_request(&self) -> Option<Request> {
        let (_, call) = self.open_call()?;
        request(call)
    }

    /// What the call does that has begun.
    pub(super) fn begun_request(&self) -> Option<Request> {
        let (_, call) = self.begun_call()?;
        request(call)
    }

    fn begun_call(&self) -> Option<(TurnPlace, &TurnCall)> {
        self.open_call()
            .filter(|(_, call)| matches!(call.state, CallState::Begun { .. }))
    }

    /// Adds an answer.
    pub(super) fn push(&mut self, turn: ModelTurn) {
        self.all.push(Arc::new(turn));
        self.is_new = true;
    }

    /// What the last answer used.
    pub(in crate::engine) fn set_usage(&mut self, usage: Option<AttemptUsage>) {
        self.usage = usage;
    }

    /// The open call stands elsewhere from now on.
    pub(super) fn move_call(&mut self, attempt: u32, state: CallState) {
        let Some(turn) = self.all.last_mut() else {
            return;
        };
        let Some(index) = turn.open_call() else {
            return;
        };
        if let Some(call) = Arc::make_mut(turn).calls.get_mut(index) {
            call.attempt = attempt;
            call.state = state;
            self.moved.push(index);
        }
    }

    /// The call that had begun is put back: nothing of it has been done.
    pub(in crate::engine) fn put_back(&mut self, attempt: u32) {
        let begun = self.begun_call();
        if let Some(begun_at) = begun.and_then(|(_, call)| call.state.begun_at()) {
            self.move_call(attempt, CallState::Ready { begun_at });
        }
    }

    /// What is to be written.
    pub(in crate::engine) fn progress(&self) -> Progress {
        let mut progress = Progress {
            usage: self.usage,
            ..Progress::default()
        };
        let Some(last) = self.all.last() else {
            return progress;
        };
        if self.is_new {
            progress.turn = Some((**last).clone());
            return progress;
        }
        let mut moved = self.moved.clone();
        moved.sort_unstable();
        moved.dedup();
        let calls = moved.into_iter().filter_map(|index| last.calls.get(index));
        progress.calls = calls.map(|call| call_moved(last, call)).collect();
        progress
    }

    /// What is to be written if the execution ends instead: what would have begun with that write
    /// has not.
    pub(in crate::engine) fn last_progress(&self) -> Progress {
        let mut progress = self.progress();
        let calls = progress.turn.iter_mut().flat_map(|turn| &mut turn.calls);
        let states = calls.map(|call| &mut call.state);
        let moved = progress.calls.iter_mut().map(|moved| &mut moved.state);
        for state in states.chain(moved) {
            if let CallState::Begun { begun_at } = *state {
                *state = CallState::Ready { begun_at };
            }
        }
        progress
    }

    /// All of it is written.
    pub(in crate::engine) fn written(&mut self) {
        self.is_new = false;
        self.moved.clear();
        self.usage = None;
    }

    /// How many bytes a model is told with them, about.
    pub(super) fn bytes(&self) -> usize {
        let turns = self.all.iter().map(|turn| {
            let calls = turn.calls.iter().map(told_of);
            turn.text.len() + turn.refused.as_ref().map_or(0, String::len) + calls.sum::<usize>()
        });
        turns.sum()
    }
}

fn told_of(call: &TurnCall) -> usize {
    let result = match &call.state {
        CallState::Done { outcome, .. } => match outcome {
            Outcome::Success { output } => size::bytes(output),
            Outcome::Failure(failure) => failure.message.len(),
        },
        CallState::Asked | CallState::Ready { .. } | CallState::Begun { .. } => 0,
    };
    size::bytes(&call.args) + result
}

fn call_moved(turn: &ModelTurn, call: &TurnCall) -> CallMoved {
    CallMoved {
        visit: turn.visit,
        place: TurnPlace {
            turn: turn.number,
            call: call.number,
        },
        attempt: call.attempt,
        state: call.state.clone(),
    }
}

/// A call as what it does; none if its model wrote what cannot be called.
fn request(call: &TurnCall) -> Option<Request> {
    match &call.args {
        Value::Object(args) => Some(Request::Tool {
            tool: call.tool.parse().ok()?,
            args: args.clone(),
            // A model has none to name: what looks like one in its words is text.
            secrets: Vec::new(),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}
