//! `agentspace doctor`: every setting with its origin, versions and paths, and what is wrong.
//!
//! It looks and changes nothing, and asks no network.

mod files;
mod held;
mod servers;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gateway::database;
use serde_json::{Value, json};

use crate::access;
use crate::alerts;
use crate::config::{Global, Loaded, Origin, Setting};
use crate::exit::Exit;
use crate::models::KeySource;
use crate::output;

pub(super) async fn run(loaded: &Loaded) -> anyhow::Result<Exit> {
    let global = &loaded.global;
    let examined = examine(loaded).await?;
    if global.json {
        output::envelope("doctor", &to_json(global, &examined));
    } else {
        show(global, &examined);
    }
    Ok(if examined.broken.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

/// What was found out.
#[derive(Default)]
struct Examined {
    /// Facts in their order: a name that is stable, and what is to be said.
    facts: Vec<(&'static str, Option<String>)>,
    /// What keeps the program from working.
    broken: Vec<String>,
    /// What a person should know.
    notes: Vec<String>,
}

impl Examined {
    fn fact(&mut self, name: &'static str, value: impl Into<Option<String>>) {
        self.facts.push((name, value.into()));
    }
}

async fn examine(loaded: &Loaded) -> anyhow::Result<Examined> {
    let global = &loaded.global;
    let mut examined = Examined::default();
    examined.fact("program", env!("CARGO_PKG_VERSION").to_owned());
    examined.fact("sqlite", database::sqlite_version().await?);
    let config = loaded.report.as_ref();
    examined.fact("configuration", config.map(|report| absolute(&report.path)));
    examined.fact("database", absolute(&global.db));
    examine_database(global, &mut examined).await;
    examine_directory(&global.db, &mut examined);
    examined.fact("workflows", absolute(&global.workflows));
    files::examine(global, &mut examined);
    let missing = global.servers.iter().filter_map(servers::missing);
    examined.notes.extend(missing);
    examine_models(global, &mut examined);
    for secret in &global.secrets {
        if let Err(error) = secret.read() {
            let name = &secret.name;
            examined
                .notes
                .push(format!("secret `{name}` is not there: {error}"));
        }
    }
    examined.notes.extend(alerts::missing(&global.alerts));
    held::examine(global, &mut examined).await;
    Ok(examined)
}

/// Whether the keys of the models are there; never what they are.
fn examine_models(global: &Global, examined: &mut Examined) {
    for (name, model) in &global.models.all {
        let source = KeySource::of(model);
        if let (KeySource::Variable(variable), Some(false)) = (&source, source.is_present()) {
            examined.notes.push(format!(
                "model `{name}` has no key: the environment variable {variable} is not set"
            ));
        }
    }
}

/// The schema of the database and who owns it.
async fn examine_database(global: &Global, examined: &mut Examined) {
    if let Some(refused) = access::refused(&global.db) {
        examined.broken.push(refused);
    }
    match database::schema(&global.db).await {
        // What is hidden is told above.
        Ok(_) if access::is_hidden(&global.db) => {}
        Ok(schema) => {
            if schema.found.is_none() {
                examined.notes.push(
                    "there is no database yet; the first `agentspace run` makes it".to_owned(),
                );
            } else if schema.found != schema.newest {
                examined.notes.push(
                    "the database has an older schema; `agentspace run` and `agentspace db migrate` \
                     bring it up to date after a copy"
                        .to_owned(),
                );
            }
            examined.fact("schema", schema.found);
            examined.fact("newestSchema", schema.newest);
        }
        Err(error) => examined.broken.push(error.to_string()),
    }
    match database::owner(&global.db).await {
        Ok(owner) => examined.fact("owner", owner),
        Err(error) => examined.notes.push(error.to_string()),
    }
}

/// Who may look into the directory of the database.
fn examine_directory(database: &Path, examined: &mut Examined) {
    // Others could read what was asked and answered, or put another database into its place.
    const OTHERS: u32 = 0o027;
    let parent = database.parent().unwrap_or(Path::new(""));
    let directory = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let mode = directory.metadata().ok();
    let mode = mode.map(|metadata| metadata.permissions().mode() & 0o7777);
    examined.fact(
        "databaseDirectoryMode",
        mode.map(|mode| format!("{mode:04o}")),
    );
    if mode.is_some_and(|mode| mode & OTHERS != 0) {
        examined.notes.push(format!(
            "other users have rights to the directory {} of the database; `chmod 700` takes them \
             back",
            directory.display()
        ));
    }
}

fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}

fn show(global: &Global, examined: &Examined) {
    let width = global.settings.iter().map(|setting| setting.name.len());
    let width = width.max().unwrap_or_default();
    for setting in &global.settings {
        let (name, value) = (&setting.name, output::plain(&shown(setting)));
        let origin = output::plain(&origin(&setting.origin));
        let origin = output::paint(output::DIM, &format!("({origin})"));
        output::data(&format!("{name:width$}  {value}  {origin}"));
    }
    for server in &global.servers {
        let name = format!("mcp.servers.{}", server.name);
        let value = output::plain(&servers::shown(server));
        let origin = output::plain(&origin(&server.origin));
        let origin = output::paint(output::DIM, &format!("({origin})"));
        output::data(&format!("{name:width$}  {value}  {origin}"));
    }
    output::data("");
    for (name, value) in &examined.facts {
        let value = value.as_deref().unwrap_or("none");
        output::data(&format!("{:width$}  {}", label(name), output::plain(value)));
    }
    output::data("");
    for (style, word, list) in [
        (output::RED, "broken", &examined.broken),
        (output::YELLOW, "note", &examined.notes),
    ] {
        for text in list {
            let word = output::paint(style, word);
            output::data(&format!("{word}: {}", output::plain(text)));
        }
    }
    output::data(&summary(examined));
}

/// What all of it comes to, in one line; notes keep nothing from working.
fn summary(examined: &Examined) -> String {
    let broken = match examined.broken.len() {
        0 => output::paint(output::GREEN, "nothing is broken"),
        1 => output::paint(output::RED, "1 thing is broken"),
        count => output::paint(output::RED, &format!("{count} things are broken")),
    };
    match examined.notes.len() {
        0 => broken,
        count => format!("{broken}, {}", counted(count, "note")),
    }
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A value in one line, as the file would have it; that there is none, in words.
fn shown(setting: &Setting) -> String {
    match &setting.value {
        Value::String(text) => text.clone(),
        Value::Null if setting.name.starts_with("gateway.retention.") => "no limit".to_owned(),
        Value::Null => "any".to_owned(),
        value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            value.to_string()
        }
    }
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Flag(name) | Origin::Variable(name) => name.clone(),
        Origin::File { path, line } => format!("{}:{line}", path.display()),
        Origin::Default => "default".to_owned(),
    }
}

/// A stable name for people.
fn label(name: &str) -> &str {
    match name {
        "sqlite" => "SQLite",
        "newestSchema" => "newest schema",
        "databaseDirectoryMode" => "mode of its directory",
        "workflowFiles" => "workflow files",
        "heartbeatFiles" => "heartbeat files",
        name => name,
    }
}

fn to_json(global: &Global, examined: &Examined) -> Value {
    let settings: Vec<Value> = global.settings.iter().map(setting_to_json).collect();
    let facts = examined.facts.iter();
    let mut document: serde_json::Map<String, Value> = facts
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    document.insert("settings".to_owned(), Value::from(settings));
    let servers = global.servers.iter();
    let servers = servers.map(|server| servers::to_json(server, &origin_to_json(&server.origin)));
    document.insert("mcpServers".to_owned(), servers.collect());
    document.insert("broken".to_owned(), json!(examined.broken));
    document.insert("notes".to_owned(), json!(examined.notes));
    Value::Object(document)
}

fn setting_to_json(setting: &Setting) -> Value {
    let origin = origin_to_json(&setting.origin);
    json!({"name": setting.name, "value": setting.value, "origin": origin})
}

fn origin_to_json(origin: &Origin) -> Value {
    match origin {
        Origin::Flag(name) => json!({"kind": "flag", "name": name}),
        Origin::Variable(name) => json!({"kind": "variable", "name": name}),
        Origin::File { path, line } => {
            json!({"kind": "file", "path": path.display().to_string(), "line": line})
        }
        Origin::Default => json!({"kind": "default"}),
    }
}
