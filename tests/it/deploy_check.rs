//! `examples/deploy-check.yaml` as it stands, against a real server.

use serde_json::Value;

use crate::support::{Place, Ran, Server, journal, list, word};

fn place() -> Place {
    let place = Place::new();
    place.example("deploy-check.yaml");
    place
}

fn run(place: &Place, url: &str) -> Ran {
    place.run(["run", "deploy-check.yaml", "-i", &format!("url={url}")])
}

/// A place where the rollback waits for a person.
fn waiting() -> (Place, Server) {
    let (place, server) = (place(), Server::answering(500));
    run(&place, &server.url()).exits(3).says(&[
        "web answered 500. Roll it back?",
        "agentspace approvals approve",
    ]);
    (place, server)
}

#[test]
fn a_healthy_service_completes_and_changes_nothing() {
    let (place, server) = (place(), Server::answering(200));
    run(&place, &server.url())
        .exits(0)
        .prints(&["completed in"]);
    assert_eq!(server.requests(), 1);
    assert!(place.lines("deploy-check.log").is_empty());
    let execution = place.only_execution();
    assert_eq!(
        journal(&execution),
        ["check-health success", "done success"]
    );
}

#[test]
fn the_gate_shows_the_command_that_would_run_with_its_values_filled_in() {
    let (place, _server) = waiting();
    place.run(["approvals", "ls"]).exits(0).prints(&[
        "deploy-check › rollback",
        r#"execute_command {"command":["sh","-c","echo \"rolled back $1\" >> \"$2\"","rollback","web","deploy-check.log"]}"#,
    ]);
    let gate = place.only_gate();
    let command = list(&gate["request"]["args"]["command"]);
    assert_eq!(command[3..], ["rollback", "web", "deploy-check.log"]);
    assert!(
        place.lines("deploy-check.log").is_empty(),
        "nothing ran yet"
    );
}

#[test]
fn an_approved_rollback_runs_exactly_once_and_the_same_answer_again_changes_nothing() {
    let (place, server) = waiting();
    let gate = place.only_gate_id();
    place
        .run(["approvals", "approve", &gate, "--as", "grace"])
        .exits(0)
        .prints(&["completed"]);
    let log = place.lines("deploy-check.log");
    assert_eq!(
        log,
        ["rolled back web", "alert: web: answered 500, rolled back"]
    );
    assert_eq!(
        server.requests(),
        1,
        "the check is not repeated after the approval"
    );

    let before = place.only_execution();
    place
        .run(["approvals", "approve", &gate, "--as", "grace"])
        .exits(0)
        .says(&["nothing changed"]);
    assert_eq!(place.lines("deploy-check.log"), log);
    assert_eq!(place.only_execution(), before);
}

#[test]
fn the_opposite_answer_is_a_conflict_that_names_who_decided_and_when() {
    let (place, _server) = waiting();
    let gate = place.only_gate_id();
    place
        .run(["approvals", "approve", &gate, "--as", "grace"])
        .exits(0);
    let before = place.only_execution();
    let decided = list(&before["approvals"])[0].clone();
    let at = word(&decided["decidedAt"]).to_owned();
    assert_eq!(decided["decidedBy"], "grace");
    place
        .run(["approvals", "deny", &gate, "--as", "linus"])
        .exits(1)
        .says(&["settled already", "approved by grace at", &at]);
    assert_eq!(place.only_execution(), before);
}

#[test]
fn a_denied_rollback_never_runs_and_the_alert_gives_the_reason() {
    let (place, _server) = waiting();
    let gate = place.only_gate_id();
    place
        .run([
            "approvals",
            "deny",
            &gate,
            "--as",
            "grace",
            "--reason",
            "not on a Friday",
        ])
        .exits(0);
    let log = place.lines("deploy-check.log");
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(
        log[0].starts_with("alert: web: ") && log[0].contains("not on a Friday"),
        "{log:?}"
    );
}

#[test]
fn a_client_error_alerts_without_a_rollback() {
    let (place, server) = (place(), Server::answering(404));
    run(&place, &server.url()).exits(0);
    assert_eq!(
        place.lines("deploy-check.log"),
        ["alert: web: answered 404"]
    );
}

#[test]
fn a_server_that_never_answers_is_asked_three_times_and_then_alerted() {
    let (place, server) = (place(), Server::answering(0));
    run(&place, &server.url()).exits(0);
    assert_eq!(server.requests(), 3);
    let execution = place.only_execution();
    let visits = list(&execution["journal"]);
    assert_eq!(visits[0]["attempt"], 3);
    assert_eq!(
        journal(&execution),
        ["check-health failure", "alert success", "done success"]
    );
    let log = place.lines("deploy-check.log");
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(log[0].starts_with("alert: web: "), "{log:?}");
}

#[test]
fn a_server_that_is_down_takes_the_same_path() {
    let place = place();
    // Nothing listens on the port of tcpmux, and nothing is given it by chance.
    run(&place, "http://127.0.0.1:1/health").exits(0);
    let visits = list(&place.only_execution()["journal"]);
    assert_eq!(visits[0]["attempt"], 3);
    assert_eq!(place.lines("deploy-check.log").len(), 1);
}

#[test]
fn a_service_that_is_well_again_is_asked_anew_by_the_next_run() {
    let (place, server) = waiting();
    server.answer(200);
    run(&place, &server.url()).exits(0);
    let statuses: Vec<Value> = place
        .executions()
        .iter()
        .map(|execution| execution["status"].clone())
        .collect();
    assert_eq!(statuses, ["completed", "paused"]);
}
