//! Heartbeats over hours, at set wall clocks: the real program is ended, killed and started again
//! between their times, and so are the servers that it needs.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};

use crate::reloading::stop;
use crate::support::{Answer, Asked, DEADLINE, ModelServer, Place, Running, WallClock, list, word};

/// Where somebody listens later, or not: no other test takes it meanwhile.
fn address() -> String {
    let listener = TcpListener::bind("127.0.0.9:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A place with one heartbeat of one item, at every full and half hour, and a sink that is a webhook.
fn place(model: &str, sink: &str) -> Place {
    let text = "---\nmodel: stub\n---\n\n- [ ] Mail flows\n";
    let place = Place::with("HEARTBEAT.md", text);
    place.write(
        "agentspace.toml",
        format!(
            "[models.stub]\nadapter = 'openai'\nmodel = 'stub'\nbase_url = 'http://{model}/v1/'\n\
             [heartbeats.ops]\nfile = 'HEARTBEAT.md'\n\
             [alerts.sinks.hook]\nkind = 'webhook'\nurl = 'http://{sink}/'\n\
             allow_private_addresses = true\n"
        ),
    );
    place
}

/// A server that answers with a status that the test sets, or well; what it was asked comes to the
/// test.
fn server(address: &str, status: &Arc<AtomicU16>) -> Receiver<Asked> {
    let (sender, asked) = mpsc::channel();
    let status = Arc::clone(status);
    let decide = move |question: &Asked| {
        // The test may have seen enough.
        let _ = sender.send(question.clone());
        match status.load(Ordering::SeqCst) {
            200 => Answer::Text(json!({"actionNeeded": false, "details": ""}).to_string()),
            status => Answer::Status(status, "", "{}".to_owned()),
        }
    };
    ModelServer::deciding(address, decide).unwrap();
    asked
}

fn serve(place: &Place, clock: &WallClock, time: &str) -> Running {
    let time = format!("2027-03-05T{time}Z");
    let serving = clock.at(&time, place.call(["serve", "--json"])).start();
    serving.says("serving:");
    serving
}

/// Waits until the heartbeat fires; the time, and what became of it.
fn fires(serving: &Running) -> (String, String) {
    let told: Value = serde_json::from_str(&serving.prints("schedule.fire")).unwrap();
    let (time, outcome) = (&told["data"]["fireTime"], &told["data"]["outcome"]);
    (word(time)[11..19].to_owned(), word(outcome).to_owned())
}

fn started(time: &str) -> (String, String) {
    (time.to_owned(), "started".to_owned())
}

/// Waits until the newest run has ended.
fn until_ended(place: &Place) {
    let runs = place.executions();
    place
        .run(["executions", "watch", word(&runs[0]["id"])])
        .exits(0);
}

/// Waits until so many runs in a row were recorded as unknown.
fn until_unknown(place: &Place, times: usize) {
    loop {
        let shown = list(&place.json(["heartbeats", "ls"])).remove(0);
        let items = list(&shown["items"]);
        if items
            .first()
            .is_some_and(|item| item["unknownInARow"] == times)
        {
            assert_eq!(items[0]["verdict"], "unknown");
            return;
        }
    }
}

fn alerts(place: &Place) -> Vec<Value> {
    list(&place.json(["alerts", "ls", "--all"]))
}

#[test]
fn it_runs_at_full_and_half_hours_whatever_restarts_happen() {
    let (model, sink) = (address(), address());
    let place = place(&model, &sink);
    let Some(clock) = WallClock::new(&place) else {
        return;
    };
    let asked = server(&model, &Arc::new(AtomicU16::new(200)));
    // Begun at an odd time, which is no beginning of its cadence.
    let serving = serve(&place, &clock, "09:07:13");
    stop(serving);
    let serving = serve(&place, &clock, "09:29:58");
    assert_eq!(fires(&serving), started("09:30:00"));
    until_ended(&place);
    stop(serving);
    // Killed as it begins, the run goes on and is not begun again.
    let serving = serve(&place, &clock, "09:59:58");
    assert_eq!(fires(&serving), started("10:00:00"));
    serving.kill();
    let serving = serve(&place, &clock, "10:17:41");
    until_ended(&place);
    serving.kill();
    // Nobody served at its time: it is caught up, and no other time moves because of that.
    let serving = serve(&place, &clock, "10:34:56");
    assert_eq!(fires(&serving), started("10:30:00"));
    until_ended(&place);
    stop(serving);
    let serving = serve(&place, &clock, "10:59:58");
    assert_eq!(fires(&serving), started("11:00:00"));
    until_ended(&place);
    stop(serving);
    let history = list(&place.json(["schedules", "history", "ops"])["fires"]);
    let mut times: Vec<&str> = history
        .iter()
        .map(|fire| &word(&fire["fireTime"])[11..16])
        .collect();
    times.sort_unstable();
    assert_eq!(times, ["09:30", "10:00", "10:30", "11:00"]);
    assert_eq!(place.executions().len(), 4);
    // One question a run, but for the one that was killed, which may have been asked twice.
    let questions = asked.try_iter().count();
    assert!((4..=5).contains(&questions), "{questions}");
    place.run(["db", "check"]).exits(0);
}

#[test]
fn a_model_that_is_down_three_times_is_an_alert_that_a_dead_sink_gets_once_it_is_back() {
    let (model, sink) = (address(), address());
    let place = place(&model, &sink);
    let Some(clock) = WallClock::new(&place) else {
        return;
    };
    // Nobody listens where the model should be.
    let serving = serve(&place, &clock, "08:59:58");
    assert_eq!(fires(&serving), started("09:00:00"));
    until_unknown(&place, 1);
    stop(serving);
    // It listens, and is not well.
    let of_model = Arc::new(AtomicU16::new(503));
    let questions = server(&model, &of_model);
    let serving = serve(&place, &clock, "09:29:58");
    assert_eq!(fires(&serving), started("09:30:00"));
    until_unknown(&place, 2);
    assert_eq!(alerts(&place), Vec::<Value>::new());
    serving.kill();
    // Killed as soon as the third run has ended: the next process judges it, or this one has.
    let serving = serve(&place, &clock, "09:59:58");
    assert_eq!(fires(&serving), started("10:00:00"));
    until_ended(&place);
    serving.kill();
    let serving = serve(&place, &clock, "10:05:00");
    serving.says("sink `hook` did not take a notice");
    let [alert] = <[Value; 1]>::try_from(alerts(&place)).unwrap();
    assert_eq!(
        (&alert["kind"], &alert["item"], &alert["timesSeen"]),
        (&json!("unknown"), &json!("Mail flows"), &json!(1))
    );
    assert!(word(&alert["details"]).contains("not judged 3 times in a row"));
    serving.kill();
    // The sink is back, but not well; then it is.
    let of_sink = Arc::new(AtomicU16::new(503));
    let told = server(&sink, &of_sink);
    let id = |told: &Receiver<Asked>| {
        let asked = told.recv_timeout(DEADLINE).unwrap();
        let of = |name: &str| {
            let mut headers = asked.headers.iter();
            headers.find(|(known, _)| known == name).unwrap().1.clone()
        };
        assert_eq!(of("idempotency-key"), of("webhook-id"));
        assert_eq!(of("webhook-id"), word(&asked.body["id"]));
        of("webhook-id")
    };
    let serving = serve(&place, &clock, "10:10:00");
    let raised = id(&told);
    serving.kill();
    for again in told.try_iter() {
        let again = again.headers.iter().any(|(_, value)| *value == raised);
        assert!(again, "another notice came first");
    }
    of_sink.store(200, Ordering::SeqCst);
    let serving = serve(&place, &clock, "10:15:00");
    assert_eq!(id(&told), raised);
    stop(serving);
    // The model answers again, and the next that the sink hears is that it is over.
    of_model.store(200, Ordering::SeqCst);
    let serving = serve(&place, &clock, "10:29:58");
    assert_eq!(fires(&serving), started("10:30:00"));
    let over = id(&told);
    assert_ne!(over, raised);
    stop(serving);
    assert_eq!(told.try_iter().count(), 0);
    let shown = place.json(["alerts", "show", word(&alert["id"])]);
    let notices = list(&shown["notices"]);
    let events: Vec<&str> = notices.iter().map(|one| word(&one["event"])).collect();
    assert_eq!(events, ["raised", "cleared"]);
    let ids: Vec<&str> = notices.iter().map(|one| word(&one["id"])).collect();
    assert_eq!(ids, [raised, over]);
    // Three runs with two attempts each, of which nobody heard the first; and one that was well.
    assert_eq!(questions.try_iter().count(), 5);
    assert_eq!(place.executions().len(), 4);
    place.run(["db", "check"]).exits(0);
}
