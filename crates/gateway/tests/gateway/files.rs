//! Workflow files: what is registered, what is refused, and what stays.

use gateway::{ErrorKind, FileReport};
use serde_json::json;

use crate::support::{Life, World, verdict, workflow};

/// Reads the world's directory again; the names of the files that were refused.
fn reload(world: &World, life: &Life) -> Vec<String> {
    let reports = life
        .run(life.gateway.register_directory(world.workflows()))
        .unwrap();
    refused(&reports)
}

fn refused(reports: &[FileReport]) -> Vec<String> {
    reports
        .iter()
        .filter(|report| report.is_refused())
        .map(|report| {
            report
                .path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn a_bad_file_is_reported_and_its_last_good_version_stays() {
    let world = World::with("\n  - {id: a, action: noop}");
    world.write("bad", "  - {id: a, action: nop}");
    let life = world.live();
    assert_eq!(refused(&life.gateway.started().files), ["bad.yaml"]);
    let missing = life.try_start("bad", json!({})).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);

    world.write("w", "  - {id: a, action: noop, approval_requird: true}");
    world.write("bad", "  - {id: a, action: noop}");
    assert_eq!(reload(&world, &life), ["w.yaml"]);
    assert_eq!(verdict(&life.settle(json!({}))), None);
    let id = life.start("bad", json!({}));
    assert_eq!(verdict(&life.wait(id)), None);
}

#[test]
fn a_file_that_is_gone_leaves_its_workflow() {
    let world = World::with("\n  - {id: a, action: noop}");
    let life = world.live();
    std::fs::remove_file(world.workflows().join("w.yaml")).unwrap();
    assert_eq!(reload(&world, &life), Vec::<String>::new());
    assert_eq!(verdict(&life.settle(json!({}))), None);
}

#[test]
fn reading_again_tells_what_is_new_what_is_refused_and_what_is_gone() {
    let world = World::with("\n  - {id: a, action: noop}");
    let gone = world.write("gone", "  - {id: a, action: noop}");
    let life = world.live();
    world.write("w", "  - {id: b, action: noop}");
    world.write("bad", "  - {id: a, action: nop}");
    std::fs::remove_file(gone).unwrap();
    let told = life.run(life.gateway.reload()).unwrap();
    assert_eq!(told.registered, [workflow("w")]);
    assert_eq!(told.gone, [workflow("gone")]);
    assert_eq!(
        (told.files.len(), refused(&told.files)),
        (2, vec!["bad.yaml".to_owned()])
    );
    let again = life.run(life.gateway.reload()).unwrap();
    assert_eq!((again.registered, again.gone), (vec![], vec![]));
    assert_eq!(refused(&again.files), ["bad.yaml"]);
    // A directory that is not there is no reason to take anything for gone.
    let elsewhere = world.path().join("elsewhere");
    std::fs::rename(world.workflows(), &elsewhere).unwrap();
    let told = life.run(life.gateway.reload()).unwrap();
    assert_eq!((told.unreadable.len(), told.gone), (1, vec![]));
    assert_eq!(life.trail(life.settle(json!({})).id), ["b null"]);
    std::fs::rename(elsewhere, world.workflows()).unwrap();
    let told = life.run(life.gateway.reload()).unwrap();
    assert_eq!((told.registered, told.gone), (vec![], vec![]));
}

#[test]
fn an_unknown_tool_and_arguments_that_do_not_fit_are_refused_at_once() {
    let world = World::new();
    world.write("tool", "  - {id: a, action: tool, tool: atc}");
    world.write(
        "args",
        "  - {id: a, action: tool, tool: act, args: {token: hunter2}}",
    );
    let life = world.live();
    let files = &life.gateway.started().files;
    assert_eq!(refused(files), ["args.yaml", "tool.yaml"]);
    let text = |index: usize| {
        let report: &FileReport = &files[index];
        let found: Vec<String> = report
            .diagnostics
            .iter()
            .map(|diagnostic| format!("{} {:?}", diagnostic.message, diagnostic.help))
            .collect();
        found.join("; ")
    };
    assert!(
        text(0).contains("`args.token` is a string, expected a whole number"),
        "{}",
        text(0)
    );
    assert!(!text(0).contains("hunter2"), "{}", text(0));
    assert!(text(1).contains("did you mean `act`?"), "{}", text(1));
}

#[test]
fn two_files_with_one_stem_are_both_refused_and_the_last_good_version_stays() {
    let world = World::with("\n  - {id: a, action: noop}");
    let life = world.live();
    let twin = r#"{"name": "w", "steps": [{"id": "b", "action": "noop"}]}"#;
    std::fs::write(world.workflows().join("w.json"), twin).unwrap();
    assert_eq!(reload(&world, &life), ["w.json", "w.yaml"]);
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), ["a null"]);
    std::fs::remove_file(world.workflows().join("w.yaml")).unwrap();
    assert_eq!(reload(&world, &life), Vec::<String>::new());
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), ["b null"]);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_directory_is_refused_and_one_within_is_not() {
    use std::os::unix::fs::symlink;
    let world = World::with("\n  - {id: a, action: noop}");
    let outside = world.path().join("outside.yaml");
    std::fs::copy(world.workflows().join("w.yaml"), &outside).unwrap();
    symlink(&outside, world.workflows().join("out.yaml")).unwrap();
    symlink(
        world.workflows().join("w.yaml"),
        world.workflows().join("in.yaml"),
    )
    .unwrap();
    symlink(
        world.path().join("nowhere"),
        world.workflows().join("lost.yaml"),
    )
    .unwrap();
    let life = world.live();
    assert_eq!(
        refused(&life.gateway.started().files),
        ["lost.yaml", "out.yaml"]
    );
    assert!(life.try_start("out", json!({})).is_err());
    assert!(life.try_start("in", json!({})).is_ok());
}

#[test]
fn a_running_execution_keeps_the_definition_it_was_started_with() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act, args: {do: wait}}
  - {id: b, action: noop}",
    );
    let life = world.live();
    let id = life.start("w", json!({}));
    life.until_called(&world, 1);
    world.write("w", "  - {id: a, action: noop}");
    assert_eq!(reload(&world, &life), Vec::<String>::new());
    life.kill();
    std::fs::remove_file(world.workflows().join("w.yaml")).unwrap();
    let life = world.live();
    life.wait(id);
    let gate = life.gate(id);
    let done = gateway::workflow_types::approval::Resolution::Done { output: json!(1) };
    life.run(
        life.gateway
            .resolve(gate.id, done, crate::support::actor("ann"), None),
    )
    .unwrap();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(life.trail(id), ["a 1", "b null"]);
    let known = life.run(life.gateway.definition(&workflow("w"))).unwrap();
    assert_eq!(known.steps().len(), 1);
}
