//! Attempts: what a call ends with, when it is told to stop, and what an interruption means.

use std::time::Duration;

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::action::{Action, OnInterrupt};
use gateway::workflow_types::definition::Step;
use gateway::workflow_types::execution::{
    FailedAttempt, FailureKind, Outcome, StepFailure, StepFailureKind, VisitState,
};
use serde_json::{Value, json};

use super::run::{Doing, Run};
use super::{Moment, Phase, SOME_TEXT};
use crate::ledger::Call;
use crate::life::GRACE;
use crate::plan::{Manner, Occasion, Replies, Reply};
use crate::tools::complaint;

/// A call that has been made.
#[derive(Debug, Clone)]
pub(crate) struct Calling {
    reply: Reply,
    begun_at: Timestamp,
    deadline: Timestamp,
    stop: Option<Stop>,
}

/// It was told to stop, and is given up at an instant.
#[derive(Debug, Clone)]
struct Stop {
    why: Why,
    end: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    TimedOut,
    /// The process ends, or the execution is cancelled.
    Halted,
}

/// How an attempt ended.
enum End {
    Answered(Value),
    Failed {
        failure: StepFailure,
        again: Again,
    },
    /// Nobody knows.
    Interrupted,
}

enum Again {
    Never,
    AtOnce,
    After(Duration),
}

impl Run {
    /// What is to be done with a visit that has begun; answers whether anything was.
    pub(super) fn perform(&mut self, moment: Moment, replies: &Replies) -> bool {
        match self.doing.clone() {
            Doing::GivenUp => false,
            Doing::Nothing | Doing::Interrupted if self.cancelled.is_some() => {
                self.end_as_cancelled(moment, End::Interrupted);
                true
            }
            Doing::Nothing if moment.phase != Phase::Works => {
                panic!("nothing stands between two steps when a shutdown begins")
            }
            Doing::Nothing => self.call(moment, replies),
            Doing::Interrupted => self.take_up(moment, replies),
            Doing::Calls(calling) => self.wait(moment, calling),
        }
    }

    /// Until when the call that runs may take.
    pub(super) fn call_until(&self) -> Option<Timestamp> {
        match &self.doing {
            Doing::Calls(calling) => Some(
                calling
                    .stop
                    .as_ref()
                    .map_or(calling.deadline, |stop| stop.end),
            ),
            Doing::Nothing | Doing::GivenUp | Doing::Interrupted => None,
        }
    }

    /// A call that hangs is ended from outside.
    pub(crate) fn let_go(&mut self, answer: Reply) {
        if let Doing::Calls(calling) = &mut self.doing {
            self.features.insert("a call took its time");
            calling.reply = answer;
        }
    }

    /// Whether a call of it hangs and can be ended from outside.
    pub(crate) fn hanging(&self) -> Option<String> {
        match &self.doing {
            Doing::Calls(Calling {
                reply: Reply::Hangs(_),
                stop: None,
                ..
            }) => self.visits.last().map(|open| self.key_of(open)),
            Doing::Calls(_) | Doing::Nothing | Doing::GivenUp | Doing::Interrupted => None,
        }
    }

    /// A process before had begun it: its effect may have happened.
    fn take_up(&mut self, moment: Moment, replies: &Replies) -> bool {
        let edition = self.edition.clone();
        let step = edition.definition.step(&self.open().step.clone());
        let step = step.expect("a step of its own");
        match step.on_interrupt().unwrap_or_else(|| self.trusted(step)) {
            OnInterrupt::Rerun => {
                self.features.insert("an interrupted call ran again");
                self.call(moment, replies)
            }
            OnInterrupt::Fail => {
                self.features.insert("an interruption failed its step");
                let outcome = Outcome::failure(StepFailureKind::Interrupted, SOME_TEXT);
                self.conclude(moment, outcome);
                true
            }
            OnInterrupt::Ask => {
                self.features.insert("an interruption asked");
                self.ask_what_became(moment.now);
                true
            }
        }
    }

    /// What an interruption means unless the author says otherwise.
    fn trusted(&self, step: &Step) -> OnInterrupt {
        let repeats = match step.action() {
            Action::Noop | Action::Model(_) => true,
            Action::Tool(action) => match action.tool().as_ref() {
                "look" | "put" => true,
                "vary" => self.requested("/args/gently") == Some(json!("yes")),
                _ => false,
            },
        };
        if repeats {
            OnInterrupt::Rerun
        } else {
            OnInterrupt::Ask
        }
    }

    /// A part of what the open visit has resolved.
    fn requested(&self, pointer: &str) -> Option<Value> {
        let request = self.visits.last()?.request.as_ref()?;
        request.pointer(pointer).cloned()
    }

    /// Makes the call of the open visit, if its action makes one.
    fn call(&mut self, moment: Moment, replies: &Replies) -> bool {
        let edition = self.edition.clone();
        let open = self.visits.last().expect("it has begun");
        let step = edition
            .definition
            .step(&open.step)
            .expect("a step of its own");
        let deadline = moment.now.saturating_add(step.timeout());
        let (who, args, previous_error) = match step.action() {
            Action::Noop => {
                self.conclude(
                    moment,
                    Outcome::Success {
                        output: Value::Null,
                    },
                );
                return true;
            }
            Action::Tool(action) if action.tool().as_ref() == "gone" => {
                self.features.insert("a tool was missing");
                let outcome = Outcome::failure(StepFailureKind::Error, SOME_TEXT);
                self.conclude(moment, outcome);
                return true;
            }
            Action::Tool(action) => {
                let args = self.requested("/args").unwrap_or_default();
                (action.tool().to_string(), args, None)
            }
            Action::Model(_) => {
                let args = json!([self.requested("/prompt"), self.requested("/system")]);
                ("model".to_owned(), args, self.error_before())
            }
        };
        let (key, attempt) = (self.key_of(open), open.attempt);
        let same = |call: &&Call| call.key == key && call.attempt == attempt;
        let reply = replies.to(Occasion {
            step: open.step.as_ref(),
            visit: open.number,
            attempt,
            before: self.calls.iter().filter(same).count(),
        });
        self.calls.push(Call {
            who,
            args,
            key,
            attempt,
            deadline,
            previous_error,
        });
        self.doing = Doing::Calls(Calling {
            reply,
            begun_at: moment.now,
            deadline,
            stop: None,
        });
        true
    }

    /// Why the answer to the attempt before the open one was refused, if it was.
    fn error_before(&self) -> Option<String> {
        let open = self.visits.last()?;
        let before = |failed: &&FailedAttempt| {
            failed.visit == open.number && failed.attempt + 1 == open.attempt
        };
        let failed = self.attempts.iter().find(before)?;
        (failed.failure.kind == StepFailureKind::BadAnswer).then(|| failed.failure.message.clone())
    }

    /// Looks whether the call has ended, or is told to stop.
    fn wait(&mut self, moment: Moment, calling: Calling) -> bool {
        let halted = moment.phase == Phase::Stops || self.cancelled.is_some();
        let end = match (&calling.reply, &calling.stop) {
            (Reply::Hangs(manner), Some(stop)) => {
                let is_over = moment.now >= stop.end;
                match (stop.why, manner) {
                    (_, Manner::Ignores) if !is_over => return false,
                    (Why::TimedOut, _) => self.timed_out(),
                    (Why::Halted, Manner::Succeeds) => {
                        self.answered(&Reply::Success(json!({"n": 7})))
                    }
                    (Why::Halted, Manner::Obeys | Manner::Ignores) => End::Interrupted,
                }
            }
            (Reply::Hangs(_), None) => {
                let why = if halted {
                    Why::Halted
                } else if moment.now >= calling.deadline {
                    Why::TimedOut
                } else {
                    return false;
                };
                let end = moment.now.saturating_add(GRACE);
                let stop = Some(Stop { why, end });
                self.doing = Doing::Calls(Calling { stop, ..calling });
                return true;
            }
            // It came too late.
            (
                _,
                Some(Stop {
                    why: Why::TimedOut, ..
                }),
            ) => self.timed_out(),
            (reply, _) => self.answered(reply),
        };
        self.after(moment, calling.begun_at, end);
        true
    }

    fn timed_out(&mut self) -> End {
        self.features.insert("an attempt timed out");
        let kind = StepFailureKind::Timeout;
        End::Failed {
            failure: some_failure(kind),
            again: Again::AtOnce,
        }
    }

    /// What a reply means for the attempt.
    fn answered(&self, reply: &Reply) -> End {
        let open = self.visits.last().expect("it has begun");
        let complaint = StepFailure {
            kind: StepFailureKind::Error,
            message: complaint(&self.key_of(open), open.attempt),
        };
        let failed = |failure, again| End::Failed { failure, again };
        let asks_model = self.requested("/action") == Some(json!("model"));
        match reply {
            Reply::Success(output) if asks_model => self.understood(output),
            Reply::Success(output) => End::Answered(output.clone()),
            Reply::Busy(ms) if asks_model => {
                failed(complaint, Again::After(Duration::from_millis(*ms)))
            }
            Reply::Fails | Reply::Busy(_) => failed(complaint, Again::AtOnce),
            Reply::Refuses => failed(complaint, Again::Never),
            Reply::Panics => failed(some_failure(StepFailureKind::Internal), Again::Never),
            Reply::Floods if self.has_schema() => {
                failed(some_failure(StepFailureKind::BadAnswer), Again::AtOnce)
            }
            Reply::Floods => failed(some_failure(StepFailureKind::OutputTooLarge), Again::Never),
            Reply::Hangs(_) => panic!("it has no reply"),
        }
    }

    fn has_schema(&self) -> bool {
        let open = self.visits.last().expect("it has begun");
        match self.edition.definition.step(&open.step).map(Step::action) {
            Some(Action::Model(action)) => action.output_schema().is_some(),
            Some(Action::Tool(_) | Action::Noop) | None => false,
        }
    }

    /// What the answer of a model means: a text, or JSON of a schema that has a number `n`.
    fn understood(&self, output: &Value) -> End {
        if !self.has_schema() {
            let text = output.as_str().map(ToOwned::to_owned);
            return End::Answered(json!(text.unwrap_or_else(|| output.to_string())));
        }
        if output.get("n").is_some_and(Value::is_number) {
            return End::Answered(output.clone());
        }
        End::Failed {
            failure: some_failure(StepFailureKind::BadAnswer),
            again: Again::AtOnce,
        }
    }

    /// What follows from the end of an attempt.
    fn after(&mut self, moment: Moment, begun_at: Timestamp, end: End) {
        if self.cancelled.is_some() {
            return self.end_as_cancelled(moment, end);
        }
        // Who fails while the process stops may have failed because of that.
        let is_told = moment.phase == Phase::Stops;
        match end {
            End::Interrupted => {
                self.features.insert("a shutdown interrupted a call");
                self.doing = Doing::GivenUp;
            }
            End::Answered(output) => {
                self.features.insert("a step succeeded");
                self.conclude(moment, Outcome::Success { output });
            }
            End::Failed { failure, .. } if is_told && failure.kind != StepFailureKind::Timeout => {
                self.doing = Doing::GivenUp;
            }
            End::Failed { failure, again } => match self.backoff(&again) {
                Some(wait) => self.back_off(moment, begun_at, failure, wait),
                None => {
                    self.features.insert("a step failed");
                    self.conclude(moment, Outcome::Failure(failure));
                }
            },
        }
    }

    /// How long the next attempt waits, if there is one.
    fn backoff(&self, again: &Again) -> Option<Duration> {
        let open = self.visits.last().expect("it has begun");
        let retry = self.edition.definition.step(&open.step)?.retry();
        if open.attempt >= retry.max_attempts() {
            return None;
        }
        let mut wait = retry.initial_backoff();
        for _ in 1..open.attempt {
            wait = wait.mul_f64(retry.factor());
        }
        let wait = wait.min(retry.max_backoff());
        match again {
            Again::Never => None,
            Again::AtOnce => Some(wait),
            Again::After(least) => Some(wait.max(*least)),
        }
    }

    fn back_off(
        &mut self,
        moment: Moment,
        begun_at: Timestamp,
        failure: StepFailure,
        wait: Duration,
    ) {
        self.features.insert("an attempt was repeated");
        let until = moment.now.saturating_add(wait);
        self.doing = Doing::Nothing;
        let open = self.open();
        let failed = FailedAttempt {
            visit: open.number,
            attempt: open.attempt,
            begun_at,
            failed_at: moment.now,
            due_at: until,
            failure: failure.clone(),
        };
        open.state = VisitState::BackingOff { until, failure };
        self.attempts.push(failed);
    }

    /// Somebody has cancelled it: only a success is recorded as what it was.
    fn end_as_cancelled(&mut self, moment: Moment, end: End) {
        self.features.insert("a call was cancelled");
        let outcome = match end {
            End::Answered(output) => Outcome::Success { output },
            End::Failed { .. } | End::Interrupted => {
                Outcome::failure(StepFailureKind::Cancelled, SOME_TEXT)
            }
        };
        let step = self.open().step.clone();
        self.close(moment.now, outcome);
        self.fail(moment.now, Some(step), FailureKind::Cancelled);
    }
}

fn some_failure(kind: StepFailureKind) -> StepFailure {
    StepFailure {
        kind,
        message: SOME_TEXT.to_owned(),
    }
}
