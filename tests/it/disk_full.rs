//! The disk is full for a while: the cause is named, nothing begins that cannot be recorded, and
//! the work goes on by itself when there is room again.

use std::collections::BTreeMap;

use crate::crashes::blocking;
use crate::support::{Place, Tmpfs, demonstrated, journal, list, word};

const DATABASE: &str = "small/agentspace.db";

/// Said when a step cannot be recorded for now.
const WAITS: &str = "the execution goes on when it does";

/// Commands whose ledger is on another disk.
const TWO: &str = r#"name: Two
steps:
  - id: one
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo "one $AGENTSPACE_IDEMPOTENCY_KEY" >> ledger']}
  - id: two
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo "two $AGENTSPACE_IDEMPOTENCY_KEY" >> ledger']}
"#;

#[test]
fn a_disk_that_fills_up_within_a_step_holds_the_next_one_back_until_there_is_room() {
    let place = Place::new();
    let Some(disk) = Tmpfs::mount(&place, "small", "1m") else {
        return;
    };
    let (here, go) = blocking(&place, "");
    let args = ["run", "blocking.yaml", "--db", DATABASE];
    let running = place.call(args).start();
    here.line();
    disk.fill(0);
    go.say("on");
    let said = running.says(WAITS);
    for words in [place.text(DATABASE).as_str(), "full", "free some space"] {
        assert!(said.contains(words), "`{words}`: {said}");
    }
    demonstrated(&said);
    // It is tried again, in vain, and the step after it has not begun.
    running.says(WAITS);
    let ledger = place.lines("ledger");
    assert_eq!(
        ledger.last().map(String::as_str),
        Some("ended on"),
        "{ledger:?}"
    );
    // Whoever only reads is served.
    let shown = place.run(["executions", "ls", "--db", DATABASE]).exits(0);
    shown.prints(&["running"]);

    disk.make_room();
    running.end().exits(0).prints(&["completed"]);
    let ledger = place.lines("ledger");
    let count = |word: &str| ledger.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("before"), count("began"), count("after")), (1, 1, 1));
    place.run(["db", "check", "--db", DATABASE]).exits(0);
}

/// A run with so many pages left on the disk, and then with room again; what it came to.
fn run_with(left: u64) -> Option<&'static str> {
    let place = Place::with("two.yaml", TWO);
    let disk = Tmpfs::mount(&place, "small", "1m")?;
    place.run(["db", "migrate", "--db", DATABASE]).exits(0);
    disk.fill(left);
    let args = ["run", "two.yaml", "--db", DATABASE];
    let running = place.call(args).start();
    let waits = running.says_unless_it_ends(WAITS);
    if waits {
        let effects = place.lines("ledger").len();
        let shown = place.json(["executions", "ls", "--db", DATABASE]);
        let id = word(&shown[0]["id"]).to_owned();
        let shown = place.json(["executions", "show", &id, "--db", DATABASE]);
        // No effect is there of which there is no record that it began.
        assert!(
            effects <= list(&shown["journal"]).len(),
            "{effects}: {shown}"
        );
        disk.make_room();
    }
    let ran = running.end();
    let what = match ran.code {
        Some(0) if waits => "went on by itself",
        Some(0) => "had room enough",
        _ => {
            let ran = ran
                .exits(1)
                .says(&["small/agentspace.db", "free some space"]);
            assert_eq!(place.lines("ledger"), Vec::<String>::new(), "{ran:?}");
            disk.make_room();
            place.run(args).exits(0);
            "refused before it began"
        }
    };
    let shown = place.json(["executions", "ls", "--db", DATABASE]);
    let all = list(&shown);
    assert_eq!(all.len(), 1, "{left}: {all:?}");
    let shown = place.json(["executions", "show", word(&all[0]["id"]), "--db", DATABASE]);
    assert_eq!(journal(&shown), ["one success", "two success"], "{left}");
    assert_eq!(place.lines("ledger").len(), 2, "{left}");
    place.run(["db", "check", "--db", DATABASE]).exits(0);
    Some(what)
}

#[test]
fn whenever_the_disk_runs_full_nothing_begins_that_cannot_be_recorded_and_nothing_is_lost() {
    let mut became: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for left in 0.. {
        let Some(what) = run_with(left) else {
            return;
        };
        became.entry(what).or_default().push(left);
        if what == "had room enough" {
            break;
        }
    }
    demonstrated(&format!(
        "pages left, and what became of the run: {became:?}"
    ));
    assert_eq!(became.len(), 3, "{became:?}");
}
