//! The published JSON shapes: read and written exactly, everything else refused.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use workflow_types::schedule::{ActiveHours, HeartbeatConfig, ScheduleConfig};

fn check_round_trip<T: DeserializeOwned + Serialize>(value: &Value) {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e}: {value}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), *value);
}

/// The value is refused, and the message names what is wrong.
fn check_refused<T: DeserializeOwned>(value: &Value, message: &str) {
    match serde_json::from_value::<T>(value.clone()) {
        Ok(_) => panic!("accepted {value}"),
        Err(error) => assert!(error.to_string().contains(message), "{error}"),
    }
}

fn with(base: &Value, key: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed[key] = value;
    changed
}

fn smallest() -> Value {
    json!({"id": "nightly", "name": "Nightly backup", "cronExpression": "0 2 * * *", "enabled": true})
}

#[test]
fn schedule_survives_json() {
    check_round_trip::<ScheduleConfig>(&smallest());
    check_round_trip::<ScheduleConfig>(&json!({
        "id": "report_1",
        "name": "Weekly report — Köln",
        "cronExpression": "*/30 9-17 ? * mon-fri",
        "timezone": "Europe/Berlin",
        "activeHours": {"start": "09:00", "end": "17:30", "daysOfWeek": [1, 2, 3, 4, 5]},
        "maxRuns": 1,
        "workflowId": "weekly-report",
        "enabled": false
    }));
}

#[test]
fn schedule_is_enabled_unless_said_otherwise() {
    let mut value = smallest();
    value.as_object_mut().unwrap().remove("enabled");
    let config: ScheduleConfig = serde_json::from_value(value).unwrap();
    assert!(config.is_enabled());
    assert_eq!(serde_json::to_value(&config).unwrap(), smallest());
}

#[test]
fn schedule_refuses_what_is_not_in_its_shape() {
    let check = |key: &str, value: Value, message: &str| {
        check_refused::<ScheduleConfig>(&with(&smallest(), key, value), message);
    };
    check("id", json!(""), "a name may not be empty");
    check("id", json!("a b"), "` ` may not stand in a name");
    check("id", json!("x".repeat(65)), "at most 64 characters");
    check("name", json!("  "), "empty schedule name");
    check("name", json!("a\nb"), "control character");
    check("name", json!("x".repeat(201)), "201 characters");
    check(
        "cronExpression",
        json!("0 25 * * *"),
        "cron pattern `0 25 * * *`, column 3: found `25` in the hour field, expected 0-23; hours run from 0",
    );
    check(
        "timezone",
        json!("Europe/Berln"),
        "did you mean `Europe/Berlin`?",
    );
    check("timezone", Value::Null, "invalid type: null");
    check("maxRuns", json!(0), "found `maxRuns` 0, expected 1 or more");
    check(
        "maxRuns",
        json!(-3),
        "found `maxRuns` -3, expected 1 or more",
    );
    check("workflowId", json!("a/b"), "`/` may not stand in a name");
    check("enabled", json!("yes"), "expected a boolean");
    check("cron", json!("0 2 * * *"), "unknown field `cron`");
    check(
        "activeHours",
        json!({"start": "03:00", "end": "04:00"}),
        "pattern `0 2 * * *` never fires inside the active hours 03:00-04:00",
    );
}

#[test]
fn active_hours_survive_json() {
    check_round_trip::<ActiveHours>(&json!({"start": "22:00", "end": "06:00"}));
    check_round_trip::<ActiveHours>(
        &json!({"start": "00:00", "end": "24:00", "daysOfWeek": [1, 7]}),
    );
    let sorted: ActiveHours =
        serde_json::from_value(json!({"start": "22:00", "end": "06:00", "daysOfWeek": [7, 1, 7]}))
            .unwrap();
    assert_eq!(sorted.days_of_week(), Some(vec![1, 7]));
}

#[test]
fn active_hours_refuse_what_is_not_in_their_shape() {
    let base = json!({"start": "09:00", "end": "17:00"});
    let check = |key: &str, value: Value, message: &str| {
        check_refused::<ActiveHours>(&with(&base, key, value), message);
    };
    check("start", json!("9:00"), "found time `9:00`, expected HH:MM");
    check("start", json!("24:00"), "found start `24:00`");
    check("end", json!("24:01"), "found time `24:01`");
    check("end", json!("09:00"), "the whole day is 00:00 to 24:00");
    check("daysOfWeek", json!([]), "leave the key out for every day");
    check("daysOfWeek", json!([0]), "Sunday is 7");
    check(
        "daysOfWeek",
        json!([8]),
        "found day 8 in `daysOfWeek`, expected 1 (Monday) to 7 (Sunday)",
    );
    check("daysOfWeek", Value::Null, "invalid type: null");
    check("days", json!([1]), "unknown field `days`");
}

#[test]
fn heartbeat_survives_json() {
    check_round_trip::<HeartbeatConfig>(&json!({"interval": 30}));
    check_round_trip::<HeartbeatConfig>(&json!({
        "interval": 90,
        "timezone": "Asia/Kolkata",
        "activeHours": {"start": "08:00", "end": "20:00"}
    }));
    let default: HeartbeatConfig = serde_json::from_value(json!({})).unwrap();
    assert_eq!(default, HeartbeatConfig::default());
    assert_eq!(
        serde_json::to_value(default).unwrap(),
        json!({"interval": 30})
    );
    check_refused::<HeartbeatConfig>(&json!({"interval": 0}), "expected 1 to 10080 minutes");
    check_refused::<HeartbeatConfig>(&json!({"every": 5}), "unknown field `every`");
}
