//! Laws that hold for every pattern, zone and window, on generated ones.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use workflow_types::schedule::{
    ActiveHours, CronExpression, TimeZone, fires_after, fires_within, next,
};

fn time_field(largest: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        (0..=largest).prop_map(|value| value.to_string()),
        (1..=largest).prop_map(|step| format!("*/{step}")),
        (0..=largest, 0..=largest).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        (0..=largest, 0..=largest).prop_map(|(a, b)| format!("{a},{b}")),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let days = select(vec![
        "*", "*", "1", "L", "15W", "L-3", "1-7", "*/3", "LW,10",
    ]);
    let weekdays = select(vec![
        "*", "*", "MON-FRI", "FRI-SUN", "SUN#L", "+MON", "7", "TUE#2",
    ]);
    (time_field(59), time_field(23), days, weekdays)
        .prop_map(|(minute, hour, day, weekday)| format!("{minute} {hour} {day} * {weekday}"))
}

fn zone() -> impl Strategy<Value = TimeZone> {
    select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "Africa/Casablanca",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
    ])
    .prop_map(|name| name.parse().unwrap())
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    // 2008 to 2030, often near a clock change by sheer number.
    (1_200_000_000_i64..1_900_000_000).prop_map(|s| DateTime::from_timestamp(s, 0).unwrap())
}

fn window() -> impl Strategy<Value = ActiveHours> {
    (
        0..1_440_u32,
        1..=1_440_u32,
        prop::collection::vec(1..=7_i64, 1..5),
    )
        .prop_filter("bounds differ", |(start, end, _)| start != end)
        .prop_map(|(start, end, days)| {
            let text = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            let window =
                ActiveHours::every_day(text(start).parse().unwrap(), text(end).parse().unwrap());
            window.unwrap().on_days(&days).unwrap()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fires_increase_and_do_not_depend_on_where_the_search_starts(
        pattern in pattern(), zone in zone(), after in instant(), part in 0.0..1.0_f64,
    ) {
        let cron = CronExpression::parse(&pattern).unwrap();
        let fires: Vec<DateTime<Utc>> =
            fires_after(&cron, zone, after).take(20).map(|fire| fire.instant()).collect();
        let mut earlier = after;
        for fire in fires {
            prop_assert!(fire > earlier);
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any instant between will do")]
            let between = ((fire - earlier).num_seconds() as f64 * part) as i64;
            prop_assert_eq!(next(&cron, zone, earlier + TimeDelta::seconds(between)), Some(fire));
            prop_assert_eq!(next(&cron, zone, fire - TimeDelta::seconds(1)), Some(fire));
            earlier = fire;
        }
    }

    #[test]
    fn fires_within_a_window_are_the_fires_that_lie_inside(
        pattern in pattern(), zone in zone(), after in instant(), window in window(),
    ) {
        let cron = CronExpression::parse(&pattern).unwrap();
        let end = after + TimeDelta::days(10);
        let filtered: Vec<_> = fires_after(&cron, zone, after)
            .take_while(|fire| fire.instant() <= end)
            .filter(|fire| window.contains(fire.nominal()) && window.contains_instant(zone, fire.instant()))
            .map(|fire| fire.instant())
            .collect();
        let searched: Vec<_> = fires_within(&cron, zone, &window, after)
            .map(|fire| fire.instant())
            .take_while(|instant| *instant <= end)
            .collect();
        if !window.ever_meets(&cron) {
            prop_assert!(filtered.is_empty());
        }
        // A fire after a gap may stand for several nominal times; the plain search names
        // the first of them, the window needs any.
        prop_assert!(filtered.iter().all(|fire| searched.contains(fire)));
        for extra in searched.iter().filter(|fire| !filtered.contains(fire)) {
            prop_assert!(cron.is_fixed_time());
            prop_assert!(window.contains_instant(zone, *extra));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "[-0-9*/,#?+LWlwA-Z @.;:é]{0,24}") {
        match CronExpression::parse_all(&text) {
            Ok(cron) => {
                prop_assert_eq!(CronExpression::parse(&cron.normalised()).unwrap().normalised(), cron.normalised());
                prop_assert!(!cron.describe().is_empty());
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(text.get(error.span()).is_some());
                    prop_assert!(!error.help().is_empty());
                }
            }
        }
    }

    #[test]
    fn five_generated_fields_are_read_or_refused_with_a_place(
        fields in prop::collection::vec("[0-9*/,?+LW#-]{1,4}", 5..=7),
    ) {
        let text = fields.join(" ");
        match CronExpression::parse_all(&text) {
            Ok(cron) => {
                let normal = CronExpression::parse(&cron.normalised()).unwrap();
                prop_assert_eq!(normal.normalised(), cron.normalised());
                prop_assert_eq!(normal.is_fixed_time(), cron.is_fixed_time());
                prop_assert!(!cron.describe().is_empty());
            }
            Err(errors) => prop_assert!(errors.iter().all(|error| text.get(error.span()).is_some())),
        }
    }
}
