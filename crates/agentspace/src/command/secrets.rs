//! `agentspace secrets`: which there are, where their values are, and whether these are there.

use serde_json::{Value, json};

use crate::cli::{Global, Secrets};
use crate::config::Origin;
use crate::exit::Exit;
use crate::output;
use crate::secrets::{ConfiguredSecret, Place};

pub(super) fn run(global: &Global, command: &Secrets) -> Exit {
    match command {
        Secrets::Ls => list(global),
    }
    Exit::Ok
}

fn list(global: &Global) {
    if global.json {
        let all: Vec<Value> = global.secrets.iter().map(to_json).collect();
        output::list("secrets", &all, &[]);
        return;
    }
    if global.secrets.is_empty() {
        output::talk(
            "no secrets are configured; name one in agentspace.toml, for example: [secrets] \
             API_TOKEN = { env = \"API_TOKEN\" }",
        );
    }
    for secret in &global.secrets {
        output::data(&line(secret));
    }
}

/// What is wrong with its value, if it is not there.
fn problem(secret: &ConfiguredSecret) -> Option<String> {
    secret.read().err().map(|error| error.to_string())
}

fn line(secret: &ConfiguredSecret) -> String {
    let place = match &secret.place {
        Place::Variable(name) => format!("env {name}"),
        Place::File(path) => format!("file {}", output::plain(&path.display().to_string())),
    };
    let state = match problem(secret) {
        None => output::paint(output::GREEN, "there"),
        Some(problem) => output::paint(output::RED, &output::plain(&problem)),
    };
    let from = match &secret.origin {
        Origin::File { path, line } => {
            let path = output::plain(&path.display().to_string());
            output::paint(output::DIM, &format!("  ({path}:{line})"))
        }
        Origin::Flag(_) | Origin::Variable(_) | Origin::Default => String::new(),
    };
    format!("{}  {place}  {state}{from}", secret.name)
}

fn to_json(secret: &ConfiguredSecret) -> Value {
    let problem = problem(secret);
    let (variable, file) = match &secret.place {
        Place::Variable(name) => (Some(name), None),
        Place::File(path) => (None, Some(path.display().to_string())),
    };
    let from = match &secret.origin {
        Origin::File { path, line } => {
            json!({"path": path.display().to_string(), "line": line})
        }
        Origin::Flag(_) | Origin::Variable(_) | Origin::Default => Value::Null,
    };
    json!({
        "name": secret.name,
        "env": variable,
        "file": file,
        "present": problem.is_none(),
        "problem": problem,
        "origin": from,
    })
}
