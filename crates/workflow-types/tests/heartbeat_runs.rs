//! Heartbeats as they run: their times of the wall clock, the workflow that they make, and what its
//! results say of each item.

#![expect(clippy::unwrap_used, reason = "test helpers fail loudly")]

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta, Timelike as _};
use proptest::prelude::*;
use serde_json::{Value, json};
use workflow_types::action::Action;
use workflow_types::alert::{Finding, Verdict};
use workflow_types::definition::{Step, StoredDefinition, Target};
use workflow_types::execution::{ExecutionState, Failure, FailureKind, StepResult, StepStatus};
use workflow_types::heartbeat::{RUNS, findings};
use workflow_types::id::{HeartbeatName, StepId};
use workflow_types::schedule::{
    ActiveHours, HeartbeatConfig, HeartbeatInterval, TimeZone, Timing, TimingKind,
};
use workflow_types::{Heartbeat, Timestamp, WorkflowDefinition};

/// Zones whose clocks change by an hour, by half of one, at midnight, or not at all.
const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
];

/// Intervals that divide an hour, a day, and neither.
const INTERVALS: [i64; 16] = [
    1, 5, 7, 13, 15, 30, 45, 60, 90, 120, 360, 420, 720, 1_440, 1_500, 10_080,
];

fn config(minutes: i64, hours: Option<ActiveHours>) -> HeartbeatConfig {
    HeartbeatConfig {
        interval: HeartbeatInterval::try_new(minutes).unwrap(),
        timezone: None,
        active_hours: hours,
    }
}

fn wall(zone: TimeZone, time: Timestamp) -> chrono::NaiveDateTime {
    zone.wall_time(time.to_utc())
}

/// The runs later than `after`, over so many days.
fn runs(timing: &Timing, after: Timestamp, days: u64) -> Vec<Timestamp> {
    let end = after.saturating_add(std::time::Duration::from_hours(24 * days));
    timing
        .times(after)
        .take_while(|time| *time <= end)
        .collect()
}

/// The instants between two at which the wall clock shows a multiple of so many minutes of an hour.
fn multiples(zone: TimeZone, after: Timestamp, until: Timestamp, minutes: i64) -> Vec<Timestamp> {
    let first = after.as_millis().div_euclid(60_000) + 1;
    let last = until.as_millis().div_euclid(60_000);
    (first..=last)
        .map(|minute| Timestamp::from_millis(minute * 60_000).unwrap())
        .filter(|time| i64::from(wall(zone, *time).minute()) % minutes == 0)
        .collect()
}

fn instants() -> impl Strategy<Value = Timestamp> {
    // 2015 to 2027.
    (1_420_070_400_000_i64..1_798_761_600_000).prop_map(|ms| Timestamp::from_millis(ms).unwrap())
}

/// Instants near a change of the clocks, and others.
fn near_changes() -> impl Strategy<Value = Timestamp> {
    let march = (2015..2027_i32, 8..31_u32).prop_map(|(year, day)| (year, 3, day));
    let autumn = (2015..2027_i32, 1..8_u32).prop_map(|(year, day)| (year, 11, day));
    let october = (2015..2027_i32, 15..31_u32).prop_map(|(year, day)| (year, 10, day));
    let dates = prop_oneof![march, autumn, october].prop_map(|(year, month, day)| {
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let noon = date.and_hms_opt(11, 7, 13).unwrap();
        Timestamp::try_from(noon.and_utc()).unwrap()
    });
    prop_oneof![3 => dates, 1 => instants()]
}

fn zones() -> impl Strategy<Value = TimeZone> {
    proptest::sample::select(ZONES.to_vec()).prop_map(|name| name.parse().unwrap())
}

fn intervals() -> impl Strategy<Value = i64> {
    prop_oneof![3 => proptest::sample::select(INTERVALS.to_vec()), 1 => 1..10_081_i64]
}

fn windows() -> impl Strategy<Value = Option<ActiveHours>> {
    let window = (0..24_u32, 1..24_u32).prop_filter_map("equal bounds", |(start, end)| {
        let hours = ActiveHours::every_day(
            format!("{start:02}:00").parse().unwrap(),
            format!("{end:02}:00").parse().unwrap(),
        );
        hours.ok()
    });
    prop_oneof![Just(None), window.prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Wherever a process begins, it finds the times that the one before would have had.
    #[test]
    fn runs_do_not_depend_on_restarts(
        (minutes, zone) in (intervals(), zones()),
        created in near_changes(),
        restarts in proptest::collection::vec(0..7 * 24 * 3_600_u64, 3),
    ) {
        let timing = config(minutes, None).timing(zone, created).unwrap();
        let all = runs(&timing, created, 21);
        for seconds in restarts {
            let restart = created.saturating_add(std::time::Duration::from_secs(seconds));
            let again = config(minutes, None).timing(zone, created).unwrap();
            prop_assert_eq!(&again, &timing);
            let next = again.next(restart);
            let expected = all.iter().find(|time| **time > restart);
            prop_assert!(expected.is_none() || next.as_ref() == expected);
        }
        prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
    }

    /// What divides an hour runs whenever the wall clock shows a multiple of it, and only then.
    #[test]
    fn parts_of_an_hour_are_those_of_the_wall_clock(
        minutes in proptest::sample::select(vec![1_i64, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60]),
        (zone, created) in (zones(), near_changes()),
    ) {
        let timing = config(minutes, None).timing(zone, created).unwrap();
        let found = runs(&timing, created, 3);
        let until = created.saturating_add(std::time::Duration::from_hours(72));
        prop_assert_eq!(found, multiples(zone, created, until, minutes));
    }

    /// What divides a day in whole hours runs so many times on each day, also where clocks change.
    #[test]
    fn whole_hours_come_once_on_each_day(
        hours in proptest::sample::select(vec![2_i64, 3, 4, 6, 8, 12, 24]),
        (zone, created) in (zones(), near_changes()),
    ) {
        let timing = config(hours * 60, None).timing(zone, created).unwrap();
        let mut days: BTreeMap<NaiveDate, i64> = BTreeMap::new();
        let found = runs(&timing, created, 10);
        for run in &found {
            *days.entry(wall(zone, *run).date()).or_default() += 1;
        }
        // The first and the last day are no whole ones.
        let whole = days.len().saturating_sub(2);
        for (day, count) in days.into_iter().skip(1).take(whole) {
            prop_assert_eq!(count, 24 / hours, "{}", day);
        }
    }

    /// Everything else is evenly spaced from local midnight of the day on which it was created.
    #[test]
    fn other_intervals_are_evenly_spaced(
        minutes in intervals(),
        (zone, created) in (zones(), near_changes()),
    ) {
        let timing = config(minutes, None).timing(zone, created).unwrap();
        let TimingKind::Every { anchor, .. } = timing.kind() else {
            prop_assert!(60 % minutes == 0 || (minutes % 60 == 0 && 1_440 % minutes == 0));
            return Ok(());
        };
        prop_assert!(*anchor <= created);
        let (begun, day) = (wall(zone, *anchor), wall(zone, created).date());
        prop_assert_eq!(begun.date(), day);
        let before = Timestamp::from_millis(anchor.as_millis() - 60_000).unwrap();
        prop_assert!(wall(zone, before).date() < day);
        let found = runs(&timing, created, 40);
        for pair in found.windows(2) {
            let apart = TimeDelta::milliseconds(pair[1].as_millis() - pair[0].as_millis());
            prop_assert_eq!(apart, TimeDelta::minutes(minutes));
        }
    }

    /// Within active hours it runs at those of its times that lie inside, and at no others.
    #[test]
    fn the_next_run_is_the_next_inside_the_active_hours(
        (minutes, zone) in (intervals(), zones()),
        (hours, created) in (windows(), near_changes()),
    ) {
        let Ok(timing) = config(minutes, hours.clone()).timing(zone, created) else {
            return Ok(());
        };
        let always = config(minutes, None).timing(zone, created).unwrap();
        let inside = |time: &Timestamp| {
            hours.as_ref().is_none_or(|hours| hours.contains_instant(zone, time.to_utc()))
        };
        let mut expected = runs(&always, created, 14);
        expected.retain(inside);
        let found = runs(&timing, created, 14);
        prop_assert!(found.iter().all(inside));
        // A time that the clocks skip is moved to the end of the gap, and its window with it.
        if minutes < 120 || minutes % 60 != 0 || 1_440 % minutes != 0 {
            prop_assert_eq!(found, expected);
        }
    }

    /// What an item says is data: the model is asked about exactly its text.
    #[test]
    fn the_text_of_an_item_is_no_template(
        text in prop_oneof!["[a-z {}\\\\'\"|]{1,40}", "(\\\\){0,3}\\{\\{[ a-z']{0,9}(\\}\\})?"],
    ) {
        let text = text.trim();
        prop_assume!(!text.is_empty() && !text.starts_with("<!--"));
        let heartbeat = Heartbeat::parse(format!("- [ ] {text}\n").as_bytes());
        prop_assume!(heartbeat.is_ok());
        let heartbeat = heartbeat.unwrap();
        let definition = heartbeat.definition(&name()).unwrap();
        prop_assert_eq!(asked(&definition), [heartbeat.items()[0].text()]);
    }
}

fn name() -> HeartbeatName {
    "ops".parse().unwrap()
}

/// What the model is asked about in each step.
fn asked(definition: &WorkflowDefinition) -> Vec<String> {
    let nothing = serde_json::Map::new();
    let prompt = |step: &workflow_types::definition::Step| {
        let workflow_types::action::Action::Model(model) = step.action() else {
            return None;
        };
        let prompt = model.prompt().template().render(&nothing).unwrap();
        let prompt = prompt.as_str().unwrap().to_owned();
        Some(prompt.split_once("\n\n").unwrap().1.to_owned())
    };
    definition.steps().iter().filter_map(prompt).collect()
}

fn heartbeat(text: &str) -> Heartbeat {
    Heartbeat::parse(text.as_bytes()).unwrap()
}

#[test]
fn as_many_items_as_one_run_can_check_are_taken_and_one_more_is_refused() {
    let items = |count: usize, (tools, unasked): (usize, usize)| {
        let tools: Vec<String> = (0..tools).map(|number| format!("t{number}")).collect();
        let (unasked, tools) = (tools[..unasked].join(", "), tools.join(", "));
        let tools =
            format!("---\nmodel: small\ntools: [{tools}]\nwithoutApproval: [{unasked}]\n---\n");
        (0..count).fold(tools, |text, number| format!("{text}- [ ] {number}\n"))
    };
    for (most, tools) in [
        (618, (0, 0)),
        (380, (10, 0)),
        (85, (100, 0)),
        (353, (10, 1)),
        (45, (100, 100)),
    ] {
        let definition = heartbeat(&items(most, tools)).definition(&name());
        assert_eq!(definition.unwrap().steps().len(), most);
        let refused = Heartbeat::parse(items(most + 1, tools).as_bytes()).unwrap_err();
        let problem = refused.errors().next().unwrap();
        assert_eq!(problem.code.as_str(), "WF0109");
    }
    // What is stored is read again as it was.
    let definition = heartbeat(&items(20, (3, 2))).definition(&name()).unwrap();
    let stored = StoredDefinition::new(&definition);
    assert_eq!(stored.read().unwrap(), definition);
}

#[test]
fn what_is_called_without_approval_is_so_in_every_item() {
    let unasked = |line: &str| -> Vec<Vec<String>> {
        let text = format!("---\nmodel: small\ntools: [look, act]\n{line}---\n- [ ] a\n- [ ] b\n");
        let definition = heartbeat(&text).definition(&name()).unwrap();
        let of_step = |step: &Step| match step.action() {
            Action::Model(action) => {
                let names = action.without_approval().iter();
                names.map(ToString::to_string).collect()
            }
            Action::Tool(_) | Action::Noop => panic!("an item is a question"),
        };
        definition.steps().iter().map(of_step).collect()
    };
    assert_eq!(unasked("withoutApproval: [act]\n"), [["act"], ["act"]]);
    assert_eq!(unasked(""), [[""; 0], [""; 0]]);
}

#[test]
fn items_run_one_after_another_whatever_becomes_of_each() {
    let text = "---\nmodel: small\ntools: [look]\n---\n- [ ] a\n- [x] gone\n- [ ] b\n  more\n";
    let definition = heartbeat(text).definition(&name()).unwrap();
    let [first, second] = definition.steps() else {
        panic!("two steps: {:?}", definition.steps());
    };
    assert_eq!(asked(&definition), ["a", "b more"]);
    let to_second = Target::Step(second.id().clone());
    assert_eq!(first.on_failure(), Some(&to_second));
    assert_eq!(second.on_failure(), Some(&Target::End));
    assert_eq!(definition.concurrency().unwrap().limit.get(), 1);
    // The same text makes the same definition.
    let digest = |text: &str| {
        let definition = heartbeat(text).definition(&name()).unwrap();
        StoredDefinition::new(&definition).digest().clone()
    };
    assert_eq!(
        digest(text),
        digest(&text.replace("---\nmodel", "---\ninterval: 5\nmodel"))
    );
    assert_ne!(digest(text), digest(&text.replace("more", "less")));
}

fn result(status: StepStatus, output: Value) -> StepResult {
    StepResult {
        status,
        output,
        completed_at: None,
    }
}

#[test]
fn results_say_what_each_item_came_to() {
    let text = "- [ ] well\n- [ ] bad\n- [ ] mute\n- [ ] down\n- [ ] odd\n- [ ] never\n";
    let definition = heartbeat(text).definition(&name()).unwrap();
    let results: BTreeMap<StepId, StepResult> = [
        (
            1,
            result(
                StepStatus::Success,
                json!({"actionNeeded": false, "details": "ok"}),
            ),
        ),
        (
            2,
            result(
                StepStatus::Success,
                json!({"actionNeeded": true, "details": " 93 % "}),
            ),
        ),
        (
            3,
            result(
                StepStatus::Success,
                json!({"actionNeeded": true, "details": ""}),
            ),
        ),
        (4, result(StepStatus::Failure, json!("the model is down"))),
        (5, result(StepStatus::Success, json!("as a person said"))),
    ]
    .into_iter()
    .map(|(number, result)| (format!("item-{number}").parse().unwrap(), result))
    .collect();
    let state = ExecutionState::Failed {
        at: Timestamp::EPOCH,
        step: None,
        failure: Failure {
            kind: FailureKind::Cancelled,
            message: "ann did not want it".to_owned(),
        },
    };
    let told: Vec<String> = findings(&definition, &state, &results)
        .iter()
        .map(|Finding { item, verdict }| match verdict {
            Verdict::Clear => format!("{item}: clear"),
            Verdict::ActionNeeded { details } => format!("{item}: act, {details}"),
            Verdict::Unknown { reason } => format!("{item}: unknown, {reason}"),
        })
        .collect();
    let itself = format!("{RUNS}: clear");
    assert_eq!(
        told,
        [
            "well: clear",
            "bad: act, 93 %",
            "mute: act, the model gave no details",
            "down: unknown, the model is down",
            "odd: unknown, the answer does not say whether to act: \"as a person said\"",
            "never: unknown, the run ended before it: cancelled: ann did not want it",
            itself.as_str(),
        ]
    );
}
