//! Alerts at the gateway's boundary: every sink is told everything, in order, until it takes it.

mod held;
mod masked;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gateway::workflow_types::alert::{
    Alert, AlertFilter, AlertKind, AlertSource, Finding, Findings, Notice, NoticeEvent, Receipt,
    ReceiptState, Verdict,
};
use gateway::workflow_types::id::SinkName;
use gateway::workflow_types::schedule::Policies;
use gateway::{
    AlertSink, Clock as _, ErrorKind, GatewayBuilder, ScheduleRequest, SinkError, Telling,
};
use tokio::sync::{Notify, watch};

use crate::support::{Life, World, actor};

/// A sink that answers as it was told to, and then takes everything.
struct Scripted {
    name: SinkName,
    script: Mutex<VecDeque<Answer>>,
    heard: watch::Sender<Vec<Notice>>,
    /// What a notice that hangs waits for.
    go: Notify,
}

#[derive(Debug, Clone)]
enum Answer {
    Refuse(SinkError),
    Panic,
    Hang,
}

impl Scripted {
    fn new(name: &str, script: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self {
            name: name.parse().unwrap(),
            script: Mutex::new(script.into_iter().collect()),
            heard: watch::Sender::new(Vec::new()),
            go: Notify::new(),
        })
    }

    /// Everything that it was told, taken or not, once there is so much of it.
    async fn heard(&self, count: usize) -> Vec<Notice> {
        let mut heard = self.heard.subscribe();
        let heard = heard.wait_for(|heard| heard.len() >= count).await.unwrap();
        heard.clone()
    }
}

#[async_trait]
impl AlertSink for Scripted {
    fn name(&self) -> SinkName {
        self.name.clone()
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), SinkError> {
        self.heard.send_modify(|heard| heard.push(notice.clone()));
        let answer = self.script.lock().unwrap().pop_front();
        match answer {
            None => Ok(()),
            Some(Answer::Refuse(error)) => Err(error),
            Some(Answer::Panic) => panic!("on purpose"),
            Some(Answer::Hang) => {
                self.go.notified().await;
                Ok(())
            }
        }
    }
}

impl Life {
    /// Records what a check found at this time, as `item: details`; an empty text is clear.
    fn found(&self, number: u32, found: &[(&str, &str)]) {
        let findings = found.iter().map(|(item, details)| Finding {
            item: (*item).to_owned(),
            verdict: match *details {
                "" => Verdict::Clear,
                details => Verdict::ActionNeeded {
                    details: details.to_owned(),
                },
            },
        });
        let findings = Findings {
            source: AlertSource::Heartbeat("ops".parse().unwrap()),
            execution: format!("01890a5d-ac96-774b-bcce-{number:012}")
                .parse()
                .unwrap(),
            at: self.gateway.now(),
            findings: findings.collect(),
            unknown_after: NonZeroU32::MIN,
        };
        self.run(self.gateway.alerts().record(findings)).unwrap();
    }

    fn alerts(&self) -> Vec<Alert> {
        let all = AlertFilter::default();
        let page = self.run(self.gateway.reader().alerts(all, None, 100));
        page.unwrap().items
    }

    /// Waits until what is written about a notice is as wanted.
    fn until_receipt(&self, notice: &Notice, wanted: impl Fn(&Receipt) -> bool) -> Receipt {
        let reader = self.gateway.reader();
        self.run(async {
            let mut commits = reader.commits().await.unwrap();
            loop {
                let receipts = reader.receipts(notice.id).await.unwrap();
                if let Some(found) = receipts.into_iter().find(&wanted) {
                    return found;
                }
                commits.next().await;
            }
        })
    }

    fn until_delivered(&self, notice: &Notice, sink: &Scripted) {
        self.until_receipt(notice, |receipt| {
            receipt.sink == sink.name && matches!(receipt.state, ReceiptState::Delivered { .. })
        });
    }
}

fn telling(sink: &Arc<Scripted>) -> impl Fn(GatewayBuilder) -> GatewayBuilder + '_ {
    move |builder| builder.alert_sink(Arc::clone(sink) as Arc<dyn AlertSink>)
}

fn events(heard: &[Notice]) -> Vec<(NoticeEvent, &str)> {
    let events = heard.iter().map(|one| (one.event, one.item.as_str()));
    events.collect()
}

const RAISED: NoticeEvent = NoticeEvent::Raised;
const CLEARED: NoticeEvent = NoticeEvent::Cleared;

#[test]
fn what_a_sink_refuses_comes_again_when_it_is_due_and_before_all_that_is_later() {
    let world = World::new();
    let refused = Answer::Refuse(SinkError::retryable("it is down"));
    let asked = SinkError::retryable("too many").after(Duration::from_secs(90));
    let sink = Scripted::new(
        "s",
        [
            refused.clone(),
            refused,
            Answer::Refuse(asked),
            Answer::Panic,
        ],
    );
    let life = world.live_with(telling(&sink));
    life.found(1, &[("disk", "full")]);
    life.found(2, &[("disk", "")]);
    let first = life.run(sink.heard(1))[0].clone();
    let mut waits = Vec::new();
    for attempts in 1..=4 {
        let failed = life.until_receipt(&first, |receipt| receipt.attempts == attempts);
        let ReceiptState::Waiting {
            next_attempt_at,
            error,
        } = failed.state
        else {
            panic!("{failed:?}");
        };
        waits.push((
            next_attempt_at.since(world.clock.now()).as_millis(),
            error.unwrap(),
        ));
        // Not before it is due, whatever else happens.
        life.found(2 + attempts, &[("disk", "")]);
        assert_eq!(life.run(sink.heard(0)).len(), attempts as usize);
        world.clock.set(next_attempt_at);
        life.run(sink.heard(attempts as usize + 1));
    }
    let heard = life.run(sink.heard(6));
    let (lasts, errors): (Vec<u128>, Vec<&str>) = waits
        .iter()
        .map(|(ms, error)| (*ms, error.as_str()))
        .unzip();
    assert_eq!(
        errors,
        ["it is down", "it is down", "too many", "the sink panicked"]
    );
    for (ms, about) in lasts.iter().zip([1_000, 2_000, 90_000, 8_000]) {
        assert!((about * 9 / 10..=about * 11 / 10).contains(ms), "{lasts:?}");
    }
    assert!(
        heard[..5].iter().all(|notice| *notice == first),
        "{heard:#?}"
    );
    assert_eq!(events(&heard[4..]), [(RAISED, "disk"), (CLEARED, "disk")]);
    life.until_delivered(&heard[5], &sink);
    life.check(&world);
    life.shutdown();
}

#[test]
fn a_sink_that_hangs_holds_up_no_other() {
    let world = World::new();
    let slow = Scripted::new("slow", [Answer::Hang]);
    let fast = Scripted::new("fast", []);
    let life = world.live_with(|builder| telling(&fast)(telling(&slow)(builder)));
    for number in 1..=20 {
        let details = if number % 2 == 1 { "full" } else { "" };
        life.found(number, &[("disk", details)]);
    }
    let told = life.run(fast.heard(20));
    let expected: Vec<_> = [(RAISED, "disk"), (CLEARED, "disk")].repeat(10);
    assert_eq!(events(&told), expected);
    assert_eq!(life.run(slow.heard(1)).len(), 1);
    slow.go.notify_one();
    assert_eq!(life.run(slow.heard(20)), told);
    life.shutdown();
}

#[test]
fn a_sink_that_hangs_for_ever_is_told_again() {
    let world = World::new();
    let sink = Scripted::new("s", [Answer::Hang]);
    let life = world.live_with(telling(&sink));
    life.found(1, &[("disk", "full")]);
    let first = life.run(sink.heard(1))[0].clone();
    world.clock.advance(Duration::from_mins(2));
    let failed = life.until_receipt(&first, |receipt| receipt.attempts == 1);
    let ReceiptState::Waiting { error, .. } = failed.state else {
        panic!("{failed:?}");
    };
    assert_eq!(error.as_deref(), Some("the sink took longer than 2m"));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(life.run(sink.heard(2)), [first.clone(), first]);
    life.shutdown();
}

#[test]
fn what_was_not_taken_comes_again_after_a_kill_with_the_same_id_and_after_a_start_at_once() {
    let world = World::new();
    let sink = Scripted::new("s", [Answer::Hang]);
    let life = world.live_with(telling(&sink));
    life.found(1, &[("disk", "full")]);
    let first = life.run(sink.heard(1));
    life.kill();
    // Told before: nobody knows, so it comes again.
    let wrong = Answer::Refuse(SinkError::permanent("a wrong address"));
    let sink = Scripted::new("s", [wrong]);
    let life = world.live_with(telling(&sink));
    let again = life.run(sink.heard(1));
    assert_eq!(again, first);
    let failed = life.until_receipt(&first[0], |receipt| receipt.attempts == 1);
    let ReceiptState::Waiting {
        next_attempt_at, ..
    } = failed.state
    else {
        panic!("{failed:?}");
    };
    let wait = next_attempt_at.since(world.clock.now());
    assert!(wait > Duration::from_mins(50), "{wait:?}");
    life.shutdown();
    // Somebody has mended it, and does not wait for an hour.
    let sink = Scripted::new("s", []);
    let life = world.live_with(telling(&sink));
    assert_eq!(life.run(sink.heard(1)), first);
    life.until_delivered(&first[0], &sink);
    life.shutdown();
    // Taken, it never comes again.
    let sink = Scripted::new("s", []);
    let life = world.live_with(telling(&sink));
    life.found(2, &[("disk", "")]);
    assert_eq!(events(&life.run(sink.heard(1))), [(CLEARED, "disk")]);
    life.shutdown();
}

#[test]
fn a_host_that_comes_and_goes_tells_nobody_and_what_it_found_is_told_later() {
    let world = World::new();
    let sink = Scripted::new("s", []);
    let rest = |builder| telling(&sink)(builder).telling(Telling::Rest);
    let life = world.live_with(rest);
    life.found(1, &[("disk", "full")]);
    life.shutdown();
    assert_eq!(sink.heard.borrow().len(), 0);
    let life = world.live_with(telling(&sink));
    assert_eq!(events(&life.run(sink.heard(1))), [(RAISED, "disk")]);
    life.shutdown();
}

#[test]
fn of_an_open_alert_somebody_is_reminded_until_it_is_acknowledged() {
    let world = World::new();
    let sink = Scripted::new("s", []);
    let hour = Duration::from_hours(1);
    let life = world.live_with(|builder| telling(&sink)(builder).remind_after(hour));
    life.found(1, &[("disk", "full"), ("mail", "3 unread")]);
    let heard = life.run(sink.heard(2));
    life.until_delivered(&heard[1], &sink);
    let disk = life
        .alerts()
        .into_iter()
        .find(|it| it.item == "disk")
        .unwrap();
    let read = life.run(life.gateway.alerts().acknowledge(disk.id, actor("ann")));
    assert_eq!(read.unwrap().acknowledged.unwrap().by, actor("ann"));
    for count in 3..=4 {
        world.clock.advance(hour);
        let heard = life.run(sink.heard(count));
        assert_eq!(
            events(&heard[count - 1..]),
            [(NoticeEvent::Reminded, "mail")]
        );
        // Else it would have taken an hour.
        life.until_delivered(&heard[count - 1], &sink);
    }
    life.found(2, &[("disk", "full"), ("mail", "")]);
    let heard = life.run(sink.heard(5));
    assert_eq!(events(&heard[4..]), [(CLEARED, "mail")]);
    life.until_delivered(&heard[4], &sink);
    world.clock.advance(hour * 3);
    life.found(3, &[("disk", "")]);
    // Nothing came between.
    let heard = life.run(sink.heard(6));
    assert_eq!(events(&heard[5..]), [(CLEARED, "disk")]);
    assert_eq!(
        life.run(life.gateway.alerts().acknowledge_all(actor("bob")))
            .unwrap(),
        1
    );
    let unknown = life.run(life.gateway.reader().alert(disk.id));
    assert_eq!(unknown.unwrap().acknowledged.unwrap().by, actor("ann"));
    life.shutdown();
}

#[test]
fn a_schedule_that_is_paused_after_failures_is_an_alert_until_it_is_resumed() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, args: {do: refuse}}");
    let sink = Scripted::new("s", []);
    let life = world.live_with(telling(&sink));
    let id = "s".parse().unwrap();
    let policies = Policies {
        pause_after_failures: NonZeroU32::new(2),
        ..Policies::default()
    };
    let request = ScheduleRequest::new("s".parse().unwrap(), "0 * * * *".parse().unwrap())
        .starting("w".parse().unwrap())
        .policies(policies);
    life.run(life.gateway.schedules().add(request)).unwrap();
    for time in ["10:00:00", "11:00:00"] {
        life.at(&world, time);
        life.wait(life.executions().last().unwrap().id);
    }
    let heard = life.run(sink.heard(1));
    assert_eq!(events(&heard), [(RAISED, "s")]);
    assert_eq!(heard[0].kind, AlertKind::Paused);
    assert_eq!(
        heard[0].details,
        "its last 2 executions failed in a row; it does not fire until it is resumed"
    );
    // The clock stands still: the sink's answer would be late if it leapt before it is taken.
    life.run(life.gateway.schedules().resume(&id)).unwrap();
    let heard = life.run(sink.heard(2));
    assert_eq!(events(&heard[1..]), [(CLEARED, "s")]);
    assert_eq!(heard[1].reason.as_deref(), Some("the schedule fires again"));
    life.check(&world);
    life.shutdown();
}

#[test]
fn watchers_are_told_everything_once_from_any_place_on() {
    let world = World::new();
    let life = world.live();
    life.found(1, &[("disk", "full"), ("mail", "3 unread")]);
    let mut own = life.gateway.watch_alerts(0);
    let mut beside = life.run(life.gateway.reader().watch_alerts(0)).unwrap();
    for watch in [&mut own, &mut beside] {
        for item in ["disk", "mail"] {
            assert_eq!(life.run(watch.next()).unwrap().unwrap().item, item);
        }
    }
    let place = own.place();
    assert_eq!(
        life.run(life.gateway.reader().latest_notice()).unwrap(),
        place
    );
    life.found(2, &[("disk", "full"), ("mail", "")]);
    let mut later = life.gateway.watch_alerts(place);
    for watch in [&mut own, &mut beside, &mut later] {
        let next = life.run(watch.next()).unwrap().unwrap();
        assert_eq!((next.event, next.item.as_str()), (CLEARED, "mail"));
    }
    life.runtime.block_on(life.gateway.shutdown()).unwrap();
    let ended = life.runtime.block_on(own.next()).unwrap().unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Stopping);
    assert!(life.runtime.block_on(own.next()).is_none());
}
