//! What schedules do on a clock that the tests move: on time, late, overlapping, limited.

use std::num::NonZeroU32;
use std::time::Duration;

use gateway::workflow_types::execution::{Execution, ExecutionFilter, TriggeredBy};
use gateway::workflow_types::id::ScheduleId;
use gateway::workflow_types::schedule::{
    FireOutcome, FirePage, FireRecord, MaxRuns, Misfire, Off, Overlap, Policies, Schedule, Standing,
};
use gateway::{Backfill, Clock as _, ErrorKind, ScheduleEdit, ScheduleEvent, ScheduleRequest};
use serde_json::{Value, json};

use crate::support::{Life, World, at, verdict};

pub(crate) fn id(text: &str) -> ScheduleId {
    text.parse().unwrap()
}

/// A schedule `s` of the workflow `w`.
pub(crate) fn request(when: &str, policies: Policies) -> ScheduleRequest {
    ScheduleRequest::new(id("s"), when.parse().unwrap())
        .starting("w".parse().unwrap())
        .policies(policies)
}

fn misfire(misfire: Misfire) -> Policies {
    Policies {
        misfire,
        overlap: Overlap::Allow,
        ..Policies::default()
    }
}

impl World {
    /// Moves the clock to a time of 2026-01-31.
    fn at(&self, time: &str) {
        self.clock.set(at(&format!("2026-01-31T{time}Z")));
    }
}

impl Life {
    pub(crate) fn add(&self, request: ScheduleRequest) -> Schedule {
        self.run(self.gateway.schedules().add(request)).unwrap()
    }

    pub(crate) fn schedule(&self, text: &str) -> Schedule {
        self.run(self.gateway.schedules().show(&id(text))).unwrap()
    }

    /// Waits until nothing is due any more by the clock of the world.
    pub(crate) fn settle_schedules(&self, world: &World) {
        self.run(self.settled(world));
    }

    pub(crate) async fn settled(&self, world: &World) {
        let schedules = self.gateway.schedules();
        let mut events = schedules.watch();
        let is_due = |schedule: &Schedule| {
            schedule
                .next()
                .is_some_and(|next| next.due_at <= world.clock.now())
        };
        loop {
            let listed = schedules.list(None, None, 1_000).await.unwrap();
            if !listed.items.iter().any(is_due) {
                return;
            }
            events.next().await;
        }
    }

    /// Moves the clock, and waits until nothing is due any more.
    pub(crate) fn at(&self, world: &World, time: &str) {
        world.at(time);
        self.settle_schedules(world);
    }

    pub(crate) fn fires(&self, text: &str) -> Vec<FireRecord> {
        let page = FirePage {
            before: None,
            limit: 10_000,
        };
        let id = id(text);
        let schedules = self.gateway.schedules();
        let mut listed = self.run(schedules.history(&id, page)).unwrap();
        assert_eq!(listed.damaged, []);
        listed.items.reverse();
        listed.items
    }

    /// The history of the schedule `s` in words: `09:00 started`, the oldest first.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = |fire: &FireRecord| {
            let time = &fire.fire_time.to_string()[11..16];
            format!("{time} {}", fire.outcome.word())
        };
        self.fires("s").iter().map(told).collect()
    }

    /// Every execution, the oldest first.
    pub(crate) fn executions(&self) -> Vec<Execution> {
        let filter = ExecutionFilter::default();
        let page = self.gateway.reader().executions(filter, None, 10_000);
        let mut items = self.run(page).unwrap().items;
        items.reverse();
        items
    }

    /// Waits until the history of the schedule `s` is as wanted.
    pub(crate) fn until_told(&self, wanted: &[&str]) {
        let mut events = self.gateway.schedules().watch();
        while self.told() != wanted {
            self.run(events.next());
        }
    }
}

const NOOP: &str = "\n  - {id: a, action: noop}";
const FAIL: &str = "\n  - {id: a, action: tool, tool: act, args: {do: refuse}}";

#[test]
fn a_fire_starts_its_workflow_at_its_time_with_the_input_of_the_schedule() {
    let world = World::with(
        "input: {type: object, properties: {n: {type: integer}, m: {default: 2}}}\nsteps:\n  - {id: a, action: noop}\n",
    );
    let life = world.live();
    let added = life.add(request("0 * * * *", Policies::default()).input(json!({"n": 1})));
    assert_eq!(added.next().unwrap().fire_time, at("2026-01-31T10:00:00Z"));
    life.at(&world, "09:59:59");
    assert_eq!(life.fires("s"), []);
    life.at(&world, "10:00:00");
    let [execution] = &life.executions()[..] else {
        panic!("one execution is expected");
    };
    assert_eq!(execution.triggered_by, TriggeredBy::Cron);
    assert_eq!(execution.scheduled_for, Some(at("2026-01-31T10:00:00Z")));
    assert_eq!(execution.schedule, Some(id("s")));
    assert_eq!(execution.input, json!({"n": 1, "m": 2}));
    assert_eq!(verdict(&life.wait(execution.id)), None);
    let [fire] = &life.fires("s")[..] else {
        panic!("one fire is expected");
    };
    let started = FireOutcome::Started {
        execution: Some(execution.id),
    };
    assert_eq!(fire.outcome, started);
    let schedule = life.schedule("s");
    assert_eq!(schedule.runs, 1);
    assert_eq!(schedule.last_run_at, Some(at("2026-01-31T10:00:00Z")));
    assert_eq!(
        schedule.next().unwrap().fire_time,
        at("2026-01-31T11:00:00Z")
    );
    life.check(&world);
}

#[test]
fn intervals_keep_their_anchor_over_restarts_and_one_instant_completes() {
    let world = World::with(NOOP);
    let life = world.live();
    life.add(request("@every 25m", Policies::default()));
    let once = ScheduleRequest::new(id("once"), "@at 2026-01-31T09:10".parse().unwrap());
    life.add(once.starting("w".parse().unwrap()));
    life.at(&world, "09:10:00");
    assert_eq!(life.fires("once").len(), 1);
    let completed = life.schedule("once").standing;
    assert!(
        matches!(
            completed,
            Standing::Off {
                why: Off::Completed,
                ..
            }
        ),
        "{completed:?}"
    );
    life.at(&world, "09:25:00");
    for execution in life.executions() {
        life.wait(execution.id);
    }
    life.shutdown();
    world.at("09:40:00");
    let life = world.live();
    life.at(&world, "09:50:00");
    assert_eq!(life.told(), ["09:25 started", "09:50 started"]);
}

/// The history after a downtime from 09:30 to a time, of an hourly schedule.
fn after_downtime(policies: Policies, until: &str) -> Vec<String> {
    let world = World::with(NOOP);
    let life = world.live();
    life.add(request("0 * * * *", policies));
    world.at("09:30:00");
    life.kill();
    world.at(until);
    let life = world.live();
    life.settle_schedules(&world);
    life.check(&world);
    let told = life.told();
    let started = told.iter().filter(|fire| fire.ends_with("started")).count();
    assert_eq!(life.executions().len(), started);
    told
}

#[test]
fn a_downtime_without_a_fire_time_changes_nothing() {
    for policy in Misfire::ALL {
        assert_eq!(after_downtime(misfire(*policy), "09:59:59"), [""; 0]);
    }
}

#[test]
fn one_missed_fire_time_is_caught_up_if_it_is_young_enough() {
    let check = |policy, until, expected: &str| {
        assert_eq!(
            after_downtime(misfire(policy), until),
            [expected],
            "{policy} {until}"
        );
    };
    check(Misfire::Latest, "10:20:00", "10:00 started");
    check(Misfire::Latest, "10:40:00", "10:00 missed");
    check(Misfire::All, "10:20:00", "10:00 started");
    check(Misfire::All, "10:40:00", "10:00 started");
    check(Misfire::Skip, "10:20:00", "10:00 missed");
    check(Misfire::Skip, "10:00:20", "10:00 started");
}

#[test]
fn of_several_missed_fire_times_each_is_accounted_for() {
    let check = |policies, until, expected: [&str; 3]| {
        assert_eq!(after_downtime(policies, until), expected);
    };
    let (missed, started) = (["10:00 missed", "11:00 missed"], "12:00 started");
    check(
        misfire(Misfire::Latest),
        "12:10:00",
        [missed[0], missed[1], started],
    );
    check(
        misfire(Misfire::Latest),
        "12:50:00",
        [missed[0], missed[1], "12:00 missed"],
    );
    check(
        misfire(Misfire::Skip),
        "12:10:00",
        [missed[0], missed[1], "12:00 missed"],
    );
    let all = ["10:00 started", "11:00 started", started];
    check(misfire(Misfire::All), "12:50:00", all);
    let policies = Policies {
        catch_up: Some(Duration::from_mins(80)),
        ..misfire(Misfire::All)
    };
    check(policies, "12:10:00", [missed[0], "11:00 started", started]);
}

#[test]
fn after_a_restart_five_catch_up_at_once_and_the_others_in_turn() {
    let world = World::with(NOOP);
    let life = world.live();
    for number in 0..8 {
        let request = ScheduleRequest::new(id(&format!("s{number}")), "0 * * * *".parse().unwrap());
        life.add(request.starting("w".parse().unwrap()));
    }
    life.shutdown();
    world.at("10:10:00");
    let life = world.live();
    let mut events = life.gateway.schedules().watch();
    life.settle_schedules(&world);
    assert_eq!(life.executions().len(), 5);
    // On time schedules do not wait behind those that are late.
    life.at(&world, "10:10:05");
    assert_eq!(life.executions().len(), 6);
    life.at(&world, "10:10:10");
    life.at(&world, "10:10:15");
    assert_eq!(life.executions().len(), 8);
    let until = at("2026-01-31T10:10:15Z");
    let said = life.run(async {
        loop {
            let event = events.next().await.unwrap();
            if let ScheduleEvent::CatchingUp { .. } = event {
                return event;
            }
        }
    });
    assert_eq!(said, ScheduleEvent::CatchingUp { waiting: 3, until });
    life.check(&world);
}

#[test]
fn what_waits_for_its_turn_to_catch_up_waits_over_a_kill() {
    let world = World::with(NOOP);
    let life = world.live();
    for number in 0..8 {
        let request = ScheduleRequest::new(id(&format!("s{number}")), "0 * * * *".parse().unwrap());
        life.add(request.starting("w".parse().unwrap()));
    }
    life.kill();
    world.at("10:29:00");
    let life = world.live();
    life.settle_schedules(&world);
    life.kill();
    // Half the distance has passed meanwhile; they were promised to run.
    world.at("10:59:00");
    let life = world.live();
    life.settle_schedules(&world);
    assert_eq!(life.executions().len(), 8);
}

#[test]
fn one_that_spoils_the_fires_of_an_instant_takes_nothing_from_the_others() {
    let world = World::with(NOOP);
    world.write("v", NOOP);
    let life = world.live();
    for (name, workflow) in [("a", "w"), ("b", "v"), ("c", "w"), ("d", "w")] {
        let request = ScheduleRequest::new(id(name), "0 * * * *".parse().unwrap());
        life.add(request.starting(workflow.parse().unwrap()));
    }
    // The gateway knows it from its start; the database has lost it.
    let database = rusqlite::Connection::open(world.database()).unwrap();
    let lose = "PRAGMA foreign_keys = OFF; DELETE FROM workflows WHERE id = 'v'";
    database.execute_batch(lose).unwrap();
    life.at(&world, "10:00:00");
    for name in ["a", "c", "d"] {
        let fires = life.fires(name);
        assert!(
            matches!(fires[0].outcome, FireOutcome::Started { .. }),
            "{fires:?}"
        );
    }
    let without = life.fires("b");
    let FireOutcome::FailedToStart { reason } = &without[0].outcome else {
        panic!("{without:?}")
    };
    assert!(reason.contains("workflow"), "{reason}");
    assert_eq!(life.executions().len(), 3);
}

#[test]
fn what_cannot_start_is_recorded_with_its_reason_and_does_not_count() {
    let world =
        World::with("input: {type: object, required: [n]}\nsteps:\n  - {id: a, action: noop}\n");
    let life = world.live();
    life.add(request("0 * * * *", Policies::default()));
    let empty = ScheduleRequest::new(id("empty"), "0 * * * *".parse().unwrap());
    life.add(empty);
    life.at(&world, "10:00:00");
    assert_eq!(life.told(), ["10:00 failed_to_start"]);
    let reason = |text: &str| {
        let outcome = life.fires(text)[0].outcome.clone();
        let FireOutcome::FailedToStart { reason } = outcome else {
            panic!("{outcome:?}")
        };
        reason
    };
    assert!(reason("s").contains("is not valid"), "{}", reason("s"));
    assert!(
        reason("empty").contains("names no workflow"),
        "{}",
        reason("empty")
    );
    assert_eq!(life.schedule("s").runs, 0);
    assert_eq!(life.executions(), []);
}

#[test]
fn a_schedule_whose_executions_fail_in_a_row_is_paused_until_it_is_resumed() {
    let world = World::with(FAIL);
    let life = world.live();
    let policies = Policies {
        pause_after_failures: NonZeroU32::new(2),
        ..Policies::default()
    };
    life.add(request("0 * * * *", policies));
    let mut events = life.gateway.schedules().watch();
    for time in ["10:00:00", "11:00:00"] {
        life.at(&world, time);
        life.wait(life.executions().last().unwrap().id);
    }
    let failing = ScheduleEvent::Failing {
        schedule: id("s"),
        failures: 2,
    };
    life.run(async { while events.next().await.unwrap() != failing {} });
    let standing = life.schedule("s").standing;
    assert!(
        matches!(
            standing,
            Standing::Off {
                why: Off::Failing,
                ..
            }
        ),
        "{standing:?}"
    );
    world.at("12:30:00");
    life.run(life.gateway.schedules().resume(&id("s"))).unwrap();
    life.at(&world, "13:00:00");
    life.wait(life.executions().last().unwrap().id);
    assert_eq!(
        life.told(),
        ["10:00 started", "11:00 started", "13:00 started"]
    );
    assert!(life.schedule("s").is_active());
}

#[test]
fn what_comes_during_a_pause_is_not_caught_up() {
    let world = World::with(NOOP);
    let life = world.live();
    life.add(request("0 * * * *", misfire(Misfire::All)));
    life.run(life.gateway.schedules().pause(&id("s"))).unwrap();
    life.run(life.gateway.schedules().pause(&id("s"))).unwrap();
    world.at("11:30:00");
    let resumed = life.run(life.gateway.schedules().resume(&id("s"))).unwrap();
    assert_eq!(
        resumed.next().unwrap().fire_time,
        at("2026-01-31T12:00:00Z")
    );
    life.at(&world, "12:00:00");
    assert_eq!(life.told(), ["12:00 started"]);
}

#[test]
fn editing_does_not_consume_a_fire_time_that_is_due() {
    let world = World::with(NOOP);
    let resting = |builder: gateway::GatewayBuilder| builder.scheduling(gateway::Scheduling::Rest);
    let life = world.live();
    life.add(request("0 * * * *", Policies::default()));
    life.shutdown();
    // A gateway that does not fire edits it, with two fire times due.
    world.at("11:10:00");
    let life = world.live_with(resting);
    let edit = ScheduleEdit::new().when("30 * * * *".parse().unwrap());
    life.run(life.gateway.schedules().edit(&id("s"), edit))
        .unwrap();
    assert_eq!(life.told(), ["10:00 missed"]);
    let next = life.schedule("s").next().unwrap().fire_time;
    assert_eq!(next, at("2026-01-31T11:00:00Z"));
    life.shutdown();
    let life = world.live();
    life.settle_schedules(&world);
    assert_eq!(life.told(), ["10:00 missed", "11:00 started"]);
    life.at(&world, "11:30:00");
    assert_eq!(life.told().last().unwrap(), "11:30 started");
}

#[test]
fn an_edit_computes_the_next_fire_time_anew_and_keeps_the_run_count() {
    let world = World::with(NOOP);
    let life = world.live();
    life.add(request("@every 1h", Policies::default()));
    life.at(&world, "10:00:00");
    world.at("10:20:00");
    let edit = |edit| life.run(life.gateway.schedules().edit(&id("s"), edit));
    // Another name changes nothing of when it fires.
    let named = edit(ScheduleEdit::new().name("Hourly".parse().unwrap())).unwrap();
    assert_eq!(named.next().unwrap().fire_time, at("2026-01-31T11:00:00Z"));
    let same = edit(ScheduleEdit::new().when("@every 1h".parse().unwrap())).unwrap();
    assert_eq!(same.next(), named.next());
    let other = edit(ScheduleEdit::new().when("0 15 * * *".parse().unwrap())).unwrap();
    assert_eq!(other.next().unwrap().fire_time, at("2026-01-31T15:00:00Z"));
    let zone = edit(ScheduleEdit::new().zone("Asia/Tokyo".parse().unwrap())).unwrap();
    assert_eq!(zone.next().unwrap().fire_time, at("2026-02-01T06:00:00Z"));
    assert_eq!(zone.runs, 1);
    let nothing = edit(ScheduleEdit::new().when("@at 2020-01-01T00:00".parse().unwrap()));
    assert_eq!(nothing.unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_start_by_hand_and_a_backfill_do_not_count() {
    let world = World::with(NOOP);
    let life = world.live();
    let policies = Policies {
        max_runs: Some(MaxRuns::try_new(1).unwrap()),
        ..Policies::default()
    };
    life.add(request("0 * * * *", policies));
    let schedules = life.gateway.schedules();
    let by_hand = life.run(schedules.trigger_now(&id("s"), None)).unwrap();
    assert_eq!(by_hand.triggered_by, TriggeredBy::Manual);
    assert_eq!(by_hand.schedule, Some(id("s")));
    let (from, to) = (at("2026-01-31T06:00:00Z"), at("2026-01-31T08:30:00Z"));
    let backfill = |mode| {
        life.run(schedules.backfill(&id("s"), from, to, mode))
            .unwrap()
    };
    let times = ["06", "07", "08"].map(|hour| at(&format!("2026-01-31T{hour}:00:00Z")));
    assert_eq!(backfill(Backfill::DryRun).times, times);
    assert_eq!(life.fires("s"), []);
    let filled = backfill(Backfill::Run);
    assert_eq!((filled.times, filled.fires.len()), (times.to_vec(), 3));
    // Once only.
    let again = backfill(Backfill::Run);
    assert_eq!((again.times.len(), again.left_alone), (0, 3));
    assert_eq!(life.schedule("s").runs, 0);
    life.at(&world, "10:00:00");
    let told = life.told();
    assert_eq!(told.last().unwrap(), "10:00 started");
    assert_eq!((told.len(), life.executions().len()), (4, 5));
    let standing = life.schedule("s").standing;
    assert!(
        matches!(
            standing,
            Standing::Off {
                why: Off::Completed,
                ..
            }
        ),
        "{standing:?}"
    );
    let (schedule, beyond) = (id("s"), at("2026-02-01T00:00:00Z"));
    let beyond = schedules.backfill(&schedule, from, beyond, Backfill::Run);
    assert_eq!(life.run(beyond).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn what_is_missed_is_filled_in_and_what_ran_is_left_alone() {
    let world = World::with(NOOP);
    let life = world.live();
    life.add(request("0 * * * *", misfire(Misfire::Latest)));
    life.kill();
    world.at("11:10:00");
    let life = world.live();
    life.settle_schedules(&world);
    assert_eq!(life.told(), ["10:00 missed", "11:00 started"]);
    let (from, to) = (at("2026-01-31T10:00:00Z"), at("2026-01-31T11:00:00Z"));
    let schedules = life.gateway.schedules();
    let filled = life
        .run(schedules.backfill(&id("s"), from, to, Backfill::Run))
        .unwrap();
    assert_eq!((filled.times.len(), filled.left_alone), (1, 1));
    assert_eq!(life.told(), ["10:00 started", "11:00 started"]);
    assert_eq!(life.schedule("s").runs, 1);
}

#[test]
fn what_is_refused_says_why() {
    let world = World::with(NOOP);
    let life = world.live();
    let add = |request| life.run(life.gateway.schedules().add(request)).unwrap_err();
    life.add(request("0 * * * *", Policies::default()));
    assert_eq!(
        add(request("0 * * * *", Policies::default())).kind(),
        ErrorKind::Conflict
    );
    let other = |when: &str| ScheduleRequest::new(id("o"), when.parse().unwrap());
    let unknown = add(other("0 * * * *").starting("nothing".parse().unwrap()));
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let past = add(other("@at 2020-01-01T00:00"));
    assert_eq!(past.kind(), ErrorKind::Invalid);
    assert!(past.to_string().contains("names no time after"), "{past}");
    assert_eq!(
        add(other("0 * * * *").input(json!(7))).kind(),
        ErrorKind::Invalid
    );
    let missing = life.run(life.gateway.schedules().pause(&id("x")));
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_deleted_schedule_leaves_its_executions() {
    let world = World::with(NOOP);
    let life = world.live();
    life.add(request("0 * * * *", Policies::default()));
    life.at(&world, "10:00:00");
    life.run(life.gateway.schedules().delete(&id("s"))).unwrap();
    assert_eq!(life.executions()[0].schedule, None);
    life.at(&world, "11:00:00");
    assert_eq!(life.executions().len(), 1);
    life.check(&world);
}

#[test]
fn a_gateway_that_rests_fires_nothing() {
    let world = World::with(NOOP);
    let life = world.live_with(|builder| builder.scheduling(gateway::Scheduling::Rest));
    life.add(request("0 * * * *", Policies::default()));
    world.at("10:00:00");
    let by_hand = life.start("w", Value::Object(serde_json::Map::new()));
    life.wait(by_hand);
    assert_eq!(life.fires("s"), []);
}

#[test]
fn hundreds_that_are_due_at_the_same_second_all_run() {
    let world = World::with(NOOP);
    let life = world.live();
    for number in 0..200 {
        let request =
            ScheduleRequest::new(id(&format!("s{number}")), "0 10 * * *".parse().unwrap());
        life.add(request.starting("w".parse().unwrap()));
    }
    life.at(&world, "10:00:00");
    assert_eq!(life.executions().len(), 200);
}
