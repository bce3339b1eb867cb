//! Files of heartbeats that are read again although no run is due.

use gateway::workflow_types::diagnostic::Code;
use gateway::{Reloaded, Scheduling};

use super::judge::Script;
use crate::support::{Life, World, at, workflow};

impl World {
    fn every(&self, interval: &str) {
        let text = format!("---\nmodel: judge\ninterval: {interval}\n---\n- [ ] Disk\n");
        self.heartbeat(&text);
    }
}

fn reload(life: &Life) -> Reloaded {
    life.run(life.gateway.reload()).unwrap()
}

/// When the heartbeat runs next, as hours and minutes.
fn next(life: &Life) -> String {
    let next = life.schedule("ops").next().unwrap();
    next.fire_time.to_string()[11..16].to_owned()
}

#[test]
fn reading_all_files_again_puts_another_cadence_in_force_at_once() {
    let world = World::new();
    world.every("30");
    let script = Script::new();
    world.clock_at("09:05:00");
    let life = world.beating(&script);
    assert_eq!(next(&life), "09:30");
    world.every("10");
    let told = reload(&life);
    assert_eq!((told.files.len(), told.heartbeats.len()), (1, 1));
    let reading = &told.heartbeats[0];
    assert_eq!(reading.problem, None);
    let schedule = reading.schedule.as_ref().unwrap();
    assert_eq!(
        schedule.next().unwrap().fire_time,
        at("2026-01-31T09:10:00Z")
    );
    life.beat(&world, "09:10:00");
    assert_eq!(life.beats(), ["09:10 started"]);
    assert_eq!(next(&life), "09:20");
}

#[test]
fn a_file_that_cannot_be_used_is_told_and_nothing_that_is_stored_changes() {
    let world = World::new();
    world.every("30");
    let script = Script::new();
    world.clock_at("09:05:00");
    let life = world.beating(&script);
    let kept = || {
        let definition = life.run(life.gateway.definition(&workflow("ops"))).unwrap();
        (life.schedule("ops"), definition)
    };
    let before = kept();
    world.every("0");
    let told = reload(&life);
    let codes: Vec<Code> = told.files[0]
        .diagnostics
        .errors()
        .map(|it| it.code)
        .collect();
    assert_eq!(codes, [Code::BadInterval]);
    let problem = told.heartbeats[0].problem.as_ref().unwrap();
    assert!(problem.contains("HEARTBEAT.md:3:11"), "{problem}");
    std::fs::remove_file(world.heartbeat_file()).unwrap();
    let told = reload(&life);
    let problem = told.heartbeats[0].problem.as_ref().unwrap();
    assert!(problem.contains("there is no such file"), "{problem}");
    assert_eq!(kept(), before);
    assert_eq!(life.verdicts(), Vec::<String>::new());
}

#[test]
fn a_run_that_was_due_before_is_not_lost_by_another_cadence() {
    let world = World::new();
    world.every("30");
    let script = Script::new();
    world.clock_at("09:05:00");
    world.beating(&script).shutdown();
    // Its time comes while nobody serves, and somebody else reads the file.
    world.clock_at("09:31:00");
    world.every("2h");
    let life = world.beating_with(&script, |builder| builder.scheduling(Scheduling::Rest));
    assert_eq!(reload(&life).heartbeats.len(), 1);
    life.shutdown();
    let life = world.beating(&script);
    life.beat(&world, "09:31:00");
    life.beat(&world, "10:00:00");
    assert_eq!(life.beats(), ["09:30 started", "10:00 started"]);
    assert_eq!(next(&life), "12:00");
}

#[test]
fn among_workflow_files_it_is_no_workflow_and_never_gone() {
    let world = World::with("\n  - {id: a, action: noop}");
    let file = world.workflows().join("HEARTBEAT.md");
    let text = "---\nmodel: judge\n---\n- [ ] Disk\n";
    std::fs::write(&file, text).unwrap();
    let script = Script::new();
    let serve = || {
        world.live_with(|builder| {
            let judge = super::judge::Judge(std::sync::Arc::clone(&script));
            builder.model("judge", judge).heartbeat("ops", &file)
        })
    };
    let life = serve();
    world.write("w", "  - {id: b, action: noop}");
    std::fs::write(&file, text.replace("Disk", "Mail")).unwrap();
    let told = reload(&life);
    assert_eq!((told.registered, told.gone), (vec![workflow("w")], vec![]));
    life.shutdown();
    let life = serve();
    let told = reload(&life);
    assert_eq!((told.registered, told.gone), (vec![], vec![]));
    life.beat(&world, "09:30:00");
    assert_eq!(script.asked(), ["Mail"]);
    assert_eq!(life.beats(), ["09:30 started"]);
}
