//! The keys of a heartbeat's front matter.

use serde_json::json;

use super::{Form, Key, Shape, Whole, step, timing};
use crate::heartbeat::DEFAULT_UNKNOWN_AFTER;
use crate::schedule::{HeartbeatInterval, LONGEST_INTERVAL};

pub(crate) static HEARTBEAT: Shape = Shape {
    name: "heartbeat",
    called: "the front matter",
    doc: "The settings of a heartbeat, between two lines `---` at the top of HEARTBEAT.md.",
    keys: &[
        Key::optional(
            "interval",
            Form::Duration(Whole {
                least: 1,
                most: Some(LONGEST_INTERVAL.unsigned_abs()),
            }),
            "The time between two runs: whole minutes as a number, or a text such as \"2h\"; at most a week.",
        )
        .example(|| json!("2h"))
        .default(|| json!(HeartbeatInterval::default())),
        timing::TIMEZONE,
        timing::HOURS,
        Key::optional(
            "model",
            Form::Pattern(&step::MODEL_NAME),
            "The model that judges the items; the gateway's default if it is left out.",
        )
        .example(|| json!("small")),
        Key::optional(
            "tools",
            Form::List(&step::TOOL_NAMES),
            "The tools that the model may call; none if they are left out.",
        )
        .example(|| json!(["http_request"])),
        Key::optional(
            "withoutApproval",
            Form::List(&step::TOOL_NAMES),
            "Those of its tools that are called without asking anybody, although they are destructive; \
             any other destructive call waits for an approval, and the run with it.",
        )
        .example(|| json!(["http_request"])),
        Key::optional("enabled", Form::Boolean, "Whether it runs at all.")
            .example(|| json!(false))
            .default(|| json!(true)),
        Key::optional(
            "unknownAfter",
            Form::Whole(Whole::POSITIVE),
            "After how many runs in a row in which an item could not be judged somebody is told.",
        )
        .example(|| json!(5))
        .default(|| json!(DEFAULT_UNKNOWN_AFTER)),
    ],
};
