//! The keys of `[secrets]` in a host's `agentspace.toml`: where the values of secrets are.

use serde_json::json;

use super::config::PATH;
use super::{Either, Form, Key, Named, Pattern, Shape};
use crate::id::{MAX_NAME_LENGTH, SECRET_NAME_PATTERN};

static NAME: Pattern = Pattern {
    regex: SECRET_NAME_PATTERN,
    longest: Some(MAX_NAME_LENGTH),
    words: "letters, digits, `_` and `-`",
};

/// The name of an environment variable, and surely no value.
static VARIABLE: Pattern = Pattern {
    regex: "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
    longest: None,
    words: "the name of an environment variable, as API_TOKEN; the value itself stands there",
};

pub(crate) static SECRETS: Named = Named {
    names: &NAME,
    of: Form::Either(&EITHER),
};

static EITHER: Either = Either {
    shape: &SECRET,
    one_of: &[("env", &[]), ("file", &[])],
};

pub(crate) static SECRET: Shape = Shape {
    name: "secret",
    called: "the secret",
    doc: "Where the value of a secret is; the value itself never stands in this file.",
    keys: &[
        Key::optional(
            "env",
            Form::Pattern(&VARIABLE),
            "The environment variable that holds the value.",
        )
        .example(|| json!("API_TOKEN")),
        Key::optional(
            "file",
            Form::Pattern(&PATH),
            "The file that holds the value, relative to this one; the end of its last line is left out.",
        )
        .example(|| json!("/run/secrets/api-token")),
    ],
};
