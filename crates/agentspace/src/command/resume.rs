//! `agentspace resume`: goes on with what a process that ended left behind.

use gateway::workflow_types::execution::ExecutionStatus;
use gateway::{Gateway, LeftBehind};
use serde_json::Value;

use crate::cli::Global;
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::{output, view};

pub(super) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let trusted = Trusted::of_unfinished(&reader).await?;
    drop(reader);
    let builder = host::builder(global, &trusted).left_behind(LeftBehind::TakeUp);
    let hosted = host::start(builder).await?;
    let ids = hosted.gateway.started().taken_up.clone();
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
