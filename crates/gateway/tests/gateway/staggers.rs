//! What is late is caught up in turn, and nobody falls behind because of that (rule F3).

use gateway::workflow_types::id::ScheduleId;
use gateway::workflow_types::schedule::{FireWord, Misfire, Overlap, Policies};
use gateway::{Durability, ScheduleRequest};

use crate::schedules::{id, request};
use crate::support::{Life, World, at};

const NOOP: &str = "\n  - {id: a, action: noop}";

impl World {
    fn fast(&self) -> Life {
        self.live_with(|builder| builder.durability(Durability::Normal))
    }

    /// Everything that is late of this pattern is caught up, from the time of a restart on.
    fn restarted_with_all_of(&self, pattern: &str, time: &str) -> Life {
        let life = self.fast();
        let policies = Policies {
            misfire: Misfire::All,
            overlap: Overlap::Allow,
            ..Policies::default()
        };
        life.add(request(pattern, policies));
        self.restart(life, time)
    }

    fn restart(&self, life: Life, time: &str) -> Life {
        life.shutdown();
        self.clock.set(at(time));
        let life = self.fast();
        life.settle_schedules(self);
        life
    }

    fn go_to(&self, life: &Life, time: &str) {
        self.clock.set(at(time));
        life.settle_schedules(self);
    }
}

/// When the fire times came that were started, of a schedule.
fn started(life: &Life, schedule: &str) -> Vec<String> {
    let fires = life.fires(schedule);
    let started = fires
        .iter()
        .filter(|fire| fire.outcome.word() == FireWord::Started);
    let time = |text: String| text[11..19].to_owned();
    started
        .map(|fire| time(fire.fire_time.to_string()))
        .collect()
}

#[test]
fn all_of_every_second_has_caught_up_a_second_later_and_no_more_than_its_bound() {
    let world = World::with(NOOP);
    let life = world.restarted_with_all_of("* * * * * *", "2026-01-31T10:00:00Z");
    let first = ["09:43:21", "09:43:22", "09:43:23", "09:43:24", "09:43:25"];
    assert_eq!(started(&life, "s"), first);
    world.go_to(&life, "2026-01-31T10:00:01Z");
    let caught_up = started(&life, "s");
    assert_eq!(caught_up.len(), 1_001);
    assert_eq!(caught_up[1_000], "10:00:01");
    // From now on it is on time.
    for second in ["10:00:02", "10:00:03"] {
        world.go_to(&life, &format!("2026-01-31T{second}Z"));
        assert_eq!(started(&life, "s").last().unwrap(), second);
    }
    assert_eq!(life.executions().len(), 1_003);
    life.check(&world);
}

#[test]
fn what_is_seldom_takes_a_turn_for_each_late_fire_until_the_next_is_due() {
    let world = World::with(NOOP);
    let life = world.restarted_with_all_of("* * * * *", "2026-01-31T09:30:40Z");
    assert_eq!(started(&life, "s").len(), 5);
    for (time, count) in [("45", 6), ("50", 7), ("55", 8)] {
        world.go_to(&life, &format!("2026-01-31T09:30:{time}Z"));
        assert_eq!(started(&life, "s").len(), count);
    }
    world.go_to(&life, "2026-01-31T09:31:00Z");
    assert_eq!(started(&life, "s").len(), 31);
}

#[test]
fn a_herd_is_spread_and_each_of_it_is_on_time_again_at_its_next_fire_time() {
    let world = World::with(NOOP);
    let life = world.fast();
    let ids: Vec<ScheduleId> = (0..1_000).map(|n| id(&format!("s{n}"))).collect();
    for id in &ids {
        let request = ScheduleRequest::new(id.clone(), "0 * * * *".parse().unwrap());
        life.add(request.starting("w".parse().unwrap()));
    }
    let life = world.restart(life, "2026-01-31T10:10:00Z");
    assert_eq!(life.executions().len(), 5);
    world.go_to(&life, "2026-01-31T10:10:05Z");
    assert_eq!(life.executions().len(), 6);
    world.go_to(&life, "2026-01-31T10:10:10Z");
    assert_eq!(life.executions().len(), 7);
    // 994 turns later would be half past eleven.
    world.go_to(&life, "2026-01-31T11:00:00Z");
    let late = ids
        .iter()
        .filter(|id| started(&life, id.as_ref()).last().map(String::as_str) != Some("11:00:00"));
    assert_eq!(late.count(), 0);
    assert_eq!(life.executions().len(), 1_007);
}
