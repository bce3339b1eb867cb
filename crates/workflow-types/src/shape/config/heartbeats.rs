//! The keys of a heartbeat in a host's `agentspace.toml`.

use serde_json::json;

use crate::id::{HEARTBEAT_NAME_PATTERN, MAX_NAME_LENGTH};
use crate::shape::{Form, Key, Named, Pattern, Shape};

static NAME: Pattern = Pattern {
    regex: HEARTBEAT_NAME_PATTERN,
    longest: Some(MAX_NAME_LENGTH),
    words: "letters, digits, `_` and `-`, at most 64",
};

pub(super) static HEARTBEATS: Named = Named {
    names: &NAME,
    of: Form::Mapping(&HEARTBEAT_FILE),
};

pub(crate) static HEARTBEAT_FILE: Shape = Shape {
    name: "heartbeatFile",
    called: "a heartbeat",
    doc: "A heartbeat that `agentspace serve` runs.",
    keys: &[Key::required(
        "file",
        Form::Pattern(&super::PATH),
        "name its file, for example file = \"HEARTBEAT.md\"",
        "Its checklist with its settings, read anew at every run.",
    )
    .example(|| json!("HEARTBEAT.md"))],
};
