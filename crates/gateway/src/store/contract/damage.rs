//! Laws about what is damaged: it is named, and hides and stops nothing else.

use workflow_types::alert::{AlertFilter, DeliveryEnd, DeliveryOutcome};
use workflow_types::damage::Damaged;
use workflow_types::execution::{ExecutionFilter, Scope};
use workflow_types::schedule::Policies;

use super::alerts::{sink, source};
use super::fixture::{
    OWNER, World, at, back_off, complete, expiring, forward, gate_id, id, kind, paused, running,
};
use super::schedules::{added, schedule_id};
use super::{Damage, StoreFactory};
use crate::store::StoreErrorKind;

/// Exactly these are named as damaged, each with its id in the reason.
fn named<T: ToString>(damaged: &[Damaged], ids: impl IntoIterator<Item = T>) {
    let found: Vec<_> = damaged.iter().map(|one| one.id.clone()).collect();
    let expected: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
    assert_eq!(found, expected);
    for one in damaged {
        assert!(one.reason.contains(&one.id), "{}", one.reason);
    }
}

impl World {
    /// The check names it.
    async fn is_found(&self, id: impl ToString) {
        let problems = self.reads.check().await.unwrap();
        let id = id.to_string();
        assert!(problems.iter().any(|one| one.contains(&id)), "{problems:?}");
    }
}

pub(super) async fn a_damaged_execution_is_named_and_spares_its_neighbours(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for number in 1..=4 {
        world.start(running(number)).await;
    }
    world.apply(complete(4)).await.unwrap();
    if !factory.damage(&Damage::Execution(id(2))).await {
        return;
    }
    let all = ExecutionFilter::default();
    let page = world.reads.executions(all, None, 10).await.unwrap();
    let ids: Vec<_> = page.items.iter().map(|one| one.id).collect();
    assert_eq!(ids, [4, 3, 1].map(id));
    named(&page.damaged, [id(2)]);
    let found = world.reads.execution(id(2)).await;
    assert_eq!(kind(found), StoreErrorKind::Corrupt);
    assert_eq!(
        kind(world.store.claim_one(id(2), OWNER).await),
        StoreErrorKind::Corrupt
    );
    let claimed = world.take_up_all(OWNER).await;
    let ids: Vec<_> = claimed.iter().map(|one| one.execution.id).collect();
    assert_eq!(ids, [1, 3].map(id));
    world.is_found(id(2)).await;
}

pub(super) async fn pages_go_on_after_what_is_damaged(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=12 {
        world.start(running(number)).await;
    }
    let mut damage = vec![2, 5, 6, 7]
        .into_iter()
        .map(|n| Damage::Execution(id(n)));
    if !factory.damage(&damage.next().unwrap()).await {
        return;
    }
    for what in damage.chain([9, 10].map(|n| Damage::StartOf(id(n)))) {
        assert!(factory.damage(&what).await);
    }
    for limit in [1, 2, 3, 20] {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let all = ExecutionFilter::default();
            let page = world.reads.executions(all, after, limit).await.unwrap();
            assert!(page.items.len() + page.damaged.len() <= limit);
            good.extend(page.items.into_iter().map(|one| one.id));
            bad.extend(page.damaged.into_iter().map(|one| one.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(good, [12, 11, 8, 4, 3, 1].map(id), "in pages of {limit}");
        bad.sort();
        assert_eq!(bad, [2, 5, 6, 7, 9, 10].map(|n| id(n).to_string()));
    }
}

pub(super) async fn a_damaged_gate_is_named_and_spares_its_neighbours(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=3 {
        world.start(paused(number)).await;
    }
    if !factory.damage(&Damage::Gate(gate_id(2))).await {
        return;
    }
    let waiting = world.reads.waiting_gates().await.unwrap();
    let ids: Vec<_> = waiting.items.iter().map(|gate| gate.id).collect();
    assert_eq!(ids, [1, 3].map(gate_id));
    named(&waiting.damaged, [gate_id(2)]);
    let found = world.reads.gate(gate_id(2)).await;
    assert_eq!(kind(found), StoreErrorKind::Corrupt);
    world.is_found(gate_id(2)).await;
}

pub(super) async fn damaged_gates_do_not_keep_others_from_expiring(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=6 {
        world.start(expiring(number, at(60 + number))).await;
    }
    if !factory.damage(&Damage::Gate(gate_id(1))).await {
        return;
    }
    for number in [2, 3] {
        assert!(factory.damage(&Damage::Gate(gate_id(number))).await);
    }
    let next = world.reads.next_due(Scope::All).await.unwrap();
    assert_eq!(next, Some(at(64)));
    let expire = async || world.store.expire_due(Scope::All, at(99), 2).await.unwrap();
    assert_eq!(expire().await, [4, 5].map(id));
    assert_eq!(expire().await, [id(6)]);
    assert_eq!(expire().await, []);
    assert_eq!(world.reads.next_due(Scope::All).await.unwrap(), None);
    let waiting = world.reads.waiting_gates().await.unwrap();
    named(&waiting.damaged, [1, 2, 3].map(gate_id));
}

pub(super) async fn a_damaged_visit_is_named_and_spares_its_neighbours(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=3 {
        world.start(running(number)).await;
        let until = at(60 + number);
        world.apply(back_off(number, until)).await.unwrap();
    }
    world.start(running(4)).await;
    world.apply(forward(4, 1)).await.unwrap();
    if !factory.damage(&Damage::Visit(id(1), 1)).await {
        return;
    }
    let read = world.reads.journal(id(1), 1, 10).await;
    let error = read.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains(&id(1).to_string()), "{error}");
    let next = world.reads.next_due(Scope::All).await.unwrap();
    assert_eq!(next, Some(at(62)));
    let due = world.reads.due_retries(Scope::All, at(99), 2).await;
    assert_eq!(due.unwrap(), [2, 3].map(id));
    assert_eq!(world.stored(4).await.journal.len(), 2);
    world.is_found(id(1)).await;
}

pub(super) async fn a_damaged_workflow_is_named_and_spares_its_neighbours(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let damaged = "v".parse().unwrap();
    if !factory.damage(&Damage::Workflow(damaged)).await {
        return;
    }
    let all = world.reads.workflows().await.unwrap();
    let ids: Vec<_> = all.items.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["w"]);
    named(&all.damaged, ["v"]);
    let found = world.reads.workflow(&"v".parse().unwrap()).await;
    assert_eq!(kind(found), StoreErrorKind::Corrupt);
    world.is_found("workflow v").await;
    world.start(running(1)).await;
}

pub(super) async fn a_damaged_schedule_is_named_and_spares_its_neighbours(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    for name in ["a", "b", "c"] {
        added(&world, name, Policies::default()).await;
    }
    if !factory.damage(&Damage::Schedule(schedule_id("a"))).await {
        return;
    }
    let listed = world.reads.schedules(None, None, 9).await.unwrap();
    assert_eq!(listed.items.len(), 2);
    named(&listed.damaged, ["a"]);
    let due = world.reads.due_schedules(at(10), 2).await.unwrap();
    let ids: Vec<_> = due.iter().map(|one| one.spec.id.to_string()).collect();
    assert_eq!(ids, ["b", "c"]);
    let found = world.reads.schedule(&schedule_id("a")).await;
    assert_eq!(kind(found), StoreErrorKind::Corrupt);
    world.is_found("schedule a").await;
}

pub(super) async fn a_damaged_alert_is_named_and_spares_its_neighbours(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let sinks = vec![sink("log")];
    let configured = world.store.alerts().configure_alert_sinks(sinks).await;
    configured.unwrap();
    for number in 1..=3 {
        world.found_needed(number, number).await;
    }
    let reads = world.reads.alerts();
    let all = AlertFilter::default();
    let before = reads.alerts(all, None, 10).await.unwrap().items;
    let bad = before[1].id;
    if !factory.damage(&Damage::Alert(bad)).await {
        return;
    }
    let page = reads.alerts(all, None, 10).await.unwrap();
    let ids: Vec<_> = page.items.iter().map(|one| one.id).collect();
    assert_eq!(ids, [before[0].id, before[2].id]);
    named(&page.damaged, [bad]);
    assert_eq!(kind(reads.alert(bad).await), StoreErrorKind::Corrupt);
    world.is_found(bad).await;
    // The others are told, reminded of and ended.
    let mut told = Vec::new();
    while let Some(next) = reads.next_delivery(&sink("log")).await.unwrap() {
        told.push(next.notice.alert);
        let end = DeliveryEnd {
            sink: sink("log"),
            notice: next.notice.id,
            at: at(50),
            outcome: DeliveryOutcome::Delivered,
        };
        world.store.alerts().end_delivery(end).await.unwrap();
    }
    assert_eq!(told, [before[2].id, before[0].id]);
    let reminded = world.store.alerts();
    let reminded = reminded.remind_of_alerts(at(60), at(70), 10).await.unwrap();
    assert_eq!(reminded.len(), 2);
    assert_eq!(reads.longest_untold_alert().await.unwrap(), Some(at(70)));
    let over = world.store.alerts();
    let over = over.clear_alerts(source("ops"), "gone".to_owned(), at(80));
    assert_eq!(over.await.unwrap().len(), 2);
}
