//! What the mask has to know before something from outside is stored of an execution.
//!
//! A process that has just started knows the value of no secret, and what it stores next may hold
//! values that were given to calls before it. Whose values each path needs, and who asks for them:
//!
//! - An attempt has its own from `sealed`, before its tool is looked for and before its call, so the
//!   first one as well as one that is made again after a crash. The steps of a heartbeat are such
//!   attempts, and what is found by them is read from what they have stored.
//! - A call that a model asked for names no secrets, but its tool may know those of the question:
//!   [`of_visit`], because after a restart it can come before the next question.
//! - What comes back from any attempt may hold what earlier steps were given: [`earlier`].
//! - What a person types may hold whatever the definition names: [`Engine::typed`].
//! - The keys of models are in the mask from the start of the gateway on.
//!
//! The rest is made of what is stored already: results, events, alerts, notices, exports.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use workflow_types::definition::Step;
use workflow_types::id::{ExecutionId, SecretName};

use super::Engine;
use super::drive::Live;
use super::perform::{self, Deadline, Refusal};
use crate::error::{During as _, Error, ErrorKind};
use crate::secret::SecretError;

/// How long the keeper of secrets may take where no attempt bounds it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same before a decision, which does not depend on it and must not be held up.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// Asks for what the steps before the open one were given, as far as this process has not been given
/// it, too.
///
/// One that cannot be had any more is passed over: the attempt does not need it, and a secret that was
/// taken out of use since must not end every execution that it ever was given to.
pub(super) async fn earlier(engine: &Engine, live: &Live) {
    let is_over = |step: &&Step| {
        *step.id() != live.open.step && live.history.step(step.id().as_ref()).is_some()
    };
    let steps = live.definition.steps().iter().filter(is_over);
    let mut names = named(steps);
    names.retain(|name| !engine.secrets.mask.knows(name));
    if names.is_empty() {
        return;
    }
    let secrets = engine.secrets.clone();
    let deadline = Deadline::after(engine, "attempt", PATIENCE);
    let asked = perform::bounded(engine, live, deadline, |_| {
        Ok(Box::pin(async move {
            for name in &names {
                if let Err(error) = secrets.recall([name]).await {
                    not_had(&error);
                }
            }
            Ok(())
        }))
    });
    if let Some(Err(_)) = asked.await {
        not_had(&too_late(PATIENCE));
    }
}

/// Asks for what the question of the open visit is given, as far as this process has not been given
/// it; none if the gateway, or whoever cancelled the execution, stopped it.
pub(super) async fn of_visit(
    engine: &Engine,
    live: &Live,
    deadline: Deadline,
) -> Option<Result<(), Refusal>> {
    let names = names_of_visit(live);
    if names.iter().all(|name| engine.secrets.mask.knows(name)) {
        return Some(Ok(()));
    }
    let secrets = engine.secrets.clone();
    perform::bounded(engine, live, deadline, |_| {
        Ok(Box::pin(async move {
            let recalled = secrets.recall(&names).await;
            recalled.map_err(perform::without_secret)
        }))
    })
    .await
}

/// The secrets that the step of the open visit names.
pub(super) fn names_of_visit(live: &Live) -> BTreeSet<SecretName> {
    named(live.definition.step(&live.open.step))
}

impl Engine {
    /// A value that a person typed about an execution, as it is stored.
    ///
    /// Fails if a secret of the definition cannot be had: what was typed may hold its value, and is
    /// rather refused than stored.
    pub(crate) async fn typed(&self, id: ExecutionId, value: Value) -> Result<Value, Error> {
        if matches!(value, Value::Null | Value::Bool(_)) {
            return Ok(value);
        }
        let recalled = self.recall_all(id, PATIENCE).await?;
        recalled.map_err(|error| {
            let kind = if error.is_retryable() {
                ErrorKind::Unavailable
            } else {
                ErrorKind::Invalid
            };
            let context = format!(
                "what was typed may hold a secret and is not stored: {error}; see that it can be \
                 had, or give no output"
            );
            Error::new(kind, context)
        })?;
        Ok(self.secrets.mask.value(value))
    }

    /// The reason that a person gave for what happens to an execution, as it is stored.
    ///
    /// A secret that cannot be had is passed over: a decision does not fail because of the words that
    /// explain it.
    pub(crate) async fn said(&self, id: ExecutionId, reason: Option<String>) -> Option<String> {
        let reason = reason?;
        match self.recall_all(id, SHORT_PATIENCE).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => not_had(&error),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(execution.id = %id, error, "which secrets a reason may hold is not known");
            }
        }
        Some(self.secrets.mask.text(&reason).into_owned())
    }

    /// Asks for all that the definition of an execution names, as far as this process has not been
    /// given it.
    async fn recall_all(
        &self,
        id: ExecutionId,
        patience: Duration,
    ) -> Result<Result<(), SecretError>, Error> {
        let execution = self.reads.execution(id).await;
        let execution = execution.during("reading an execution")?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no execution {id}"))
        })?;
        let definition = self.definition(&execution.definition).await?;
        let names = named(definition.steps());
        let until = self.clock.now().saturating_add(patience);
        Ok(tokio::select! {
            biased;
            recalled = self.secrets.recall(&names) => recalled,
            () = self.clock.sleep_until(until) => Err(too_late(patience)),
        })
    }
}

fn named<'s>(steps: impl IntoIterator<Item = &'s Step>) -> BTreeSet<SecretName> {
    let steps = steps.into_iter();
    steps.flat_map(|step| step.action().secrets()).collect()
}

fn too_late(patience: Duration) -> SecretError {
    let patience = workflow_types::duration::format(patience);
    SecretError::retryable(format!("the secrets were not there within {patience}"))
}

fn not_had(error: &SecretError) {
    tracing::warn!(%error, "a value that may be stored is not known to the mask");
}
