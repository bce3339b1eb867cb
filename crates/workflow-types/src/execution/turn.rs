//! The turns that a model takes with its tools: what it answered, and what became of its calls.
//!
//! They belong to one visit, whatever attempts that has: an attempt goes on where the one before it
//! ended. What a model may call, and who is asked before, is decided elsewhere.

use serde_json::Value;

use super::{AttemptUsage, Outcome};
use crate::Timestamp;

/// An answer of a model that is followed by something: it called tools, or was refused.
///
/// The answer that ends a visit is its output, and no turn of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelTurn {
    /// The visit, by its number within the execution.
    pub visit: u32,
    /// Its number within the visit, from 1.
    pub number: u32,
    /// The attempt in which the model was asked.
    pub attempt: u32,
    /// When it answered.
    pub answered_at: Timestamp,
    /// What it said.
    pub text: String,
    /// Why the answer was refused, as the model is told; none if it called tools.
    pub refused: Option<String>,
    /// What it wants to be called, in the order in which that is done.
    pub calls: Vec<TurnCall>,
}

impl ModelTurn {
    /// The first of its calls that is not over, by its place in the list.
    pub fn open_call(&self) -> Option<usize> {
        let is_open = |call: &TurnCall| !matches!(call.state, CallState::Done { .. });
        self.calls.iter().position(is_open)
    }
}

/// A call that a model asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnCall {
    /// Its number within the turn, from 1.
    pub number: u32,
    /// The name by which the provider knows it again.
    pub id: String,
    /// The tool, as the model wrote it; there may be none of that name.
    pub tool: String,
    /// The arguments, as the model wrote them.
    pub args: Value,
    /// The attempt in which it was asked for, was begun, or came to its end: the latest of them.
    pub attempt: u32,
    /// Where it stands.
    pub state: CallState,
}

impl TurnCall {
    /// The key by which a tool knows that this call is repeated: of the visit's key, the turn and
    /// the call.
    ///
    /// ```
    /// use workflow_types::execution::{CallState, TurnCall};
    ///
    /// let call = TurnCall {
    ///     number: 2,
    ///     id: "call_x".to_owned(),
    ///     tool: "restart".to_owned(),
    ///     args: serde_json::json!({}),
    ///     attempt: 1,
    ///     state: CallState::Asked,
    /// };
    /// assert_eq!(call.idempotency_key("e1/mend/4", 3), "e1/mend/4/3.2");
    /// ```
    pub fn idempotency_key(&self, visit: &str, turn: u32) -> String {
        format!("{visit}/{turn}.{}", self.number)
    }
}

/// Where a call stands, with exactly the data of that state.
#[derive(Debug, Clone, PartialEq)]
pub enum CallState {
    /// The model asked for it; its turn has not come, or somebody is asked first.
    Asked,
    /// Its turn had come, but the gateway stopped before anything was done.
    Ready {
        /// When its turn came.
        begun_at: Timestamp,
    },
    /// It has begun; its side effect may have happened.
    Begun {
        /// When.
        begun_at: Timestamp,
    },
    /// It is over.
    Done {
        /// When it began; none if it never did, because it was refused.
        begun_at: Option<Timestamp>,
        /// When it was over.
        at: Timestamp,
        /// What became of it: what the model is told.
        outcome: Outcome,
    },
}

impl CallState {
    /// When its turn came, if it did.
    pub const fn begun_at(&self) -> Option<Timestamp> {
        match self {
            Self::Asked => None,
            Self::Ready { begun_at } | Self::Begun { begun_at } => Some(*begun_at),
            Self::Done { begun_at, .. } => *begun_at,
        }
    }
}

/// A place within the turns of a visit: behind the turn of a number, and, if the call is not 0, at
/// this call of it. Places are in the order in which they are reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TurnPlace {
    /// The number of the turn; 0 stands for before the first.
    pub turn: u32,
    /// The number of the call; 0 stands for none.
    pub call: u32,
}

impl TurnPlace {
    /// Before the first turn: where a step begins.
    pub const START: Self = Self { turn: 0, call: 0 };

    /// Whether it is at a call.
    pub const fn is_call(self) -> bool {
        self.call != 0
    }
}

/// A call that has come further.
#[derive(Debug, Clone, PartialEq)]
pub struct CallMoved {
    /// The visit.
    pub visit: u32,
    /// Which call.
    pub place: TurnPlace,
    /// The attempt in which that happened.
    pub attempt: u32,
    /// Where it stands now.
    pub state: CallState,
}

/// What an attempt to ask a model has brought, besides its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// What an answer cost.
    pub usage: Option<AttemptUsage>,
    /// An answer that is followed by something, with its calls as they stand now.
    pub turn: Option<ModelTurn>,
    /// Calls of earlier answers that have come further.
    pub calls: Vec<CallMoved>,
}

impl Progress {
    /// Whether it brought nothing.
    pub fn is_empty(&self) -> bool {
        let Self { usage, turn, calls } = self;
        usage.is_none() && turn.is_none() && calls.is_empty()
    }
}
