//! `agentspace executions cancel` and `delete`: ends an execution, and takes a finished one away.

use gateway::Cancelled;
use serde_json::json;

use crate::cli::{DecisionArgs, Global};
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::{output, view};

pub(super) async fn run(global: &Global, id: &str, asked: DecisionArgs) -> anyhow::Result<Exit> {
    let id = host::execution_id(id)?;
    let actor = host::actor(&asked.actor)?;
    // Before the gateway starts, so that a mistaken id starts nothing.
    host::reader(global).await?.execution(id).await?;
    let hosted = host::start(host::builder(global, &Trusted::default())).await?;
    let cancelled = hosted.gateway.cancel(id, actor, asked.reason).await;
    let cancelled = match cancelled {
        Ok(cancelled) => cancelled,
        Err(error) => {
            hosted.shutdown().await?;
            return Err(error.into());
        }
    };
    let ended = hosted.gateway.wait(id).await;
    if let Cancelled::Repeated(earlier) = &cancelled {
        let (who, at) = (&earlier.actor, earlier.at);
        output::talk(&format!("cancelled before, by {who} at {at}"));
    }
    match &ended {
        Ok(execution) if global.json => {
            output::envelope("execution", &view::execution(execution));
        }
        Ok(execution) => {
            output::data(&view::execution_line(execution, hosted.gateway.now()));
        }
        Err(_) => {}
    }
    hosted.shutdown().await?;
    ended?;
    Ok(Exit::Ok)
}

pub(super) async fn delete(global: &Global, id: &str) -> anyhow::Result<Exit> {
    let id = host::execution_id(id)?;
    host::reader(global).await?.execution(id).await?;
    let hosted = host::start(host::builder(global, &Trusted::default())).await?;
    let deleted = hosted.gateway.delete(id).await;
    hosted.shutdown().await?;
    deleted?;
    if global.json {
        output::envelope("execution.deleted", &json!({"id": id}));
    } else {
        output::data(&format!("deleted {id}"));
    }
    Ok(Exit::Ok)
}
