//! Workflow files that change while `serve` runs, and `agentspace reload`.

use std::os::unix::fs::symlink;

use rustix::process::Signal;
use serde_json::Value;

use crate::crashes::blocking;
use crate::support::{Place, Running, word};

/// A workflow that says a word every second.
fn tick(say: &str) -> String {
    format!(
        "\
name: Tick
trigger: '* * * * * *'
steps:
  - id: tick
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo {say} >> ticks']}}
"
    )
}

pub(crate) fn serve(place: &Place) -> Running {
    let serving = place.call(["serve"]).start();
    serving.says("serving:");
    serving
}

pub(crate) fn stop(serving: Running) {
    serving.signal(Signal::TERM);
    serving.end().exits(0);
}

/// Saves as editors do: another file, which is then given the name.
pub(crate) fn save(place: &Place, name: &str, text: &str) {
    let beside = format!("{name}.tmp~");
    place.write(&beside, text);
    std::fs::rename(place.path(&beside), place.path(name)).unwrap();
}

/// Waits until a word was said by a fire; what has only started may be put back by a shutdown.
fn until_said(place: &Place, serving: &Running, said: &str) {
    while !place.lines("ticks").iter().any(|line| line == said) {
        serving.says("tick  started");
    }
}

/// Waits until the schedule of a trigger is on, or off.
fn until_enabled(place: &Place, wanted: bool) {
    while place.json(["schedules", "show", "tick"])["enabled"] != wanted {}
}

#[test]
fn an_edit_is_what_fires_next_however_it_is_saved() {
    let place = Place::with("workflows/tick.yaml", tick("first"));
    let serving = serve(&place);
    until_said(&place, &serving, "first");
    place.write("workflows/tick.yaml", tick("second"));
    serving.says("workflow tick: registered anew");
    until_said(&place, &serving, "second");
    save(&place, "workflows/tick.yaml", &tick("third"));
    serving.says("workflow tick: registered anew");
    until_said(&place, &serving, "third");
    stop(serving);
    let said = place.lines("ticks");
    let mut in_order = said.clone();
    in_order.sort_by_key(|word| {
        ["first", "second", "third"]
            .iter()
            .position(|one| one == word)
    });
    assert_eq!(said, in_order);
    in_order.dedup();
    assert_eq!(in_order, ["first", "second", "third"]);
}

#[test]
fn a_broken_edit_is_told_with_its_line_and_the_last_good_version_fires_on() {
    let place = Place::with("workflows/tick.yaml", tick("good"));
    let serving = serve(&place);
    until_said(&place, &serving, "good");
    let broken = tick("bad").replace("tool: execute_command", "tool: execute_comand");
    save(&place, "workflows/tick.yaml", &broken);
    serving.says("WF0207");
    serving.says("workflows/tick.yaml:6:11");
    serving.says("its last good version stays");
    serving.says("tick  started");
    save(&place, "workflows/tick.yaml", &tick("mended"));
    serving.says("workflow tick: registered anew");
    until_said(&place, &serving, "mended");
    stop(serving);
    let mut said = place.lines("ticks");
    said.dedup();
    assert_eq!(said, ["good", "mended"]);
}

#[test]
fn an_execution_that_waits_keeps_the_definition_that_it_has() {
    let text = |say: &str| {
        format!(
            "\
name: Ask
steps:
  - id: ask
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo {say} >> said']}}
    approvalRequired: true
"
        )
    };
    let place = Place::with("workflows/ask.yaml", text("old"));
    place.run(["run", "workflows/ask.yaml"]).exits(3);
    let gate = place.only_gate_id();
    let serving = serve(&place);
    save(&place, "workflows/ask.yaml", &text("new"));
    serving.says("workflow ask: registered anew");
    stop(serving);
    place.run(["approvals", "approve", &gate]).exits(0);
    assert_eq!(place.lines("said"), ["old"]);
    place.run(["run", "ask", "--approve", "ask"]).exits(0);
    assert_eq!(place.lines("said"), ["old", "new"]);
}

#[test]
fn a_file_that_goes_takes_its_trigger_with_it_and_one_that_comes_back_brings_it() {
    let place = Place::with("workflows/tick.yaml", tick("on"));
    let serving = serve(&place);
    serving.says("tick  started");
    std::fs::remove_file(place.path("workflows/tick.yaml")).unwrap();
    serving.says("its file is gone");
    until_enabled(&place, false);
    save(&place, "workflows/tick.yaml", &tick("on"));
    until_enabled(&place, true);
    serving.says("tick  started");
    stop(serving);
}

#[test]
fn a_link_that_leads_out_of_the_directory_is_refused() {
    let place = Place::with(
        "workflows/good.yaml",
        "name: G\nsteps: [{id: a, action: noop}]\n",
    );
    place.write("outside/evil.yaml", tick("evil"));
    let serving = serve(&place);
    let links = [("evil", "../outside/evil.yaml"), ("worse", "/etc/hostname")];
    for (name, target) in links {
        symlink(target, place.path(&format!("workflows/{name}.yaml"))).unwrap();
        let told = serving.says("the link leads out of the workflow directory");
        assert!(told.contains(name), "{told}");
    }
    stop(serving);
    let known = place.json(["workflows", "ls"]);
    let known: Vec<&str> = known
        .as_array()
        .unwrap()
        .iter()
        .map(|one| word(&one["id"]))
        .collect();
    assert_eq!(known, ["good"]);
}

#[test]
fn a_directory_may_come_later_and_be_replaced() {
    let place = Place::new();
    let serving = place.call(["serve"]).start();
    serving.says("there is no workflow directory");
    serving.says("serving: 0 workflows");
    place.write("prepared/tick.yaml", tick("first"));
    std::fs::rename(place.path("prepared"), place.path("workflows")).unwrap();
    serving.says("workflow tick: registered anew");
    place.write("prepared/tick.yaml", tick("second"));
    std::fs::rename(place.path("workflows"), place.path("old")).unwrap();
    std::fs::rename(place.path("prepared"), place.path("workflows")).unwrap();
    serving.says("workflow tick: registered anew");
    save(&place, "workflows/tick.yaml", &tick("third"));
    serving.says("workflow tick: registered anew");
    stop(serving);
}

#[test]
fn what_is_written_beside_the_files_is_no_reason_to_read_them() {
    // The database among them changes with every fire.
    let place = Place::with("tick.yaml", tick("on"));
    let args = [
        "serve",
        "--json",
        "--workflows",
        ".",
        "--db",
        "agentspace.db",
    ];
    let serving = place.call(args).start();
    for _ in 0..3 {
        serving.prints("schedule.fire");
    }
    serving.signal(Signal::TERM);
    let ran = serving.end().exits(0);
    assert!(!ran.stdout.contains("workflows.reloaded"), "{}", ran.stdout);
}

#[test]
fn reload_tells_whoever_serves_and_returns_when_it_is_done() {
    let place = Place::with("workflows/tick.yaml", tick("first"));
    let serving = serve(&place);
    let pid = serving.pid().to_string();
    place.write("workflows/tick.yaml", tick("second"));
    let told = place.json(["reload"]);
    assert_eq!(told["server"].to_string(), pid);
    let shown = place.json(["workflows", "show", "tick"]);
    assert!(shown.to_string().contains("echo second"), "{shown}");
    place.write("workflows/bad.yaml", "name: B\nsteps: []\n");
    let refused = place.run(["reload"]).exits(2);
    let refused = refused.says(&["workflows/bad.yaml:"]);
    refused.prints(&["1 of 2 workflow files registered by process", &pid]);
    stop(serving);
}

#[test]
fn without_a_server_reload_registers_by_itself() {
    let place = Place::with("workflows/tick.yaml", tick("first"));
    let ran = place.run(["reload"]).exits(0);
    ran.prints(&["1 of 1 workflow files registered"]);
    let told = place.json(["reload"]);
    assert_eq!(
        (&told["server"], &told["errors"]),
        (&Value::Null, &Value::from(0))
    );
    assert_eq!(place.lines("ticks"), Vec::<String>::new());
    until_enabled(&place, true);
    let nowhere = Place::new().run(["reload"]).exits(2);
    nowhere.says(&["there is no workflow directory"]);
}

#[test]
fn another_owner_is_waited_for_and_not_signalled() {
    let place = Place::with("workflows/tick.yaml", tick("first"));
    let (here, go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    let reload = place.call(["reload"]).start();
    reload.says("waiting up to");
    go.say("on");
    running.end().exits(0);
    let ran = reload.end().exits(0);
    ran.prints(&["1 of 1 workflow files registered"]);
}

#[test]
fn settings_that_change_are_told_once_and_hold_from_the_next_start_on() {
    let place = Place::with("workflows/tick.yaml", tick("on"));
    place.write("agentspace.toml", "[gateway]\ndrain = \"30s\"\n");
    let serving = serve(&place);
    save(&place, "agentspace.toml", "[gateway]\ndrain = \"31s\"\n");
    serving.says("agentspace.toml has changed: what it says takes effect at the next start");
    // Written again as it is, it is no news.
    save(&place, "agentspace.toml", "[gateway]\ndrain = \"31s\"\n");
    place.write("workflows/tick.yaml", tick("off"));
    serving.says("workflow tick: registered anew");
    save(&place, "agentspace.toml", "[gateway]\ndrian = \"31s\"\n");
    serving.says("error[WF0101]");
    serving.says("agentspace.toml:2:1");
    serving.says("did you mean `drain`?");
    serving.says("agentspace.toml is refused: what it said at the start stays in force");
    std::fs::remove_file(place.path("agentspace.toml")).unwrap();
    serving.says("agentspace.toml: there is no such file");
    serving.says("agentspace.toml is refused");
    save(&place, "agentspace.toml", "[gateway]\ndrain = \"30s\"\n");
    serving.says("agentspace.toml is again as it was at the start");
    serving.says("tick  started");
    serving.signal(Signal::TERM);
    let ran = serving.end().exits(0);
    let told = ran.stderr.matches("agentspace.toml has changed").count();
    assert_eq!(told, 1, "{}", ran.stderr);
}

#[test]
fn programs_get_a_line_for_settings_that_change_and_none_for_those_that_do_not() {
    let place = Place::with(
        "workflows/tick.yaml",
        "name: x\nsteps: [{id: a, action: noop}]\n",
    );
    place.write("ops/own.toml", "workflows = \"../workflows\"\n");
    let call = place.call(["serve", "--json", "--config", "ops/own.toml"]);
    let serving = call.start();
    serving.says("serving:");
    save(
        &place,
        "ops/own.toml",
        "workflows = \"../workflow\"\nx = 1\n",
    );
    serving.says("ops/own.toml is refused");
    serving.signal(Signal::TERM);
    let ran = serving.end().exits(0);
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1, "{}", ran.stdout);
    assert_eq!(lines[0]["kind"], "config.changed");
    assert_eq!(lines[0]["data"]["files"][0]["refused"], true);
}
