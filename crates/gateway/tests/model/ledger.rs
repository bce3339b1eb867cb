//! What the tools have done to the world: it outlives every process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway::workflow_types::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::plan::{Occasion, Replies, Reply};

/// One call that reached a tool or a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) who: String,
    /// The arguments, or the prompts.
    pub(crate) args: Value,
    pub(crate) key: String,
    pub(crate) attempt: u32,
    pub(crate) deadline: Timestamp,
    /// Why the attempt before failed; only models are told.
    pub(crate) previous_error: Option<String>,
}

/// Shared by every process of a case.
pub(crate) struct Ledger {
    replies: Replies,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    calls: Vec<Call>,
    /// Calls that hang, by their keys.
    hanging: Vec<(String, oneshot::Sender<Reply>)>,
}

/// What a call is answered, and by what it may be ended if it hangs.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) let_go: oneshot::Receiver<Reply>,
}

impl Ledger {
    pub(crate) fn new(replies: Replies) -> Self {
        Self {
            replies,
            entries: Mutex::default(),
        }
    }

    /// Writes a call down, and says how it ends.
    pub(crate) fn enter(&self, call: Call) -> Answer {
        let mut entries = self.entries();
        let same = |other: &&Call| other.key == call.key && other.attempt == call.attempt;
        let before = entries.calls.iter().filter(same).count();
        let mut parts = call.key.split('/').skip(1);
        let reply = self.replies.to(Occasion {
            step: parts.next().unwrap(),
            visit: parts.next().unwrap().parse().unwrap(),
            attempt: call.attempt,
            before,
        });
        let (sender, let_go) = oneshot::channel();
        if matches!(reply, Reply::Hangs(_)) {
            entries.hanging.push((call.key.clone(), sender));
        }
        entries.calls.push(call);
        Answer { reply, let_go }
    }

    /// The calls of an execution, in their order.
    pub(crate) fn calls(&self, execution: &str) -> Vec<Call> {
        let of = |call: &&Call| call.key.split('/').next() == Some(execution);
        self.entries().calls.iter().filter(of).cloned().collect()
    }

    /// Ends a call that hangs; answers whether one did.
    pub(crate) fn let_go(&self, key: &str, answer: Reply) -> bool {
        let mut entries = self.entries();
        let hangs = |(other, sender): &(String, oneshot::Sender<Reply>)| {
            other == key && !sender.is_closed()
        };
        let Some(place) = entries.hanging.iter().position(hangs) else {
            return false;
        };
        let (_, sender) = entries.hanging.swap_remove(place);
        sender.send(answer).is_ok()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
