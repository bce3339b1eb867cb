//! What the tools answer, and what people do in which order.

use gateway::workflow_types::approval::{Decision, Resolution};
use gateway::workflow_types::execution::TriggeredBy;
use serde_json::{Value, json};

use crate::choices::Choices;
use crate::plan::{Act, Manner, Replies, Reply};

const ACTORS: [&str; 4] = ["ann", "bob", "cid", "eve"];

pub(super) fn replies(choices: &mut Choices) -> Replies {
    let count = 1 + choices.below(9);
    Replies((0..count).map(|_| reply(choices)).collect())
}

fn reply(choices: &mut Choices) -> Reply {
    match choices.below(100) {
        0..44 => Reply::Success(output(choices)),
        44..60 => Reply::Fails,
        60..68 => Reply::Refuses,
        68..71 => Reply::Panics,
        71..74 => Reply::Floods,
        74..78 => Reply::Busy(choices.one(&[100, 3_000, 90_000])),
        _ => Reply::Hangs(choices.one(&[Manner::Obeys, Manner::Ignores, Manner::Succeeds])),
    }
}

/// An output of a step; half of those of models fit the schema that some steps have.
pub(super) fn output(choices: &mut Choices) -> Value {
    let number = choices.below(5);
    match choices.below(8) {
        0 => json!(number),
        1 => Value::Null,
        2 => json!(choices.chance(50)),
        3 => json!(choices.one(&["go", " stop ", "{{ input.n }}", ""])),
        4 => json!([number, "x", {"n": number}]),
        5 => json!({"ok": choices.chance(50), "text": "fine"}),
        _ => json!({"n": number}),
    }
}

pub(super) fn acts(choices: &mut Choices, flows: usize) -> Vec<Act> {
    let mut acts = vec![start(choices, flows)];
    for _ in 0..choices.below(12) {
        if choices.chance(12) {
            acts.extend(together(choices, flows));
        } else {
            acts.push(act(choices, flows));
        }
    }
    acts
}

/// What rarely comes one after the other by chance.
fn together(choices: &mut Choices, flows: usize) -> Vec<Act> {
    let begin = start(choices, flows);
    let vote = |decision| Act::Vote {
        gate: 0,
        decision,
        actor: "ann",
    };
    let retry = |execution, from| Act::Retry {
        execution,
        from,
        key: None,
    };
    let cancel = |execution| Act::Cancel {
        execution,
        actor: "bob",
    };
    match choices.below(7) {
        0 => vec![begin, Act::Drain],
        1 => vec![begin, cancel(0)],
        2 => vec![begin, Act::Kill],
        // The second has its turn, so that the repetition of the first has to wait.
        3 => vec![begin.clone(), begin, cancel(1), retry(1, None)],
        4 => vec![
            begin,
            vote(Decision::Approve),
            vote(Decision::Approve),
            vote(Decision::Deny),
        ],
        5 => vec![
            begin,
            cancel(0),
            retry(0, None),
            cancel(0),
            retry(1, Some(0)),
        ],
        _ => {
            let answer = Reply::Fails;
            vec![begin, Act::LetGo { call: 0, answer }, Act::Kill]
        }
    }
}

fn start(choices: &mut Choices, flows: usize) -> Act {
    Act::Start {
        flow: choices.place(flows),
        input: choices.one(&[
            json!({}),
            json!({"n": 2, "flag": true}),
            json!({"n": 3, "text": "go", "list": [1, 2]}),
        ]),
        key: choices.maybe(25, &[1, 2]),
        by: choices.one(&[
            TriggeredBy::Manual,
            TriggeredBy::Manual,
            TriggeredBy::Cron,
            TriggeredBy::Heartbeat,
        ]),
    }
}

fn act(choices: &mut Choices, flows: usize) -> Act {
    match choices.below(100) {
        0..16 => start(choices, flows),
        16..38 => Act::Vote {
            gate: position(choices),
            decision: choices.one(&[Decision::Approve, Decision::Approve, Decision::Deny]),
            actor: choices.one(&ACTORS),
        },
        38..46 => Act::Resolve {
            gate: position(choices),
            resolution: resolution(choices),
            actor: choices.one(&ACTORS),
        },
        46..53 => Act::Cancel {
            execution: position(choices),
            actor: choices.one(&ACTORS),
        },
        53..61 => Act::Retry {
            execution: position(choices),
            from: choices.maybe(60, &[0, 1, 2, 3]),
            key: choices.maybe(15, &[1, 3]),
        },
        61..69 => Act::LetGo {
            call: position(choices),
            answer: choices.one(&[
                Reply::Success(json!({"n": 1})),
                Reply::Fails,
                Reply::Refuses,
            ]),
        },
        69..77 => Act::Due,
        77..83 => Act::Pass {
            ms: choices.one(&[1_003, 5_009, 31_013, 3_700_019]),
        },
        83..87 => Act::Jump {
            ms: choices.one(&[999, 61_027, 3_601_007]),
        },
        87..90 => Act::Edit {
            flow: choices.place(flows),
        },
        90..95 => Act::Drain,
        _ => Act::Kill,
    }
}

/// Mostly the newest, or the one that waits.
fn position(choices: &mut Choices) -> usize {
    choices.one(&[0, 0, 0, 1, 2, 5])
}

fn resolution(choices: &mut Choices) -> Resolution {
    match choices.below(4) {
        0 | 1 => Resolution::Rerun,
        2 => Resolution::Done {
            output: output(choices),
        },
        _ => Resolution::Fail,
    }
}
