//! Laws about heartbeats: kept with their schedules, and each run judged once.

use std::num::NonZeroU32;
use std::sync::Arc;

use workflow_types::alert::{AlertChange, AlertSource, Finding, Findings, Verdict};
use workflow_types::execution::TriggeredBy;
use workflow_types::heartbeat::{
    HeartbeatJudgement, HeartbeatKeeping, HeartbeatRun, JudgementRecorded,
};
use workflow_types::id::HeartbeatName;
use workflow_types::registry::Registration;
use workflow_types::schedule::{
    FireOutcome, Firing, Keeper, Off, Policies, Schedule, ScheduleSpec, Slot, Standing, TimeZone,
    Timing,
};

use super::StoreFactory;
use super::fixture::{World, at, complete, id, kind, registration, running};
use crate::store::StoreErrorKind;

fn name() -> HeartbeatName {
    "ops".parse().unwrap()
}

/// The heartbeat `ops` as its file says at a second; without a file if it cannot be read.
fn keeping(when: &str, seconds: u32, is_read: bool) -> HeartbeatKeeping {
    let timing = Timing::resolve(when.parse().unwrap(), TimeZone::UTC, None, at(0)).unwrap();
    let registration = Registration {
        at: at(seconds),
        ..registration("ops", "ops")
    };
    let unknown_after = NonZeroU32::new(2).unwrap();
    HeartbeatKeeping {
        name: name(),
        path: "/HEARTBEAT.md".to_owned(),
        read: is_read.then(|| Box::new((registration, unknown_after))),
        schedule: ScheduleSpec {
            id: "ops".parse().unwrap(),
            name: "ops".parse().unwrap(),
            workflow: is_read.then(|| "ops".parse().unwrap()),
            input: serde_json::json!({}),
            timing,
            policies: Policies::default(),
        },
        at: at(seconds),
    }
}

impl World {
    async fn keep(&self, keeping: HeartbeatKeeping) -> Schedule {
        let kept = self.store.heartbeats().keep(keeping).await.unwrap();
        kept.unwrap()
    }
}

fn findings(number: u32, verdict: Verdict) -> Findings {
    Findings {
        source: AlertSource::Heartbeat(name()),
        execution: id(number),
        at: at(number),
        findings: vec![Finding {
            item: "disk".to_owned(),
            verdict,
        }],
        unknown_after: NonZeroU32::new(2).unwrap(),
    }
}

fn ended(number: u32) -> HeartbeatJudgement {
    let details = "93 % full".to_owned();
    HeartbeatJudgement {
        run: HeartbeatRun::Ended(id(number)),
        findings: Some(findings(number, Verdict::ActionNeeded { details })),
        at: at(number),
    }
}

pub(super) async fn a_heartbeat_has_a_schedule_that_follows_its_file(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    // One that could never be read has a schedule that starts nothing, and says so.
    let first = world.keep(keeping("@every 10s", 0, false)).await;
    assert_eq!(first.keeper, Keeper::Heartbeat(name()));
    assert_eq!(first.spec.workflow, None);
    let read = world.keep(keeping("@every 10s", 5, true)).await;
    assert_eq!(read.spec.workflow, Some("ops".parse().unwrap()));
    // The same again changes nothing, and a file that cannot be read takes nothing away.
    assert_eq!(world.keep(keeping("@every 10s", 6, true)).await, read);
    assert_eq!(world.keep(keeping("@every 7s", 7, false)).await, read);
    let other = world.keep(keeping("@every 7s", 8, true)).await;
    assert_eq!(other.next().unwrap().fire_time, at(14));
    // Not known any more it is off, and goes on when it is known again.
    let detach = |kept: Vec<HeartbeatName>| world.store.heartbeats().detach_others(kept, at(9));
    detach(vec![name()]).await.unwrap();
    let found = || async {
        let found = world.reads.heartbeats().find(&name()).await.unwrap();
        found.unwrap()
    };
    assert!(found().await.1.unwrap().is_active());
    detach(Vec::new()).await.unwrap();
    let (record, schedule) = found().await;
    let standing = schedule.unwrap().standing;
    let is_detached = |standing| {
        matches!(
            standing,
            Standing::Off {
                why: Off::Detached,
                ..
            }
        )
    };
    assert!(is_detached(standing));
    assert_eq!(record.created_at, at(0));
    assert!(world.keep(keeping("@every 7s", 30, true)).await.is_active());
    assert_eq!(
        world.reads.heartbeats().list().await.unwrap().items.len(),
        1
    );
    world.is_sound().await;
}

pub(super) async fn a_run_is_judged_once_after_its_end(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.keep(keeping("@every 10s", 0, true)).await;
    let mut start = running(1);
    start.execution.triggered_by = TriggeredBy::Heartbeat;
    world.start(start).await;
    let judge = |judgement| world.store.heartbeats().judge(judgement);
    let reads = world.reads.heartbeats();
    assert_eq!(reads.unjudged(10).await.unwrap(), []);
    assert_eq!(kind(judge(ended(1)).await), StoreErrorKind::Conflict);
    assert_eq!(kind(judge(ended(2)).await), StoreErrorKind::NotFound);
    world.apply(complete(1)).await.unwrap();
    assert_eq!(reads.unjudged(10).await.unwrap(), [id(1)]);
    let JudgementRecorded::New(changes) = judge(ended(1)).await.unwrap() else {
        panic!("it is new");
    };
    assert!(matches!(changes[..], [AlertChange::Raised(_)]));
    assert_eq!(judge(ended(1)).await.unwrap(), JudgementRecorded::Repeated);
    assert_eq!(reads.unjudged(10).await.unwrap(), []);
}

pub(super) async fn what_could_not_start_is_told_once_and_takes_nothing_from_other_items(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let mut start = running(1);
    start.execution.triggered_by = TriggeredBy::Heartbeat;
    world.start(start).await;
    world.apply(complete(1)).await.unwrap();
    let mut schedule = world.keep(keeping("@every 10s", 0, true)).await;
    let judge = |judgement| world.store.heartbeats().judge(judgement);
    judge(ended(1)).await.unwrap();
    let mut changes = Vec::new();
    for _ in 0..2 {
        let fire_time = schedule.next().unwrap().fire_time;
        let firing = Firing {
            schedule: Arc::new(schedule.clone()),
            fire_time,
            slot: Slot::Due,
            start: Err("there is no such file".to_owned()),
            at: fire_time,
        };
        let fired = world.store.fire(vec![firing], "me").await.unwrap();
        let [fired] = fired.try_into().unwrap();
        assert!(matches!(
            fired.record.outcome,
            FireOutcome::FailedToStart { .. }
        ));
        schedule = Arc::unwrap_or_clone(fired.schedule);
        let untold = world.reads.heartbeats().untold(10).await.unwrap();
        assert_eq!(untold.len(), 1);
        let judgement = HeartbeatJudgement {
            run: HeartbeatRun::NotStarted {
                name: name(),
                fire_time,
            },
            findings: Some(untold[0].findings()),
            at: fire_time,
        };
        let JudgementRecorded::New(new) = judge(judgement.clone()).await.unwrap() else {
            panic!("it is new");
        };
        changes.extend(new);
        assert_eq!(judge(judgement).await.unwrap(), JudgementRecorded::Repeated);
        assert_eq!(world.reads.heartbeats().untold(10).await.unwrap(), []);
    }
    // The second one in a row is an alert; what was known of the disk stays.
    assert!(matches!(changes[..], [AlertChange::Raised(_)]));
    let source = AlertSource::Heartbeat(name());
    let items = world
        .reads
        .alerts()
        .checked_items(&source)
        .await
        .unwrap()
        .items;
    assert_eq!(items.len(), 2);
}
