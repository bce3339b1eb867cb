//! Laws about schedules that are held up: an alert as long as somebody is waited for, and told once.

use std::sync::Arc;

use workflow_types::alert::{Alert, AlertKind, AlertSource, Notice, NoticeEvent};
use workflow_types::approval::{Decision, GateKind, Resolution, ResolvedBy};
use workflow_types::execution::{Cancellation, Scope, Start};
use workflow_types::schedule::{Off, Overlap, Policies, Schedule, ScheduleSpec, Slot};

use super::StoreFactory;
use super::alerts::ALL;
use super::fixture::{World, at, expiring, gate_id, id, interrupted, paused, running, vote};
use super::schedules::{added, fire, firing, found, policies, schedule_id, started_by};

/// What the first execution of a schedule does while others are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Runs,
    WaitsAt(GateKind),
}

/// A schedule whose first execution, of this number, waits at a gate.
async fn waiting(world: &World, name: &str, number: u32, policies: Policies) -> Schedule {
    started(
        world,
        name,
        number,
        First::WaitsAt(GateKind::Approval),
        policies,
    )
    .await
}

async fn started(
    world: &World,
    name: &str,
    number: u32,
    first: First,
    policies: Policies,
) -> Schedule {
    let schedule = added(world, name, policies).await;
    let start = match first {
        First::WaitsAt(GateKind::Approval) => paused(number),
        First::Runs | First::WaitsAt(GateKind::Interrupted) => running(number),
    };
    let fired = fire(world, firing(&schedule, start)).await.unwrap();
    if first == First::WaitsAt(GateKind::Interrupted) {
        world.apply(interrupted(number)).await.unwrap();
    }
    Arc::unwrap_or_clone(fired.schedule)
}

/// The next fire of a schedule.
async fn fires(world: &World, schedule: &Schedule, number: u32) -> (Schedule, &'static str) {
    let fired = fire(world, firing(schedule, running(number)))
        .await
        .unwrap();
    let became = fired.record.outcome.word().as_str();
    (Arc::unwrap_or_clone(fired.schedule), became)
}

/// What was told, each with what it is about.
fn events(told: &[Notice]) -> Vec<(NoticeEvent, &str, &str)> {
    let events = told
        .iter()
        .map(|it| (it.event, it.source.name(), it.item.as_str()));
    events.collect()
}

async fn open(world: &World) -> Vec<Alert> {
    let mut all = world.alerts(ALL).await;
    all.retain(Alert::is_open);
    all
}

pub(super) async fn fires_that_wait_for_a_person_are_one_alert_told_once(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.configure(&["log"]).await;
    let firsts = [
        First::Runs,
        First::WaitsAt(GateKind::Approval),
        First::WaitsAt(GateKind::Interrupted),
    ];
    let (mut number, mut told) = (0, 0);
    for overlap in Overlap::ALL {
        for (ignores, first) in firsts.iter().flat_map(|it| [(false, *it), (true, *it)]) {
            number += 10;
            let policies = Policies {
                overlap: *overlap,
                overlap_ignores_paused: ignores,
                ..Policies::default()
            };
            let name = format!("s-{number}");
            let case = format!("{name}: {overlap}, {ignores}, {first:?}");
            let mut schedule = started(&world, &name, number, first, policies).await;
            let mut held = 0;
            for later in 1..=3 {
                let (next, became) = fires(&world, &schedule, number + later).await;
                held += u32::from(became != "started");
                schedule = next;
            }
            let waits_for_person = first != First::Runs && !ignores;
            let waits = !matches!(overlap, Overlap::CancelOther | Overlap::Allow);
            let alerts = open(&world).await;
            let source = AlertSource::Schedule(schedule_id(&name));
            let alert = alerts.iter().find(|alert| alert.source == source);
            assert_eq!(alert.is_some(), waits && waits_for_person, "{case}");
            if let Some(alert) = alert {
                told += 1;
                assert_eq!((alert.kind, held), (AlertKind::HeldUp, 3), "{case}");
                assert_eq!(alert.item, id(number).to_string());
                assert_eq!((alert.times_seen, alert.is_unread()), (3, true), "{case}");
                assert!(alert.details.contains(&gate_id(number).to_string()));
                let log = world.deliver_all("log").await;
                let item = alert.item.as_str();
                assert_eq!(events(&log), [(NoticeEvent::Raised, name.as_str(), item)]);
            }
            assert_eq!(world.told().await.len(), told, "{case}");
        }
    }
    let count = world.reads.alerts().count_held_up().await;
    assert_eq!(count.unwrap(), told);
    assert_eq!(told, 6);
    world.is_sound().await;
}

/// How a gate comes to wait no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Voted(Decision),
    Resolved,
    Expired,
    Cancelled,
}

/// A schedule whose first execution waits at a gate that can be answered in this way.
async fn waiting_for(world: &World, answer: Answer, name: &str, number: u32) -> Schedule {
    let policies = Policies::default();
    match answer {
        Answer::Voted(_) | Answer::Cancelled => waiting(world, name, number, policies).await,
        Answer::Resolved => {
            let first = First::WaitsAt(GateKind::Interrupted);
            started(world, name, number, first, policies).await
        }
        Answer::Expired => {
            let schedule = added(world, name, policies).await;
            let fired = fire(world, firing(&schedule, expiring(number, at(50)))).await;
            Arc::unwrap_or_clone(fired.unwrap().schedule)
        }
    }
}

/// Answers the gate of an execution, at second 50.
async fn give(world: &World, answer: Answer, number: u32) {
    let (store, gate) = (&world.store, gate_id(number));
    match answer {
        Answer::Voted(decision) => {
            store.vote(gate, vote(decision, "ann")).await.unwrap();
        }
        Answer::Resolved => {
            let resolved = ResolvedBy {
                resolution: Resolution::Rerun,
                actor: "ann".parse().unwrap(),
                at: at(50),
                reason: None,
            };
            store.resolve(gate, resolved).await.unwrap();
        }
        Answer::Expired => {
            let expired = store.expire_due(Scope::All, at(50), 9).await;
            assert_eq!(expired.unwrap(), [id(number)]);
        }
        Answer::Cancelled => {
            let asked = Cancellation {
                actor: "ann".parse().unwrap(),
                at: at(50),
                reason: None,
            };
            store.cancel(id(number), asked).await.unwrap();
        }
    }
}

pub(super) async fn whatever_settles_the_gate_ends_the_alert_with_it(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let answers = [
        Answer::Voted(Decision::Approve),
        Answer::Voted(Decision::Deny),
        Answer::Resolved,
        Answer::Expired,
        Answer::Cancelled,
    ];
    for (answer, number) in answers.into_iter().zip((100..).step_by(10)) {
        let name = format!("s-{number}");
        let mut schedule = waiting_for(&world, answer, &name, number).await;
        for later in [1, 2] {
            schedule = fires(&world, &schedule, number + later).await.0;
        }
        assert_eq!(open(&world).await.len(), 1, "{answer:?}");
        give(&world, answer, number).await;
        let alerts = world.alerts(ALL).await;
        let alert = alerts.iter().find(|it| it.source.name() == name).unwrap();
        let cleared = alert.cleared.as_ref().unwrap();
        assert_eq!((alert.times_seen, cleared.at), (2, at(50)), "{answer:?}");
        assert!(cleared.reason.contains(&id(number).to_string()));
        let told = world.told().await;
        assert_eq!(told.last().unwrap().event, NoticeEvent::Cleared);
        // It runs on, and is in the way as any other, unless it is over; nobody is told of that.
        let (next, became) = fires(&world, &schedule, number + 3).await;
        let starts = answer == Answer::Cancelled;
        assert_eq!(became == "started", starts, "{answer:?}");
        assert_eq!(found(&world, &name).await, next);
        assert_eq!(world.told().await, told, "{answer:?}");
    }
    world.is_sound().await;
}

pub(super) async fn what_lets_a_schedule_go_ends_its_alert_and_nothing_else_does(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let names = [
        "renamed",
        "paused",
        "beside",
        "ignoring",
        "deleted",
        "completed",
    ];
    for (name, number) in names.iter().zip((100..).step_by(10)) {
        let schedule = waiting(&world, name, number, Policies::default()).await;
        let (schedule, became) = fires(&world, &schedule, number + 1).await;
        assert_eq!(became, "skipped_overlap");
        let edited = |change: fn(&mut ScheduleSpec)| {
            let mut spec = schedule.spec.clone();
            change(&mut spec);
            schedule.edited(spec, at(26))
        };
        let change = match *name {
            "renamed" => edited(|spec| spec.name = "Another name".parse().unwrap()),
            "paused" => schedule.stopped(Off::Paused, at(26)),
            "beside" => edited(|spec| spec.policies.overlap = Overlap::Allow),
            "ignoring" => edited(|spec| spec.policies.overlap_ignores_paused = true),
            "completed" => schedule.stopped(Off::Completed, at(26)),
            _ => {
                let deleted = world.store.delete_schedule(schedule_id(name), at(26));
                deleted.await.unwrap();
                continue;
            }
        };
        world.store.change_schedule(change).await.unwrap();
    }
    let alerts = world.alerts(ALL).await;
    let over = alerts.iter().map(|alert| {
        let reason = alert.cleared.as_ref().map(|it| it.reason.as_str());
        (alert.source.name(), reason)
    });
    let mut over: Vec<_> = over.collect();
    over.sort_unstable();
    let beside = "its overlap policy lets it fire beside what waits";
    let expected = [
        ("beside", Some(beside)),
        ("completed", Some("the schedule has completed")),
        ("deleted", Some("the schedule was deleted")),
        ("ignoring", Some(beside)),
        ("paused", Some("somebody has paused the schedule")),
        ("renamed", None),
    ];
    assert_eq!(over, expected);
    // The other's name is no other alert.
    let renamed = found(&world, "renamed").await;
    fires(&world, &renamed, 190).await;
    let [alert] = &open(&world).await[..] else {
        panic!("one alert is open");
    };
    assert_eq!((alert.source.name(), alert.times_seen), ("renamed", 2));
    // Whoever is resumed is held up anew, which is told anew.
    let resumed = found(&world, "paused").await.resumed(at(41)).unwrap();
    world.store.change_schedule(resumed).await.unwrap();
    let before = world.told().await.len();
    fires(&world, &found(&world, "paused").await, 191).await;
    let told = world.told().await;
    assert_eq!(told.len(), before + 1);
    let event = (NoticeEvent::Raised, "paused", id(110).to_string());
    let last = told.last().unwrap();
    assert_eq!((last.event, last.source.name(), last.item.clone()), event);
    world.is_sound().await;
}

pub(super) async fn what_has_waited_longest_is_named_and_then_what_waits_behind_it(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let before = waiting(&world, "s", 7, policies(Overlap::BufferAll)).await;
    // Somebody has started another one, which waits longer.
    let mut other: Start = started_by(&before, paused(3), at(3));
    other.execution.scheduled_for = None;
    world.start(other).await;
    let (schedule, became) = fires(&world, &before, 8).await;
    assert_eq!(became, "buffered");
    let waiting = |name: &'static str| {
        let ids = vec![schedule_id("nobody"), schedule_id(name)];
        world.reads.waiting_of_schedules(ids)
    };
    let [held] = &waiting("s").await.unwrap()[..] else {
        panic!("one is named");
    };
    assert_eq!((held.execution, held.gate), (id(3), gate_id(3)));
    assert_eq!((held.kind, held.since), (GateKind::Approval, at(3)));
    assert_eq!((held.step.as_ref(), held.expiry), ("a", None));
    world
        .store
        .vote(gate_id(3), vote(Decision::Deny, "ann"))
        .await
        .unwrap();
    let (_, became) = fires(&world, &schedule, 9).await;
    assert_eq!(became, "buffered");
    assert_eq!(waiting("s").await.unwrap()[0].execution, id(7));
    let told = world.told().await;
    let (first, second) = (id(3).to_string(), id(7).to_string());
    let expected = [
        (NoticeEvent::Raised, "s", first.as_str()),
        (NoticeEvent::Cleared, "s", first.as_str()),
        (NoticeEvent::Raised, "s", second.as_str()),
    ];
    assert_eq!(events(&told), expected);
    // A gate that opens where another one was is another question, and another alert.
    world
        .store
        .vote(gate_id(7), vote(Decision::Approve, "ann"))
        .await
        .unwrap();
    assert_eq!(waiting("s").await.unwrap(), []);
    assert_eq!(world.told().await.len(), 4);
    world.is_sound().await;
}

pub(super) async fn a_backfill_and_what_is_still_buffered_say_nothing(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let schedule = waiting(&world, "s", 1, policies(Overlap::BufferOne)).await;
    let mut schedule = schedule;
    for number in [2, 3] {
        schedule = fires(&world, &schedule, number).await.0;
    }
    let [alert] = &open(&world).await[..] else {
        panic!("one alert is open");
    };
    assert_eq!(alert.times_seen, 2);
    let again = |slot, fire_time, number| {
        let mut again = firing(&schedule, running(number));
        again.slot = slot;
        again.fire_time = fire_time;
        again.start = Ok(Arc::new(started_by(&schedule, running(number), fire_time)));
        again
    };
    let buffered = fire(&world, again(Slot::Buffered, at(20), 4))
        .await
        .unwrap();
    assert!(!buffered.is_new);
    let filled = fire(&world, again(Slot::Backfill, at(30), 5))
        .await
        .unwrap();
    assert_eq!(filled.record.outcome.word().as_str(), "started");
    assert_eq!(&open(&world).await[..], std::slice::from_ref(alert));
    assert_eq!(world.told().await.len(), 1);
    world.is_sound().await;
}
