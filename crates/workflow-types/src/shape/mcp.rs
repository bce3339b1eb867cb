//! The keys of `[mcp]` in a host's `agentspace.toml`: the MCP servers whose tools steps may call.

use serde_json::json;

use super::config::{LONGEST_WAIT_MS, PATH, VARIABLE, VARIABLES};
use super::{Either, Form, Key, List, Named, Pattern, Shape, Whole};
use crate::config::mcp::DEFAULT_TIMEOUT;
use crate::duration;
use crate::id::{MAX_SERVER_NAME_LENGTH, SERVER_NAME_PATTERN};

/// What a URL accepts.
pub(crate) const URL_PATTERN: &str = r"^https?://[A-Za-z0-9\[][\x21-\x7e]*$";
/// What the name of a header accepts.
pub(crate) const HEADER_NAME_PATTERN: &str = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
/// What the value of a header accepts.
pub(crate) const HEADER_VALUE_PATTERN: &str = r"^[\x20-\x7e]*$";
/// What the value of an environment variable accepts.
pub(crate) const VARIABLE_VALUE_PATTERN: &str = r"^[^\x00]*$";

static NAME: Pattern = Pattern {
    regex: SERVER_NAME_PATTERN,
    longest: Some(MAX_SERVER_NAME_LENGTH),
    words: "letters, digits, `_` and `-`",
};

static URL: Pattern = Pattern {
    regex: URL_PATTERN,
    longest: None,
    words: "an address that begins with http:// or https://",
};

static COMMAND: List = List {
    of: Form::Pattern(&PATH),
    least: 1,
    most: None,
};

static ENVIRONMENT: Named = Named {
    names: &VARIABLE,
    of: Form::Pattern(&Pattern {
        regex: VARIABLE_VALUE_PATTERN,
        longest: None,
        words: "a text",
    }),
};

static HEADERS: Named = Named {
    names: &Pattern {
        regex: HEADER_NAME_PATTERN,
        longest: None,
        words: "the name of a header",
    },
    of: Form::Pattern(&Pattern {
        regex: HEADER_VALUE_PATTERN,
        longest: None,
        words: "visible characters and spaces",
    }),
};

static SERVERS: Named = Named {
    names: &NAME,
    of: Form::Either(&EITHER),
};

static EITHER: Either = Either {
    shape: &SERVER,
    one_of: &[
        ("command", &["env", "inherit_env", "cwd"]),
        ("url", &["headers"]),
    ],
};

pub(crate) static MCP: Shape = Shape {
    name: "mcp",
    called: "`mcp`",
    doc: "MCP servers, whose tools steps call as `SERVER.TOOL`.",
    keys: &[
        Key::optional("servers", Form::Named(&SERVERS), "The servers by their names.").example(
            || json!({"files": {"command": ["npx", "-y", "@modelcontextprotocol/server-filesystem", "."]}}),
        ),
    ],
};

pub(crate) static SERVER: Shape = Shape {
    name: "mcpServer",
    called: "the server",
    doc: "An MCP server: a program that is started when one of its tools is needed, or an address.",
    keys: &[
        Key::optional(
            "command",
            Form::List(&COMMAND),
            "The program with its arguments, which speaks MCP on stdin and stdout.",
        )
        .example(|| json!(["npx", "-y", "@modelcontextprotocol/server-filesystem", "."])),
        Key::optional(
            "env",
            Form::Named(&ENVIRONMENT),
            "Environment variables of the program, besides the usual few; `{{ secrets.NAME }}` is filled in when it starts.",
        )
        .example(|| json!({"LOG_LEVEL": "warn", "TOKEN": "{{ secrets.API_TOKEN }}"})),
        Key::optional(
            "inherit_env",
            Form::List(&VARIABLES),
            "The environment variables that the program inherits besides the usual few, as for its keys; `*` stands for all.",
        )
        .example(|| json!(["GITHUB_TOKEN"]))
        .default(|| json!([])),
        Key::optional(
            "cwd",
            Form::Pattern(&PATH),
            "The directory that the program is started in, relative to the file; without it, that of the file.",
        )
        .example(|| json!("data")),
        Key::optional(
            "url",
            Form::Pattern(&URL),
            "The address of a server that speaks MCP over HTTP.",
        )
        .example(|| json!("https://mcp.example.com/mcp")),
        Key::optional(
            "headers",
            Form::Named(&HEADERS),
            "Headers that are sent with every request to the address; `{{ secrets.NAME }}` is filled in when it is connected to.",
        )
        .example(|| json!({"Authorization": "Bearer {{ secrets.API_TOKEN }}"})),
        Key::optional(
            "timeout",
            Form::Duration(Whole {
                least: 1,
                most: Some(LONGEST_WAIT_MS),
            }),
            "How long the server may take to start and to name its tools; milliseconds as a number, or a text; at most a day.",
        )
        .example(|| json!("1m"))
        .default(|| json!(duration::format(DEFAULT_TIMEOUT))),
    ],
};
