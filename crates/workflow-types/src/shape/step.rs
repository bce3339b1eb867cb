//! The keys of a step: those of every step, those of each action, and the mappings inside.

use serde_json::{Value, json};

use super::workflow::LINE;
use super::{Choice, Form, Key, List, Pattern, Shape, Whole};
use crate::action::{ActionKind, LONGEST_TIMEOUT, MOST_TURNS, OnInterrupt, SHORTEST_TIMEOUT};
use crate::approval::{ApprovalPolicy, OnExpiry};
use crate::duration;
use crate::id::{MAX_NAME_LENGTH, MODEL_NAME_PATTERN, STEP_ID_PATTERN, TOOL_NAME_PATTERN};
use crate::retry::{FACTORS, JITTERS, MAX_ATTEMPTS, RetryPolicy};

static STEP_ID: Pattern = Pattern {
    regex: STEP_ID_PATTERN,
    longest: Some(MAX_NAME_LENGTH),
    words: "letters, digits, `_` and `-`, beginning with a letter or `_`, at most 64",
};

const TARGET: Form = Form::OneOf(&[
    Form::Words(&[
        ("$end", "The execution completes."),
        ("$fail", "The execution fails."),
    ]),
    Form::Pattern(&STEP_ID),
]);

static TOOL_NAME: Pattern = Pattern {
    regex: TOOL_NAME_PATTERN,
    longest: Some(MAX_NAME_LENGTH),
    words: "letters, digits, `_`, `-` and `.`, at most 64",
};

pub(super) static TOOL_NAMES: List = List {
    of: Form::Pattern(&TOOL_NAME),
    least: 0,
    most: None,
};

pub(super) static MODEL_NAME: Pattern = Pattern {
    regex: MODEL_NAME_PATTERN,
    longest: Some(MAX_NAME_LENGTH),
    words: "letters, digits, `_`, `-`, `.`, `:` and `/`, at most 64",
};

static BRANCHES: List = List {
    of: Form::Mapping(&BRANCH),
    least: 0,
    most: None,
};

static APPROVERS: List = List {
    of: Form::Pattern(&LINE),
    least: 0,
    most: None,
};

/// Any length of time.
const LENGTH: Form = Form::Duration(Whole {
    least: 0,
    most: None,
});

/// A step: the keys that it always has, and those of its action.
pub(crate) static CHOICE: Choice = Choice {
    common: &STEP,
    by: "action",
    cases: &[
        (ActionKind::Tool.as_str(), &TOOL),
        (ActionKind::Model.as_str(), &MODEL),
        (ActionKind::Noop.as_str(), &NOOP),
    ],
};

/// The keys that belong to one action only.
pub(crate) fn of_action(kind: ActionKind) -> &'static Shape {
    match kind {
        ActionKind::Tool => &TOOL,
        ActionKind::Model => &MODEL,
        ActionKind::Noop => &NOOP,
    }
}

/// Whether a key belongs to the steps of one action only.
pub(crate) fn is_of_an_action(name: &str) -> bool {
    ActionKind::ALL
        .iter()
        .any(|kind| of_action(*kind).key(name).is_some())
}

pub(crate) static STEP: Shape = Shape {
    name: "step",
    called: "the step",
    doc: "A step: what it does and where the execution goes from it.",
    keys: &[
        Key::required(
            "id",
            Form::Pattern(&STEP_ID),
            "every step has an `id`, by which others name it",
            "The name by which other steps and expressions know the step, as in `steps.check.output`.",
        )
        .example(|| json!("check-health")),
        Key::required(
            "action",
            Form::Words(ActionKind::WORDS),
            "say what the step does: tool, model or noop",
            "What the step does.",
        )
        .example(|| json!("tool")),
        Key::optional("description", Form::Text, "What the step is for.")
            .example(|| json!("Ask the service.")),
        Key::optional(
            "approvalRequired",
            Form::OneOf(&[Form::Boolean, Form::Mapping(&APPROVAL)]),
            "Whether a person must approve before the step runs; a mapping says who, how long and how many.",
        )
        .example(|| json!(true))
        .default(|| json!(false)),
        Key::optional(
            "onSuccess",
            TARGET,
            "Where a success goes that no branch takes: a step's id, `$end` or `$fail`; the next step of the list if it is left out.",
        )
        .example(|| json!("$end")),
        Key::optional(
            "onFailure",
            TARGET,
            "Where a failure or a denied approval goes: a step's id, `$end` or `$fail`; the execution fails if it is left out.",
        )
        .example(|| json!("rollback")),
        Key::optional(
            "branches",
            Form::List(&BRANCHES),
            "Where a success goes if a condition holds; the first that holds counts.",
        )
        .example(|| json!([{"condition": "result.status >= 500", "goto": "rollback"}])),
        Key::optional(
            "timeout",
            Form::Duration(Whole {
                least: SHORTEST_TIMEOUT.as_secs() * 1_000 + SHORTEST_TIMEOUT.subsec_millis() as u64,
                most: Some(LONGEST_TIMEOUT.as_secs() * 1_000),
            }),
            "How long one attempt may take: milliseconds as a number, or a text such as \"30s\"; 30 s for a tool and 2 min for a model if it is left out.",
        )
        .example(|| json!("30s")),
        Key::optional(
            "retry",
            Form::Mapping(&RETRY),
            "How often the step is tried, and how long it waits in between; once if it is left out.",
        )
        .example(|| json!({"maxAttempts": 3, "initialBackoff": "1s"})),
        Key::optional(
            "onInterrupt",
            Form::Words(OnInterrupt::WORDS),
            "What happens if the program died while the step ran; the tool's own effect decides if it is left out.",
        )
        .example(|| json!("rerun")),
    ],
};

pub(crate) static TOOL: Shape = Shape {
    name: "toolStep",
    called: "the step",
    doc: "A step that calls a tool.",
    keys: &[
        Key::required(
            "tool",
            Form::Pattern(&TOOL_NAME),
            "name the tool that the step calls",
            "The tool that the step calls.",
        )
        .example(|| json!("http_request")),
        Key::optional(
            "args",
            Form::Object,
            "The tool's arguments; `{{ … }}` may stand in any string.",
        )
        .example(|| json!({"url": "{{ input.url }}"}))
        .default(|| json!({})),
    ],
};

pub(crate) static MODEL: Shape = Shape {
    name: "modelStep",
    called: "the step",
    doc: "A step that asks a model.",
    keys: &[
        Key::required(
            "prompt",
            Form::Text,
            "say what the model is asked",
            "What the model is asked; `{{ … }}` may stand in it.",
        )
        .example(|| json!("Is {{ steps.check.output | json }} healthy?")),
        Key::optional(
            "system",
            Form::Text,
            "The system prompt; `{{ … }}` may stand in it.",
        )
        .example(|| json!("You judge the health of services.")),
        Key::optional(
            "model",
            Form::Pattern(&MODEL_NAME),
            "The model that is asked; the host's default if it is left out.",
        )
        .example(|| json!("small")),
        Key::optional(
            "tools",
            Form::List(&TOOL_NAMES),
            "The tools that the model may call; none if they are left out.",
        )
        .example(|| json!(["http_request"])),
        Key::optional(
            "withoutApproval",
            Form::List(&TOOL_NAMES),
            "Those of its tools that are called without asking anybody, although they are destructive; \
             any other destructive call waits for an approval.",
        )
        .example(|| json!(["http_request"])),
        Key::optional(
            "maxTurns",
            Form::Whole(Whole {
                least: 1,
                most: Some(MOST_TURNS as u64),
            }),
            "How many turns the model may take with its tools; 10 if it is left out.",
        )
        .example(|| json!(5)),
        Key::optional(
            "outputSchema",
            Form::Object,
            "What the answer must look like: names with their types, or a JSON Schema.",
        )
        .example(|| json!({"healthy": "boolean", "reason": "string"})),
    ],
};

pub(crate) static NOOP: Shape = Shape {
    name: "noopStep",
    called: "the step",
    doc: "A step that succeeds at once; useful as a branching point or a gate.",
    keys: &[],
};

pub(crate) static BRANCH: Shape = Shape {
    name: "branch",
    called: "the branch",
    doc: "A way that a success takes if a condition holds.",
    keys: &[
        Key::required(
            "condition",
            Form::Text,
            "a branch is taken when its `condition` holds",
            "An expression; `result` is what the step gave.",
        )
        .example(|| json!("result.status >= 500")),
        Key::required(
            "goto",
            TARGET,
            "say which step the branch leads to",
            "Where the branch leads: a step's id, `$end` or `$fail`.",
        )
        .example(|| json!("rollback")),
    ],
};

pub(crate) static APPROVAL: Shape = Shape {
    name: "approval",
    called: "the approval",
    doc: "Who must approve before a step runs, and what happens if nobody does.",
    keys: &[
        Key::optional(
            "message",
            Form::Text,
            "What is said to those who decide; `{{ … }}` may stand in it.",
        )
        .example(|| json!("Roll {{ input.service }} back?")),
        Key::optional(
            "timeout",
            Form::Duration(Whole {
                least: 1,
                most: None,
            }),
            "How long the approval is waited for: milliseconds as a number, or a text such as \"1d\".",
        )
        .example(|| json!("1d")),
        Key::optional(
            "onTimeout",
            Form::Words(OnExpiry::WORDS),
            "What happens if nobody decides in time.",
        )
        .example(|| json!("approve"))
        .default(|| json!(ApprovalPolicy::default().on_timeout())),
        Key::optional(
            "approvers",
            Form::List(&APPROVERS),
            "Who may decide; anyone whom the host lets through if they are left out.",
        )
        .example(|| json!(["ann", "bob"])),
        Key::optional(
            "count",
            Form::Whole(Whole::POSITIVE),
            "How many different people must approve.",
        )
        .example(|| json!(2))
        .default(|| json!(ApprovalPolicy::default().count())),
    ],
};

pub(crate) static RETRY: Shape = Shape {
    name: "retry",
    called: "the retry rule",
    doc: "How often a step is tried, and how long it waits in between.",
    keys: &[
        Key::optional(
            "maxAttempts",
            Form::Whole(Whole {
                least: 1,
                most: Some(MAX_ATTEMPTS as u64),
            }),
            "How often the step is tried at most.",
        )
        .example(|| json!(3))
        .default(|| json!(RetryPolicy::default().max_attempts())),
        Key::optional(
            "initialBackoff",
            LENGTH,
            "The wait before the second attempt: milliseconds as a number, or a text such as \"1s\".",
        )
        .example(|| json!("2s"))
        .default(|| Value::from(duration::format(RetryPolicy::default().initial_backoff()))),
        Key::optional(
            "factor",
            Form::Number {
                least: *FACTORS.start(),
                most: *FACTORS.end(),
            },
            "What each wait is multiplied with to make the next.",
        )
        .example(|| json!(1.5))
        .default(|| json!(RetryPolicy::default().factor())),
        Key::optional(
            "maxBackoff",
            LENGTH,
            "The longest wait: milliseconds as a number, or a text such as \"1m\".",
        )
        .example(|| json!("5m"))
        .default(|| Value::from(duration::format(RetryPolicy::default().max_backoff()))),
        Key::optional(
            "jitter",
            Form::Number {
                least: *JITTERS.start(),
                most: *JITTERS.end(),
            },
            "The share by which a wait is spread by chance, so that many do not come back at once.",
        )
        .example(|| json!(0.2))
        .default(|| json!(RetryPolicy::default().jitter())),
    ],
};
