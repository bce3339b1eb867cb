//! Laws about schedules: changes that nobody loses, and fires that are recorded once with what they
//! start.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use workflow_types::Timestamp;
use workflow_types::execution::{ExecutionState, FailureKind, Start, TriggeredBy};
use workflow_types::id::ScheduleId;
use workflow_types::registry::Registration;
use workflow_types::schedule::{
    Change, FireOutcome, FirePage, FireRecord, Fired, Firing, Gap, Keeper, MaxRuns, Missed, Next,
    Off, Overlap, Policies, Schedule, ScheduleSpec, Slot, Standing, TimeZone, Timing, Upcoming,
};

use super::StoreFactory;
use super::fixture::{OWNER, World, at, cancel, complete, id, kind, registration, running};
use crate::store::{StoreError, StoreErrorKind};

pub(super) const WHOLE: FirePage = FirePage {
    before: None,
    limit: 1_000,
};

pub(super) fn schedule_id(text: &str) -> ScheduleId {
    text.parse().unwrap()
}

/// What fires every ten seconds, from second 10 on.
pub(super) fn spec(name: &str, policies: Policies) -> ScheduleSpec {
    ScheduleSpec {
        id: schedule_id(name),
        name: "Every ten seconds".parse().unwrap(),
        workflow: Some("w".parse().unwrap()),
        input: json!({"n": [1, "two", null]}),
        timing: Timing::resolve("@every 10s".parse().unwrap(), TimeZone::UTC, None, at(0)).unwrap(),
        policies,
    }
}

pub(super) fn schedule(name: &str, policies: Policies) -> Schedule {
    Schedule::create(spec(name, policies), Keeper::People, at(0)).unwrap()
}

pub(super) async fn added(world: &World, name: &str, policies: Policies) -> Schedule {
    let schedule = schedule(name, policies);
    world.store.add_schedule(schedule.clone()).await.unwrap();
    schedule
}

pub(super) async fn found(world: &World, name: &str) -> Schedule {
    let found = world.reads.schedule(&schedule_id(name)).await.unwrap();
    found.unwrap_or_else(|| panic!("schedule {name} is not stored"))
}

/// An execution of a schedule for a fire time.
pub(super) fn started_by(schedule: &Schedule, mut start: Start, fire_time: Timestamp) -> Start {
    start.execution.schedule = Some(schedule.spec.id.clone());
    start.execution.scheduled_for = Some(fire_time);
    start.execution.triggered_by = TriggeredBy::Cron;
    start
}

/// A request to fire the next fire time, with this execution.
pub(super) fn firing(schedule: &Schedule, start: Start) -> Firing {
    let fire_time = schedule.next().unwrap().fire_time;
    Firing {
        schedule: Arc::new(schedule.clone()),
        fire_time,
        slot: Slot::Due,
        start: Ok(Arc::new(started_by(schedule, start, fire_time))),
        at: fire_time.saturating_add(Duration::from_millis(5)),
    }
}

pub(super) async fn fire(world: &World, firing: Firing) -> Result<Fired, StoreError> {
    let fired = world.store.fire(vec![firing], OWNER).await?;
    let [fired] = fired.try_into().unwrap();
    Ok(fired)
}

pub(super) async fn history(world: &World, name: &str) -> Vec<FireRecord> {
    let listed = world.reads.fires(&schedule_id(name), WHOLE).await.unwrap();
    assert_eq!(listed.damaged, []);
    listed.items
}

pub(super) fn policies(overlap: Overlap) -> Policies {
    Policies {
        overlap,
        ..Policies::default()
    }
}

pub(super) async fn a_schedule_is_read_back_as_it_was_and_its_id_is_its_own(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let policies = Policies {
        catch_up: Some(Duration::from_millis(1_500)),
        overlap: Overlap::BufferAll,
        overlap_ignores_paused: true,
        jitter: Duration::from_secs(9),
        max_runs: Some(MaxRuns::try_new(3).unwrap()),
        pause_after_failures: NonZeroU32::new(2),
        ..Policies::default()
    };
    let mut every = added(&world, "every", policies).await;
    assert_eq!(found(&world, "every").await, every);
    every.spec.id = schedule_id("cron");
    let hours = workflow_types::schedule::ActiveHours::every_day(
        "22:00".parse().unwrap(),
        "06:00".parse().unwrap(),
    );
    let hours = hours.unwrap().on_days(&[1, 5]).unwrap();
    let zone = "Europe/Berlin".parse().unwrap();
    for (name, when, hours) in [
        ("cron", "*/5 * * * *", Some(hours)),
        ("once", "@at 2030-01-01T00:00:00Z", None),
    ] {
        let timing = Timing::resolve(when.parse().unwrap(), zone, hours, at(0)).unwrap();
        let spec = ScheduleSpec {
            timing,
            workflow: None,
            ..spec(name, Policies::default())
        };
        let schedule = Schedule::create(spec, Keeper::People, at(0)).unwrap();
        world.store.add_schedule(schedule.clone()).await.unwrap();
        assert_eq!(found(&world, name).await, schedule);
    }
    let again = world
        .store
        .add_schedule(schedule("once", Policies::default()))
        .await;
    assert_eq!(kind(again), StoreErrorKind::Conflict);
    let mut unknown = schedule("other", Policies::default());
    unknown.spec.workflow = Some("nothing".parse().unwrap());
    let unknown = world.store.add_schedule(unknown).await;
    assert_eq!(kind(unknown), StoreErrorKind::NotFound);
    let names = |after: Option<&str>, limit| {
        let after = after.map(schedule_id);
        let listed = world.reads.schedules(None, after, limit);
        async move {
            let items = listed.await.unwrap().items;
            let name = |schedule: &Schedule| schedule.spec.id.to_string();
            items.iter().map(name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names(None, 2).await, ["cron", "every"]);
    assert_eq!(names(Some("every"), 2).await, ["once"]);
    let of_w = world.reads.schedules(Some("w".parse().unwrap()), None, 9);
    assert_eq!(of_w.await.unwrap().items.len(), 1);
    world.is_sound().await;
}

pub(super) async fn a_change_is_written_only_to_what_it_was_worked_out_from(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", Policies::default()).await;
    let paused = schedule.stopped(Off::Paused, at(25));
    let resumed = paused.schedule.resumed(at(32)).unwrap();
    world.store.change_schedule(paused.clone()).await.unwrap();
    let again = world.store.change_schedule(paused.clone()).await;
    assert_eq!(kind(again), StoreErrorKind::Conflict);
    assert_eq!(found(&world, "s").await, paused.schedule);
    // What was due is missed, and stays so.
    let missed = history(&world, "s").await;
    let times: Vec<Timestamp> = missed.iter().map(|fire| fire.fire_time).collect();
    assert_eq!(times, [at(20), at(10)]);
    assert!(
        missed
            .iter()
            .all(|fire| fire.outcome == FireOutcome::Missed)
    );
    world.store.change_schedule(resumed.clone()).await.unwrap();
    assert_eq!(found(&world, "s").await, resumed.schedule);
    let unknown = Change {
        schedule: Schedule {
            spec: spec("x", Policies::default()),
            ..schedule
        },
        ..resumed
    };
    let unknown = world.store.change_schedule(unknown).await;
    assert_eq!(kind(unknown), StoreErrorKind::NotFound);
}

pub(super) async fn a_gap_is_one_row_and_survives_a_repetition(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", Policies::default()).await;
    let gap = Gap {
        first: at(10),
        before: at(5_000),
    };
    let missed = Missed {
        gap: Some(gap),
        times: (500..1_500).map(|count| at(count * 10)).collect(),
    };
    let change = schedule.passed_over(missed.clone(), at(14_990), at(14_995));
    world.store.change_schedule(change.clone()).await.unwrap();
    let later = Change {
        before: change.schedule.revision,
        schedule: change.schedule,
        missed,
        at: at(20_000),
    };
    world.store.change_schedule(later).await.unwrap();
    let schedule = schedule_id("s");
    assert_eq!(world.reads.gaps(&schedule, 9).await.unwrap(), [gap]);
    assert_eq!(history(&world, "s").await.len(), 1_000);
    let page = FirePage {
        before: Some(at(5_020)),
        limit: 2,
    };
    let page = world.reads.fires(&schedule, page).await.unwrap().items;
    let times: Vec<Timestamp> = page.iter().map(|fire| fire.fire_time).collect();
    assert_eq!(times, [at(5_010), at(5_000)]);
    assert_eq!(page[0].at, at(14_995));
}

pub(super) async fn what_is_due_is_found_in_its_order(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for (name, turn) in [("a", 30), ("b", 20), ("c", 40)] {
        let schedule = added(&world, name, Policies::default()).await;
        let next = Next {
            fire_time: at(10),
            due_at: at(turn),
            owed: true,
        };
        let change = schedule.deferred(Missed::default(), next, at(15));
        world.store.change_schedule(change.clone()).await.unwrap();
        assert_eq!(found(&world, name).await, change.schedule);
    }
    let due = |now, limit| {
        let due = world.reads.due_schedules(now, limit);
        async move {
            let due = due.await.unwrap();
            let name = |schedule: &Schedule| schedule.spec.id.to_string();
            due.iter().map(name).collect::<Vec<_>>()
        }
    };
    assert_eq!(due(at(19), 9).await, [""; 0]);
    assert_eq!(due(at(30), 9).await, ["b", "a"]);
    assert_eq!(due(at(99), 2).await, ["b", "a"]);
    // Of those that are due together, as many as are asked for.
    let together = added(&world, "d", Policies::default()).await;
    let next = Next {
        fire_time: at(10),
        due_at: at(20),
        owed: true,
    };
    let change = together.deferred(Missed::default(), next, at(15));
    world.store.change_schedule(change).await.unwrap();
    let next = |after, limit| {
        let next = world.reads.next_schedules_due(after, limit);
        async move {
            let Upcoming { at, schedules } = next.await.unwrap()?;
            let name = |schedule: &Schedule| schedule.spec.id.to_string();
            Some((at, schedules.iter().map(name).collect::<Vec<_>>().join(" ")))
        }
    };
    assert_eq!(next(at(0), 9).await, Some((at(20), "b d".to_owned())));
    assert_eq!(next(at(0), 1).await, Some((at(20), "b".to_owned())));
    assert_eq!(next(at(30), 9).await, Some((at(40), "c".to_owned())));
    assert_eq!(next(at(40), 9).await, None);
    let stale = world.reads.schedules_computed_elsewhere("another", 9);
    assert_eq!(stale.await.unwrap().items.len(), 4);
    let same = schedule("x", Policies::default()).tz_database;
    let stale = world.reads.schedules_computed_elsewhere(&same, 9);
    assert_eq!(stale.await.unwrap().items, []);
}

pub(super) async fn so_many_failures_in_a_row_pause_a_schedule(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let policies = Policies {
        pause_after_failures: NonZeroU32::new(2),
        ..policies(Overlap::Allow)
    };
    let mut schedule = added(&world, "s", policies).await;
    let watched = world.reads.watched_schedules().await.unwrap();
    assert_eq!(watched, [schedule_id("s")]);
    let pause = || world.store.pause_failing(schedule_id("s"), at(99));
    for (number, failure) in [
        (1, Some(FailureKind::StepFailed)),
        (2, None),
        (3, Some(FailureKind::StepFailed)),
        (4, Some(FailureKind::Cancelled)),
    ] {
        let fired = fire(&world, firing(&schedule, running(number)))
            .await
            .unwrap();
        schedule = Arc::unwrap_or_clone(fired.schedule);
        let end = match failure {
            None => succeed(number),
            Some(kind) => fail(number, kind),
        };
        world.apply(end).await.unwrap();
        assert_eq!(pause().await.unwrap(), None, "{number}");
    }
    let fired = fire(&world, firing(&schedule, running(5))).await.unwrap();
    world.apply(fail(5, FailureKind::Denied)).await.unwrap();
    let paused = pause().await.unwrap().unwrap();
    assert_eq!(
        paused.standing,
        Standing::Off {
            why: Off::Failing,
            since: at(99)
        }
    );
    assert_eq!(found(&world, "s").await, paused);
    assert!(fired.schedule.is_active());
    assert_eq!(pause().await.unwrap(), None);
    assert_eq!(world.reads.watched_schedules().await.unwrap(), []);
}

/// An execution ends well, a second after the one before.
fn succeed(number: u32) -> workflow_types::execution::Transition {
    let mut end = complete(number);
    end.state = ExecutionState::Completed {
        at: at(90 + number),
    };
    end
}

/// An execution fails with this kind, a second after the one before.
fn fail(number: u32, kind: FailureKind) -> workflow_types::execution::Transition {
    let mut end = cancel(number);
    if let ExecutionState::Failed {
        at: when, failure, ..
    } = &mut end.state
    {
        *when = at(90 + number);
        failure.kind = kind;
    }
    end
}

pub(super) async fn a_trigger_has_a_schedule_that_follows_it(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let register = async |timing: Option<&str>, now: u32| {
        let schedule = timing.map(|when| ScheduleSpec {
            timing: Timing::resolve(when.parse().unwrap(), TimeZone::UTC, None, at(0)).unwrap(),
            ..spec("w", policies(Overlap::Allow))
        });
        let registration = Registration {
            schedule,
            at: at(now),
            ..registration("w", "Wait")
        };
        world.store.register(vec![registration]).await.unwrap();
    };
    register(Some("@every 10s"), 0).await;
    let schedule = found(&world, "w").await;
    assert_eq!(schedule.keeper, Keeper::Trigger("w".parse().unwrap()));
    let fired = fire(&world, firing(&schedule, running(1))).await.unwrap();
    // The same trigger changes nothing, another one when it fires next.
    register(Some("@every 10s"), 15).await;
    assert_eq!(found(&world, "w").await, *fired.schedule);
    register(Some("@every 7s"), 15).await;
    let other = found(&world, "w").await;
    assert_eq!((other.runs, other.next().unwrap().fire_time), (1, at(21)));
    register(None, 18).await;
    let gone = found(&world, "w").await;
    let detached = Standing::Off {
        why: Off::Detached,
        since: at(18),
    };
    assert_eq!(gone.standing, detached);
    register(None, 19).await;
    assert_eq!(found(&world, "w").await, gone);
    register(Some("@every 7s"), 40).await;
    let back = found(&world, "w").await;
    assert_eq!((back.runs, back.next().unwrap().fire_time), (1, at(42)));
    let workflows = vec!["w".parse().unwrap(), "v".parse().unwrap()];
    world
        .store
        .detach_triggers(workflows, at(41))
        .await
        .unwrap();
    assert!(!found(&world, "w").await.is_active());
}

pub(super) async fn a_trigger_takes_no_id_from_anybody(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    added(&world, "w", Policies::default()).await;
    let registration = Registration {
        schedule: Some(spec("w", Policies::default())),
        ..registration("w", "Wait")
    };
    for _ in 0..2 {
        world
            .store
            .register(vec![registration.clone()])
            .await
            .unwrap();
    }
    assert_eq!(found(&world, "w").await.keeper, Keeper::People);
    let keeper = found(&world, "w-trigger").await.keeper;
    assert_eq!(keeper, Keeper::Trigger("w".parse().unwrap()));
    assert_eq!(
        world
            .reads
            .schedules(None, None, 9)
            .await
            .unwrap()
            .items
            .len(),
        2
    );
}

pub(super) async fn a_deleted_schedule_leaves_its_executions_and_no_fires(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", Policies::default()).await;
    fire(&world, firing(&schedule, running(1))).await.unwrap();
    let schedule = schedule_id("s");
    let deleted = world.store.delete_schedule(schedule.clone(), at(60)).await;
    deleted.unwrap();
    let again = world.store.delete_schedule(schedule, at(61)).await;
    assert_eq!(kind(again), StoreErrorKind::NotFound);
    assert_eq!(world.stored(1).await.execution.schedule, None);
    assert_eq!(history(&world, "s").await, []);
    // A fire outlives what it started.
    let schedule = added(&world, "t", Policies::default()).await;
    fire(&world, firing(&schedule, running(2))).await.unwrap();
    world.apply(complete(2)).await.unwrap();
    world.store.delete(id(2)).await.unwrap();
    let [left] = &history(&world, "t").await[..] else {
        panic!("one fire is expected");
    };
    assert_eq!(left.outcome, FireOutcome::Started { execution: None });
    world.is_sound().await;
}
