//! The short form of the campaign: some points of every scenario, some random kills, every fault.

use std::process::Command;

/// What is wrong with what parts of the campaign have found, which is nothing.
fn campaign(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crash"));
    let output = match command.arg("campaign").args(arguments).output() {
        Ok(output) => output,
        Err(error) => return Some(error.to_string()),
    };
    let told = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&told).into_owned())
}

#[test]
fn whatever_call_a_process_is_killed_at_nothing_is_lost_or_done_twice() {
    assert_eq!(campaign(&["points"]), None);
}

#[test]
fn whenever_a_process_is_killed_under_load_nothing_is_lost_or_done_twice() {
    assert_eq!(campaign(&["random"]), None);
}

#[test]
fn an_owner_that_was_superseded_writes_nothing() {
    assert_eq!(campaign(&["stalled"]), None);
}

#[test]
fn whoever_serves_when_another_is_killed_fires_nothing_twice_and_loses_no_fire_time() {
    assert_eq!(campaign(&["rivals"]), None);
}

#[test]
fn every_fault_that_is_put_in_is_noticed() {
    assert_eq!(campaign(&["mutations"]), None);
}
