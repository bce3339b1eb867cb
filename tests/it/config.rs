//! `agentspace.toml`: which value wins, where the file is found, and that a mistake stops everything.

use serde_json::{Value, json};

use crate::support::{Call, Place, Ran, list, word};

/// Of each setting: what a flag, a variable and the file say (in which table), and the values that
/// hold if each of these, and nobody, says something.
const SETTINGS: &str = r#"
database | --db flag.db | AGENTSPACE_DB=variable.db | # | database = 'file.db' | ["flag.db", "variable.db", "file.db", ".agentspace/agentspace.db"]
workflows | --workflows flag | AGENTSPACE_WORKFLOWS=variable | # | workflows = 'file' | ["flag", "variable", "file", "workflows"]
gateway.durability | --durability full | AGENTSPACE_DURABILITY=normal | [gateway] | durability = 'normal' | ["full", "normal", "normal", "full"]
gateway.max_concurrent_executions | --max-concurrent-executions 1 | AGENTSPACE_MAX_CONCURRENT_EXECUTIONS=2 | [gateway] | max_concurrent_executions = 3 | [1, 2, 3, 64]
gateway.max_output_bytes | --max-output-bytes 1 | AGENTSPACE_MAX_OUTPUT_BYTES=2 | [gateway] | max_output_bytes = 3 | [1, 2, 3, 1048576]
gateway.timezone | --timezone Europe/Berlin | AGENTSPACE_TIMEZONE=Asia/Tokyo | [gateway] | timezone = 'America/New_York' | ["Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC"]
gateway.drain | --drain 1s | AGENTSPACE_DRAIN=2m | [gateway] | drain = 3000 | ["1s", "2m", "3s", "30s"]
gateway.grace | --grace 1s | AGENTSPACE_GRACE=90ms | [gateway] | grace = '3s' | ["1s", "90ms", "3s", "2s"]
gateway.retention.older_than | --retention-older-than 7d | AGENTSPACE_RETENTION_OLDER_THAN=12h | [gateway.retention] | older_than = '30d' | ["7d", "12h", "30d", null]
gateway.retention.keep_per_workflow | --retention-keep-per-workflow 1 | AGENTSPACE_RETENTION_KEEP_PER_WORKFLOW=2 | [gateway.retention] | keep_per_workflow = 3 | [1, 2, 3, null]
tools.execute_command.allow_programs | --allow-program git | AGENTSPACE_ALLOW_PROGRAMS=tar,cat | [tools.execute_command] | allow_programs = [] | [["git"], ["tar", "cat"], [], null]
tools.execute_command.inherit_env | --inherit-env A | AGENTSPACE_INHERIT_ENV=B,C | [tools.execute_command] | inherit_env = ['*'] | [["A"], ["B", "C"], ["*"], []]
tools.http_request.allow_private_addresses | --allow-private-addresses=false | AGENTSPACE_ALLOW_PRIVATE_ADDRESSES=yes | [tools.http_request] | allow_private_addresses = true | [false, true, true, false]
"#;

/// The rows of the table.
fn settings() -> impl Iterator<Item = Vec<&'static str>> {
    let rows = SETTINGS.trim().lines();
    rows.map(|row| row.split(" | ").collect())
}

/// What `doctor` says of a setting: its value and its origin.
fn shown(ran: Ran, name: &str) -> (Value, Value) {
    let data = ran.exits(0).data();
    let all = list(&data["settings"]);
    let found = all.iter().find(|setting| setting["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {all:?}"));
    (found["value"].clone(), found["origin"].clone())
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let place = Place::new();
    for row in settings() {
        let [name, flag, variable, table, line, values] = row[..] else {
            panic!("{row:?}");
        };
        let values: [Value; 4] = serde_json::from_str(values).unwrap();
        let [by_flag, by_variable, by_file, by_default] = values;
        let call = || place.call(["doctor", "--json"]);

        place.write("agentspace.toml", "");
        let origin = json!({"kind": "default"});
        assert_eq!(shown(call().run(), name), (by_default, origin));

        place.write("agentspace.toml", format!("{table}\n{line}\n"));
        let origin = json!({"kind": "file", "path": "agentspace.toml", "line": 2});
        assert_eq!(shown(call().run(), name), (by_file, origin));

        let (variable, value) = variable.split_once('=').unwrap();
        let with_variable = || call().env(variable, value);
        let origin = json!({"kind": "variable", "name": variable});
        assert_eq!(shown(with_variable().run(), name), (by_variable, origin));

        let with_flag = flag.split(' ').fold(with_variable(), Call::arg);
        let long = flag.split([' ', '=']).next().unwrap();
        let origin = json!({"kind": "flag", "name": long});
        assert_eq!(shown(with_flag.run(), name), (by_flag, origin));
    }
}

#[test]
fn every_setting_that_doctor_shows_is_in_the_table_above() {
    let data = Place::new().json(["doctor"]);
    let all = list(&data["settings"]);
    let shown: Vec<&str> = all.iter().map(|setting| word(&setting["name"])).collect();
    let tested: Vec<&str> = settings().map(|row| row[0]).collect();
    assert_eq!(shown, tested);
}

#[test]
fn flags_may_stand_before_or_behind_the_command() {
    let place = Place::new();
    for words in [
        ["--drain", "7s", "doctor", "--json"],
        ["doctor", "--json", "--drain", "7s"],
    ] {
        let (value, origin) = shown(place.run(words), "gateway.drain");
        assert_eq!(
            (value, origin),
            (json!("7s"), json!({"kind": "flag", "name": "--drain"}))
        );
    }
}

#[test]
fn state_and_workflows_lie_beside_the_file_that_is_found_above() {
    let place = Place::with("agentspace.toml", "");
    place.run(["init", "--no-config"]).exits(0);
    place.write("deep/below/x", "");
    let below = |words: &[&str]| {
        let call = place.call(words.iter().copied());
        call.within(place.path("deep/below")).run()
    };
    below(&["check"]).exits(0).says(&["3 files checked"]);
    below(&["run", "hello"]).exits(3);
    assert!(place.exists(".agentspace/agentspace.db"));
    assert!(!place.exists("deep/below/.agentspace"));
    below(&["executions", "ls", "--no-config"])
        .exits(1)
        .says(&["there is no database"]);
}

#[test]
fn paths_of_the_file_are_relative_to_it_and_those_of_flags_to_the_current_directory() {
    let place = Place::new();
    place.write(
        "ops/own.toml",
        "database = 'state/a.db'\nworkflows = '../flows'\n",
    );
    let doctor = ["doctor", "--json"];
    let named = |call: Call| shown(call.run(), "database").0;
    let by_flag = place.call(doctor).arg("--config").arg("ops/own.toml");
    assert_eq!(named(by_flag), "ops/state/a.db");
    let by_variable = || place.call(doctor).env("AGENTSPACE_CONFIG", "ops/own.toml");
    assert_eq!(named(by_variable()), "ops/state/a.db");
    assert_eq!(named(by_variable().arg("--db").arg("b.db")), "b.db");
    assert_eq!(
        named(by_variable().arg("--no-config")),
        ".agentspace/agentspace.db"
    );
    let (workflows, _) = shown(by_variable().run(), "workflows");
    assert_eq!(workflows, "ops/../flows");
}

#[test]
fn a_mistake_stops_every_command_that_works_with_settings_and_applies_nothing() {
    let place = Place::with("agentspace.toml", "database = 'mine.db'\ndrian = 3\n");
    place.example("hello.yaml");
    for words in [
        vec!["run", "hello.yaml"],
        vec!["executions", "ls"],
        vec!["db", "migrate"],
        vec!["doctor"],
        vec!["check", "hello.yaml"],
    ] {
        let ran = place.run(words).exits(2);
        assert_eq!(ran.stdout, "");
        ran.says(&[
            "error[WF0101]: the key `drian` is not known in the configuration",
            "--> agentspace.toml:2:1",
            "agentspace explain WF0101",
        ]);
        assert!(!place.exists("mine.db") && !place.exists(".agentspace"));
    }
    for words in [
        vec!["explain", "WF0101"],
        vec!["schema", "config"],
        vec!["init"],
        vec!["run", "hello.yaml", "--approve", "farewell", "--no-config"],
    ] {
        place.run(words).exits(0);
    }
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let place = Place::new();
    place
        .run(["doctor", "--config", "gone.toml"])
        .exits(2)
        .says(&["gone.toml: there is no such file"]);
    place
        .run(["doctor", "--config", "."])
        .exits(2)
        .says(&["it is a directory; name the agentspace.toml in it"]);
    place
        .call(["doctor"])
        .env("AGENTSPACE_DRAIN", "soon")
        .run()
        .exits(2)
        .says(&["`soon` is no duration", "--drain"]);
}

#[test]
fn check_reads_the_file_where_it_is_named_or_stands_in_the_directory() {
    let place = Place::with("project/agentspace.toml", "[gateway]\ngrace = true\n");
    for path in ["project", "project/agentspace.toml"] {
        let data = place.run(["check", path, "--json"]).exits(2).data();
        let file = &list(&data["files"])[0];
        assert_eq!(file["kind"], "config");
        let found = &list(&file["diagnostics"])[0];
        assert_eq!(
            (&found["code"], &found["line"], &found["column"]),
            (&json!("WF0103"), &json!(2), &json!(9))
        );
        assert_eq!(found["pointer"], "/gateway/grace");
    }
    // Once, though it is the settings' own file as well.
    let data = place
        .call(["check", ".", "--json"])
        .within(place.path("project"))
        .run()
        .exits(2)
        .data();
    assert_eq!(list(&data["files"]).len(), 1);
}

#[test]
fn an_empty_list_of_programs_allows_none() {
    let place = Place::with(
        "agentspace.toml",
        "[tools.execute_command]\nallow_programs = []\n",
    );
    place.example("hello.yaml");
    place
        .run(["run", "hello.yaml"])
        .exits(1)
        .prints(&["`echo` is not in the list of allowed programs"]);
    place
        .run(["run", "hello.yaml", "--allow-program", "echo"])
        .exits(3);
}

#[test]
fn the_own_options_of_a_command_come_before_the_global_ones() {
    let help = Place::new().run(["executions", "ls", "-h"]).exits(0).stdout;
    let (own, global) = help.split_once("Global options:").unwrap();
    assert!(own.contains("--limit") && !own.contains("--db"), "{help}");
    assert!(global.lines().count() < 8, "{help}");
    let long = Place::new()
        .run(["executions", "ls", "--help"])
        .exits(0)
        .stdout;
    assert!(long.contains("--max-concurrent-executions"), "{long}");
}

#[test]
fn what_is_not_kept_is_deleted_at_the_next_start_and_by_no_command_that_reads() {
    let place = Place::with(
        "quick.yaml",
        "name: Quick\nsteps: [{id: a, action: noop}]\n",
    );
    place.example("hello.yaml");
    place.run(["run", "hello.yaml"]).exits(3);
    for _ in 0..4 {
        place.run(["run", "quick.yaml"]).exits(0);
    }
    place.write(
        "agentspace.toml",
        "[gateway.retention]\nkeep_per_workflow = 2\n",
    );
    assert_eq!(place.executions().len(), 5);
    // A second process need not have come so far, before it has nothing more to do.
    while place.executions().len() > 3 {
        place.run(["resume"]).exits(0);
    }
    let all = place.executions();
    let kept: Vec<&str> = all.iter().map(|one| word(&one["workflowId"])).collect();
    assert_eq!(kept, ["quick", "quick", "hello"], "one that waits is kept");
    place
        .run(["resume", "--retention-older-than", "30m"])
        .exits(2)
        .says(&["shorter than an hour"]);
}
