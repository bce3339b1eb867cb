//! What the tools of a test have done to the world, and what they wait for.

use std::collections::VecDeque;
use std::sync::Mutex;

use gateway::{ModelRequest, ToolCall};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

/// One call that reached a tool or a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Called {
    pub(crate) who: String,
    pub(crate) args: Value,
    pub(crate) key: String,
    pub(crate) attempt: u32,
    pub(crate) previous_error: Option<String>,
}

/// Shared by every gateway of a test, as the world is.
pub(crate) struct Ledger {
    calls: watch::Sender<Vec<Called>>,
    cancelled: watch::Sender<usize>,
    answers: Mutex<VecDeque<String>>,
    leave: Semaphore,
    dice: Mutex<Vec<i64>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            calls: watch::Sender::default(),
            cancelled: watch::Sender::default(),
            answers: Mutex::default(),
            leave: Semaphore::new(0),
            dice: Mutex::default(),
        }
    }
}

impl Ledger {
    pub(crate) fn tool(&self, who: &str, call: &ToolCall) {
        self.add(Called {
            who: who.to_owned(),
            args: Value::Object(call.args.clone()),
            key: call.idempotency_key.clone(),
            attempt: call.attempt,
            previous_error: None,
        });
    }

    pub(crate) fn model(&self, request: &ModelRequest) {
        self.add(Called {
            who: "model".to_owned(),
            args: Value::String(request.prompt.clone()),
            key: request.idempotency_key.clone(),
            attempt: request.attempt,
            previous_error: request.previous_error.clone(),
        });
    }

    fn add(&self, called: Called) {
        self.calls.send_modify(|calls| calls.push(called));
    }

    pub(crate) fn calls(&self) -> Vec<Called> {
        self.calls.borrow().clone()
    }

    /// The steps that were called, with the number of the attempt, in their order.
    pub(crate) fn attempts(&self) -> Vec<String> {
        let attempt = |called: &Called| {
            let step = called.key.split('/').nth(1).unwrap_or_default();
            format!("{step}#{}", called.attempt)
        };
        self.calls.borrow().iter().map(attempt).collect()
    }

    pub(crate) async fn until_called(&self, times: usize) {
        let enough = |calls: &Vec<Called>| calls.len() >= times;
        self.calls.subscribe().wait_for(enough).await.unwrap();
    }

    pub(crate) fn cancelled(&self) {
        self.cancelled.send_modify(|times| *times += 1);
    }

    pub(crate) async fn until_cancelled(&self, times: usize) {
        let enough = |seen: &usize| *seen >= times;
        self.cancelled.subscribe().wait_for(enough).await.unwrap();
    }

    /// Lets so many calls that wait come to their end.
    pub(crate) fn let_go(&self, calls: usize) {
        self.leave.add_permits(calls);
    }

    pub(crate) async fn leave(&self) {
        self.leave.acquire().await.unwrap().forget();
    }

    /// What the tool that throws dice will answer.
    pub(crate) fn load(&self, dice: &[i64]) {
        self.dice.lock().unwrap().clone_from(&dice.to_vec());
    }

    /// What a throw shows: the same for the same attempt of the same visit.
    pub(crate) fn throw(&self, call: &ToolCall) -> i64 {
        let visit = call.idempotency_key.rsplit('/').next().unwrap();
        let dice = self.dice.lock().unwrap();
        crate::walk_laws::throw(&dice, visit.parse().unwrap(), call.attempt)
    }

    /// What the model will answer, one after the other.
    pub(crate) fn will_answer(&self, answers: &[&str]) {
        let mut queue = self.answers.lock().unwrap();
        queue.extend(answers.iter().map(|&answer| answer.to_owned()));
    }

    pub(crate) fn next_answer(&self) -> Option<String> {
        self.answers.lock().unwrap().pop_front()
    }
}
