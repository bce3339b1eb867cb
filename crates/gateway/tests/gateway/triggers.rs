//! The schedule of a workflow's `trigger`, which follows its file.

use gateway::workflow_types::schedule::{Off, Standing};
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
