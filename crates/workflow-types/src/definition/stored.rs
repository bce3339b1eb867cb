//! How a definition is written down: the plain JSON shape, and the canonical form with its digest.
//!
//! The canonical form has a version, our keys in one order, and the author's where their order is
//! theirs (arguments, schemas), so that the same definition has the same digest on every machine and
//! in every year, and an execution that is read back does what it did before.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{DEFAULT_MAX_VISITS, Step, Trigger, WorkflowDefinition};
use crate::action::Action;
use crate::approval::ApprovalPolicy;
use crate::diagnostic::Diagnostics;
use crate::duration;
use crate::execution::Cost;
use crate::retry::RetryPolicy;
use crate::schedule::{ActiveHours, MaxRuns, Policies, TimeZone, TriggerSchedule};

/// The version of the canonical form.
const VERSION: u64 = 1;

/// The SHA-256 of a definition's canonical form, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionDigest(String);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a digest has 64 hexadecimal digits")]
pub struct DigestError;

impl fmt::Display for DefinitionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DefinitionDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (hex && text.len() == 64)
            .then(|| Self(text.to_owned()))
            .ok_or(DigestError)
    }
}

/// A definition in its canonical form, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDefinition {
    digest: DefinitionDigest,
    json: String,
}

/// A stored definition that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoredDefinitionError {
    /// The text is no JSON object with `v` and `definition`.
    #[error("the stored definition is damaged")]
    Damaged,
    /// The text was written by a newer program.
    #[error("the stored definition has version {found}, this program reads {VERSION}")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// No definition can be built from it.
    #[error("the stored definition is not valid")]
    Invalid(#[source] Diagnostics),
}

impl StoredDefinition {
    /// The canonical form of a definition.
    pub fn new(definition: &WorkflowDefinition) -> Self {
        let json = json!({ "definition": workflow(definition), "v": VERSION }).to_string();
        Self {
            digest: digest(&json),
            json,
        }
    }

    /// A canonical text as it was stored.
    pub fn from_text(json: String) -> Self {
        Self {
            digest: digest(&json),
            json,
        }
    }

    /// The digest of the canonical text.
    pub fn digest(&self) -> &DefinitionDigest {
        &self.digest
    }

    /// The canonical text.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The definition again.
    ///
    /// It was judged when it was stored: what a newer program would refuse or warn of is not looked
    /// for, so that an execution that waits for weeks goes on after an update.
    pub fn read(&self) -> Result<WorkflowDefinition, StoredDefinitionError> {
        let value: Value =
            serde_json::from_str(&self.json).map_err(|_| StoredDefinitionError::Damaged)?;
        let version = value.get("v").and_then(Value::as_u64);
        match (version, value.get("definition")) {
            (Some(VERSION), Some(definition)) => {
                WorkflowDefinition::rebuild(definition).map_err(StoredDefinitionError::Invalid)
            }
            (Some(found), _) if found > VERSION => Err(StoredDefinitionError::Newer { found }),
            (_, _) => Err(StoredDefinitionError::Damaged),
        }
    }
}

/// The plain JSON shape: camelCase keys, defaults of `trigger` and `approvalRequired` filled in.
impl Serialize for WorkflowDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        workflow(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WorkflowDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(de::Error::custom)
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        step(self).serialize(serializer)
    }
}

fn digest(json: &str) -> DefinitionDigest {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hash = Sha256::digest(json.as_bytes());
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let digits = hash
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    DefinitionDigest(digits.collect())
}

/// A JSON object that leaves out what is absent.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn maybe<T: Into<Value>>(self, key: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

fn workflow(definition: &WorkflowDefinition) -> Value {
    let WorkflowDefinition {
        name,
        description,
        trigger,
        input,
        steps,
        max_steps,
        max_tokens,
        max_cost,
        concurrency,
        positions: _,
    } = definition;
    let visits = max_steps.into_inner().get();
    Object::default()
        .set("name", name.as_ref())
        .maybe("description", description.as_deref())
        .set("trigger", start(trigger))
        .maybe("input", input.as_ref().map(|input| input.written().clone()))
        .maybe("maxSteps", (visits != DEFAULT_MAX_VISITS).then_some(visits))
        .maybe("maxTokens", max_tokens.map(std::num::NonZeroU32::get))
        .maybe("maxCost", max_cost.map(Cost::amount))
        .maybe(
            "concurrency",
            concurrency.map(|c| json!({"limit": c.limit, "onLimit": c.on_limit.as_str()})),
        )
        .set("steps", steps.iter().map(step).collect::<Vec<_>>())
        .done()
}

/// A plain word or pattern, or a mapping of what was written.
fn start(trigger: &Trigger) -> Value {
    match trigger {
        Trigger::Manual => Value::from("manual"),
        Trigger::Cron(cron) => Value::from(cron.as_str()),
        Trigger::Schedule(schedule) => scheduled(schedule),
    }
}

/// Policies that are the default are left out: as if nobody had written them.
fn scheduled(schedule: &TriggerSchedule) -> Value {
    let Policies {
        misfire,
        catch_up,
        overlap,
        overlap_ignores_paused,
        jitter,
        max_runs,
        pause_after_failures,
    } = schedule.policies();
    let default = Policies::default();
    Object::default()
        .set("cron", schedule.cron().as_str())
        .maybe("timezone", schedule.timezone().map(TimeZone::name))
        .maybe("activeHours", schedule.active_hours().map(active_hours))
        .maybe("maxRuns", max_runs.map(MaxRuns::into_inner))
        .maybe(
            "misfire",
            (*misfire != default.misfire).then(|| misfire.as_str()),
        )
        .maybe("catchUp", catch_up.map(duration::format))
        .maybe(
            "overlap",
            (*overlap != default.overlap).then(|| overlap.as_str()),
        )
        .maybe(
            "overlapIgnoresPaused",
            overlap_ignores_paused.then_some(true),
        )
        .maybe(
            "jitter",
            (!jitter.is_zero()).then(|| duration::format(*jitter)),
        )
        .maybe(
            "pauseAfterFailures",
            pause_after_failures.map(std::num::NonZeroU32::get),
        )
        .done()
}

fn active_hours(hours: &ActiveHours) -> Value {
    Object::default()
        .set("start", hours.start().to_string())
        .set("end", hours.end().to_string())
        .maybe("daysOfWeek", hours.days_of_week())
        .done()
}

fn step(step: &Step) -> Value {
    let Step {
        id,
        description,
        action,
        approval,
        on_success,
        on_failure,
        branches,
        timeout,
        retry,
        on_interrupt,
    } = step;
    let branches: Vec<Value> = branches
        .iter()
        .map(|branch| {
            json!({"condition": branch.condition().source(), "goto": branch.goto().to_string()})
        })
        .collect();
    let object = Object::default()
        .set("id", id.as_ref())
        .set("action", action.kind().as_str())
        .maybe("description", description.as_deref())
        .set(
            "approvalRequired",
            approval
                .as_ref()
                .map_or(Value::Bool(false), approval_policy),
        )
        .maybe("onSuccess", on_success.as_ref().map(ToString::to_string))
        .maybe("onFailure", on_failure.as_ref().map(ToString::to_string))
        .maybe("branches", (!branches.is_empty()).then_some(branches))
        .maybe(
            "timeout",
            timeout.map(|timeout| milliseconds(timeout.into_inner())),
        )
        .maybe(
            "retry",
            (*retry != RetryPolicy::default()).then(|| retry_policy(retry)),
        )
        .maybe(
            "onInterrupt",
            on_interrupt.map(crate::action::OnInterrupt::as_str),
        );
    write_action(action, object).done()
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a method that nutype makes is private"
)]
fn write_action(action: &Action, object: Object) -> Object {
    match action {
        Action::Tool(tool) => object
            .set("tool", tool.tool().as_ref())
            .set("args", Value::Object(tool.args().written().clone())),
        Action::Model(model) => {
            let tools: Vec<&str> = model.tools().iter().map(|tool| tool.as_ref()).collect();
            let unasked = model.without_approval().iter();
            let unasked: Vec<&str> = unasked.map(|tool| tool.as_ref()).collect();
            object
                .set("prompt", model.prompt().written())
                .maybe("system", model.system().map(crate::action::Text::written))
                .maybe("model", model.model().map(|name| name.as_ref()))
                .maybe("tools", (!tools.is_empty()).then_some(tools))
                .maybe("withoutApproval", (!unasked.is_empty()).then_some(unasked))
                .maybe(
                    "maxTurns",
                    model.max_turns().map(|turns| turns.into_inner()),
                )
                .maybe(
                    "outputSchema",
                    model.output_schema().map(|schema| schema.written().clone()),
                )
        }
        Action::Noop => object,
    }
}

fn approval_policy(policy: &ApprovalPolicy) -> Value {
    if *policy == ApprovalPolicy::default() {
        return Value::Bool(true);
    }
    let approvers: Vec<String> = policy.approvers().iter().map(ToString::to_string).collect();
    Object::default()
        .maybe(
            "message",
            policy.message().map(crate::action::Text::written),
        )
        .maybe("timeout", policy.timeout().map(milliseconds))
        .set("onTimeout", policy.on_timeout().as_str())
        .maybe("approvers", (!approvers.is_empty()).then_some(approvers))
        .set("count", policy.count().get())
        .done()
}

fn retry_policy(retry: &RetryPolicy) -> Value {
    json!({
        "maxAttempts": retry.max_attempts(),
        "initialBackoff": duration::format(retry.initial_backoff()),
        "factor": retry.factor(),
        "maxBackoff": duration::format(retry.max_backoff()),
        "jitter": retry.jitter(),
    })
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
