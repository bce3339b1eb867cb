//! The schedule of a workflow's `trigger`, which follows its file.

use std::time::Duration;

use gateway::workflow_types::schedule::{Misfire, Next, Off, Overlap, Policies, Standing};
use gateway::{ErrorKind, ScheduleEdit};

use crate::schedules::id;
use crate::support::{Life, World, at};

#[test]
fn a_trigger_fires_by_itself_and_follows_its_file() {
    let world = World::new();
    let write = |trigger: &str| {
        let steps = "steps:\n  - {id: a, action: noop}\n";
        world.write("s", &format!("trigger: {trigger}\n{steps}"))
    };
    let reload = |life: &Life| {
        let read = life.gateway.register_directory(world.workflows());
        life.run(read).unwrap();
    };
    write("{cron: '0 * * * *', timezone: Europe/Berlin, maxRuns: 5}");
    let life = world.live();
    let made = life.schedule("s");
    assert_eq!(made.spec.timing.zone().name(), "Europe/Berlin");
    life.at(&world, "10:00:00");
    let schedule = life.schedule("s");
    // Read again, unchanged: nothing changes, over a restart neither.
    reload(&life);
    life.shutdown();
    let life = world.live();
    assert_eq!(life.schedule("s"), schedule);
    // Changed: it fires by what stands there now, and its runs are those that it had.
    let path = write("{cron: '30 * * * *', maxRuns: 5}");
    reload(&life);
    let changed = life.schedule("s");
    assert_eq!(
        (changed.runs, changed.next().unwrap().fire_time),
        (1, at("2026-01-31T10:30:00Z"))
    );
    let edit = ScheduleEdit::new().name("mine".parse().unwrap());
    let refused = life.run(life.gateway.schedules().edit(&id("s"), edit));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
    // Paused by hand: reading the file does not resume it.
    life.run(life.gateway.schedules().pause(&id("s"))).unwrap();
    reload(&life);
    assert!(!life.schedule("s").is_active());
    life.run(life.gateway.schedules().resume(&id("s"))).unwrap();
    let detached = |life: &Life| {
        let standing = life.schedule("s").standing;
        matches!(
            standing,
            Standing::Off {
                why: Off::Detached,
                ..
            }
        )
    };
    // Without a trigger, and without its file, it is off and keeps its history.
    write("manual");
    reload(&life);
    assert!(detached(&life));
    write("'30 * * * *'");
    reload(&life);
    assert!(life.schedule("s").is_active());
    // A file that is refused changes nothing.
    std::fs::write(&path, "name: s\n").unwrap();
    reload(&life);
    assert!(life.schedule("s").is_active());
    std::fs::remove_file(path).unwrap();
    reload(&life);
    assert!(detached(&life));
    life.at(&world, "12:00:00");
    assert_eq!(life.told(), ["10:00 started"]);
    life.run(life.gateway.schedules().delete(&id("s"))).unwrap();
}

#[test]
fn policies_in_a_file_reach_its_schedule_and_leave_what_comes_next_alone() {
    let world = World::new();
    let follow = |life: &Life, more: &str| {
        let steps = "steps:\n  - {id: a, action: noop}\n";
        let trigger = format!("trigger: {{cron: '0 * * * *'{more}}}\n");
        world.write("s", &format!("{trigger}{steps}"));
        let read = life.gateway.register_directory(world.workflows());
        life.run(read).unwrap();
        life.schedule("s")
    };
    world.write(
        "s",
        "trigger: '0 * * * *'\nsteps:\n  - {id: a, action: noop}\n",
    );
    let life = world.live();
    let plain = life.schedule("s");
    assert_eq!(plain.spec.policies, Policies::default());
    life.at(&world, "10:00:00");
    let fired = life.schedule("s");

    let chosen = follow(
        &life,
        ", misfire: all, catchUp: 3h, overlap: buffer_all, overlapIgnoresPaused: true, maxRuns: 9, pauseAfterFailures: 3",
    );
    let expected = Policies {
        misfire: Misfire::All,
        catch_up: Some(Duration::from_hours(3)),
        overlap: Overlap::BufferAll,
        overlap_ignores_paused: true,
        jitter: Duration::ZERO,
        max_runs: Some(9.try_into().unwrap()),
        pause_after_failures: 3.try_into().ok(),
    };
    assert_eq!(chosen.spec.policies, expected);
    assert_eq!((chosen.runs, chosen.standing), (1, fired.standing.clone()));

    // Jitter moves when it acts, and not its fire time.
    let spread = follow(&life, ", jitter: 10m");
    let next = spread.next().unwrap();
    assert_eq!(next.fire_time, at("2026-01-31T11:00:00Z"));
    assert_eq!(next.due_at, next.fire_time.saturating_add(spread.delay()));
    assert!(!spread.delay().is_zero());

    // What is taken out of the file is the default again.
    let bare = follow(&life, "");
    assert_eq!(bare.spec.policies, Policies::default());
    assert_eq!((bare.runs, &bare.standing), (1, &fired.standing));
    assert_eq!(follow(&life, ", misfire: latest"), bare);
    life.at(&world, "11:00:00");
    assert_eq!(life.told(), ["10:00 started", "11:00 started"]);

    // Nor does a file that changes while something is due take that away.
    let owed = life.schedule("s").next().map(|next: Next| next.fire_time);
    let off = follow(&life, ", overlap: allow").next();
    assert_eq!(off.map(|next| next.fire_time), owed);
}
