//! A schedule that is held up by what waits for a person: told once, whatever dies, and over with the
//! answer.

use gateway::Decided;
use gateway::workflow_types::approval::{GateKind, Resolution};
use gateway::workflow_types::id::ExecutionId;
use gateway::workflow_types::schedule::Overlap;

use super::*;
use crate::schedules::request;
use crate::support::{at, is_paused, verdict};

const CALL: &str = "\n  - {id: charge, action: tool, tool: act, args: {do: wait, give: 1}}";
const GATE: &str = "\n  - {id: ship, action: noop, approvalRequired: {timeout: 7d}}";

fn overlap(overlap: Overlap) -> Policies {
    Policies {
        overlap,
        ..Policies::default()
    }
}

/// A schedule whose execution of 10:00 was killed within its call, and then the next process, in
/// which it asks what became of that.
fn interrupted(world: &World, sink: &Arc<Scripted>, policies: Policies) -> (Life, ExecutionId) {
    let life = world.live_with(telling(sink));
    life.add(request("0 * * * *", policies));
    life.at(world, "10:00:00");
    life.until_called(world, 1);
    let id = life.executions()[0].id;
    life.kill();
    let life = world.live_with(telling(sink));
    assert!(is_paused(&life.wait(id)));
    assert_eq!(life.gate(id).kind, GateKind::Interrupted);
    (life, id)
}

fn resolve(life: &Life, id: ExecutionId, resolution: Resolution) {
    let gate = life.gate(id).id;
    let resolving = (life.gateway).resolve(gate, resolution, actor("ann"), None);
    assert_eq!(life.run(resolving).unwrap(), Decided::Settled);
}

/// What holds the schedule up, as a host reads it.
fn held_up(life: &Life) -> Option<ExecutionId> {
    let schedule = life.schedule("s");
    let held = life
        .gateway
        .reader()
        .held_up(std::slice::from_ref(&schedule));
    life.run(held).unwrap().pop().map(|held| held.execution)
}

fn count(life: &Life) -> usize {
    life.run(life.gateway.reader().count_held_up()).unwrap()
}

#[test]
fn what_a_kill_left_to_ask_is_told_when_it_costs_a_fire_and_no_more_than_once() {
    let world = World::with(CALL);
    let sink = Scripted::new("s", []);
    let (life, id) = interrupted(&world, &sink, Policies::default());
    // Nothing is lost yet, and whoever looks sees that something will be.
    assert_eq!((held_up(&life), count(&life)), (Some(id), 0));
    assert_eq!(life.alerts(), []);
    life.at(&world, "11:00:00");
    let heard = life.run(sink.heard(1));
    let item = id.to_string();
    assert_eq!(events(&heard), [(RAISED, item.as_str())]);
    let AlertSource::Schedule(schedule) = &heard[0].source else {
        panic!("it is of a schedule");
    };
    assert_eq!((schedule.as_ref(), heard[0].kind), ("s", AlertKind::HeldUp));
    let gate = life.gate(id);
    for said in [
        format!("execution {id} waits since {}", gate.requested_at),
        "what became of step `charge`, which was interrupted".to_owned(),
        "the fires that come meanwhile are skipped".to_owned(),
        format!(
            "`agentspace executions resolve {} rerun|done|fail`",
            gate.id
        ),
    ] {
        assert!(heard[0].details.contains(&said), "{}", heard[0].details);
    }
    life.until_delivered(&heard[0], &sink);
    // Neither the next fires nor another process tell it again.
    life.at(&world, "12:00:00");
    life.kill();
    let life = world.live_with(telling(&sink));
    life.at(&world, "13:00:00");
    assert_eq!(count(&life), 1);
    assert_eq!(life.alerts()[0].times_seen, 3);
    resolve(&life, id, Resolution::Fail);
    let heard = life.run(sink.heard(2));
    assert_eq!(events(&heard[1..]), [(CLEARED, item.as_str())]);
    let reason = heard[1].reason.as_deref().unwrap();
    assert!(reason.contains("resolved as fail by ann at"), "{reason}");
    assert!(verdict(&life.wait(id)).is_some());
    assert_eq!((held_up(&life), count(&life)), (None, 0));
    life.at(&world, "14:00:00");
    let expected = [
        "10:00 started",
        "11:00 skipped_overlap",
        "12:00 skipped_overlap",
        "13:00 skipped_overlap",
        "14:00 started",
    ];
    assert_eq!(life.told(), expected);
    assert_eq!(life.alerts().len(), 1);
    life.until_delivered(&heard[1], &sink);
    assert_eq!(life.run(sink.heard(2)).len(), 2);
    life.check(&world);
}

#[test]
fn a_sink_that_dies_while_it_is_told_hears_the_same_notice_again() {
    let world = World::with(CALL);
    let sink = Scripted::new("s", [Answer::Hang]);
    let (life, id) = interrupted(&world, &sink, Policies::default());
    life.at(&world, "11:00:00");
    life.run(sink.heard(1));
    life.kill();
    let life = world.live_with(telling(&sink));
    let heard = life.run(sink.heard(2));
    assert_eq!(heard[0], heard[1]);
    life.until_delivered(&heard[1], &sink);
    // Somebody lets it run again, and it is killed again: that is another question.
    resolve(&life, id, Resolution::Rerun);
    life.until_called(&world, 2);
    let heard = life.run(sink.heard(3));
    life.until_delivered(&heard[2], &sink);
    life.kill();
    let life = world.live_with(telling(&sink));
    assert!(is_paused(&life.wait(id)));
    life.at(&world, "12:00:00");
    let heard = life.run(sink.heard(4));
    let item = id.to_string();
    let again = [(CLEARED, item.as_str()), (RAISED, item.as_str())];
    assert_eq!(events(&heard[2..]), again);
    assert_ne!(heard[3].alert, heard[1].alert);
    assert_ne!(heard[3].id, heard[1].id);
    life.check(&world);
}

#[test]
fn fires_that_are_buffered_behind_an_approval_are_told_and_start_once_it_is_given() {
    let world = World::with(GATE);
    let sink = Scripted::new("s", []);
    let life = world.live_with(telling(&sink));
    life.add(request("0 * * * *", overlap(Overlap::BufferAll)));
    for time in ["10:00:00", "11:00:00"] {
        life.at(&world, time);
    }
    let first = life.executions()[0].id;
    let gate = life.gate(first);
    let heard = life.run(sink.heard(1));
    // Before the clock leaps: an answer that comes after it is late.
    life.until_delivered(&heard[0], &sink);
    life.at(&world, "12:00:00");
    for said in [
        "for an approval of step `ship` (until 2026-02-07T10:00:00.000Z, then the step fails)",
        "the fires that come meanwhile wait behind it",
        &format!("`agentspace approvals approve {}`", gate.id),
    ] {
        assert!(heard[0].details.contains(said), "{}", heard[0].details);
    }
    life.approve(&gate, "ann").unwrap();
    life.until_told(&["10:00 started", "11:00 started", "12:00 buffered"]);
    let heard = life.run(sink.heard(2));
    let item = first.to_string();
    let over = [(RAISED, item.as_str()), (CLEARED, item.as_str())];
    assert_eq!(events(&heard), over);
    // The one that has started waits, too: the next fire is held up by it.
    let second = life.executions()[1].id;
    assert!(is_paused(&life.wait(second)));
    assert_eq!(held_up(&life), Some(second));
    life.until_delivered(&heard[1], &sink);
    life.at(&world, "13:00:00");
    let heard = life.run(sink.heard(3));
    assert_eq!(events(&heard[2..]), [(RAISED, second.to_string().as_str())]);
    life.check(&world);
}

#[test]
fn an_approval_that_expires_or_is_cancelled_lets_the_schedule_go() {
    let world = World::with(&GATE.replace("7d", "90m"));
    let sink = Scripted::new("s", []);
    let life = world.live_with(telling(&sink));
    life.add(request("0 * * * *", Policies::default()));
    for time in ["10:00:00", "11:00:00"] {
        life.at(&world, time);
    }
    let first = life.executions()[0].id;
    let heard = life.run(sink.heard(1));
    life.until_delivered(&heard[0], &sink);
    world.clock.set(at("2026-01-31T11:30:00Z"));
    let heard = life.run(sink.heard(2));
    life.until_delivered(&heard[1], &sink);
    let reason = heard[1].reason.as_deref().unwrap();
    assert!(reason.contains("waits no more: expired at"), "{reason}");
    assert!(verdict(&life.wait(first)).is_some());
    for time in ["12:00:00", "13:00:00"] {
        life.at(&world, time);
    }
    let second = life.executions()[1].id;
    let heard = life.run(sink.heard(3));
    assert_eq!(events(&heard[2..]), [(RAISED, second.to_string().as_str())]);
    life.run(life.gateway.cancel(second, actor("ann"), None))
        .unwrap();
    let heard = life.run(sink.heard(4));
    assert_eq!(
        events(&heard[3..]),
        [(CLEARED, second.to_string().as_str())]
    );
    life.check(&world);
}
