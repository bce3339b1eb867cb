//! The keys of a workflow and of its limit.

use serde_json::{Value, json};

use super::{FILLED, Form, Key, List, Pattern, Shape, Whole, step, timing};
use crate::action::OnLimit;
use crate::definition::{COSTS, DEFAULT_MAX_VISITS, MAX_STEPS, MOST_VISITS};
use crate::id::LINE_PATTERN;

/// A text of one line.
pub(super) static LINE: Pattern = Pattern {
    regex: LINE_PATTERN,
    longest: None,
    words: "1 to 200 characters on one line",
};

static STEPS: List = List {
    of: Form::Choice(&step::CHOICE),
    least: 1,
    most: Some(MAX_STEPS),
};

pub(crate) static WORKFLOW: Shape = Shape {
    name: "workflow",
    called: "the workflow",
    doc: "A workflow: steps, their order, and what starts them.",
    keys: &[
        Key::required(
            "name",
            Form::Pattern(&LINE),
            "every workflow has a `name`, shown wherever it appears",
            "What the workflow is called, shown wherever it appears.",
        )
        .example(|| json!("Deploy check")),
        Key::optional("description", Form::Text, "What the workflow is for.")
            .example(|| json!("Checks a service's health and offers a rollback.")),
        Key::optional(
            "trigger",
            Form::OneOf(&[Form::Pattern(&FILLED), Form::Mapping(&timing::TRIGGER)]),
            "What starts the workflow besides a request: `manual` for nothing, a cron expression, or a mapping with `cron`.",
        )
        .example(|| json!("0 9 * * MON-FRI"))
        .default(|| json!("manual")),
        Key::optional(
            "input",
            Form::Input(&INPUT_PROPERTY),
            "What a run needs; none stands for any object. Names with their types, or a JSON Schema, which is told by `$schema`, `$ref`, `$defs` or `properties`, by `type: object` with only keywords beside it, or by `required`, `additionalProperties`, `oneOf`, `anyOf` or `allOf` with a list, true or false.",
        )
        .example(|| json!({"url": "string", "retries": {"type": "integer", "default": 3}})),
        Key::optional(
            "maxSteps",
            Form::Whole(Whole {
                least: 1,
                most: Some(MOST_VISITS as u64),
            }),
            "How many steps one execution may run, those that are repeated counted again.",
        )
        .example(|| json!(50))
        .default(|| Value::from(DEFAULT_MAX_VISITS)),
        Key::optional(
            "maxTokens",
            Form::Whole(Whole {
                least: 1,
                most: Some(u32::MAX as u64),
            }),
            "How many tokens of models one execution may use; from then on no model is asked, and the step fails.",
        )
        .example(|| json!(100_000)),
        Key::optional(
            "maxCost",
            Form::Number {
                least: *COSTS.start(),
                most: *COSTS.end(),
            },
            "What the models of one execution may cost, by the prices that the host has configured; from then on no model is asked, and the step fails.",
        )
        .example(|| json!(0.5)),
        Key::optional(
            "concurrency",
            Form::Mapping(&CONCURRENCY),
            "How many executions of the workflow may be under way at once; none stands for any number.",
        )
        .example(|| json!({"limit": 1, "onLimit": "skip"})),
        Key::required(
            "steps",
            Form::List(&STEPS),
            "list at least one step",
            "What is done, from the first step on; after each comes the next of the list unless the step says otherwise.",
        )
        .example(|| json!([{"id": "start", "action": "noop"}])),
    ],
};

/// The types, with what fits them.
static KINDS: &[(&str, &str)] = &[
    ("string", "A text."),
    ("number", "A number."),
    ("integer", "A whole number."),
    ("boolean", "`true` or `false`."),
    ("array", "A list."),
    ("object", "A mapping."),
    ("null", "Nothing."),
];

static KIND_LIST: List = List {
    of: Form::Words(KINDS),
    least: 1,
    most: None,
};

static VALUES: List = List {
    of: Form::Any,
    least: 1,
    most: None,
};

/// Read as JSON Schema, which has more keys than these.
static INPUT_PROPERTY: Shape = Shape {
    name: "inputProperty",
    called: "the input",
    doc: "What a value of the input must be, as JSON Schema.",
    keys: &[
        Key::optional(
            "type",
            Form::OneOf(&[Form::Words(KINDS), Form::List(&KIND_LIST)]),
            "The type of the value, or a list of types.",
        )
        .example(|| json!("integer")),
        Key::optional(
            "default",
            Form::Any,
            "The value if a run names none; without it the name is required.",
        )
        .example(|| json!(3)),
        Key::optional("description", Form::Text, "What the value is for.")
            .example(|| json!("How often the service is asked.")),
        Key::optional("enum", Form::List(&VALUES), "The values that are allowed.")
            .example(|| json!([1, 2, 3])),
    ],
};

pub(crate) static CONCURRENCY: Shape = Shape {
    name: "concurrency",
    called: "the limit",
    doc: "How many executions of a workflow may be under way at once, and what happens to one more.",
    keys: &[
        Key::required(
            "limit",
            Form::Whole(Whole::POSITIVE),
            "say how many executions may be under way at once",
            "How many executions may be under way at once, from their first step to their end: one that waits for an approval or a retry counts. The newest definition decides, for all that have not begun.",
        )
        .example(|| json!(1)),
        Key::optional(
            "onLimit",
            Form::Words(OnLimit::WORDS),
            "What happens to one more: it waits for its turn, the oldest first, or it is not started.",
        )
        .example(|| json!("skip"))
        .default(|| json!(OnLimit::Queue)),
    ],
};
