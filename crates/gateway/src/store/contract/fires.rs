//! Laws about fires: each is recorded once, with what it starts, and as overlap and limits say.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use workflow_types::execution::{Cancelling, Started};
use workflow_types::schedule::{
    FireCause, FireOutcome, FireRecord, Fired, Firing, MaxRuns, Missed, Off, Overlap, Policies,
    Slot, Standing,
};

use super::StoreFactory;
use super::fixture::{OWNER, World, at, complete, id, kind, paused, running};
use super::schedules::{added, fire, firing, found, history, policies, schedule_id, started_by};
use crate::store::StoreErrorKind;

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
            start: Ok(Arc::new(started_by(&before, start, at(10)))),
            ..firing.clone()
        };
        let again = fire(&world, again).await.unwrap();
        assert!(!again.is_new && again.started.is_none());
        assert_eq!(
            (again.record, Arc::unwrap_or_clone(again.schedule)),
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
        firing_all.spawn(async move {
            let fired = store.fire(vec![firing], OWNER).await.unwrap();
            fired[0].is_new
        });
    }
    let new = firing_all.join_all().await;
    assert_eq!(new.into_iter().filter(|is_new| *is_new).count(), 1);
    assert_eq!(world.reads.count_running().await.unwrap(), 1);
    assert_eq!(found(&world, "s").await.runs, 1);
}

pub(super) async fn fires_that_are_asked_for_together_are_all_written_or_none_is(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let mut firings = Vec::new();
    for number in 1..=8 {
        let schedule = added(&world, &format!("s{number}"), Policies::default()).await;
        firings.push(firing(&schedule, running(number)));
    }
    let mut spoiled = firings.clone();
    Arc::make_mut(&mut spoiled[5].schedule).spec.id = schedule_id("x");
    let refused = world.store.fire(spoiled, OWNER).await;
    assert_eq!(kind(refused), StoreErrorKind::NotFound);
    assert_eq!(world.reads.count_running().await.unwrap(), 0);
    for firing in &firings {
        let name = firing.schedule.spec.id.to_string();
        assert_eq!(found(&world, &name).await, *firing.schedule);
        assert_eq!(history(&world, &name).await, []);
    }
    let fired = world.store.fire(firings.clone(), OWNER).await.unwrap();
    let told = |fired: &Fired| (fired.record.schedule.clone(), fired.is_new);
    let asked = |firing: &Firing| (firing.schedule.spec.id.clone(), true);
    assert!(fired.iter().map(told).eq(firings.iter().map(asked)));
    assert_eq!(world.reads.count_running().await.unwrap(), 8);
    world.is_sound().await;
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
        schedule: Arc::new(found(&world, "s").await),
        ..old.clone()
    };
    assert_eq!(kind(fire(&world, later).await), StoreErrorKind::Conflict);
    let mut unknown = old;
    Arc::make_mut(&mut unknown.schedule).spec.id = schedule_id("x");
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
        schedule = Arc::unwrap_or_clone(fired.schedule);
    }
    let since = at(20).saturating_add(Duration::from_millis(5));
    let completed = Standing::Off {
        why: Off::Completed,
        since,
    };
    assert_eq!(found(&world, "s").await.standing, completed);
    assert_eq!(
        world.reads.next_schedules_due(at(0), 9).await.unwrap(),
        None
    );
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
        let outcome = second.record.outcome.word().as_str();
        let expected = match overlap {
            Overlap::Skip => "skipped_overlap",
            Overlap::BufferOne | Overlap::BufferAll => "buffered",
            Overlap::CancelOther | Overlap::Allow => "started",
        };
        assert_eq!(outcome, expected, "{overlap}");
        let is_stored = world.find(number + 1).await.is_some();
        assert_eq!(is_stored, expected == "started");
        let cancelled = match overlap {
            Overlap::CancelOther => vec![(id(number), Cancelling::Pending)],
            Overlap::Skip | Overlap::BufferOne | Overlap::BufferAll | Overlap::Allow => Vec::new(),
        };
        assert_eq!(second.cancelled, cancelled, "{overlap}");
        let third = firing(&second.schedule, running(number + 2));
        let third = fire(&world, third).await.unwrap();
        let outcome = third.record.outcome.word().as_str();
        let expected = if *overlap == Overlap::BufferOne {
            "skipped_overlap"
        } else {
            expected
        };
        assert_eq!(outcome, expected, "{overlap}");
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
        schedule = Arc::unwrap_or_clone(fired.schedule);
    }
    assert_eq!(words, ["started", "started", "skipped_overlap"]);
}

pub(super) async fn a_buffered_fire_starts_when_nothing_is_in_its_way(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let schedule = added(&world, "s", policies(Overlap::BufferAll)).await;
    let fired = fire(&world, firing(&schedule, running(1))).await.unwrap();
    let mut schedule = fired.schedule;
    for number in [2, 3] {
        let fired = fire(&world, firing(&schedule, running(number))).await;
        schedule = fired.unwrap().schedule;
    }
    assert_eq!(schedule.runs, 1);
    assert!(world.reads.has_buffered().await.unwrap());
    let buffered = |number, fire_time| Firing {
        fire_time,
        slot: Slot::Buffered,
        start: Ok(Arc::new(started_by(&schedule, running(number), fire_time))),
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
    assert!(!world.reads.has_buffered().await.unwrap());
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
        start: Ok(Arc::new(started_by(&schedule, running(number), fire_time))),
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
