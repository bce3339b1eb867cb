//! Heartbeats on a clock that the tests move: when they run, what they find out, who is told.

mod judge;
mod reloads;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gateway::workflow_types::alert::{Alert, AlertFilter, AlertSource, CheckedItem, VerdictWord};
use gateway::workflow_types::execution::{Execution, ExecutionStatus, TriggeredBy};
use gateway::workflow_types::heartbeat::RUNS;
use gateway::workflow_types::id::HeartbeatName;
use gateway::workflow_types::schedule::{FireOutcome, FireRecord, Off, Standing};
use gateway::{ErrorKind, GatewayBuilder, LeftBehind, ScheduleEdit, Scheduling};

use crate::schedules::id;
use crate::support::{Life, World, actor, at};

use judge::{Judge, Says, Script};

fn name() -> HeartbeatName {
    "ops".parse().unwrap()
}

impl World {
    fn heartbeat_file(&self) -> PathBuf {
        self.path().join("HEARTBEAT.md")
    }

    fn heartbeat(&self, text: &str) {
        std::fs::write(self.heartbeat_file(), text).unwrap();
    }

    /// A heartbeat of two items, every 30 minutes.
    fn two_items(&self) {
        self.heartbeat("---\nmodel: judge\n---\n- [ ] Disk\n- [ ] Mail\n");
    }

    fn beating(&self, script: &Arc<Script>) -> Life {
        self.beating_with(script, |builder| builder)
    }

    fn beating_with(
        &self,
        script: &Arc<Script>,
        change: impl Fn(GatewayBuilder) -> GatewayBuilder,
    ) -> Life {
        self.live_with(|builder| {
            let builder = builder
                .model("judge", Judge(Arc::clone(script)))
                .heartbeat("ops", self.heartbeat_file());
            change(builder)
        })
    }

    fn clock_at(&self, time: &str) {
        self.clock.set(at(&format!("2026-01-31T{time}Z")));
    }
}

impl Life {
    /// The fires of the heartbeat in words, the oldest first.
    fn beats(&self) -> Vec<String> {
        let told = |fire: &FireRecord| {
            let time = &fire.fire_time.to_string()[11..16];
            format!("{time} {}", fire.outcome.word())
        };
        self.fires("ops").iter().map(told).collect()
    }

    fn items(&self) -> Vec<CheckedItem> {
        let source = AlertSource::Heartbeat(name());
        let listed = self.gateway.reader().checked_items(&source);
        self.run(listed).unwrap().items
    }

    /// The last verdict of each item in words.
    fn verdicts(&self) -> Vec<String> {
        let told = |item: &CheckedItem| format!("{}: {}", item.item, item.verdict.word());
        self.items().iter().map(told).collect()
    }

    fn beat_alerts(&self, open: bool) -> Vec<Alert> {
        let filter = AlertFilter {
            open: Some(open),
            ..AlertFilter::default()
        };
        let page = self.gateway.reader().alerts(filter, None, 100);
        self.run(page).unwrap().items
    }

    /// The open alerts as `item kind`, in their order.
    fn open_alerts(&self) -> Vec<String> {
        let mut told: Vec<String> = self
            .beat_alerts(true)
            .iter()
            .map(|alert| format!("{} {}", alert.item, alert.kind))
            .collect();
        told.sort();
        told
    }

    /// Waits until something holds that follows from what is stored.
    pub(crate) fn until_stored(&self, what: impl Fn(&Self) -> bool) {
        let mut commits = self.run(self.gateway.reader().commits()).unwrap();
        while !what(self) {
            self.run(commits.next());
        }
    }

    fn runs(&self) -> Vec<Execution> {
        let mut all = self.executions();
        all.retain(|one| one.triggered_by == TriggeredBy::Heartbeat);
        all
    }

    /// Moves the clock, waits until nothing is due, every run has ended and is judged.
    fn beat(&self, world: &World, time: &str) {
        world.clock_at(time);
        self.settle_schedules(world);
        for run in self.runs() {
            let outcome = self.gateway.heartbeats();
            self.run(outcome.outcome(run.id)).unwrap();
        }
    }
}

#[test]
fn it_runs_at_its_times_whatever_restarts_happen() {
    let world = World::new();
    world.two_items();
    let script = Script::new();
    world.clock_at("09:07:13");
    let life = world.beating(&script);
    life.beat(&world, "09:30:00");
    life.shutdown();
    world.clock_at("09:41:05");
    let life = world.beating(&script);
    life.beat(&world, "10:00:00");
    life.kill();
    world.clock_at("10:12:00");
    let life = world.beating(&script);
    life.beat(&world, "10:30:00");
    life.kill();
    // Down over two times: the later one is caught up, because it is young enough.
    world.clock_at("11:33:00");
    let life = world.beating(&script);
    life.beat(&world, "11:33:00");
    life.beat(&world, "12:00:00");
    assert_eq!(
        life.beats(),
        [
            "09:30 started",
            "10:00 started",
            "10:30 started",
            "11:00 missed",
            "11:30 started",
            "12:00 started"
        ]
    );
    assert_eq!(script.asked(), ["Disk", "Mail"].repeat(5));
    let runs = life.runs();
    assert_eq!(runs.len(), 5);
    assert!(runs.iter().all(|run| run.workflow_id.to_string() == "ops"));
    let mut expected = vec!["Disk: clear".to_owned(), "Mail: clear".to_owned()];
    expected.push(format!("{RUNS}: clear"));
    assert_eq!(life.verdicts(), expected);
    life.check(&world);
}

#[test]
fn there_are_never_two_at_once() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Waits);
    let life = world.beating(&script);
    world.clock_at("09:30:00");
    life.settle_schedules(&world);
    life.run(script.until_asked(1));
    // Neither its next time nor a person starts another one.
    let busy = life.run(life.gateway.heartbeats().start(&name()));
    assert_eq!(busy.unwrap_err().kind(), ErrorKind::Busy);
    let busy = life.run(life.gateway.schedules().trigger_now(&id("ops"), None));
    assert_eq!(busy.unwrap_err().kind(), ErrorKind::Busy);
    world.clock_at("10:00:00");
    life.settle_schedules(&world);
    assert_eq!(life.beats(), ["09:30 started", "10:00 skipped_overlap"]);
    // Its time is over by then; the next attempt is answered.
    let run = life.runs()[0].id;
    life.until_backing_off(run, 1);
    script.say("Disk", Says::Well);
    world.clock_at("10:00:05");
    life.wait(run);
    life.beat(&world, "10:30:00");
    assert_eq!(life.beats()[2], "10:30 started");
    assert_eq!(script.open.lock().unwrap().1, 1);
}

#[test]
fn an_item_that_needs_somebody_is_one_alert_until_it_is_well() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Act("93 % full"));
    let life = world.beating(&script);
    life.beat(&world, "09:30:00");
    life.beat(&world, "10:00:00");
    let alerts = life.beat_alerts(true);
    assert_eq!(alerts.len(), 1);
    let Alert {
        item,
        details,
        times_seen,
        source,
        ..
    } = &alerts[0];
    assert_eq!((item.as_str(), details.as_str()), ("Disk", "93 % full"));
    assert_eq!((*times_seen, source), (2, &AlertSource::Heartbeat(name())));
    script.say("Disk", Says::Well);
    life.beat(&world, "10:30:00");
    assert_eq!(life.open_alerts(), Vec::<String>::new());
    assert_eq!(life.beat_alerts(false).len(), 1);
}

#[test]
fn what_cannot_be_judged_does_not_stop_the_others_and_is_an_alert_after_three_runs() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Down);
    script.say("Mail", Says::Act("142 in the queue"));
    let life = world.beating(&script);
    life.beat(&world, "09:30:00");
    life.beat(&world, "10:00:00");
    assert_eq!(life.open_alerts(), ["Mail action_needed"]);
    life.beat(&world, "10:30:00");
    assert_eq!(life.open_alerts(), ["Disk unknown", "Mail action_needed"]);
    let unknown = life.beat_alerts(true);
    let unknown = unknown.iter().find(|alert| alert.item == "Disk").unwrap();
    assert_eq!(
        unknown.details,
        "not judged 3 times in a row: the model is down"
    );
    let states: Vec<ExecutionStatus> = life.runs().iter().map(|run| run.state.status()).collect();
    assert_eq!(states, [ExecutionStatus::Completed; 3]);
    script.say("Disk", Says::Well);
    life.beat(&world, "11:00:00");
    assert_eq!(life.open_alerts(), ["Mail action_needed"]);
}

#[test]
fn an_answer_that_does_not_fit_is_told_to_the_model_once_and_is_unknown_then() {
    let world = World::new();
    world.heartbeat("---\nmodel: judge\nunknownAfter: 1\n---\n- [ ] Disk\n");
    let script = Script::saying("Disk", Says::Nonsense);
    let life = world.beating(&script);
    world.clock_at("09:30:00");
    life.settle_schedules(&world);
    let run = life.runs()[0].id;
    life.until_backing_off(run, 1);
    world.clock_at("09:30:05");
    life.beat(&world, "09:30:05");
    assert_eq!(script.asked(), ["Disk", "Disk"]);
    assert_eq!(life.open_alerts(), ["Disk unknown"]);
}

#[test]
fn a_file_that_is_broken_or_gone_is_never_silence() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Act("93 % full"));
    let life = world.beating(&script);
    life.beat(&world, "09:30:00");
    world.heartbeat("---\nmodel: judge\nintervall: 5\n---\n- [ ] Disk\n- [ ] Mail\n");
    life.beat(&world, "10:00:00");
    life.beat(&world, "10:30:00");
    assert_eq!(life.open_alerts(), ["Disk action_needed"]);
    std::fs::remove_file(world.heartbeat_file()).unwrap();
    life.beat(&world, "11:00:00");
    life.until_stored(|life| life.beat_alerts(true).len() == 2);
    assert_eq!(
        life.beats(),
        [
            "09:30 started",
            "10:00 failed_to_start",
            "10:30 failed_to_start",
            "11:00 failed_to_start"
        ]
    );
    let reasons: Vec<String> = life
        .fires("ops")
        .into_iter()
        .filter_map(|fire| match fire.outcome {
            FireOutcome::FailedToStart { reason } => Some(reason),
            FireOutcome::Started { .. }
            | FireOutcome::SkippedOverlap { .. }
            | FireOutcome::Missed
            | FireOutcome::Buffered => None,
        })
        .collect();
    let mistake = "HEARTBEAT.md:3:1: the key `intervall` is not known";
    assert!(reasons[0].contains(mistake), "{}", reasons[0]);
    assert!(
        reasons[0].contains("did you mean `interval`?"),
        "{}",
        reasons[0]
    );
    assert!(
        reasons[2].contains("there is no such file"),
        "{}",
        reasons[2]
    );
    // What was known of the items stays: nobody has looked at them.
    assert_eq!(
        life.open_alerts(),
        ["Disk action_needed".to_owned(), format!("{RUNS} unknown")]
    );
    // Over a restart it is not told again, and the last good definition is still there.
    life.shutdown();
    let life = world.beating(&script);
    let again = life.beat_alerts(true);
    let itself = again.iter().find(|alert| alert.item == RUNS).unwrap();
    assert_eq!(itself.times_seen, 1);
    life.run(life.gateway.definition(&"ops".parse().unwrap()))
        .unwrap();
    // Mended, it runs and both speak of what there is.
    world.two_items();
    life.beat(&world, "11:30:00");
    assert_eq!(life.open_alerts(), ["Disk action_needed"]);
}

#[test]
fn one_whose_file_never_could_be_read_runs_at_the_default_cadence_and_says_so() {
    let world = World::new();
    let script = Script::new();
    let life = world.beating(&script);
    assert!(life.gateway.started().files[0].is_refused());
    life.beat(&world, "09:30:00");
    life.until_stored(|life| !life.items().is_empty());
    assert_eq!(life.verdicts(), [format!("{RUNS}: unknown")]);
    world.heartbeat("---\nmodel: judge\ninterval: 60\n---\n- [ ] Disk\n");
    life.beat(&world, "10:00:00");
    assert_eq!(life.beats(), ["09:30 failed_to_start", "10:00 started"]);
    assert_eq!(script.asked(), ["Disk"]);
    let next = life.schedule("ops").next().unwrap();
    assert_eq!(next.fire_time, at("2026-01-31T11:00:00Z"));
}

#[test]
fn the_file_is_read_at_every_run() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Act("full"));
    let life = world.beating(&script);
    life.beat(&world, "09:30:00");
    assert_eq!(life.open_alerts(), ["Disk action_needed"]);
    let before = life.schedule("ops");
    world.heartbeat(
        "---\nmodel: judge\ninterval: 45\n---\n- [ ] Mail\n- [ ] {{ secrets.KEY }} \\{{\n",
    );
    life.beat(&world, "10:00:00");
    // The run that was due runs with what the file says now; an item that is gone ends its alert.
    assert_eq!(life.beats(), ["09:30 started", "10:00 started"]);
    assert_eq!(script.asked()[2..], ["Mail", "{{ secrets.KEY }} \\{{"]);
    assert_eq!(life.open_alerts(), Vec::<String>::new());
    let ended = life.beat_alerts(false).remove(0).cleared.unwrap();
    assert_eq!(ended.reason, "no longer in the checklist");
    // It goes on at its new cadence, counted from the midnight before it was created.
    let after = life.schedule("ops");
    assert_eq!(after.created_at, before.created_at);
    assert_eq!(after.next().unwrap().fire_time, at("2026-01-31T10:30:00Z"));
    life.beat(&world, "10:30:00");
    life.shutdown();
    world.clock_at("10:50:00");
    let life = world.beating(&script);
    assert_eq!(
        life.schedule("ops").next().unwrap().fire_time,
        at("2026-01-31T11:15:00Z")
    );
    // Reading it again, as a watcher of files does, changes the schedule before its next run.
    world.two_items();
    life.run(life.gateway.heartbeats().reload(&name())).unwrap();
    assert_eq!(
        life.schedule("ops").next().unwrap().fire_time,
        at("2026-01-31T11:00:00Z")
    );
}

#[test]
fn with_nothing_to_check_it_says_so_and_asks_nobody() {
    let world = World::new();
    world.heartbeat("---\nmodel: judge\n---\n- [x] Disk\n");
    let script = Script::new();
    let life = world.beating(&script);
    life.beat(&world, "09:30:00");
    world.heartbeat("---\nmodel: judge\nenabled: false\n---\n- [ ] Disk\n");
    life.beat(&world, "10:00:00");
    assert_eq!(life.beats(), ["09:30 started", "10:00 started"]);
    assert_eq!(script.asked(), Vec::<String>::new());
    for run in life.runs() {
        assert_eq!(life.trail(run.id), ["nothing-to-check null"]);
    }
    world.two_items();
    life.beat(&world, "10:30:00");
    assert_eq!(script.asked(), ["Disk", "Mail"]);
}

#[test]
fn one_that_was_killed_in_the_middle_goes_on_and_is_judged_once() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Act("full"));
    script.say("Mail", Says::Waits);
    let life = world.beating(&script);
    world.clock_at("09:30:00");
    life.settle_schedules(&world);
    life.run(script.until_asked(2));
    life.kill();
    script.say("Mail", Says::Well);
    let life = world.beating(&script);
    life.until_stored(|life| !life.items().is_empty());
    // What was answered is not asked again.
    assert_eq!(script.asked(), ["Disk", "Mail", "Mail"]);
    assert_eq!(life.beats(), ["09:30 started"]);
    assert_eq!(life.open_alerts(), ["Disk action_needed"]);
    assert_eq!(life.beat_alerts(true)[0].times_seen, 1);
}

#[test]
fn what_ended_and_was_not_judged_is_judged_by_the_next_process_once() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Act("full"));
    // A process that only carries executions: it dies between the end and the judgement.
    let life = world.beating_with(&script, |builder| {
        builder
            .left_behind(LeftBehind::TakeUp)
            .scheduling(Scheduling::Rest)
    });
    let run = life.run(life.gateway.heartbeats().start(&name())).unwrap();
    life.wait(run.id);
    assert_eq!(life.items(), []);
    // Whatever is not judged is kept.
    let everything = gateway::Retention {
        older_than: Some(Duration::ZERO),
        keep_per_workflow: None,
    };
    world.clock_at("09:10:00");
    life.run(life.gateway.prune(everything)).unwrap();
    assert_eq!(life.runs().len(), 1);
    life.kill();
    for _ in 0..3 {
        let life = world.beating(&script);
        life.until_stored(|life| !life.items().is_empty());
        assert_eq!(life.open_alerts(), ["Disk action_needed"]);
        assert_eq!(life.beat_alerts(true)[0].times_seen, 1);
        life.kill();
    }
    let life = world.beating(&script);
    life.run(life.gateway.prune(everything)).unwrap();
    assert_eq!(life.runs(), []);
    assert_eq!(life.open_alerts(), ["Disk action_needed"]);
}

#[test]
fn what_an_older_run_found_never_takes_the_place_of_what_a_newer_one_did() {
    let world = World::new();
    world.heartbeat("---\nmodel: judge\n---\n- [ ] Mail\n");
    let script = Script::saying("Mail", Says::Act("3 unread"));
    script.say("Disk", Says::Act("full"));
    let life = world.beating_with(&script, |builder| {
        builder
            .left_behind(LeftBehind::TakeUp)
            .scheduling(Scheduling::Rest)
    });
    let heartbeats = life.gateway.heartbeats();
    // It ends, and nobody asks what it found.
    let older = life.run(heartbeats.start(&name())).unwrap();
    life.wait(older.id);
    world.clock_at("09:10:00");
    world.heartbeat("---\nmodel: judge\n---\n- [ ] Disk\n");
    let newer = life.run(heartbeats.start(&name())).unwrap();
    life.run(heartbeats.outcome(newer.id)).unwrap();
    assert_eq!(life.open_alerts(), ["Disk action_needed"]);
    assert_eq!(life.run(heartbeats.settle()).unwrap(), 0);
    assert_eq!(life.open_alerts(), ["Disk action_needed"]);
}

#[test]
fn a_cancelled_run_leaves_its_items_unknown() {
    let world = World::new();
    world.two_items();
    let script = Script::saying("Disk", Says::Waits);
    let life = world.beating(&script);
    let run = life.run(life.gateway.heartbeats().start(&name())).unwrap();
    life.run(script.until_asked(1));
    let cancel = life.gateway.cancel(run.id, actor("ann"), None);
    life.run(cancel).unwrap();
    life.until_stored(|life| !life.items().is_empty());
    let words: Vec<VerdictWord> = life
        .items()
        .iter()
        .map(|item| item.verdict.word())
        .collect();
    let unknown = VerdictWord::Unknown;
    assert_eq!(words, [unknown, unknown, VerdictWord::Clear]);
    let mail = &life.items()[1];
    assert!(
        mail.verdict.details().unwrap().contains("cancelled"),
        "{mail:?}"
    );
}

#[test]
fn its_schedule_follows_its_file_and_nobody_else() {
    let world = World::new();
    world.two_items();
    let script = Script::new();
    // Somebody has a schedule of that name already, and a file has its id.
    world.write("w", "  - {id: a, action: noop}");
    let path = world.write("ops", "  - {id: a, action: noop}");
    let life = world.beating(&script);
    let refused: Vec<_> = life
        .gateway
        .started()
        .files
        .iter()
        .filter(|file| file.is_refused())
        .map(|file| (file.path.clone(), file.unreadable.clone().unwrap()))
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].0, path);
    assert!(refused[0].1.contains("is that of a heartbeat"));
    let edit = ScheduleEdit::new().name("mine".parse().unwrap());
    let edited = life.run(life.gateway.schedules().edit(&id("ops"), edit));
    assert_eq!(edited.unwrap_err().kind(), ErrorKind::Conflict);
    let deleted = life.run(life.gateway.schedules().delete(&id("ops")));
    assert_eq!(deleted.unwrap_err().kind(), ErrorKind::Conflict);
    life.shutdown();
    // Taken out of the configuration, it is off; put in again, it goes on with its history.
    std::fs::remove_file(path).unwrap();
    let life = world.live();
    let standing = life.schedule("ops").standing;
    assert!(matches!(
        standing,
        Standing::Off {
            why: Off::Detached,
            ..
        }
    ));
    life.shutdown();
    world.clock_at("09:50:00");
    let life = world.beating(&script);
    life.beat(&world, "10:00:00");
    assert_eq!(life.beats(), ["10:00 started"]);
    let unknown = life.gateway.heartbeats();
    let unknown = life.run(unknown.start(&"obs".parse().unwrap()));
    let unknown = unknown.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    assert_eq!(
        unknown.to_string(),
        "there is no heartbeat `obs`; did you mean `ops`?"
    );
}
