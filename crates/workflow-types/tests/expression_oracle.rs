//! "JavaScript's results" as a fact: random expressions on random data must give what Node.js
//! gives, refuse what it refuses to run, and never accept what it cannot parse.
//!
//! `AGENTSPACE_ORACLE_PAIRS` sets how many pairs are tried, `AGENTSPACE_ORACLE_SEED` where the
//! random numbers begin. Both engines get the text of a pair; see `oracle.js` for what is adjusted.

#[path = "expression_oracle/generate.rs"]
mod generate;
#[path = "expression_oracle/spelling.rs"]
mod spelling;
#[path = "expression_oracle/vocabulary.rs"]
mod vocabulary;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

use generate::{Pair, Random};
use serde_json::{Value, json};
use vocabulary::{BINARY, LOGICAL, METHODS, SHAPES, UNARY};
use workflow_types::expression::{Datum, Expression};

const DEFAULT_PAIRS: u64 = 20_000;
const NODE_MISSING: &str = "this test compares with a real JavaScript engine and could not start \
    `node`: install Node.js 20 or newer and put it on the PATH";

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number, found {text:?}"))
    })
}

/// Node.js, ready for questions. Where it is not installed, CI fails and anybody else is told.
#[expect(
    clippy::print_stderr,
    reason = "whoever runs the test should see what it left out"
)]
fn start_node() -> Option<Child> {
    let started = Command::new("node")
        .args(["-e", include_str!("expression_oracle/oracle.js")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    match started {
        Ok(node) => Some(node),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{NODE_MISSING} ({error})"),
        Err(error) => {
            eprintln!("not compared: {NODE_MISSING} ({error})");
            None
        }
    }
}

#[test]
fn results_are_those_of_javascript() {
    let pairs = setting("AGENTSPACE_ORACLE_PAIRS", DEFAULT_PAIRS);
    let start = setting("AGENTSPACE_ORACLE_SEED", 1);
    let Some(mut node) = start_node() else {
        return;
    };
    let input = node.stdin.take().unwrap();
    let output = BufReader::new(node.stdout.take().unwrap());

    // The writer and the reader make the same pairs, so that none need be kept.
    let writer = thread::spawn(move || {
        let mut input = BufWriter::new(input);
        let mut random = Random(start);
        for _ in 0..pairs {
            let pair = generate::pair(&mut random, &mut BTreeMap::new());
            writeln!(input, "{}", question(&pair)).unwrap();
        }
    });
    let mut seen = BTreeMap::new();
    let mut outcomes = BTreeMap::new();
    let mut random = Random(start);
    let mut answers = output.lines();
    for number in 0..pairs {
        let pair = generate::pair(&mut random, &mut seen);
        let answer = answers.next().expect("node stopped early").unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        if let Err(ours) = agree(&pair, &answer) {
            panic!("pair {number} of seed {start}: ours {ours}, JavaScript's {answer}\n{pair:#?}");
        }
        *outcomes.entry(answer[0].to_string()).or_insert(0) += 1;
    }
    writer.join().unwrap();
    assert!(node.wait().unwrap().success());
    if pairs >= DEFAULT_PAIRS {
        assert_covered(&seen, &outcomes);
    }
}

fn question(pair: &Pair) -> Value {
    json!({
        "verbatim": pair.verbatim,
        "relaxed": pair.relaxed,
        "data": Value::Object(pair.data.clone()).to_string(),
    })
}

/// Our own answer as the error, if it differs.
fn agree(pair: &Pair, answer: &Value) -> Result<(), Value> {
    let expression = Expression::parse(&pair.source);
    let ours = match &expression {
        // A subset may refuse what was broken, but nothing that was generated whole.
        Err(_) if pair.relaxed.is_none() => return Ok(()),
        Err(_) => json!(["syntax"]),
        Ok(expression) => expression
            .evaluate(&pair.data)
            .map_or_else(|_| json!(["error"]), |datum| encoded(&datum)),
    };
    let unknown = answer[0] == "unknown" && ours[0] != "syntax";
    if unknown || same(&ours, answer) {
        Ok(())
    } else {
        Err(ours)
    }
}

/// Equality that compares numbers by their bits, whatever their spelling.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            let number = |side: &[Value]| match side {
                [kind, Value::String(text)] if kind == "number" => text.parse::<f64>().ok(),
                _ => None,
            };
            match (number(ours), number(theirs)) {
                (Some(ours), Some(theirs)) => {
                    ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan())
                }
                _ => {
                    ours.len() == theirs.len()
                        && ours
                            .iter()
                            .zip(theirs)
                            .all(|(ours, theirs)| same(ours, theirs))
                }
            }
        }
        _ => ours == theirs,
    }
}

fn encoded(datum: &Datum<'_>) -> Value {
    match datum {
        Datum::Undefined => json!(["undefined"]),
        Datum::Null => json!(["null"]),
        Datum::Bool(bool) => json!(["boolean", bool]),
        Datum::Number(number) => json!(["number", format!("{number:?}")]),
        Datum::String(text) => json!(["string", text]),
        Datum::Array(elements) => {
            let elements: Vec<_> = elements
                .iter()
                .map(|element| encoded(&element.into()))
                .collect();
            json!(["array", elements])
        }
        Datum::List(elements) => {
            let elements: Vec<_> = elements.iter().map(encoded).collect();
            json!(["array", elements])
        }
        Datum::Record(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            let members: Vec<_> = sorted
                .into_iter()
                .map(|(key, member)| json!([key, encoded(&member.into())]))
                .collect();
            json!(["object", members])
        }
        Datum::Virtual(_) => unreachable!("the data is JSON"),
    }
}

/// A generator that stopped making something would make the test weaker without a word.
fn assert_covered(seen: &BTreeMap<&'static str, usize>, outcomes: &BTreeMap<String, usize>) {
    let parts = [&BINARY[..], &LOGICAL, &UNARY, &METHODS, &SHAPES].concat();
    for part in parts {
        let count = seen.get(part).copied().unwrap_or_default();
        assert!(count >= 50, "only {count} of the pairs contain `{part}`");
    }
    for outcome in [
        "undefined",
        "null",
        "boolean",
        "number",
        "string",
        "array",
        "object",
        "error",
        "syntax",
    ] {
        let count = outcomes
            .get(&format!("\"{outcome}\""))
            .copied()
            .unwrap_or_default();
        assert!(count >= 50, "only {count} of the pairs give `{outcome}`");
    }
}
