//! Definitions made by chance, each of them good.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

type Values = BoxedStrategy<Value>;

/// A mapping with keys that are always there and keys that may be, in either spelling.
fn mapping(required: Vec<(&'static str, Values)>, optional: Vec<(&'static str, Values)>) -> Values {
    let required = required
        .into_iter()
        .map(|(name, value)| (Just(name), value.prop_map(Some).boxed(), any::<bool>()));
    let optional = optional.into_iter().map(|(name, value)| {
        let value = proptest::option::weighted(0.3, value).boxed();
        (Just(name), value, any::<bool>())
    });
    let entries: Vec<_> = required.chain(optional).collect();
    entries
        .prop_map(|entries| {
            let mut map = Map::new();
            for (name, value, snake) in entries {
                let name = if snake {
                    snake_case(name)
                } else {
                    name.to_owned()
                };
                map.extend(value.map(|value| (name, value)));
            }
            Value::Object(map)
        })
        .boxed()
}

/// The other spelling of a key.
pub(super) fn snake_case(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            let blank = c.is_ascii_uppercase().then_some('_');
            blank.into_iter().chain([c.to_ascii_lowercase()])
        })
        .collect()
}

fn one_of(values: &'static [&'static str]) -> Values {
    proptest::sample::select(values)
        .prop_map(Value::from)
        .boxed()
}

fn text() -> Values {
    "[ -z\\u{e9}\\n]{0,12}".prop_map(Value::from).boxed()
}

/// A text that says something.
fn question() -> Values {
    text()
        .prop_map(|text| match text.as_str().map(str::trim) {
            Some("") => Value::from("?"),
            Some(_) | None => text,
        })
        .boxed()
}

fn length() -> Values {
    let text = (1..1_000_u32, one_of(&["ms", "s", "m"]))
        .prop_map(|(number, unit)| json!(format!("{number}{}", unit.as_str().unwrap())));
    prop_oneof![(1..604_800_001_u64).prop_map(Value::from), text].boxed()
}

fn number(range: std::ops::RangeInclusive<f64>) -> Values {
    range.prop_map(Value::from).boxed()
}

fn whole(range: std::ops::Range<u32>) -> Values {
    range.prop_map(Value::from).boxed()
}

/// Any JSON without templates.
fn data() -> Values {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text(),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            object(inner.boxed()),
        ]
    })
    .boxed()
}

fn object(value: Values) -> Values {
    proptest::collection::btree_map("[a-z_A-Z]{1,6}", value, 0..3)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
        .boxed()
}

fn hours() -> Values {
    let days = vec(1..8_u32, 1..4).prop_map(Value::from).boxed();
    mapping(
        vec![
            ("start", one_of(&["00:00", "08:30"])),
            ("end", one_of(&["24:00", "18:00", "06:15"])),
        ],
        vec![("daysOfWeek", days)],
    )
}

fn zone() -> Values {
    one_of(&["UTC", "Europe/Berlin", "Asia/Tokyo"])
}

fn trigger() -> Values {
    let patterns: &[&str] = &["* * * * *", "*/15 * * * *", "@hourly", "0 * * * MON-SUN"];
    let schedule = mapping(
        vec![("cron", one_of(patterns))],
        vec![
            ("timezone", zone()),
            ("activeHours", hours()),
            ("maxRuns", whole(1..9)),
            ("misfire", one_of(&["latest", "all", "skip"])),
            ("catchUp", length()),
            ("overlap", overlaps()),
            (
                "overlapIgnoresPaused",
                any::<bool>().prop_map(Value::from).boxed(),
            ),
            ("jitter", one_of(&["0s", "1500ms", "24h"])),
            ("pauseAfterFailures", whole(1..9)),
        ],
    );
    prop_oneof![one_of(&["manual", "0 9 * * 1-5"]), schedule].boxed()
}

fn overlaps() -> Values {
    one_of(&["skip", "buffer_one", "buffer_all", "cancel_other", "allow"])
}

fn input() -> Values {
    prop_oneof![
        Just(json!({})),
        Just(json!({"url": "string", "n": {"type": "integer", "default": 3}})),
        Just(json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})),
    ]
    .boxed()
}

fn tools() -> Values {
    vec(one_of(&["http_request", "server.tool-2"]), 0..3)
        .prop_map(Value::from)
        .boxed()
}

fn model() -> Values {
    one_of(&["small", "provider/large:2"])
}

fn target(steps: usize) -> Values {
    let step = (0..steps).prop_map(|step| Value::from(id(step)));
    prop_oneof![3 => step, 1 => one_of(&["$end", "$fail"])].boxed()
}

fn id(step: usize) -> String {
    ["first", "_2", "Step-3", "fourth"][step].to_owned()
}

fn approval() -> Values {
    let people = Just(json!([" ann", "bob b", "é"])).boxed();
    let policy = mapping(
        vec![],
        vec![
            ("message", text()),
            ("timeout", length()),
            ("onTimeout", one_of(&["deny", "approve", "fail"])),
            ("approvers", people),
            ("count", whole(1..4)),
        ],
    );
    prop_oneof![any::<bool>().prop_map(Value::from), policy].boxed()
}

fn retry() -> Values {
    mapping(
        vec![],
        vec![
            ("maxAttempts", whole(1..101)),
            ("initialBackoff", length()),
            ("factor", number(1.0..=100.0)),
            ("maxBackoff", length()),
            ("jitter", number(0.0..=1.0)),
        ],
    )
}

fn step(position: usize, steps: usize) -> Values {
    let condition = one_of(&[
        "true",
        "execution.triggeredBy === 'cron'",
        "execution.id != 'x'",
    ]);
    let branch = mapping(
        vec![("condition", condition), ("goto", target(steps))],
        vec![],
    );
    let common = [
        ("description", text()),
        ("approvalRequired", approval()),
        ("onSuccess", target(steps)),
        ("onFailure", target(steps)),
        ("branches", vec(branch, 0..3).prop_map(Value::from).boxed()),
        ("timeout", length()),
        ("retry", retry()),
        ("onInterrupt", one_of(&["rerun", "fail", "ask"])),
    ];
    let id = ("id", Just(Value::from(id(position))).boxed());
    let action = |word: &'static str| ("action", one_of(Box::leak(Box::new([word]))));
    let schema = prop_oneof![
        Just(json!({"healthy": "boolean"})),
        Just(json!({"type": "array", "items": {"type": "integer"}})),
    ];
    let asking = vec![
        ("system", text()),
        ("model", model()),
        ("tools", tools()),
        ("maxTurns", whole(1..101)),
        ("outputSchema", schema.boxed()),
    ];
    let of_tool = vec![("args", object(data()))];
    let with = |own: Vec<(&'static str, Values)>| common.iter().cloned().chain(own).collect();
    prop_oneof![
        mapping(
            vec![id.clone(), action("tool"), ("tool", one_of(&["t.x"]))],
            with(of_tool)
        ),
        mapping(
            vec![id.clone(), action("model"), ("prompt", question())],
            with(asking)
        ),
        mapping(vec![id, action("noop")], with(vec![])),
    ]
    .boxed()
}

/// A good workflow.
pub(super) fn workflow() -> Values {
    (1..5_usize)
        .prop_flat_map(|count| {
            let steps: Vec<Values> = (0..count).map(|position| step(position, count)).collect();
            let concurrency = mapping(
                vec![("limit", whole(1..9))],
                vec![("onLimit", one_of(&["queue", "skip"]))],
            );
            mapping(
                vec![
                    (
                        "name",
                        " ?[a-z]{1,9}[ a-z]{0,3}".prop_map(Value::from).boxed(),
                    ),
                    ("steps", steps.prop_map(Value::from).boxed()),
                ],
                vec![
                    ("description", text()),
                    ("trigger", trigger()),
                    ("input", input()),
                    ("maxSteps", whole(1..100_001)),
                    ("concurrency", concurrency),
                ],
            )
        })
        .boxed()
}

/// Good settings of a heartbeat.
pub(super) fn heartbeat() -> Values {
    let interval = prop_oneof![whole(1..10_081), one_of(&["2h", "1d", "90m"])].boxed();
    mapping(
        vec![],
        vec![
            ("interval", interval),
            ("timezone", zone()),
            ("activeHours", hours()),
            ("model", model()),
            ("tools", tools()),
            ("enabled", any::<bool>().prop_map(Value::from).boxed()),
            ("unknownAfter", whole(1..1_000)),
        ],
    )
}
