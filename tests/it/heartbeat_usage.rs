//! `heartbeats`, `alerts` and `simulate` in the hands of somebody who is new to them, or mistaken.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{DATABASE, Place, list, word};

const GOOD: &str = "- [ ] Mail flows\n";

#[test]
fn where_there_is_nothing_every_command_says_what_makes_it() {
    let place = Place::new();
    for call in [["heartbeats", "run"], ["heartbeats", "check"]] {
        place
            .run(call)
            .exits(2)
            .says(&["`agentspace heartbeats init` writes a HEARTBEAT.md"]);
    }
    place.run(["heartbeats", "ls"]).exits(0);
    for call in ["simulate", "reload"] {
        place
            .run([call])
            .exits(2)
            .says(&["no workflow directory workflows and no heartbeat", "init"]);
    }
    place
        .run(["simulate", "."])
        .exits(0)
        .says(&["neither workflow files nor a HEARTBEAT.md", "0 fires"]);
    for call in [vec!["ls"], vec!["watch"], vec!["ack", "--all"]] {
        place
            .run(["alerts"].into_iter().chain(call))
            .exits(1)
            .says(&["there is no database", "`agentspace serve`", "--db"]);
    }
    // Nobody made one by asking.
    assert!(!place.exists(DATABASE));
}

#[test]
fn an_unknown_name_is_told_and_leaves_nothing_behind() {
    let place = Place::with("HEARTBEAT.md", GOOD);
    place
        .run(["heartbeats", "run", "heartbeet"])
        .exits(2)
        .says(&["there is no heartbeat `heartbeet`; did you mean `heartbeat`?"]);
    place.write("b.md", GOOD);
    let two = "[heartbeats.ops]\nfile = 'HEARTBEAT.md'\n[heartbeats.dba]\nfile = 'b.md'\n";
    place.write("agentspace.toml", two);
    place
        .run(["heartbeats", "run", "shop"])
        .exits(2)
        .says(&["there is no heartbeat `shop`; there are: dba, ops"]);
    place
        .run(["heartbeats", "run"])
        .exits(2)
        .says(&["name one of dba, ops"]);
    assert!(!place.exists(DATABASE));
    // One file may be two heartbeats, and is simulated as both.
    place.write("agentspace.toml", two.replace("b.md", "HEARTBEAT.md"));
    let fires = place.json(["simulate", "--days", "1", "HEARTBEAT.md"]);
    let fires = list(&fires["fires"]);
    let count = |name: &str| {
        fires
            .iter()
            .filter(|fire| fire["heartbeat"] == name)
            .count()
    };
    assert_eq!((count("ops"), count("dba")), (48, 48));
}

#[test]
fn a_file_that_is_written_is_said_to_run_only_if_it_will() {
    let place = Place::new();
    place
        .run(["heartbeats", "init", "beats/ops.md"])
        .exits(0)
        .says(&[
            "wrote beats/ops.md",
            "[heartbeats.NAME] with file = \"beats/ops.md\"",
        ]);
    place
        .run(["heartbeats", "init", "beats"])
        .exits(2)
        .says(&["beats is a directory; name the file, as beats/HEARTBEAT.md"]);
    let serving = place.call(["serve"]).start();
    serving.says("serving:");
    let pid = serving.pid().to_string();
    place.run(["heartbeats", "init"]).exits(0).says(&[
        "wrote HEARTBEAT.md",
        "heartbeats check",
        &pid,
        "started again",
    ]);
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    let again = place.run(["heartbeats", "init"]).exits(0);
    let again = again.says(&["kept  HEARTBEAT.md", "heartbeats check"]);
    assert!(!again.stderr.contains("started again"), "{}", again.stderr);
}

#[test]
fn a_configured_file_that_is_missing_or_broken_is_told_wherever_it_is_met() {
    let place = Place::with("broken.md", "---\ntimezone: Mars\n---\n- [ ] a\n");
    place.write("good.md", GOOD);
    place.write(
        "workflows/w.yaml",
        "name: W\nsteps: [{id: a, action: noop}]\n",
    );
    let table = |name: &str| format!("[heartbeats.{name}]\nfile = '{name}.md'\n");
    let config = ["broken", "gone", "good", "inner"].map(table).concat();
    place.write("agentspace.toml", config);
    std::fs::create_dir(place.path("inner.md")).unwrap();
    let said = [
        "broken.md:2:11",
        "gone.md: there is no such file",
        "inner.md: it is a directory",
    ];
    for call in [vec!["heartbeats", "check"], vec!["check"], vec!["simulate"]] {
        place
            .run(call)
            .exits(2)
            .says(&said)
            .says(&["agentspace explain WF0111"]);
    }
    place.run(["doctor"]).exits(1).prints(&[
        "broken: heartbeat `broken` checks nothing: broken.md is refused with 1 error; \
         `agentspace check broken.md` shows more",
        "broken: heartbeat `gone` checks nothing: gone.md: there is no such file",
        "broken: heartbeat `inner` checks nothing: inner.md: it is a directory",
        "3 things are broken",
    ]);
    let ls = place.run(["heartbeats", "ls"]).exits(0);
    ls.prints(&[
        "problem    `timezone` is `Mars`",
        "problem    there is no such file",
        "`agentspace heartbeats check` tells more",
    ]);
    let shown = list(&place.json(["heartbeats", "ls"]));
    let problems: Vec<&Value> = shown.iter().map(|one| &one["problem"]).collect();
    assert_eq!(shown.len(), 4);
    assert_eq!(word(problems[1]), "there is no such file");
    assert_eq!(
        (word(&shown[2]["name"]), problems[2]),
        ("good", &Value::Null)
    );
}
