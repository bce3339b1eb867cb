//! `agentspace executions retry`: repeats a finished execution from a step on, to its rest.

use gateway::RetryRequest;
use gateway::workflow_types::id::{IdempotencyKey, StepId};

use crate::cli::{ActorArg, Global};
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::output;

pub(super) async fn run(
    global: &Global,
    id: &str,
    from: Option<StepId>,
    key: Option<IdempotencyKey>,
    actor: &ActorArg,
) -> anyhow::Result<Exit> {
    let id = host::execution_id(id)?;
    let consent = super::no_consent(host::actor(actor)?);
    let origin = host::reader(global).await?.execution(id).await?;
    let mut trusted = Trusted::default();
    trusted.add_typed(&origin);
    let hosted = host::start(host::builder(global, &trusted)).await?;
    let mut request = RetryRequest::new();
    if let Some(step) = from {
        request = request.from(step);
    }
    if let Some(key) = key {
        request = request.idempotency_key(key);
    }
    let execution = match hosted.gateway.retry(id, request).await {
        Ok(execution) => execution,
        Err(error) => {
            hosted.shutdown().await?;
            return Err(error.into());
        }
    };
    output::talk(&format!(
        "execution {} of `{}`, which repeats {id}",
        execution.id, execution.workflow_id
    ));
    if execution.queued {
        return super::run::wait_for_turn(global, hosted, &execution).await;
    }
    super::finish(global, hosted, &execution, 1, &consent).await
}
