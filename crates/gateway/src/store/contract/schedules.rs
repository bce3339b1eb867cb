//! Laws about schedules: changes that nobody loses, and fires that are recorded once with what they
//! start.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use workflow_types::Timestamp;
use workflow_types::execution::{
    Cancelling, ExecutionState, FailureKind, Start, Started, TriggeredBy,
};
use workflow_types::id::ScheduleId;
use workflow_types::registry::Registration;
use workflow_types::schedule::{
    Change, FireCause, FireOutcome, FirePage, FireRecord, Fired, Firing, Gap, Keeper, MaxRuns,
    Missed, Next, Off, Overlap, Policies, Revision, Schedule, ScheduleSpec, Slot, Standing,
    TimeZone, Timing,
};

use super::StoreFactory;
use super::fixture::{OWNER, World, at, cancel, complete, id, kind, paused, registration, running};
use crate::store::{StoreError, StoreErrorKind};

const WHOLE: FirePage = FirePage {
    before: None,
    limit: 1_000,
};

pub(super) fn schedule_id(text: &str) -> ScheduleId {
    text.parse().unwrap()
}

/// What fires every ten seconds, from second 10 on.
fn spec(name: &str, policies: Policies) -> ScheduleSpec {
    ScheduleSpec {
        id: schedule_id(name),
        name: "Every ten seconds".parse().unwrap(),
        workflow: Some("w".parse().unwrap()),
        input: json!({"n": [1, "two", null]}),
        timing: Timing::resolve("@every 10s".parse().unwrap(), TimeZone::UTC, None, at(0)).unwrap(),
        policies,
    }
}

fn schedule(name: &str, policies: Policies) -> Schedule {
    Schedule::create(spec(name, policies), Keeper::People, at(0)).unwrap()
}

pub(super) async fn added(world: &World, name: &str, policies: Policies) -> Schedule {
    let schedule = schedule(name, policies);
    world.store.add_schedule(schedule.clone()).await.unwrap();
    schedule
}

async fn found(world: &World, name: &str) -> Schedule {
    let found = world.reads.schedule(&schedule_id(name)).await.unwrap();
    found.unwrap_or_else(|| panic!("schedule {name} is not stored"))
}

/// An execution of a schedule for a fire time.
fn started_by(schedule: &Schedule, mut start: Start, fire_time: Timestamp) -> Start {
    start.execution.schedule = Some(schedule.spec.id.clone());
    start.execution.scheduled_for = Some(fire_time);
    start.execution.triggered_by = TriggeredBy::Cron;
    start
}

/// A request to fire the next fire time, with this execution.
fn firing(schedule: &Schedule, start: Start) -> Firing {
    let fire_time = schedule.next().unwrap().fire_time;
    Firing {
        schedule: schedule.spec.id.clone(),
        revision: schedule.revision,
        fire_time,
        slot: Slot::Due,
        start: Ok(Box::new(started_by(schedule, start, fire_time))),
        at: fire_time.saturating_add(Duration::from_millis(5)),
    }
}

async fn fire(world: &World, firing: Firing) -> Result<Fired, StoreError> {
    world.store.fire(firing, OWNER).await
}

async fn history(world: &World, name: &str) -> Vec<FireRecord> {
    let listed = world.reads.fires(&schedule_id(name), WHOLE).await.unwrap();
    assert_eq!(listed.damaged, []);
    listed.items
}

fn policies(overlap: Overlap) -> Policies {
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

pub(super) async fn a_fire_is_recorded_with_what_it_starts_and_only_once(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let before = added(&world, "s", Policies::default()).await;
    let firing = firing(&before, running(1));
    let fired = fire(&world, firing.clone()).await.unwrap();
    assert!(fired.is_new);
    assert_eq!(fired.started, Some(Started::New));
    let record = FireRecord {
        schedule: schedule_id("s"),
        fire_time: at(10),
        outcome: FireOutcome::Started {
            execution: Some(id(1)),
        },
        cause: FireCause::Time,
        at: firing.at,
    };
    assert_eq!(fired.record, record);
    let schedule = found(&world, "s").await;
    assert_eq!(schedule, *fired.schedule);
    assert_eq!((schedule.runs, schedule.last_fire), (1, Some(at(10))));
    assert_eq!(schedule.last_run_at, Some(firing.at));
    assert_eq!(schedule.next().unwrap().fire_time, at(20));
    let execution = world.stored(1).await.execution;
    assert_eq!(execution.schedule, Some(schedule_id("s")));
    assert_eq!(execution.scheduled_for, Some(at(10)));
    // Once more, with the same execution or another one.
    for start in [running(1), running(2)] {
        let again = Firing {
            start: Ok(Box::new(started_by(&before, start, at(10)))),
            ..firing.clone()
        };
        let again = fire(&world, again).await.unwrap();
        assert!(!again.is_new && again.started.is_none());
        assert_eq!(
            (again.record, *again.schedule),
            (record.clone(), schedule.clone())
        );
    }
    assert!(world.find(2).await.is_none());
    world.is_sound().await;
}

pub(super) async fn fifty_that_fire_at_once_start_one_execution(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", policies(Overlap::Allow)).await;
    let mut firing_all = JoinSet::new();
    for number in 1..=50 {
        let (store, firing) = (world.store.clone(), firing(&schedule, running(number)));
        firing_all.spawn(async move { store.fire(firing, OWNER).await.unwrap().is_new });
    }
    let new = firing_all.join_all().await;
    assert_eq!(new.into_iter().filter(|is_new| *is_new).count(), 1);
    assert_eq!(world.reads.count_running().await.unwrap(), 1);
    assert_eq!(found(&world, "s").await.runs, 1);
}

pub(super) async fn a_fire_that_was_planned_before_a_change_is_refused_whole(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", Policies::default()).await;
    let old = firing(&schedule, running(1));
    let change = schedule.stopped(Off::Paused, at(5));
    world.store.change_schedule(change).await.unwrap();
    assert_eq!(
        kind(fire(&world, old.clone()).await),
        StoreErrorKind::Conflict
    );
    let later = Firing {
        fire_time: at(20),
        revision: Revision::new(2),
        ..old.clone()
    };
    assert_eq!(kind(fire(&world, later).await), StoreErrorKind::Conflict);
    let unknown = Firing {
        schedule: schedule_id("x"),
        ..old
    };
    assert_eq!(kind(fire(&world, unknown).await), StoreErrorKind::NotFound);
    assert!(world.find(1).await.is_none());
    assert_eq!(history(&world, "s").await, []);
    // What is started is not there: nothing is recorded, so that the reason can be.
    let schedule = added(&world, "t", Policies::default()).await;
    let mut nothing = running(1);
    nothing.execution.workflow_id = "nothing".parse().unwrap();
    let nothing = firing(&schedule, nothing);
    assert_eq!(
        kind(fire(&world, nothing.clone()).await),
        StoreErrorKind::NotFound
    );
    assert_eq!(found(&world, "t").await, schedule);
    let reason = "there is no such workflow".to_owned();
    let failed = Firing {
        start: Err(reason.clone()),
        ..nothing
    };
    let failed = fire(&world, failed).await.unwrap();
    assert_eq!(failed.record.outcome, FireOutcome::FailedToStart { reason });
    assert_eq!(failed.schedule.runs, 0);
    assert_eq!(failed.schedule.next().unwrap().fire_time, at(20));
}

pub(super) async fn the_limit_of_runs_completes_a_schedule(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let policies = Policies {
        max_runs: Some(MaxRuns::try_new(2).unwrap()),
        ..policies(Overlap::Allow)
    };
    let mut schedule = added(&world, "s", policies).await;
    for number in 1..=2 {
        let fired = fire(&world, firing(&schedule, running(number)))
            .await
            .unwrap();
        schedule = *fired.schedule;
    }
    let since = at(20).saturating_add(Duration::from_millis(5));
    let completed = Standing::Off {
        why: Off::Completed,
        since,
    };
    assert_eq!(found(&world, "s").await.standing, completed);
    assert_eq!(world.reads.next_schedule_due(at(0)).await.unwrap(), None);
    assert_eq!(world.reads.due_schedules(at(9_999), 9).await.unwrap(), []);
}

pub(super) async fn what_is_not_finished_decides_what_overlaps(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for (number, overlap) in (1..).step_by(10).zip(Overlap::ALL) {
        let name = format!("o{number}");
        let schedule = added(&world, &name, policies(*overlap)).await;
        let first = fire(&world, firing(&schedule, running(number)))
            .await
            .unwrap();
        let second = firing(&first.schedule, running(number + 1));
        let second = fire(&world, second).await.unwrap();
        let word = second.record.outcome.word().as_str();
        let expected = match overlap {
            Overlap::Skip => "skipped_overlap",
            Overlap::BufferOne | Overlap::BufferAll => "buffered",
            Overlap::CancelOther | Overlap::Allow => "started",
        };
        assert_eq!(word, expected, "{overlap}");
        let is_stored = world.find(number + 1).await.is_some();
        assert_eq!(is_stored, expected == "started");
        let cancelled = match overlap {
            Overlap::CancelOther => vec![(id(number), Cancelling::Pending)],
            Overlap::Skip | Overlap::BufferOne | Overlap::BufferAll | Overlap::Allow => Vec::new(),
        };
        assert_eq!(second.cancelled, cancelled, "{overlap}");
        let third = firing(&second.schedule, running(number + 2));
        let third = fire(&world, third).await.unwrap();
        let word = third.record.outcome.word().as_str();
        let expected = if *overlap == Overlap::BufferOne {
            "skipped_overlap"
        } else {
            expected
        };
        assert_eq!(word, expected, "{overlap}");
    }
    world.is_sound().await;
}

pub(super) async fn one_that_waits_for_a_person_is_passed_over_if_the_policy_says_so(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let mut schedule = added(
        &world,
        "s",
        Policies {
            overlap_ignores_paused: true,
            ..policies(Overlap::Skip)
        },
    )
    .await;
    let mut words = Vec::new();
    for start in [paused(1), running(2), running(3)] {
        let fired = fire(&world, firing(&schedule, start)).await.unwrap();
        words.push(fired.record.outcome.word().as_str());
        schedule = *fired.schedule;
    }
    assert_eq!(words, ["started", "started", "skipped_overlap"]);
}

pub(super) async fn a_buffered_fire_starts_when_nothing_is_in_its_way(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", policies(Overlap::BufferAll)).await;
    let mut schedule = *fire(&world, firing(&schedule, running(1)))
        .await
        .unwrap()
        .schedule;
    for number in [2, 3] {
        schedule = *fire(&world, firing(&schedule, running(number)))
            .await
            .unwrap()
            .schedule;
    }
    assert_eq!(schedule.runs, 1);
    let buffered = |number, fire_time| Firing {
        fire_time,
        slot: Slot::Buffered,
        start: Ok(Box::new(started_by(&schedule, running(number), fire_time))),
        ..firing(&schedule, running(number))
    };
    assert_eq!(world.reads.releasable(9).await.unwrap(), []);
    let held = fire(&world, buffered(2, at(20))).await.unwrap();
    assert!(!held.is_new && held.record.outcome == FireOutcome::Buffered);
    world.apply(complete(1)).await.unwrap();
    let free = [(schedule_id("s"), at(20))];
    assert_eq!(world.reads.releasable(9).await.unwrap(), free);
    let released = fire(&world, buffered(2, at(20))).await.unwrap();
    assert!(released.is_new);
    assert_eq!(released.schedule.runs, 2);
    assert_eq!(released.schedule.next(), schedule.next());
    let again = fire(&world, buffered(4, at(20))).await.unwrap();
    assert!(!again.is_new && again.started.is_none());
    assert_eq!(world.reads.releasable(9).await.unwrap(), []);
    let none = fire(&world, buffered(4, at(15))).await;
    assert_eq!(kind(none), StoreErrorKind::Conflict);
    // What still waits when it is paused does not run any more.
    let paused = released.schedule.stopped(Off::Paused, at(35));
    world.store.change_schedule(paused).await.unwrap();
    world.apply(complete(2)).await.unwrap();
    assert_eq!(world.reads.releasable(9).await.unwrap(), []);
    assert_eq!(history(&world, "s").await[0].outcome, FireOutcome::Missed);
}

pub(super) async fn a_backfill_takes_what_did_not_run_and_counts_nothing(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", Policies::default()).await;
    let missed = Missed {
        gap: None,
        times: vec![at(10)],
    };
    let change = schedule.passed_over(missed, at(10), at(15));
    world.store.change_schedule(change.clone()).await.unwrap();
    let schedule = change.schedule;
    let fill = |number, fire_time| Firing {
        fire_time,
        slot: Slot::Backfill,
        start: Ok(Box::new(started_by(&schedule, running(number), fire_time))),
        ..firing(&schedule, running(number))
    };
    let filled = fire(&world, fill(1, at(10))).await.unwrap();
    assert!(filled.is_new);
    assert_eq!(filled.record.cause, FireCause::Backfill);
    assert_eq!(found(&world, "s").await, schedule);
    let again = fire(&world, fill(2, at(10))).await.unwrap();
    assert!(!again.is_new && again.record == filled.record);
    assert_eq!(
        kind(fire(&world, fill(2, at(20))).await),
        StoreErrorKind::Conflict
    );
    assert_eq!(
        kind(fire(&world, fill(2, at(30))).await),
        StoreErrorKind::Conflict
    );
    assert!(world.find(2).await.is_none());
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
    let next = |after| world.reads.next_schedule_due(after);
    assert_eq!(next(at(0)).await.unwrap(), Some(at(20)));
    assert_eq!(next(at(30)).await.unwrap(), Some(at(40)));
    assert_eq!(next(at(40)).await.unwrap(), None);
    let stale = world.reads.schedules_computed_elsewhere("another", 9);
    assert_eq!(stale.await.unwrap().items.len(), 3);
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
        schedule = *fired.schedule;
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
    world.store.delete_schedule(schedule.clone()).await.unwrap();
    let again = world.store.delete_schedule(schedule).await;
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
