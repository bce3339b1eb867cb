//! Takes the values of secrets out of what comes back from a call, before anybody sees or keeps it.

use std::borrow::Cow;

use serde_json::Value;

use super::{Answer, Refusal};
use crate::engine::{Engine, size};
use crate::model::{ModelReply, WantedCall};
use crate::secret::Mask;

/// What everything passes that a tool or a model answers.
#[derive(Clone)]
pub(in crate::engine) struct Screen {
    mask: Mask,
    max_output: usize,
}

impl Screen {
    pub(in crate::engine) fn of(engine: &Engine) -> Self {
        Self {
            mask: engine.secrets.mask.clone(),
            max_output: engine.limits.max_output,
        }
    }

    pub(super) fn answer(&self, answer: Answer) -> Answer {
        match answer {
            Ok(output) => Ok(self.value(output)),
            Err(refusal) => Err(self.refusal(refusal)),
        }
    }

    /// Before its message is clipped: a cut through a value would hide it from the mask.
    pub(super) fn refusal(&self, mut refusal: Refusal) -> Refusal {
        self.text(&mut refusal.failure.message);
        refusal
    }

    /// Before it is read: what is wrong with an answer is told with words of it, and the calls that
    /// it asks for are stored, shown at a gate and told to the model again.
    ///
    /// A call whose arguments hold the value of a secret is made with what is left of them, so with
    /// the name in its place: the same that was stored and shown. Secrets get into the calls of a
    /// step only where its author put them.
    pub(super) fn reply(&self, mut reply: ModelReply) -> ModelReply {
        self.text(&mut reply.text);
        for WantedCall { id, tool, args } in &mut reply.calls {
            self.text(id);
            self.text(tool);
            *args = self.value(std::mem::take(args));
        }
        reply
    }

    fn value(&self, value: Value) -> Value {
        // What is too large is not kept, and what is wrong with it is told without it.
        if size::output_problem(&value, self.max_output).is_some() {
            return value;
        }
        self.mask.value(value)
    }

    fn text(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.mask.text(text) {
            *text = masked;
        }
    }
}
