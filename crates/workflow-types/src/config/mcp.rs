//! The MCP servers of a host, as `[mcp.servers.NAME]` says them.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::filled::{self, Names};
use super::named::{name_of, named};
use super::{Path, Variable, text};
use crate::definition::fields::{Field, Fields};
use crate::diagnostic::{Pointer, Report};
use crate::id::ServerName;
use crate::shape::mcp::{MCP, SERVER};
use crate::template::SecretText;

/// How long a server may take to start if nobody says.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a program is given no secret as an argument, and what to do instead.
const SEEN_BY_ALL: (&str, &str) = (
    "everybody on the machine sees the arguments of a program",
    "give it as a variable in `env`, as in env = { TOKEN = \"{{ secrets.NAME }}\" }",
);
/// Why no secret stands in an address, and what to do instead.
const SHOWN: (&str, &str) = (
    "an address is shown and logged",
    "send it in `headers`, as in headers = { Authorization = \"Bearer {{ secrets.NAME }}\" }",
);

/// A server whose tools steps may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServer {
    /// How it is reached.
    pub endpoint: McpEndpoint,
    /// `timeout`: how long it may take to start and to name its tools.
    pub timeout: Option<Duration>,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpEndpoint {
    /// A program, which is spoken to over its stdin and stdout.
    Program {
        /// `command`: the program and its arguments; never empty.
        command: Vec<String>,
        /// `env`
        env: BTreeMap<String, SecretText>,
        /// `inherit_env`: `*` stands for every variable.
        inherit_env: Vec<String>,
        /// `cwd`: relative to the file that says so.
        cwd: Option<String>,
    },
    /// An address, which is spoken to over HTTP.
    Address {
        /// `url`
        url: String,
        /// `headers`
        headers: BTreeMap<String, SecretText>,
    },
}

/// Reads what stands under `mcp`.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
    secrets: &Names<'_>,
) -> BTreeMap<ServerName, McpServer> {
    let mut servers = BTreeMap::new();
    super::within(fields, "mcp", &MCP, |mcp, _| {
        for (name, field) in named(mcp, "servers") {
            let read = server(&field, secrets, mcp.report);
            let Some(name) = name_of::<ServerName>(&name, &field.at, mcp.report) else {
                continue;
            };
            servers.extend(read.map(|server| (name, server)));
        }
    });
    servers
}

fn server(field: &Field<'_>, secrets: &Names<'_>, report: &mut Report) -> Option<McpServer> {
    let mut fields = Fields::open(field.value, &field.at, &SERVER, report)?;
    let endpoint = if fields.has("url") {
        address(&mut fields, secrets)
    } else {
        program(&mut fields, secrets)
    };
    let timeout = super::wait(&mut fields, "timeout");
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        let at = field.at.key("timeout");
        let reason = "nothing starts in no time; write for example \"30s\", or remove it";
        fields.report.invalid(&at, reason);
    }
    fields.finish();
    Some(McpServer {
        endpoint: endpoint?,
        timeout,
    })
}

fn program(fields: &mut Fields<'_, '_>, secrets: &Names<'_>) -> Option<McpEndpoint> {
    let remedy =
        "write the program and its arguments as a list, or the address of a server as `url`";
    let given = fields.require_or("command", remedy).is_some();
    let command: Vec<(Path, Pointer)> = fields.placed_list("command");
    for (Path(text), at) in &command {
        filled::refuse(text, at, SEEN_BY_ALL, fields.report);
    }
    let at = fields.at().key("command");
    if given && is_empty_list(fields, "command") {
        let reason =
            "it is empty; write the program and its arguments, as in [\"npx\", \"-y\", \"NAME\"]";
        fields.report.invalid(&at, reason);
    }
    refuse_beside(
        fields,
        "headers",
        "`command`: a program is sent none, give it `env`",
    );
    let env = texts::<Variable>(fields, "env", variable_value, secrets);
    let inherit_env: Vec<Variable> = fields.parsed_list("inherit_env");
    let cwd = fields.parsed("cwd").map(|Path(text)| text);
    let command = command.into_iter().map(|(Path(text), _)| text);
    let command: Vec<String> = command.collect();
    (!command.is_empty()).then(|| McpEndpoint::Program {
        command,
        env,
        inherit_env: inherit_env.into_iter().map(|Variable(name)| name).collect(),
        cwd,
    })
}

fn address(fields: &mut Fields<'_, '_>, secrets: &Names<'_>) -> Option<McpEndpoint> {
    let url = fields.parsed("url").map(|Url(text)| text);
    if let Some(url) = &url {
        let at = fields.at().key("url");
        filled::refuse(url, &at, SHOWN, fields.report);
    }
    let headers = texts::<HeaderName>(fields, "headers", header_value, secrets);
    for key in ["command", "env", "inherit_env", "cwd"] {
        // Its own mistakes are told as well, as whoever removes `url` would meet them.
        refuse_beside(fields, key, "`url`: a server is a program or an address");
    }
    Some(McpEndpoint::Address { url: url?, headers })
}

fn refuse_beside(fields: &mut Fields<'_, '_>, key: &'static str, beside: &str) {
    if let Some(field) = fields.take(key) {
        let reason = format!("it stands beside {beside}; remove one of them");
        fields.report.invalid(&field.at, reason);
    }
}

fn is_empty_list(fields: &mut Fields<'_, '_>, key: &'static str) -> bool {
    let field = fields.take(key);
    let list = field.and_then(|field| field.value.as_array());
    list.is_some_and(Vec::is_empty)
}

/// Texts with secrets in them, under names that the author chose.
fn texts<N: FromStr<Err: std::fmt::Display>>(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    refused: fn(&str) -> Option<&'static str>,
    secrets: &Names<'_>,
) -> BTreeMap<String, SecretText> {
    let mut texts = BTreeMap::new();
    for (name, field) in named(fields, key) {
        let is_name = name_of::<N>(&name, &field.at, fields.report).is_some();
        let Some((value, at)) = fields.as_string(&field) else {
            continue;
        };
        if let Some(reason) = refused(value) {
            fields.report.invalid(&at, reason);
            continue;
        }
        let text = secrets.text(value, &at, fields.report);
        texts.extend(text.filter(|_| is_name).map(|text| (name, text)));
    }
    texts
}

fn variable_value(value: &str) -> Option<&'static str> {
    let has_null = value.contains('\0');
    has_null.then_some(text::NULL)
}

fn header_value(value: &str) -> Option<&'static str> {
    let is_visible = value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    (!is_visible).then_some("a header is made of visible ASCII characters and spaces")
}

/// An address that is spoken to over HTTP.
struct Url(String);

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let begins = |rest: &str| {
            let first = rest.bytes().next();
            first.is_some_and(|first| first.is_ascii_alphanumeric() || first == b'[')
        };
        match rest {
            Some(rest) if begins(rest) && rest.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => {
                Err("it is no address; write one as in \"https://mcp.example.com/mcp\"")
            }
        }
    }
}

/// The name of a header.
struct HeaderName;

impl FromStr for HeaderName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&byte);
        if !text.is_empty() && text.bytes().all(is_token) {
            Ok(Self)
        } else {
            Err("a header is named by letters, digits and `-`, as in `Authorization`")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::Config;

    fn told(server: &serde_json::Value) -> String {
        let checked = Config::check(&json!({"mcp": {"servers": {"files": server}}}));
        assert_eq!(checked.config.is_none(), checked.diagnostics.has_errors());
        checked.diagnostics.to_string()
    }

    #[test]
    fn a_server_is_a_program_or_an_address() {
        assert_eq!(told(&json!({"command": ["npx"], "env": {"A": ""}})), "");
        assert_eq!(told(&json!({"url": "http://127.0.0.1:1/mcp"})), "");
        let text = told(&json!({}));
        assert!(
            text.contains("`command` is missing from `mcp.servers.files`"),
            "{text}"
        );
        let text = told(&json!({"command": ["a"], "url": "http://a"}));
        assert!(text.contains("it stands beside `url`"), "{text}");
        let text = told(&json!({"command": ["a"], "headers": {}}));
        assert!(text.contains("it stands beside `command`"), "{text}");
        let text = told(&json!({"command": "npx -y x"}));
        assert!(text.contains("expected a list"), "{text}");
        let text = told(&json!({"command": ["a"], "timeot": 5}));
        assert!(text.contains("did you mean `timeout`"), "{text}");
    }

    #[test]
    fn names_are_told_at_their_own_place() {
        let servers = json!({"mcp": {"servers": {"a.b": {"command": ["x"], "env": {"A=": "1"}}}}});
        let text = Config::check(&servers).diagnostics.to_string();
        assert!(text.contains("`.` may not stand in a name"), "{text}");
        assert!(text.contains("write the name alone"), "{text}");
    }
}
