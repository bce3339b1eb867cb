//! The keys of a host's `agentspace.toml`. TOML is written in `snake_case`, so its names are.

pub(crate) mod alerts;
pub(crate) mod heartbeats;
pub(crate) mod models;

use serde_json::json;

use super::mcp::MCP;
use super::secrets::SECRETS;
use super::{FILLED, Form, Key, List, Pattern, Shape, Whole};
use crate::config::{
    DEFAULT_DATABASE, DEFAULT_DRAIN, DEFAULT_DURABILITY, DEFAULT_EXECUTIONS, DEFAULT_GRACE,
    DEFAULT_OUTPUT_BYTES, DEFAULT_TIMEZONE, DEFAULT_WORKFLOWS, Durability, LONGEST_WAIT,
    SHORTEST_RETENTION,
};
use crate::duration;

/// A path, or the name of a program.
pub(super) static PATH: Pattern = Pattern {
    regex: r"^[^\x00]+$",
    longest: None,
    words: "a text that is not empty",
};

pub(super) static VARIABLE: Pattern = Pattern {
    regex: r"^[^=\x00]+$",
    longest: None,
    words: "the name of an environment variable, or `*` for all of them",
};

static PROGRAMS: List = List {
    of: Form::Pattern(&PATH),
    least: 0,
    most: None,
};

pub(super) static VARIABLES: List = List {
    of: Form::Pattern(&VARIABLE),
    least: 0,
    most: None,
};

/// The longest wait in milliseconds.
pub(super) const LONGEST_WAIT_MS: u64 = LONGEST_WAIT.as_secs() * 1_000;

const WAIT: Form = Form::Duration(Whole {
    least: 0,
    most: Some(LONGEST_WAIT_MS),
});

const AGE: Form = Form::Duration(Whole {
    least: SHORTEST_RETENTION.as_secs() * 1_000,
    most: None,
});

pub(crate) static CONFIG: Shape = Shape {
    name: "config",
    called: "the configuration",
    doc: "The settings of the program `agentspace`. Flags and environment variables come before them; paths are relative to the file.",
    keys: &[
        Key::optional("database", Form::Pattern(&PATH), "The database file.")
            .example(|| json!("/var/lib/agentspace/agentspace.db"))
            .default(|| json!(DEFAULT_DATABASE)),
        Key::optional(
            "workflows",
            Form::Pattern(&PATH),
            "The directory of workflow files.",
        )
        .example(|| json!("ops/workflows"))
        .default(|| json!(DEFAULT_WORKFLOWS)),
        Key::optional(
            "gateway",
            Form::Mapping(&GATEWAY),
            "How workflows are carried out.",
        )
        .example(|| json!({"max_concurrent_executions": 8})),
        Key::optional(
            "tools",
            Form::Mapping(&TOOLS),
            "What the built-in tools may do.",
        )
        .example(|| json!({"execute_command": {"allow_programs": ["git"]}})),
        Key::optional(
            "heartbeats",
            Form::Named(&heartbeats::HEARTBEATS),
            "The heartbeats that `agentspace serve` runs, by their names; without any, the HEARTBEAT.md beside this file, if there is one, is the heartbeat `heartbeat`.",
        )
        .example(|| json!({"ops": {"file": "ops/HEARTBEAT.md"}})),
        Key::optional(
            "mcp",
            Form::Mapping(&MCP),
            "MCP servers, whose tools steps call as `SERVER.TOOL`.",
        )
        .example(|| json!({"servers": {"files": {"command": ["mcp-server-filesystem", "."]}}})),
        Key::optional(
            "secrets",
            Form::Named(&SECRETS),
            "Where the values of secrets are, which steps name as `{{ secrets.NAME }}`.",
        )
        .example(|| json!({"API_TOKEN": {"env": "API_TOKEN"}})),
        Key::optional(
            "default_model",
            Form::Pattern(&models::NAME),
            "The model that is asked where a step names none; needed if there are several.",
        )
        .example(|| json!("fast")),
        Key::optional(
            "models",
            Form::Named(&models::MODELS),
            "The models that steps may ask, each under the name that steps know.",
        )
        .example(|| json!({"fast": {"adapter": "ollama", "model": "llama3.2"}})),
        Key::optional(
            "alerts",
            Form::Mapping(&alerts::ALERTS),
            "Who is told of what somebody has to look at.",
        )
        .example(|| json!({"sinks": {"log": {"kind": "log"}}})),
    ],
};

pub(crate) static GATEWAY: Shape = Shape {
    name: "gateway",
    called: "`gateway`",
    doc: "How workflows are carried out.",
    keys: &[
        Key::optional(
            "durability",
            Form::Words(Durability::WORDS),
            "What a committed step survives.",
        )
        .example(|| json!("normal"))
        .default(|| json!(DEFAULT_DURABILITY)),
        Key::optional(
            "max_concurrent_executions",
            Form::Whole(Whole::POSITIVE),
            "How many executions may run at once.",
        )
        .example(|| json!(8))
        .default(|| json!(DEFAULT_EXECUTIONS)),
        Key::optional(
            "max_output_bytes",
            Form::Whole(Whole::POSITIVE),
            "The largest output of a step, in bytes of JSON.",
        )
        .example(|| json!(65_536))
        .default(|| json!(DEFAULT_OUTPUT_BYTES)),
        Key::optional(
            "timezone",
            Form::Pattern(&FILLED),
            "The time zone of schedules and triggers that name none, by its IANA name; each schedule is shown with its zone.",
        )
        .example(|| json!("Europe/Berlin"))
        .default(|| json!(DEFAULT_TIMEZONE)),
        Key::optional(
            "drain",
            WAIT,
            "How long a shutdown waits for steps that are at work; milliseconds as a number, or a text; at most a day.",
        )
        .example(|| json!("5s"))
        .default(|| json!(duration::format(DEFAULT_DRAIN))),
        Key::optional(
            "grace",
            WAIT,
            "How long a cancelled step may take to come to its end; milliseconds as a number, or a text; at most a day.",
        )
        .example(|| json!("500ms"))
        .default(|| json!(duration::format(DEFAULT_GRACE))),
        Key::optional(
            "retention",
            Form::Mapping(&RETENTION),
            "Which finished executions are deleted, at the start and once a day; none if it is left out, and never one that is unfinished.",
        )
        .example(|| json!({"older_than": "30d"})),
    ],
};

pub(crate) static RETENTION: Shape = Shape {
    name: "retention",
    called: "`retention`",
    doc: "Which finished executions are deleted.",
    keys: &[
        Key::optional(
            "older_than",
            AGE,
            "Those that ended longer ago are deleted; milliseconds as a number, or a text; at least an hour.",
        )
        .example(|| json!("30d")),
        Key::optional(
            "keep_per_workflow",
            Form::Whole(Whole::POSITIVE),
            "Of the others, each workflow keeps only so many, the newest.",
        )
        .example(|| json!(1_000)),
    ],
};

pub(crate) static TOOLS: Shape = Shape {
    name: "tools",
    called: "`tools`",
    doc: "What the built-in tools may do.",
    keys: &[
        Key::optional(
            "execute_command",
            Form::Mapping(&EXECUTE_COMMAND),
            "What the tool `execute_command` may do.",
        )
        .example(|| json!({"allow_programs": ["git"]})),
        Key::optional(
            "http_request",
            Form::Mapping(&HTTP_REQUEST),
            "What the tool `http_request` may do.",
        )
        .example(|| json!({"allow_private_addresses": true})),
    ],
};

pub(crate) static EXECUTE_COMMAND: Shape = Shape {
    name: "executeCommand",
    called: "`execute_command`",
    doc: "What the tool `execute_command` may do.",
    keys: &[
        Key::optional(
            "allow_programs",
            Form::List(&PROGRAMS),
            "The programs that it may run, each as its name or its path; none if the list is empty, and any program if it is left out.",
        )
        .example(|| json!(["git", "/usr/bin/tar"])),
        Key::optional(
            "inherit_env",
            Form::List(&VARIABLES),
            "The environment variables that commands see besides the usual few; `*` stands for all.",
        )
        .example(|| json!(["SSH_AUTH_SOCK"]))
        .default(|| json!([])),
    ],
};

pub(crate) static HTTP_REQUEST: Shape = Shape {
    name: "httpRequest",
    called: "`http_request`",
    doc: "What the tool `http_request` may do.",
    keys: &[Key::optional(
        "allow_private_addresses",
        Form::Boolean,
        "Whether it may reach loopback, private and link-local addresses.",
    )
    .example(|| json!(true))
    .default(|| json!(false))],
};
