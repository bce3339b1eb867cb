//! The keys of a model in a host's `agentspace.toml`.

use serde_json::json;

use crate::config::{Adapter, HOTTEST, LONGEST_WAIT, PRICES};
use crate::id::MODEL_NAME_PATTERN;
use crate::shape::{Form, Key, Named, Pattern, Shape, Whole};

/// The name by which steps know a model.
pub(super) static NAME: Pattern = Pattern {
    regex: MODEL_NAME_PATTERN,
    longest: Some(200),
    words: "letters, digits, `_`, `-`, `.`, `:` and `/`",
};

/// Where requests go.
static URL: Pattern = Pattern {
    regex: r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
    longest: None,
    words: "a URL that begins with http:// or https://, without user, query and fragment",
};

/// The name of an environment variable, and surely no key.
static VARIABLE: Pattern = Pattern {
    regex: "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
    longest: None,
    words: "the name of an environment variable, as OPENAI_API_KEY; the key itself stands there",
};

pub(super) static MODELS: Named = Named {
    names: &NAME,
    of: Form::Mapping(&MODEL),
};

pub(crate) static MODEL: Shape = Shape {
    name: "model",
    called: "a model",
    doc: "A model that steps may ask.",
    keys: &[
        Key::required(
            "adapter",
            Form::Words(Adapter::WORDS),
            "say what it speaks, for example adapter = \"openai\"",
            "The wire format that its provider speaks.",
        )
        .example(|| json!("openai")),
        Key::required(
            "model",
            Form::Pattern(&super::PATH),
            "write the name by which its provider knows it",
            "The name by which its provider knows it.",
        )
        .example(|| json!("llama3.2")),
        Key::optional(
            "base_url",
            Form::Pattern(&URL),
            "Where requests go, if not to the provider itself; the format's own path is put behind it.",
        )
        .example(|| json!("http://127.0.0.1:8080/v1/")),
        Key::optional(
            "key_env",
            Form::Pattern(&VARIABLE),
            "The environment variable that holds the key. If it is left out, the provider's usual one, and none with a `base_url`: no key goes where nobody sent it.",
        )
        .example(|| json!("OPENAI_API_KEY")),
        Key::optional(
            "max_tokens",
            Form::Whole(Whole::POSITIVE),
            "The most tokens that an answer may have; one that is cut off there is a failure.",
        )
        .example(|| json!(2_000)),
        Key::optional(
            "temperature",
            Form::Number {
                least: 0.0,
                most: HOTTEST,
            },
            "How freely it answers: 0 is the most predictable.",
        )
        .example(|| json!(0.2)),
        Key::optional(
            "timeout",
            Form::Duration(Whole {
                least: 1,
                most: Some(LONGEST_WAIT.as_secs() * 1_000),
            }),
            "How long one request may take, within the timeout of the step; milliseconds as a number, or a text; at most a day.",
        )
        .example(|| json!("60s")),
        Key::optional(
            "input_price",
            Form::Number {
                least: *PRICES.start(),
                most: *PRICES.end(),
            },
            "What a million tokens of questions cost, in whichever currency; with `output_price`, the cost of every answer is recorded.",
        )
        .example(|| json!(0.25)),
        Key::optional(
            "output_price",
            Form::Number {
                least: *PRICES.start(),
                most: *PRICES.end(),
            },
            "What a million tokens of answers cost, in the same currency.",
        )
        .example(|| json!(1.25)),
    ],
};
