//! Laws about what is told of alerts: to whom, in which order, until when, and how long it is kept.

use workflow_types::alert::{
    Acknowledged, AlertKind, DeliveryOutcome, NoticeEvent, Receipt, ReceiptState, RoundRecorded,
};

use super::StoreFactory;
use super::alerts::{ALL, act, clear, round, sink, unknown};
use super::fixture::{World, at, id, kind};
use crate::store::StoreErrorKind;

pub(super) fn ann(seconds: u32) -> Acknowledged {
    Acknowledged {
        by: "ann".parse().unwrap(),
        at: at(seconds),
    }
}

pub(super) async fn only_what_is_open_and_unread_is_reminded_of(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let findings = ["a", "b", "c"].map(|item| act(item, "look"));
    world.found(1, findings).await;
    world
        .found(2, [act("d", "look"), act("a", "look"), act("b", "look")])
        .await;
    let alerts = world.alerts(ALL).await;
    let named = |item: &str| alerts.iter().find(|one| one.item == item).unwrap().id;
    let read = world.store.alerts();
    let read = read.acknowledge_alert(named("a"), ann(3)).await.unwrap();
    assert_eq!(read.acknowledged, Some(ann(3)));
    let reads = world.reads.alerts();
    // `a` is read and `c` is over.
    assert_eq!(reads.longest_untold_alert().await.unwrap(), Some(at(1)));
    let remind = async |before, limit| {
        let reminded = world.store.alerts();
        let reminded = reminded.remind_of_alerts(at(before), at(100), limit).await;
        let items = reminded.unwrap().into_iter().map(|one| one.item);
        items.collect::<Vec<_>>()
    };
    assert_eq!(remind(0, 9).await, Vec::<String>::new());
    assert_eq!(remind(2, 1).await, ["b"]);
    assert_eq!(reads.longest_untold_alert().await.unwrap(), Some(at(2)));
    assert_eq!(remind(2, 9).await, ["d"]);
    assert_eq!(remind(2, 9).await, Vec::<String>::new());
    assert_eq!(reads.longest_untold_alert().await.unwrap(), Some(at(100)));
    let b = reads.alert(named("b")).await.unwrap().unwrap();
    assert_eq!(b.reminded_at(), Some(at(100)));
    assert_eq!(reads.count_unread_alerts().await.unwrap(), 3);
    let read = world.store.alerts().acknowledge_all_alerts(ann(110)).await;
    assert_eq!(read.unwrap(), 3);
    assert_eq!(reads.longest_untold_alert().await.unwrap(), None);
    assert_eq!(reads.count_unread_alerts().await.unwrap(), 0);
    // The first who has read it is named.
    let bob = Acknowledged {
        by: "bob".parse().unwrap(),
        at: at(120),
    };
    let again = world
        .store
        .alerts()
        .acknowledge_alert(named("a"), bob.clone());
    assert_eq!(again.await.unwrap().acknowledged, Some(ann(3)));
    let unknown = id(77).uuid();
    let unknown = world
        .store
        .alerts()
        .acknowledge_alert(workflow_types::id::AlertId::new(unknown), bob)
        .await;
    assert_eq!(kind(unknown), StoreErrorKind::NotFound);
}

pub(super) async fn each_sink_is_told_all_in_its_order(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.configure(&["log", "hook"]).await;
    assert_eq!(world.next("log").await, None);
    world
        .found(1, [act("disk", "full"), act("mail", "3 unread")])
        .await;
    world
        .found(2, [clear("disk"), act("mail", "4 unread")])
        .await;
    let told = world.told().await;
    assert_eq!(told.len(), 3);
    assert_eq!(world.deliver_all("hook").await, told);
    // What failed comes again, before all that is later.
    for count in 1..=3_u32 {
        let failed = DeliveryOutcome::Failed {
            next_attempt_at: at(100 + count),
            error: format!("it was refused {count} times"),
        };
        world.end("log", &told[0], failed).await;
        let next = world.reads.alerts().next_delivery(&sink("log")).await;
        let next = next.unwrap().unwrap();
        assert_eq!((&next.notice, next.attempts), (&told[0], count));
        assert_eq!(next.next_attempt_at, at(100 + count));
    }
    let receipts = world.reads.alerts().receipts(told[0].id).await.unwrap();
    let expected = [
        Receipt {
            sink: sink("hook"),
            attempts: 1,
            state: ReceiptState::Delivered { at: at(500) },
        },
        Receipt {
            sink: sink("log"),
            attempts: 3,
            state: ReceiptState::Waiting {
                next_attempt_at: at(103),
                error: Some("it was refused 3 times".to_owned()),
            },
        },
    ];
    assert_eq!(receipts, expected);
    // What was taken stays taken.
    let failed = DeliveryOutcome::Failed {
        next_attempt_at: at(900),
        error: "too late".to_owned(),
    };
    world.end("hook", &told[0], failed).await;
    assert_eq!(world.next("hook").await, None);
    assert_eq!(world.deliver_all("log").await, told);
    world.is_sound().await;
}

pub(super) async fn a_sink_is_told_what_happens_while_it_is_configured(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.found(1, [act("disk", "full")]).await;
    world.configure(&["log"]).await;
    assert_eq!(world.next("log").await, None);
    world.found(2, [clear("disk")]).await;
    world.configure(&["hook"]).await;
    world.found(3, [act("disk", "full")]).await;
    world.configure(&["hook", "log"]).await;
    world.configure(&["hook", "log"]).await;
    let told = world.told().await;
    // It waited for what it had not been told.
    assert_eq!(world.deliver_all("log").await, told[1..2]);
    assert_eq!(world.deliver_all("hook").await, told[2..]);
}

pub(super) async fn only_what_is_over_read_and_told_is_pruned(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    world.configure(&["log"]).await;
    let items = ["a", "b", "c", "d"];
    world.found(1, items.map(|item| act(item, "look"))).await;
    world.found(2, [act("d", "look")]).await;
    let alerts = world.alerts(ALL).await;
    let named = |item: &str| alerts.iter().find(|one| one.item == item).unwrap().id;
    for item in ["a", "b", "d"] {
        let read = world.store.alerts().acknowledge_alert(named(item), ann(3));
        read.await.unwrap();
    }
    let prune = async |before, limit| {
        let pruned = world.store.alerts().prune_alerts(at(before), limit).await;
        pruned.unwrap()
    };
    // The sink has not been told.
    assert_eq!(prune(100, 9).await, 0);
    assert_eq!(world.deliver_all("log").await.len(), 7);
    assert_eq!(prune(2, 9).await, 0);
    assert_eq!(prune(3, 1).await, 1);
    assert_eq!(prune(3, 9).await, 1);
    assert_eq!(prune(3, 9).await, 0);
    let left: Vec<_> = world
        .alerts(ALL)
        .await
        .into_iter()
        .map(|it| it.item)
        .collect();
    let expected: Vec<_> = alerts
        .iter()
        .map(|it| it.item.clone())
        .filter(|it| it == "c" || it == "d")
        .collect();
    assert_eq!(left, expected);
    assert_eq!(
        world.reads.alerts().notices_of(named("a")).await.unwrap(),
        []
    );
    assert_eq!(
        world
            .reads
            .alerts()
            .notices_of(named("c"))
            .await
            .unwrap()
            .len(),
        2
    );
    // A sink that is not configured any more keeps nothing.
    world.found(3, [clear("d")]).await;
    assert_eq!(prune(100, 9).await, 0);
    world.configure(&[]).await;
    assert_eq!(prune(100, 9).await, 1);
    world.is_sound().await;
}

pub(super) async fn nothing_of_alerts_is_lost_between_any_two_verbs(factory: &dyn StoreFactory) {
    // Each is a transaction; the store is opened anew after each.
    let mut world = World::open(factory).await;
    world.configure(&["log"]).await;
    let mut told: Vec<(NoticeEvent, AlertKind, u32)> = Vec::new();
    for number in 1..=12 {
        let findings = match number % 6 {
            1 => vec![act("disk", "full")],
            2..=4 => vec![unknown("disk")],
            5 => vec![clear("disk")],
            _ => Vec::new(),
        };
        world.found(number, findings.clone()).await;
        world = world.again(factory).await;
        let again = round(number, findings);
        let again = world.store.alerts().record_findings(again).await;
        assert_eq!(again.unwrap(), RoundRecorded::Repeated);
        if let Some(next) = world.next("log").await {
            // Told, but the process dies before that is written down: it comes again, the same.
            world = world.again(factory).await;
            assert_eq!(world.next("log").await.as_ref(), Some(&next));
            world.end("log", &next, DeliveryOutcome::Delivered).await;
            told.push((next.event, next.kind, next.times_seen));
            world = world.again(factory).await;
        }
    }
    let rest = world.deliver_all("log").await;
    told.extend(rest.iter().map(|it| (it.event, it.kind, it.times_seen)));
    let (raised, cleared) = (NoticeEvent::Raised, NoticeEvent::Cleared);
    let (action, unknown) = (AlertKind::ActionNeeded, AlertKind::Unknown);
    let once = [
        (raised, action, 1),
        (raised, unknown, 1),
        (cleared, unknown, 1),
        (cleared, action, 1),
    ];
    assert_eq!(told, [once, once].concat());
    world.is_sound().await;
}

impl World {
    /// The same store, closed and opened again.
    async fn again(self, factory: &dyn StoreFactory) -> Self {
        self.store.close().await.unwrap();
        drop(self);
        let store = factory.open().await;
        let reads = store.reads();
        Self { store, reads }
    }
}
