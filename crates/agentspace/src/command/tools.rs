//! `agentspace tools`: what steps may call, and a call outside of a workflow.

mod call;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway::workflow_types::id::{ServerName, ToolName};
use gateway::workflow_types::output_schema::ValueSchema;
use gateway::{Effect, Registered, ToolError, ToolRegistry};
use serde_json::{Value, json};

use crate::cli::{Global, Tools};
use crate::exit::{Exit, UsageError};
use crate::{host, output};

pub(super) async fn run(global: &Global, command: Tools) -> anyhow::Result<Exit> {
    let registry = host::tools(global);
    let done = match command {
        Tools::Ls => Ok(list(global, &registry).await),
        Tools::Show { name } => show(global, &registry, &name).await,
        Tools::Call(args) => call::run(global, &registry, args).await,
    };
    // Whatever came of it, no server is left behind.
    registry.close().await;
    done
}

/// Every tool there is, and the servers that could not name theirs.
async fn list(global: &Global, registry: &ToolRegistry) -> Exit {
    let (tools, unavailable) = all(registry).await;
    if global.json {
        let tools: Vec<Value> = tools.values().map(to_json).collect();
        let unavailable = unavailable.iter();
        let unavailable: Vec<Value> = unavailable
            .map(|(server, error)| json!({"server": server, "reason": error.to_string()}))
            .collect();
        let document = json!({"tools": tools, "unavailable": unavailable});
        output::envelope("tools", &document);
    } else {
        let width = tools.keys().map(|name| name.as_ref().len()).max();
        let width = width.unwrap_or_default();
        for (name, tool) in &tools {
            let effect = output::paint(output::DIM, &format!("{:11}", word(tool.spec().effect())));
            let description = tool.spec().description();
            let brief = output::plain(&brief(description));
            output::data(&format!("{name:width$}  {effect}  {brief}"));
        }
    }
    for error in unavailable.values() {
        let error = output::plain_lines(&error.to_string());
        output::talk(&format!("{}: {error}", output::paint(output::RED, "error")));
    }
    if unavailable.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    }
}

/// The first sentence of a description, if that is not long, else its beginning.
fn brief(description: &str) -> String {
    /// Characters that a line of a list has for it.
    const LONGEST: usize = 80;
    let line = description.lines().next().unwrap_or_default();
    let sentence = line.split_inclusive(". ").next().unwrap_or_default().trim();
    if sentence.chars().count() <= LONGEST {
        return sentence.to_owned();
    }
    let beginning: String = sentence.chars().take(LONGEST).collect();
    format!("{}…", beginning.trim_end())
}

type All = (
    BTreeMap<ToolName, Registered>,
    BTreeMap<ServerName, ToolError>,
);

/// Asks every server at once.
async fn all(registry: &ToolRegistry) -> All {
    let mut asked = tokio::task::JoinSet::new();
    for source in registry.sources() {
        let source = Arc::clone(source);
        asked.spawn(async move { (source.name().clone(), source.all().await) });
    }
    let mut every = registry.clone();
    let mut unavailable = BTreeMap::new();
    for (server, found) in asked.join_all().await {
        match found {
            // A registered tool comes before one of a server with the same name, as for steps.
            Ok(tools) => tools.into_iter().for_each(|tool| drop(every.add(tool))),
            Err(error) => {
                unavailable.insert(server, error);
            }
        }
    }
    let tools = every.iter();
    let tools = tools.map(|tool| (tool.spec().name().clone(), tool.clone()));
    (tools.collect(), unavailable)
}

async fn show(global: &Global, registry: &ToolRegistry, name: &ToolName) -> anyhow::Result<Exit> {
    let tool = find(registry, name).await?;
    if global.json {
        output::envelope("tool", &to_json(&tool));
        return Ok(Exit::Ok);
    }
    let spec = tool.spec();
    output::data(&format!("{name}  {}", word(spec.effect())));
    output::data("");
    for line in spec.description().lines() {
        output::data(&format!("  {}", output::plain(line)));
    }
    output::data("");
    match spec.input() {
        Some(schema) => {
            let schema = format!("{:#}", schema.json_schema());
            output::data(&output::plain_lines(&schema));
        }
        None => output::data("it takes any arguments; they are not checked"),
    }
    Ok(Exit::Ok)
}

/// The tool of a name.
async fn find(registry: &ToolRegistry, name: &ToolName) -> anyhow::Result<Registered> {
    let found = registry.find(name).await?;
    found.ok_or_else(|| {
        let names = registry.iter().map(|tool| tool.spec().name().as_ref());
        let near = gateway::workflow_types::diagnostic::closest(name.as_ref(), names);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`agentspace tools ls` shows them".to_owned(),
        };
        UsageError(format!("there is no tool `{name}`; {help}")).into()
    })
}

fn to_json(tool: &Registered) -> Value {
    let spec = tool.spec();
    json!({
        "name": spec.name(),
        "effect": word(spec.effect()),
        "description": spec.description(),
        "inputSchema": spec.input().map(ValueSchema::json_schema),
    })
}

/// An effect as it is written.
fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::ReadOnly => "readOnly",
        Effect::Idempotent => "idempotent",
        Effect::Destructive => "destructive",
    }
}
