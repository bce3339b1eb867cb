//! The keys about alerts in a host's `agentspace.toml`.

use serde_json::json;

use super::PATH;
use crate::config::{
    DEFAULT_COMMAND_TIMEOUT, DEFAULT_REMIND_AFTER, DEFAULT_WEBHOOK_TIMEOUT, LONGEST_DELIVERY,
    SHORTEST_REMINDER, SinkKind,
};
use crate::duration;
use crate::id::MAX_NAME_LENGTH;
use crate::shape::{Choice, Form, Key, List, Named, Pattern, Shape, Whole};

/// The name of a sink.
static NAME: Pattern = Pattern {
    regex: "^[A-Za-z0-9_-]+$",
    longest: Some(MAX_NAME_LENGTH),
    words: "letters, digits, `_` and `-`",
};

/// Where notices are posted.
static URL: Pattern = Pattern {
    regex: r"^https?://[^\s/?#@]+([/?][^\s#]*)?$",
    longest: None,
    words: "a URL that begins with http:// or https://, without user and fragment",
};

/// The name of an environment variable, and surely no secret.
static VARIABLE: Pattern = Pattern {
    regex: "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
    longest: None,
    words: "the name of an environment variable, as ALERT_SECRET; the secret itself stands there",
};

/// A program and its arguments.
static ARGV: List = List {
    of: Form::Pattern(&PATH),
    least: 1,
    most: None,
};

/// How long one attempt may take.
const TIMEOUT: Form = Form::Duration(Whole {
    least: 1,
    most: Some(LONGEST_DELIVERY.as_secs() * 1_000),
});

static SINKS: Named = Named {
    names: &NAME,
    of: Form::Choice(&CHOICE),
};

static CHOICE: Choice = Choice {
    common: &SINK,
    by: "kind",
    cases: &[
        (SinkKind::Log.as_str(), &LOG),
        (SinkKind::Webhook.as_str(), &WEBHOOK),
        (SinkKind::Command.as_str(), &COMMAND),
    ],
};

pub(crate) static ALERTS: Shape = Shape {
    name: "alerts",
    called: "`alerts`",
    doc: "Who is told of what somebody has to look at.",
    keys: &[
        Key::optional(
            "remind_after",
            Form::Duration(Whole {
                least: SHORTEST_REMINDER.as_secs() * 1_000,
                most: None,
            }),
            "How long after an alert was told of somebody is reminded, until it is acknowledged or over; milliseconds as a number, or a text; at least a minute.",
        )
        .example(|| json!("4h"))
        .default(|| json!(duration::format(DEFAULT_REMIND_AFTER))),
        Key::optional(
            "sinks",
            Form::Named(&SINKS),
            "Who is told, each under a name of its own; nobody if it is left out.",
        )
        .example(|| json!({"chat": {"kind": "webhook", "url": "https://chat.example/hook"}})),
    ],
};

pub(crate) static SINK: Shape = Shape {
    name: "sink",
    called: "a sink",
    doc: "Somebody who is told of alerts, until they are taken.",
    keys: &[Key::required(
        "kind",
        Form::Words(SinkKind::WORDS),
        "say how it is told, for example kind = \"log\"",
        "How it is told.",
    )
    .example(|| json!("log"))],
};

/// The keys that belong to one kind only.
pub(crate) fn of_kind(kind: SinkKind) -> &'static Shape {
    match kind {
        SinkKind::Log => &LOG,
        SinkKind::Webhook => &WEBHOOK,
        SinkKind::Command => &COMMAND,
    }
}

static LOG: Shape = Shape {
    name: "logSink",
    called: "a log",
    doc: "A line of the program's own log.",
    keys: &[],
};

static WEBHOOK: Shape = Shape {
    name: "webhookSink",
    called: "a webhook",
    doc: "A POST request with JSON, signed as Standard Webhooks says.",
    keys: &[
        Key::required(
            "url",
            Form::Pattern(&URL),
            "write where it is posted, for example url = \"https://chat.example/hook\"",
            "Where it is posted; redirects are not followed.",
        )
        .example(|| json!("https://chat.example/hook")),
        Key::optional(
            "secret_env",
            Form::Pattern(&VARIABLE),
            "The environment variable that holds the secret of the signature, as `whsec_` and base64, or as any text; nothing is signed if it is left out.",
        )
        .example(|| json!("ALERT_SECRET")),
        Key::optional(
            "allow_private_addresses",
            Form::Boolean,
            "Whether it may be at a loopback, private or link-local address.",
        )
        .example(|| json!(true))
        .default(|| json!(false)),
        Key::optional(
            "timeout",
            TIMEOUT,
            "How long one attempt may take; milliseconds as a number, or a text; at most a minute.",
        )
        .example(|| json!("5s"))
        .default(|| json!(duration::format(DEFAULT_WEBHOOK_TIMEOUT))),
    ],
};

static COMMAND: Shape = Shape {
    name: "commandSink",
    called: "a command",
    doc: "A program that reads JSON from its standard input.",
    keys: &[
        Key::required(
            "command",
            Form::List(&ARGV),
            "write the program and its arguments as a list, for example command = [\"/usr/local/bin/page\"]",
            "The program and its arguments; it takes a notice by ending with exit code 0.",
        )
        .example(|| json!(["/usr/local/bin/page", "--team", "ops"])),
        Key::optional(
            "timeout",
            TIMEOUT,
            "How long one attempt may take before the program and all that it started are stopped; milliseconds as a number, or a text; at most a minute.",
        )
        .example(|| json!("10s"))
        .default(|| json!(duration::format(DEFAULT_COMMAND_TIMEOUT))),
    ],
};
