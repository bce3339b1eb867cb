//! `agentspace models`: which there are, and whether they answer.

use std::time::Duration;

use gateway::workflow_types::config::ModelConfig;
use gateway::workflow_types::id::ModelName;
use gateway::{Clock as _, ModelReply, ModelRequest, SystemClock};
use serde_json::{Value, json};

use crate::cli::{Global, Models};
use crate::config::Origin;
use crate::exit::{Exit, UsageError};
use crate::host::span;
use crate::models::KeySource;
use crate::stop::Stop;
use crate::{output, secrets, view};

/// How long a model may take to answer the question of a test, unless its own timeout is shorter.
const PATIENCE: Duration = Duration::from_mins(2);

pub(super) async fn run(global: &Global, command: Models) -> anyhow::Result<Exit> {
    match command {
        Models::Ls => {
            list(global);
            Ok(Exit::Ok)
        }
        Models::Test { name, prompt } => test(global, name, prompt).await,
    }
}

fn list(global: &Global) {
    let models = &global.models.all;
    if global.json {
        let all: Vec<Value> = models
            .iter()
            .map(|(name, model)| to_json(global, name, model))
            .collect();
        output::list("models", &all, &[]);
        return;
    }
    if models.is_empty() {
        output::talk(
            "no models are configured; add one to agentspace.toml, for example: [models.fast] \
             adapter = \"ollama\", model = \"llama3.2\"",
        );
    }
    for (name, model) in models {
        output::data(&line(global, name, model));
    }
}

fn line(global: &Global, name: &ModelName, model: &ModelConfig) -> String {
    let source = KeySource::of(model);
    let key = match (&source, source.is_present()) {
        (KeySource::Variable(variable), Some(true)) => {
            output::paint(output::GREEN, &format!("key in {variable}"))
        }
        (KeySource::Variable(variable), _) => {
            output::paint(output::RED, &format!("no key in {variable}"))
        }
        (KeySource::Nothing, _) => "needs no key".to_owned(),
    };
    let default = if global.models.default_name() == Some(name) {
        "  default"
    } else {
        ""
    };
    let elsewhere = model.base_url.as_deref();
    let elsewhere = elsewhere.map_or_else(String::new, |url| format!(" at {}", output::plain(url)));
    let model_name = output::plain(&model.model);
    let adapter = model.adapter;
    let from = match origin(global, name) {
        Some(Origin::File { path, line }) => {
            let path = output::plain(&path.display().to_string());
            output::paint(output::DIM, &format!("  ({path}:{line})"))
        }
        Some(Origin::Flag(_) | Origin::Variable(_) | Origin::Default) | None => String::new(),
    };
    format!("{name}  {adapter} {model_name}{elsewhere}  {key}{default}{from}")
}

fn to_json(global: &Global, name: &ModelName, model: &ModelConfig) -> Value {
    let source = KeySource::of(model);
    let variable = match &source {
        KeySource::Variable(variable) => Some(variable),
        KeySource::Nothing => None,
    };
    let from = match origin(global, name) {
        Some(Origin::File { path, line }) => {
            json!({"path": path.display().to_string(), "line": line})
        }
        Some(Origin::Flag(_) | Origin::Variable(_) | Origin::Default) | None => Value::Null,
    };
    json!({
        "name": name,
        "adapter": model.adapter,
        "model": model.model,
        "baseUrl": model.base_url,
        "keyEnv": variable,
        "keyPresent": source.is_present(),
        "default": global.models.default_name() == Some(name),
        "origin": from,
    })
}

/// Where a model is configured: where the one key stands that it must have.
fn origin<'g>(global: &'g Global, name: &ModelName) -> Option<&'g Origin> {
    let setting = format!("models.{name}.adapter");
    let mut settings = global.settings.iter();
    let found = settings.find(|one| one.name == setting);
    found.map(|setting| &setting.origin)
}

async fn test(global: &Global, name: Option<ModelName>, prompt: String) -> anyhow::Result<Exit> {
    let name = name.or_else(|| global.models.default_name().cloned());
    let name = name.ok_or_else(|| {
        UsageError("no model is configured; see `agentspace models ls`".to_owned())
    })?;
    let client = global.models.client(&name).ok_or_else(|| {
        UsageError(format!(
            "there is no model `{name}`; `agentspace models ls` shows them"
        ))
    })?;
    client.conceal(secrets::mask());
    let stop = Stop::listen()?;
    let begun = SystemClock.now();
    let deadline = begun.saturating_add(PATIENCE);
    let request = ModelRequest::new(prompt, deadline);
    let cancelled = request.cancelled.clone();
    let reply = tokio::select! {
        reply = client.ask(request) => reply?,
        () = stop.asked() => return Ok(Exit::Interrupted),
        () = SystemClock.sleep_until(deadline) => {
            cancelled.cancel();
            anyhow::bail!("model `{name}` did not answer within {}", span(PATIENCE));
        }
    };
    let took = SystemClock.now().since(begun);
    show(global, &name, &reply, took);
    Ok(Exit::Ok)
}

fn show(global: &Global, name: &ModelName, reply: &ModelReply, took: Duration) {
    let ModelReply { text, usage, .. } = reply;
    let text = secrets::mask().text(text);
    if global.json {
        let latency = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let mut shown = json!({"name": name, "latencyMs": latency, "answer": text});
        shown["usage"] = view::usage(usage);
        output::envelope("modelTest", &shown);
        return;
    }
    output::data(&format!(
        "{name}  {}  {}  {}",
        output::paint(output::GREEN, "answered"),
        span(took),
        view::usage_line(usage)
    ));
    output::data(&output::plain_lines(&text));
}
