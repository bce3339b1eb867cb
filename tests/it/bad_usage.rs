//! Calls that are wrong: exit code 2, the reason and the remedy, and nothing stored.

use crate::crashes::blocking;
use crate::support::Place;

const TYPED: &str = "name: Typed
input:
  count: {type: integer, minimum: 1}
  flag: {type: boolean, default: false}
steps:
  - {id: free, action: noop}
  - {id: gated, action: noop, approvalRequired: true}
";

/// Asserts that each of these calls is refused with these words and stores nothing.
fn refused(place: &Place, cases: &[(&[&str], &[&str])]) {
    for (args, says) in cases {
        let ran = place.run(args.iter().copied());
        assert_eq!(ran.stdout, "", "{args:?}");
        ran.exits(2).says(says);
        assert!(!place.exists(".agentspace"), "{args:?} created a database");
    }
}

#[test]
fn words_that_are_no_command() {
    refused(
        &Place::new(),
        &[
            (
                &["frobnicate"],
                &["unrecognized subcommand 'frobnicate'", "--help"],
            ),
            (&["rum", "x"], &["'run'"]),
            (&[], &["Usage: agentspace", "Commands:"]),
            (&["executions"], &["Usage: agentspace executions"]),
            (&["run"], &["<WORKFLOW>"]),
            (&["run", "x", "--frob"], &["unexpected argument '--frob'"]),
            (&["--db", "", "executions", "ls"], &["--db"]),
        ],
    );
}

#[test]
fn inputs_that_do_not_fit_the_workflow() {
    let place = Place::with("typed.yaml", TYPED);
    refused(
        &place,
        &[
            (
                &["run", "typed.yaml"],
                &["`typed`", "count", "required", "give values with -i"],
            ),
            (
                &["run", "typed.yaml", "-i", "count"],
                &["`count` is not KEY=VALUE", "-i name=Ada"],
            ),
            (
                &["run", "typed.yaml", "-i", "=1"],
                &["`=1` is not KEY=VALUE"],
            ),
            (&["run", "typed.yaml", "-i", ""], &["`` is not KEY=VALUE"]),
            (
                &["run", "typed.yaml", "-i", "count=many"],
                &["`input.count`", "a whole number"],
            ),
            (&["run", "typed.yaml", "-i", "count="], &["`input.count`"]),
            (
                &["run", "typed.yaml", "-i", "count=0"],
                &["`input.count`", "at least"],
            ),
            (
                &["run", "typed.yaml", "-i", "count=1", "-i", "flag=perhaps"],
                &["`input.flag`", "boolean"],
            ),
            (
                &["run", "typed.yaml", "-i", "count=1", "-i", "colour=red"],
                &["colour"],
            ),
        ],
    );
}

#[test]
fn input_documents_that_are_none() {
    let place = Place::with("typed.yaml", TYPED);
    place.write("list.json", "[1]");
    refused(
        &place,
        &[
            (&["run", "typed.yaml", "--input", ""], &["no JSON"]),
            (&["run", "typed.yaml", "--input", "{"], &["no JSON"]),
            (
                &["run", "typed.yaml", "--input", "[1]"],
                &["must be a JSON object"],
            ),
            (
                &["run", "typed.yaml", "--input", "@list.json"],
                &["must be a JSON object"],
            ),
            (
                &["run", "typed.yaml", "--input", "@gone.json"],
                &["gone.json cannot be read"],
            ),
            (&["run", "typed.yaml", "--input", "@."], &["cannot be read"]),
            (
                &["run", "typed.yaml", "--input", r#"{"count": "1"}"#],
                &["`input.count`", "a whole number"],
            ),
            // Without an end.
            (
                &["run", "typed.yaml", "--input", "@/dev/zero"],
                &["/dev/zero", "bytes"],
            ),
        ],
    );
}

#[test]
fn consent_to_what_does_not_ask() {
    let place = Place::with("typed.yaml", TYPED);
    let run = ["run", "typed.yaml", "-i", "count=1", "--approve"];
    let with = |step: &'static str| run.into_iter().chain([step]).collect::<Vec<_>>();
    refused(
        &place,
        &[
            (
                &with("free"),
                &["--approve free", "no step of this id with an approval"],
            ),
            (&with("missing"), &["--approve missing"]),
            (&with("two words"), &["two words"]),
        ],
    );
    place.run(with("gated")).exits(0);
}

#[test]
fn names_of_people_that_are_none() {
    let place = Place::with("typed.yaml", TYPED);
    for name in ["", "a\nb"] {
        place
            .run(["run", "typed.yaml", "-i", "count=1", "--as", name])
            .exits(2);
        assert!(!place.exists(".agentspace"));
    }
    place
        .call(["run", "typed.yaml", "-i", "count=1"])
        .env("USER", "a\nb")
        .run()
        .exits(2)
        .says(&["--as NAME"]);
    assert!(!place.exists(".agentspace"));
}

#[test]
fn a_workflow_that_nobody_registered() {
    let place = Place::new();
    refused(
        &place,
        &[
            (
                &["run", "nobody"],
                &["no workflow `nobody`", "agentspace run FILE"],
            ),
            (&["run", ""], &["neither a file nor the id"]),
            (&["run", "two words"], &["neither a file nor the id"]),
        ],
    );
    place.run(["db", "migrate"]).exits(0);
    place
        .run(["run", "nobody"])
        .exits(2)
        .says(&["no workflow `nobody`"]);
    place
        .run(["workflows", "show", "nobody"])
        .exits(2)
        .says(&["no workflow `nobody`"]);
}

#[test]
fn ids_that_nothing_has() {
    const UNKNOWN: &str = "018f0000-0000-7000-8000-000000000000";
    let place = Place::new();
    place.run(["db", "migrate"]).exits(0);
    for id in [UNKNOWN, "123", "", "nul\u{1}", &"9".repeat(10_000)] {
        for command in [
            &["executions", "show"][..],
            &["approvals", "show"],
            &["approvals", "approve"],
            &["approvals", "deny"],
        ] {
            let args = command.iter().copied().chain([id]);
            place.run(args).exits(2).says(&["error: "]);
        }
        place.run(["executions", "resolve", id, "done"]).exits(2);
    }
    place
        .run(["executions", "show", UNKNOWN])
        .exits(2)
        .says(&["there is no execution", UNKNOWN]);
    place
        .run(["approvals", "approve", UNKNOWN])
        .exits(2)
        .says(&["agentspace approvals ls"]);
}

#[test]
fn filters_that_make_no_sense() {
    let place = Place::new();
    place.run(["db", "migrate"]).exits(0);
    let cases: [(&[&str], &str); 5] = [
        (
            &["--status", "asleep"],
            "running, queued, paused, completed, failed, cancelled",
        ),
        (
            &["--limit", "0"],
            "'0' for '--limit <LIMIT>': expected a whole number from 1",
        ),
        (
            &["--limit", "-1"],
            "'-1' for '--limit <LIMIT>': expected a whole number from 1",
        ),
        (
            &["--limit", "many"],
            "'many' for '--limit <LIMIT>': expected a whole number from 1",
        ),
        (&["--workflow", "a b"], "a b"),
    ];
    for (args, says) in cases {
        let args = ["executions", "ls"].into_iter().chain(args.iter().copied());
        place.run(args).exits(2).says(&[says]);
    }
    let most = usize::MAX.to_string();
    place.run(["executions", "ls", "--limit", &most]).exits(0);
}

#[test]
fn numbers_with_a_minus_are_told_what_is_expected() {
    let cases: [(&[&str], &str); 10] = [
        (
            &["schedules", "next", "@daily", "-n", "-1"],
            "from 1 to 10000",
        ),
        (&["schedules", "edit", "s", "--max-runs", "-3"], "from 1"),
        (
            &["schedules", "edit", "s", "--pause-after-failures", "-3"],
            "from 1",
        ),
        (&["schedules", "ls", "--limit", "-3"], "from 1"),
        (&["schedules", "history", "s", "--limit", "-3"], "from 1"),
        (&["alerts", "ls", "--limit", "-3"], "from 1"),
        (&["alerts", "watch", "--after", "-3"], "from 0"),
        (&["executions", "watch", "x", "--after", "-3"], "from 0"),
        (&["executions", "prune", "--keep", "-3"], "from 0"),
        (&["doctor", "--max-concurrent-executions", "-3"], "from 1"),
    ];
    let place = Place::new();
    for (args, expected) in cases {
        let ran = place.run(args.iter().copied()).exits(2);
        let ran = ran.says(&[&format!("expected a whole number {expected}")]);
        assert!(!ran.stderr.contains("tip:"), "{}", ran.stderr);
    }
    for option in ["--catch-up", "--jitter"] {
        let ran = place
            .run(["schedules", "edit", "s", option, "-5m"])
            .exits(2);
        let ran = ran.says(&["`-5m` is no duration"]);
        assert!(!ran.stderr.contains("tip:"), "{}", ran.stderr);
    }
}

#[test]
fn a_mistake_in_a_call_takes_up_nothing_that_was_interrupted() {
    let place = Place::with("typed.yaml", TYPED);
    place.run(["run", "typed.yaml", "-i", "count=1"]).exits(3);
    let (here, _go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    let cases: [&[&str]; 3] = [
        &["run", "typed", "-i", "count=many"],
        &["run", "typed", "-i", "count=1", "--approve", "free"],
        &["run", "nobody"],
    ];
    for args in cases {
        place.run(args.iter().copied()).exits(2);
        let running = place.json(["executions", "ls", "--status", "running"]);
        assert_eq!(running.as_array().unwrap().len(), 1, "{args:?}");
    }
}

#[test]
fn an_input_document_may_come_through_a_pipe() {
    let place = Place::with("typed.yaml", TYPED);
    place.write("input.json", r#"{"count": 3}"#);
    let file = std::fs::File::open(place.path("input.json")).unwrap();
    let mut cat = std::process::Command::new("cat")
        .stdin(file)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    place
        .call([
            "run",
            "typed.yaml",
            "--input",
            "@/dev/stdin",
            "--approve",
            "gated",
        ])
        .stdin(cat.stdout.take().unwrap())
        .run()
        .exits(0);
    cat.wait().unwrap();
    assert_eq!(place.only_execution()["input"]["count"], 3);
}
