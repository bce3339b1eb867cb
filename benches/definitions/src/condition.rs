//! Conditions over data of several sizes: ours borrows the data, the rival needs its own copy.

use std::sync::Arc;
use std::time::Duration;

use cel::{Context, Env};
use serde_json::{Map, Value, json};
use workflow_types::expression::Expression;

use crate::table::{Table, bytes, ratio, time, verdict};
use crate::{allocation, stopwatch};

const GOAL: Duration = Duration::from_micros(1);
const GOAL_RATIO: f64 = 20.0;

/// Ours, and what says the same in the rival's language.
const CONDITIONS: [(&str, &str); 4] = [
    (
        "result.code < 500 && result.healthy",
        "result.code < 500 && result.healthy",
    ),
    (
        "input.name === 'api' || status !== 'success'",
        "input.name == 'api' || status != 'success'",
    ),
    (
        "steps.check.output.tags.includes('slow')",
        "'slow' in steps.check.output.tags",
    ),
    (
        "result.message.startsWith('ok') ? result.code === 200 : false",
        "result.message.startsWith('ok') ? result.code == 200 : false",
    ),
];

pub fn measure() {
    let mut table = Table::new(
        "Evaluating a condition (goals: <= 1 µs, >= 20x faster than `cel`)",
        &[
            "condition",
            "data",
            "ours",
            "allocated",
            "cel",
            "allocated",
            "faster",
            "",
        ],
    );
    for (ours, theirs) in CONDITIONS {
        for size in [1_000, 100_000, 1_000_000] {
            table.row(one(ours, theirs, &data(size)));
        }
    }
    table.print();
    println!(
        "\n  `cel` converts the data from JSON for each evaluation, because its values are its own;\n  \
         only the names that the condition reads are given to it."
    );
}

fn one(ours: &str, theirs: &str, data: &Map<String, Value>) -> [String; 8] {
    let expression = Expression::parse(ours).expect("a condition of ours");
    let program = Env::stdlib()
        .compile(theirs)
        .expect("a condition of theirs");
    let env = Arc::new(Env::stdlib());
    let read: Vec<&str> = expression
        .references()
        .iter()
        .map(|r| r.root().name())
        .collect();
    let our_value = || expression.evaluate(data).expect("a value").truthy();
    let their_value = || {
        let mut context = Context::with_env(Arc::clone(&env));
        for (name, value) in data
            .iter()
            .filter(|(name, _)| read.contains(&name.as_str()))
        {
            context
                .add_variable(name.as_str(), value)
                .expect("a variable");
        }
        matches!(program.execute(&context), Ok(cel::Value::Bool(true)))
    };
    assert_eq!(our_value(), their_value(), "{ours}");
    let (_, our_bytes) = allocation::during(our_value);
    let (_, their_bytes) = allocation::during(their_value);
    let (our_time, their_time) = (stopwatch::median(our_value), stopwatch::median(their_value));
    let faster = their_time.as_secs_f64() / our_time.as_secs_f64();
    [
        ours.to_owned(),
        bytes(Value::from(data.clone()).to_string().len()),
        time(our_time),
        bytes(our_bytes.total),
        time(their_time),
        bytes(their_bytes.total),
        ratio(their_time, our_time),
        verdict(our_time <= GOAL && faster >= GOAL_RATIO),
    ]
}

/// What an execution's condition may read, with about `size` bytes in the results of its steps.
fn data(size: usize) -> Map<String, Value> {
    let rows = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| json!({"id": n, "name": format!("row {n}"), "ok": true, "ms": 12.5}))
            .collect()
    };
    let third = size / 3 / 48;
    let data = json!({
        "input": {"name": "api", "rows": rows(third)},
        "steps": {"check": {"status": "success", "output": {"tags": ["new", "slow"], "rows": rows(third)}}},
        "result": {"code": 200, "healthy": true, "message": "ok: all well", "rows": rows(third)},
        "status": "success",
    });
    match data {
        Value::Object(data) => data,
        _ => Map::new(),
    }
}
