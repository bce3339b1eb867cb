//! `agentspace tools call`: one call of a tool, by the rules of a step.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use gateway::workflow_types::id::ToolName;
use gateway::{
    Clock as _, Effect, Registered, SystemClock, ToolCall, ToolError, ToolRegistry, output_problem,
};
use serde_json::{Map, Value, json};

use crate::cli::{Global, ToolCallArgs};
use crate::exit::{Exit, UsageError};
use crate::stop::Stop;
use crate::{host, output};

pub(super) async fn run(
    global: &Global,
    registry: &ToolRegistry,
    args: ToolCallArgs,
) -> anyhow::Result<Exit> {
    let ToolCallArgs {
        name,
        args,
        yes,
        timeout,
        idempotency_key,
    } = args;
    let arguments = arguments(args.as_deref())?;
    let stop = Stop::listen_quietly().context("listening for signals failed")?;
    let tool = tokio::select! {
        tool = super::find(registry, &name) => tool?,
        () = stop.asked() => return Ok(Exit::Interrupted),
    };
    tool.check(&arguments)
        .map_err(|error| UsageError(error.to_string()))?;
    if !yes && tool.effect_of(&arguments) == Effect::Destructive {
        let consent = tokio::select! {
            consent = consent(name.clone()) => consent?,
            () = stop.asked() => false,
        };
        if !consent {
            output::talk("nothing was called");
            return Ok(Exit::Cancelled);
        }
    }
    let now = SystemClock.now();
    let key = match idempotency_key {
        Some(key) => key.to_string(),
        None => format!("tools-call/{}/{}", now.as_millis(), std::process::id()),
    };
    let call = ToolCall::new(arguments, key, now.saturating_add(timeout));
    let Some(answer) = bounded(global, &tool, call, &stop).await else {
        return Ok(Exit::Interrupted);
    };
    let answer = answer?;
    if let Some(problem) = output_problem(&answer, host::size(global.max_output_bytes)) {
        anyhow::bail!("{problem}");
    }
    show(global, &name, &answer);
    Ok(Exit::Ok)
}

/// Calls a tool within its time; none if the program is to stop.
async fn bounded(
    global: &Global,
    tool: &Registered,
    call: ToolCall,
    stop: &Stop,
) -> Option<Result<Value, ToolError>> {
    let (cancelled, deadline) = (call.cancelled.clone(), call.deadline);
    let mut answer = std::pin::pin!(tool.call(call));
    let is_late = tokio::select! {
        answer = &mut answer => return Some(answer),
        () = SystemClock.sleep_until(deadline) => true,
        () = stop.asked() => false,
    };
    cancelled.cancel();
    let end = SystemClock.now().saturating_add(global.grace);
    // What it says now is only that it was stopped.
    tokio::select! {
        _ = &mut answer => {}
        () = SystemClock.sleep_until(end) => {}
    }
    let late = ToolError::retryable("the call took longer than its --timeout");
    is_late.then_some(Err(late))
}

/// The arguments, as they were typed or from a file.
fn arguments(given: Option<&str>) -> anyhow::Result<Map<String, Value>> {
    let text = match given {
        None => return Ok(Map::new()),
        Some(text) => match text.strip_prefix('@') {
            None => text.to_owned(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| UsageError(format!("the file {path} cannot be read: {error}")))?,
        },
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(UsageError(
            "--args is no JSON object; write for example {\"path\": \".\"}".to_owned(),
        )
        .into()),
        Err(error) => Err(UsageError(format!("--args is no JSON: {error}")).into()),
    }
}

/// Asks whoever sits at the terminal.
async fn consent(name: ToolName) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(UsageError(format!(
            "`{name}` does something new to the world every time; call it with --yes if you mean it"
        ))
        .into());
    }
    output::talk(&format!(
        "`{name}` does something new to the world every time. Call it? [y/N]"
    ));
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = read.await.context("reading the answer failed")??;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

fn show(global: &Global, name: &ToolName, answer: &Value) {
    if global.json {
        output::envelope("toolCall", &json!({"tool": name, "output": answer}));
    } else if let Value::String(text) = answer {
        output::data(&output::plain_lines(text));
    } else {
        output::data(&output::plain_lines(&format!("{answer:#}")));
    }
}
