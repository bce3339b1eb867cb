//! Laws of schedules, on simulated time and a real database: every fire time is run or accounted
//! for, once, however often the process is killed and whatever the clock does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gateway::store::{Durability, SqliteStore, Store, StoreErrorKind};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::execution::ExecutionStatus;
use gateway::workflow_types::schedule::{
    FireOutcome, FirePage, FireRecord, MaxRuns, Misfire, Off, Overlap, Policies, Standing,
};
use gateway::{Clock as _, ExecutionFilter, ManualClock};
use proptest::prelude::*;

use crate::schedules::{id, request};
use crate::support::crashing::{Crash, Crashing};
use crate::support::{Life, World, at};

const NOOP: &str = "\n  - {id: a, action: noop}";
const ACT: &str = "\n  - {id: a, action: tool, tool: put}";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The database of a world, opened by the test.
fn open(world: &World) -> Arc<dyn Store> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    loop {
        let opened = runtime.block_on(SqliteStore::open(&world.database(), Durability::Normal));
        match opened {
            Ok((store, _)) => return Arc::new(store),
            Err(error) if error.kind() == StoreErrorKind::Owned => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Waits until nothing is due any more, nothing runs, and no fire of the schedule `s` is buffered.
async fn at_rest(life: &Life, world: &World) {
    let schedules = life.gateway.schedules();
    let mut events = schedules.watch();
    loop {
        life.settled(world).await;
        let running = ExecutionFilter {
            status: Some(ExecutionStatus::Running),
            ..ExecutionFilter::default()
        };
        let page = life.gateway.reader().executions(running, None, 100);
        for execution in page.await.unwrap().items {
            life.gateway.wait(execution.id).await.unwrap();
        }
        let page = FirePage {
            before: None,
            limit: 100,
        };
        let fires = schedules.history(&id("s"), page).await.unwrap().items;
        let is_buffered = |fire: &FireRecord| fire.outcome == FireOutcome::Buffered;
        if !fires.iter().any(is_buffered) {
            return;
        }
        events.next().await;
    }
}

/// Waits until all is at rest, or the store has crashed; answers whether it has.
fn settle_or_crash(life: &Life, world: &World, store: &Crashing) -> bool {
    let mut crashed = store.crashed();
    life.run(async {
        tokio::select! {
            _ = crashed.wait_for(|crashed| *crashed) => true,
            () = at_rest(life, world) => false,
        }
    })
}

/// A schedule of three runs, minute by minute, with two restarts and a crash at some write between
/// them; answers whether it came to the crash.
fn three_runs(crash: Crash, overlap: Overlap) -> bool {
    let world = World::with(ACT);
    let life = world.live();
    let policies = Policies {
        max_runs: Some(MaxRuns::try_new(3).unwrap()),
        overlap,
        misfire: Misfire::All,
        ..Policies::default()
    };
    life.add(request("* * * * *", policies));
    life.kill();
    let store = Arc::new(Crashing::new(open(&world), crash));
    let mut life = world.live_with(|builder| builder.store(Arc::clone(&store) as Arc<dyn Store>));
    store.arm();
    let mut store = Some(store);
    for minute in 1..=6 {
        world.clock.advance(seconds(60));
        if let Some(crashing) = &store
            && settle_or_crash(&life, &world, crashing)
        {
            // Whoever holds the store holds the database.
            store = None;
            life.kill();
            life = world.live();
        }
        if store.is_none() {
            life.settle_schedules(&world);
            if minute == 4 {
                life.shutdown();
                life = world.live();
            }
        }
    }
    let has_crashed = store.is_none();
    life.run(at_rest(&life, &world));
    let fires = life.fires("s");
    let is_started =
        |outcome: &FireOutcome| matches!(outcome, FireOutcome::Started { execution: Some(_) });
    let started = fires.iter().filter(|fire| is_started(&fire.outcome));
    assert_eq!(started.count(), 3, "{crash:?} {overlap}: {fires:?}");
    let times: BTreeSet<Option<Timestamp>> = life
        .executions()
        .iter()
        .map(|execution| execution.scheduled_for)
        .collect();
    assert_eq!(times.len(), 3, "{crash:?} {overlap}");
    assert_eq!(life.executions().len(), 3, "{crash:?} {overlap}");
    let schedule = life.schedule("s");
    assert_eq!(schedule.runs, 3);
    let is_completed = matches!(
        schedule.standing,
        Standing::Off {
            why: Off::Completed,
            ..
        }
    );
    assert!(is_completed, "{:?}", schedule.standing);
    life.check(&world);
    // Let go of the database before the directory goes.
    life.kill();
    has_crashed
}

#[test]
fn three_runs_are_three_whatever_write_the_process_dies_at() {
    for (overlap, make) in [
        (Overlap::Allow, Crash::Before as fn(usize) -> Crash),
        (Overlap::BufferAll, Crash::After),
    ] {
        let crashes = (0..100)
            .take_while(|at| three_runs(make(*at), overlap))
            .count();
        // Each of three runs has a fire and the end of its step, at least.
        assert!((6..100).contains(&crashes), "{crashes} crashes");
    }
}

#[test]
fn a_clock_that_is_set_fires_nothing_twice_and_misses_nothing_silently() {
    let world = World::with(NOOP);
    let life = world.live();
    let policies = Policies {
        overlap: Overlap::Allow,
        ..Policies::default()
    };
    life.add(request("0 * * * *", policies));
    let words = |life: &Life| -> Vec<String> {
        let told = |fire: &gateway::workflow_types::schedule::FireRecord| {
            format!(
                "{} {}",
                &fire.fire_time.to_string()[11..16],
                fire.outcome.word()
            )
        };
        life.fires("s").iter().map(told).collect()
    };
    let set = |time: &str| {
        world.clock.set(at(&format!("2026-01-31T{time}:00Z")));
        life.settle_schedules(&world);
    };
    set("10:00");
    assert_eq!(words(&life), ["10:00 started"]);
    // Back: what was recorded does not come again.
    set("09:30");
    set("10:00");
    set("10:59");
    assert_eq!(words(&life), ["10:00 started"]);
    set("11:00");
    assert_eq!(words(&life), ["10:00 started", "11:00 started"]);
    // Forward: a downtime.
    set("13:50");
    let missed = ["12:00 missed", "13:00 missed"];
    assert_eq!(words(&life)[2..], missed);
    // Back over what was missed, with a restart and an edit in between.
    world.clock.set(at("2026-01-31T11:30:00Z"));
    life.shutdown();
    let life = world.live();
    life.settle_schedules(&world);
    let edit = gateway::ScheduleEdit::new().when("*/30 * * * *".parse().unwrap());
    life.run(life.gateway.schedules().edit(&id("s"), edit))
        .unwrap();
    let next = life.schedule("s").next().unwrap().fire_time;
    assert_eq!(next, at("2026-01-31T13:30:00Z"));
    assert_eq!(words(&life).len(), 4);
    assert_eq!(life.executions().len(), 2);
}

/// What happens to a gateway and its clock.
#[derive(Debug, Clone)]
enum Event {
    Pass(u64),
    Back(u64),
    Kill(u64),
    Restart(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let time = prop_oneof![0_u64..90, 0_u64..4_000, 0_u64..90_000];
    let event = (0..6, time).prop_map(|(kind, time)| match kind {
        0 => Event::Back(time),
        1 => Event::Kill(time),
        2 => Event::Restart(time),
        _ => Event::Pass(time),
    });
    prop::collection::vec(event, 1..8)
}

fn policies() -> impl Strategy<Value = Policies> {
    let misfire = prop::sample::select(Misfire::ALL);
    let overlap = prop::sample::select(Overlap::ALL);
    let jitter = prop_oneof![Just(0_u64), 1_u64..5_000];
    (misfire, overlap, jitter).prop_map(|(misfire, overlap, jitter)| Policies {
        misfire,
        overlap,
        jitter: seconds(jitter),
        ..Policies::default()
    })
}

fn back(clock: &ManualClock, by: u64) {
    let now = clock.now().as_millis() - i64::try_from(by * 1_000).unwrap();
    clock.set(Timestamp::from_millis(now).unwrap());
}

/// Lives through the events; answers the latest time that the clock has shown to a gateway.
fn live_through(world: &World, life: Life, events: &[Event]) -> (Life, Timestamp) {
    let mut life = life;
    let mut latest = world.clock.now();
    for event in events {
        match event {
            Event::Pass(by) => world.clock.advance(seconds(*by)),
            Event::Back(by) => back(&world.clock, *by),
            Event::Kill(by) => {
                // In the middle of what is due.
                world.clock.advance(seconds(*by));
                life.kill();
                life = world.live();
            }
            Event::Restart(by) => {
                life.shutdown();
                world.clock.advance(seconds(*by));
                life = world.live();
            }
        }
        latest = latest.max(world.clock.now());
        life.settle_schedules(world);
    }
    (life, latest)
}

/// Every fire time up to the latest is recorded once, or lies in a stretch that is; what was started
/// is one execution, and every execution is of a fire.
fn is_accounted_for(life: &Life, created: Timestamp, latest: Timestamp) {
    let schedule = life.schedule("s");
    let fires = life.fires("s");
    let gaps = life
        .run(life.gateway.schedules().gaps(&schedule.spec.id, 1_000))
        .unwrap();
    let recorded: Vec<Timestamp> = fires.iter().map(|fire| fire.fire_time).collect();
    assert!(recorded.is_sorted_by(|a, b| a < b));
    let until = Timestamp::from_millis(
        latest.as_millis() - i64::try_from(schedule.delay().as_millis()).unwrap(),
    );
    let until = until.unwrap();
    let mut found = recorded.iter().copied().peekable();
    let expected = schedule.spec.timing.times(created);
    for time in expected.take_while(|time| *time <= until) {
        if found.peek() == Some(&time) {
            found.next();
        } else {
            let told = gaps
                .iter()
                .any(|gap| gap.first <= time && time < gap.before);
            assert!(told, "nothing is known of {time}");
        }
    }
    assert_eq!(found.next(), None, "what has not come is recorded");
    let mut started: Vec<_> = fires
        .iter()
        .filter_map(|fire| match fire.outcome {
            FireOutcome::Started { execution } => execution,
            FireOutcome::SkippedOverlap { .. }
            | FireOutcome::Missed
            | FireOutcome::Buffered
            | FireOutcome::FailedToStart { .. } => None,
        })
        .collect();
    let mut executions: Vec<_> = life.executions().iter().map(|one| one.id).collect();
    started.sort();
    executions.sort();
    assert_eq!(started, executions);
    assert_eq!(usize::try_from(schedule.runs).unwrap(), executions.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_fire_time_is_accounted_for_once(
        when in prop::sample::select(vec![
            "* * * * *", "*/7 * * * *", "30 2 * * *", "@every 90s", "0 0 * * MON",
        ]),
        policies in policies(),
        events in events(),
    ) {
        let world = World::with(NOOP);
        world.clock.set(at("2026-03-28T20:00:00Z"));
        let life = world.live();
        let zone = "Europe/Berlin".parse().unwrap();
        let added = life.add(request(when, policies).zone(zone));
        let (life, mut latest) = live_through(&world, life, &events);
        // Those that wait for their turn to catch up have it.
        while let Some(next) = life.schedule("s").next()
            && next.fire_time.saturating_add(added.delay()) <= latest
        {
            world.clock.set(next.due_at.max(latest));
            latest = world.clock.now();
            life.settle_schedules(&world);
        }
        // What is buffered starts when what was in its way has ended, which nobody has waited for yet.
        life.until_stored(|life| {
            let is_open = |fire: &FireRecord| matches!(fire.outcome, FireOutcome::Buffered);
            !life.fires("s").iter().any(is_open)
        });
        is_accounted_for(&life, added.created_at, latest);
        life.check(&world);
    }
}
