//! `agentspace resume`: goes on with what a process that ended left behind.

use gateway::workflow_types::execution::ExecutionStatus;
use gateway::{Gateway, LeftBehind};
use serde_json::Value;

use crate::cli::Global;
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::{output, view};

pub(super) async fn run(global: &Global) -> anyhow::Result<Exit> {
    // The running ones are listed before the gateway takes them up, so that none is missed that
    // comes to its rest at once.
    let reader = host::reader(global).await?;
    let running = host::all_executions(&reader, ExecutionStatus::Running).await?;
    let ids = running.iter().map(|execution| execution.id).collect();
    let trusted = Trusted::of_unfinished(&reader).await?;
    drop(reader);
    let hosted =
        host::start(host::builder(global, &trusted).left_behind(LeftBehind::TakeUp)).await?;
    let exit = tokio::select! {
        exit = wait(global, &hosted.gateway, ids) => exit?,
        () = hosted.stop.asked() => Exit::Interrupted,
    };
    hosted.shutdown().await?;
    Ok(exit)
}

/// Waits for each and shows what became of it; the worst outcome is the answer.
async fn wait(
    global: &Global,
    gateway: &Gateway,
    ids: Vec<gateway::workflow_types::id::ExecutionId>,
) -> anyhow::Result<Exit> {
    if ids.is_empty() {
        output::talk("nothing was left behind");
    }
    let mut shown = Vec::new();
    let (mut failed, mut waiting) = (false, false);
    for id in ids {
        let execution = gateway.wait(id).await?;
        match execution.state.status() {
            ExecutionStatus::Failed => failed = true,
            ExecutionStatus::Paused => waiting = true,
            ExecutionStatus::Completed | ExecutionStatus::Running => {}
        }
        if global.json {
            shown.push(view::execution(&execution));
        } else {
            output::data(&view::execution_line(&execution, gateway.now()));
        }
    }
    if global.json {
        output::envelope("executions", &Value::Array(shown));
    }
    Ok(match (failed, waiting) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Waiting,
        (false, false) => Exit::Ok,
    })
}
