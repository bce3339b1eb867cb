//! Laws about alerts: found once, told in order to each sink, and over when what was found is.

use std::num::NonZeroU32;

use workflow_types::alert::{
    Alert, AlertChange, AlertFilter, AlertKind, AlertSource, DeliveryEnd, DeliveryOutcome, Finding,
    Findings, Notice, NoticeEvent, RoundRecorded, Verdict,
};
use workflow_types::execution::FailureKind;
use workflow_types::id::SinkName;
use workflow_types::schedule::{Missed, Off, Policies, ScheduleSpec};

use super::StoreFactory;
use super::fixture::{self, World, at, cancel, id, running};
use super::notices::ann;
use super::schedules::{added, found, schedule_id};

/// All alerts.
pub(super) const ALL: AlertFilter = AlertFilter {
    open: None,
    unread: None,
};

pub(super) fn source(name: &str) -> AlertSource {
    AlertSource::Heartbeat(name.parse().unwrap())
}

pub(super) fn sink(name: &str) -> SinkName {
    name.parse().unwrap()
}

pub(super) fn act(item: &str, details: &str) -> Finding {
    let details = details.to_owned();
    finding(item, Verdict::ActionNeeded { details })
}

pub(super) fn clear(item: &str) -> Finding {
    finding(item, Verdict::Clear)
}

pub(super) fn unknown(item: &str) -> Finding {
    let reason = "the model is down".to_owned();
    finding(item, Verdict::Unknown { reason })
}

fn finding(item: &str, verdict: Verdict) -> Finding {
    Finding {
        item: item.to_owned(),
        verdict,
    }
}

/// What execution `number` found, at the second of that number.
pub(super) fn round(number: u32, findings: impl Into<Vec<Finding>>) -> Findings {
    Findings {
        source: source("ops"),
        execution: id(number),
        at: at(number),
        findings: findings.into(),
        unknown_after: NonZeroU32::new(3).unwrap(),
    }
}

impl World {
    /// Records findings; answers what they changed, each as a word and its item.
    pub(super) async fn found(
        &self,
        number: u32,
        findings: impl Into<Vec<Finding>>,
    ) -> Vec<String> {
        let recorded = self.store.alerts();
        let recorded = recorded.record_findings(round(number, findings)).await;
        let RoundRecorded::New(changes) = recorded.unwrap() else {
            panic!("round {number} is new");
        };
        changes.iter().map(words).collect()
    }

    /// Records that of so many items each needs somebody to act.
    pub(super) async fn found_needed(&self, number: u32, items: u32) {
        let items = (1..=items).map(|item| act(&format!("item {item}"), "look"));
        self.found(number, items.collect::<Vec<_>>()).await;
    }

    /// The alerts that there are, newest first.
    pub(super) async fn alerts(&self, filter: AlertFilter) -> Vec<Alert> {
        let page = self.reads.alerts().alerts(filter, None, 1_000).await;
        let page = page.unwrap();
        assert_eq!((page.damaged, page.next), (Vec::new(), None));
        page.items
    }

    /// What was told of all alerts, in its order.
    pub(super) async fn told(&self) -> Vec<Notice> {
        let told = self.reads.alerts().notices_after(0, 1_000).await.unwrap();
        assert_eq!(
            self.reads.alerts().latest_notice().await.unwrap(),
            told.next
        );
        told.items.into_iter().map(|told| told.notice).collect()
    }

    pub(super) async fn configure(&self, names: &[&str]) {
        let sinks = names.iter().map(|name| sink(name)).collect();
        let configured = self.store.alerts().configure_alert_sinks(sinks).await;
        configured.unwrap();
    }

    /// Tells a sink all that it is to be told.
    pub(super) async fn deliver_all(&self, name: &str) -> Vec<Notice> {
        let mut told = Vec::new();
        while let Some(next) = self.next(name).await {
            self.end(name, &next, DeliveryOutcome::Delivered).await;
            told.push(next);
        }
        told
    }

    pub(super) async fn next(&self, name: &str) -> Option<Notice> {
        let next = self.reads.alerts().next_delivery(&sink(name)).await;
        next.unwrap().map(|delivery| delivery.notice)
    }

    pub(super) async fn end(&self, name: &str, notice: &Notice, outcome: DeliveryOutcome) {
        let end = DeliveryEnd {
            sink: sink(name),
            notice: notice.id,
            at: at(500),
            outcome,
        };
        self.store.alerts().end_delivery(end).await.unwrap();
    }
}

fn words(change: &AlertChange) -> String {
    let word = match change {
        AlertChange::Raised(_) => "raised",
        AlertChange::Seen(_) => "seen",
        AlertChange::Cleared(_) => "cleared",
    };
    let alert = change.alert();
    format!("{word} {} {}", alert.kind, alert.item)
}

pub(super) fn events(told: &[Notice]) -> Vec<(NoticeEvent, &str)> {
    let events = told.iter().map(|one| (one.event, one.item.as_str()));
    events.collect()
}

pub(super) async fn a_finding_makes_one_alert_until_it_is_clear(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let first = world.found(1, [act("disk", "95 %"), clear("backup")]).await;
    assert_eq!(first, ["raised action_needed disk"]);
    let again = world.found(2, [act("disk", "97 %"), clear("backup")]).await;
    assert_eq!(again, ["seen action_needed disk"]);
    let [alert] = <[Alert; 1]>::try_from(world.alerts(ALL).await).unwrap();
    assert_eq!(
        (
            alert.details.as_str(),
            alert.times_seen,
            alert.first_raised_at
        ),
        ("97 %", 2, at(1))
    );
    assert_eq!((alert.last_seen_at, alert.told_at), (at(2), at(1)));
    assert!(alert.is_open() && alert.is_unread());
    let over = world.found(3, [clear("disk"), clear("backup")]).await;
    assert_eq!(over, ["cleared action_needed disk"]);
    let found = world.reads.alerts().alert(alert.id).await.unwrap().unwrap();
    assert_eq!(found.cleared.as_ref().unwrap().at, at(3));
    assert_eq!(world.found(4, [clear("disk")]).await, Vec::<String>::new());
    // What comes again is another alert.
    assert_eq!(
        world.found(5, [act("disk", "99 %")]).await,
        ["raised action_needed disk"]
    );
    let all = world.alerts(ALL).await;
    assert_eq!((all.len(), all[0].first_raised_at), (2, at(5)));
    assert_ne!(all[0].id, all[1].id);
    let told = world.told().await;
    let (raised, cleared) = (NoticeEvent::Raised, NoticeEvent::Cleared);
    assert_eq!(
        events(&told),
        [(raised, "disk"), (cleared, "disk"), (raised, "disk")]
    );
    // Told as it was then.
    assert_eq!((told[0].details.as_str(), told[0].times_seen), ("95 %", 1));
    assert_eq!(told[1].reason.as_deref(), Some("it is clear"));
    world.is_sound().await;
}

pub(super) async fn what_cannot_be_judged_is_an_alert_after_so_many_times(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    let nothing = Vec::<String>::new();
    assert_eq!(world.found(1, [unknown("disk")]).await, nothing);
    assert_eq!(world.found(2, [unknown("disk")]).await, nothing);
    // Once judged, it is counted from the beginning.
    assert_eq!(world.found(3, [clear("disk")]).await, nothing);
    assert_eq!(world.found(4, [unknown("disk")]).await, nothing);
    assert_eq!(world.found(5, [unknown("disk")]).await, nothing);
    let items = world.reads.alerts().checked_items(&source("ops")).await;
    let items = items.unwrap().items;
    assert_eq!((items.len(), items[0].unknowns), (1, 2));
    assert_eq!((items[0].execution, items[0].at), (id(5), at(5)));
    assert_eq!(
        world.found(6, [unknown("disk")]).await,
        ["raised unknown disk"]
    );
    assert_eq!(
        world.found(7, [unknown("disk")]).await,
        ["seen unknown disk"]
    );
    let alert = &world.alerts(ALL).await[0];
    assert_eq!(
        alert.details,
        "not judged 4 times in a row: the model is down"
    );
    // What is known again says so, even if somebody has to act.
    assert_eq!(
        world.found(8, [act("disk", "full")]).await,
        ["cleared unknown disk", "raised action_needed disk"]
    );
    // That somebody has to act stays true while nobody can judge it.
    for number in 9..=10 {
        assert_eq!(world.found(number, [unknown("disk")]).await, nothing);
    }
    assert_eq!(
        world.found(11, [unknown("disk")]).await,
        ["raised unknown disk"]
    );
    assert_eq!(
        world.found(12, [clear("disk")]).await,
        ["cleared unknown disk", "cleared action_needed disk"]
    );
    world.is_sound().await;
}

pub(super) async fn what_one_execution_found_is_recorded_once(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=2 {
        world
            .found(number, [unknown("disk"), act("mail", "3 unread")])
            .await;
    }
    let before = (world.alerts(ALL).await, world.told().await);
    let items = world.reads.alerts().checked_items(&source("ops")).await;
    let items = items.unwrap();
    for findings in [vec![unknown("disk")], vec![act("disk", "full")], Vec::new()] {
        for number in [1, 2] {
            let again = round(number, findings.clone());
            let again = world.store.alerts().record_findings(again).await;
            assert_eq!(again.unwrap(), RoundRecorded::Repeated);
        }
    }
    assert_eq!((world.alerts(ALL).await, world.told().await), before);
    let after = world.reads.alerts().checked_items(&source("ops")).await;
    assert_eq!(after.unwrap(), items);
    // Even after pruning: the last round may be repeated late.
    let pruned = world.store.alerts().prune_alerts(at(900), 100).await;
    assert_eq!(pruned.unwrap(), 0);
    let again = world.store.alerts().record_findings(round(2, [])).await;
    assert_eq!(again.unwrap(), RoundRecorded::Repeated);
}

pub(super) async fn an_item_that_is_not_named_any_more_ends_its_alert(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    let (disk, mail) = (act("disk", "full"), act("mail", "3 unread"));
    world.found(1, [disk.clone(), mail.clone()]).await;
    // Another source is another matter.
    let other = Findings {
        source: source("other"),
        ..round(2, [disk.clone()])
    };
    world.store.alerts().record_findings(other).await.unwrap();
    assert_eq!(
        world.found(3, [mail]).await,
        ["cleared action_needed disk", "seen action_needed mail"]
            .map(str::to_owned)
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
    );
    let told = world.told().await;
    assert_eq!(
        told.last().unwrap().reason.as_deref(),
        Some("no longer in the checklist")
    );
    let items = world.reads.alerts().checked_items(&source("ops")).await;
    let names: Vec<_> = items.unwrap().items.into_iter().map(|it| it.item).collect();
    assert_eq!(names, ["mail"]);
    // All of a source, because it is gone itself.
    let cleared = world.store.alerts();
    let cleared = cleared.clear_alerts(source("ops"), "gone".to_owned(), at(9));
    let cleared: Vec<_> = cleared.await.unwrap().iter().map(words).collect();
    assert_eq!(cleared, ["cleared action_needed mail"]);
    let open = AlertFilter {
        open: Some(true),
        ..ALL
    };
    let open = world.alerts(open).await;
    assert_eq!((open.len(), &open[0].source), (1, &source("other")));
}

pub(super) async fn alerts_are_listed_in_pages_the_newest_first(factory: &dyn StoreFactory) {
    let world = World::open(factory).await;
    for number in 1..=4 {
        let items = (0..number * 3).map(|item| act(&format!("item {item}"), "look"));
        world.found(number, items.collect::<Vec<_>>()).await;
    }
    world
        .found(
            9,
            (0..5)
                .map(|item| act(&format!("item {item}"), "look"))
                .collect::<Vec<_>>(),
        )
        .await;
    for one in world.alerts(ALL).await.iter().step_by(2) {
        world
            .store
            .alerts()
            .acknowledge_alert(one.id, ann(10))
            .await
            .unwrap();
    }
    let mut sizes = Vec::new();
    for open in [None, Some(true), Some(false)] {
        for unread in [None, Some(true), Some(false)] {
            let filter = AlertFilter { open, unread };
            let whole = world.alerts(filter).await;
            assert!(
                whole.is_sorted_by_key(|it| std::cmp::Reverse((
                    it.first_raised_at,
                    it.id.to_string()
                )))
            );
            assert!(
                whole
                    .iter()
                    .all(|it| open.is_none_or(|open| open == it.is_open())
                        && unread.is_none_or(|unread| unread == it.is_unread()))
            );
            let mut paged = Vec::new();
            let mut after = None;
            loop {
                let page = world.reads.alerts().alerts(filter, after, 2).await.unwrap();
                paged.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, whole);
            sizes.push(whole.len());
        }
    }
    assert_eq!(
        sizes,
        [12, 6, 6, 5, sizes[4], sizes[5], 7, sizes[7], sizes[8]]
    );
    assert_eq!((sizes[4] + sizes[5], sizes[7] + sizes[8]), (5, 7));
}

pub(super) async fn a_schedule_that_is_paused_for_its_failures_is_an_alert_until_it_is_not(
    factory: &dyn StoreFactory,
) {
    let world = World::open(factory).await;
    world.configure(&["log"]).await;
    let policies = Policies {
        pause_after_failures: NonZeroU32::new(1),
        ..Policies::default()
    };
    for (number, name) in (1..).zip(["resumed", "paused", "edited", "deleted"]) {
        let schedule = added(&world, name, policies.clone()).await;
        // Someone's mistake: it fails.
        let mut start = running(number);
        start.execution.schedule = Some(schedule.spec.id.clone());
        world.start(start).await;
        let mut failed = cancel(number);
        failed.state = fixture::failed(FailureKind::StepFailed);
        world.apply(failed).await.unwrap();
        let paused = world.store.pause_failing(schedule_id(name), at(95)).await;
        assert!(paused.unwrap().is_some());
        let again = world.store.pause_failing(schedule_id(name), at(96)).await;
        assert_eq!(again.unwrap(), None);
    }
    let mut alerts = world.alerts(ALL).await;
    alerts.sort_by_key(|alert| alert.source.name().to_owned());
    let names: Vec<_> = alerts
        .iter()
        .map(|it| it.source.name().to_owned())
        .collect();
    assert_eq!(names, ["deleted", "edited", "paused", "resumed"]);
    for alert in &alerts {
        assert_eq!(
            (alert.kind, alert.first_raised_at),
            (AlertKind::Paused, at(95))
        );
        assert_eq!(alert.item, "Every ten seconds");
    }
    assert_eq!(world.told().await.len(), 4);
    // An edit does not let it fire; the others end the alert.
    let schedule = found(&world, "edited").await;
    let spec = ScheduleSpec {
        name: "Another name".parse().unwrap(),
        ..schedule.spec.clone()
    };
    let edited = schedule.edited(spec, at(97));
    world.store.change_schedule(edited).await.unwrap();
    let schedule = found(&world, "paused").await;
    let paused = schedule.stopped(Off::Paused, at(98));
    world.store.change_schedule(paused).await.unwrap();
    let deleted = world.store.delete_schedule(schedule_id("deleted"), at(99));
    deleted.await.unwrap();
    let schedule = found(&world, "resumed").await;
    let resumed = schedule.resumed(at(100)).unwrap();
    world.store.change_schedule(resumed).await.unwrap();
    let over: Vec<_> = world.alerts(ALL).await;
    let over = over.iter().filter_map(|alert| {
        let cleared = alert.cleared.as_ref()?;
        Some((alert.source.name(), cleared.at, cleared.reason.as_str()))
    });
    let mut over: Vec<_> = over.collect();
    over.sort_unstable();
    let expected = [
        ("deleted", at(99), "the schedule was deleted"),
        ("paused", at(98), "somebody has paused the schedule"),
        ("resumed", at(100), "the schedule fires again"),
    ];
    assert_eq!(over, expected);
    assert_eq!(world.deliver_all("log").await, world.told().await);
    // What fires and misses says nothing of alerts.
    let schedule = found(&world, "resumed").await;
    let deferred = schedule.passed_over(Missed::default(), at(110), at(120));
    world.store.change_schedule(deferred).await.unwrap();
    assert_eq!(world.told().await.len(), 7);
}
