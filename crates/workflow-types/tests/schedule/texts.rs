//! The texts that authors see: errors and warnings of patterns.

use std::fmt::Write;

use workflow_types::schedule::{CronExpression, CronWarning, CronWarningKind, TimeZone};

#[test]
fn errors_name_place_expectation_and_remedy() {
    let patterns = [
        "0 22-2 * * *",
        "0 0 * NOV-FEB *",
        "0 0 * * 6-1",
        "0 0 * * SAT-TUE",
        "0 0 * * 5-0",
        "0 0 * * 7-2",
        "0 22-1/2 * * *",
        "0 0 0 1 1 * 2030-2027",
        "5/15 * * * *",
        "0 0 * * MON/2",
        "0 0 * JUN/3 *",
        "59/5 * * * *",
        "*/0 * * * *",
        "*/90 * * * *",
        "1,,2 0 * * *",
        ", 0 * * *",
        "0 0,12, * * *",
        "0 MON * * *",
        "0 0 * MON *",
        "0 0 * * JAN",
        "0 0 * JANUARY *",
        "0 9 * * 1 2027",
        "0 10 * * ? *",
        "0 10 ? * MON *",
        "? 0 * * *",
        "0 0 ?,5 * *",
        "0 0 15 W * *",
        "0 0 * * L",
        "0 0 WL * *",
        "0 0 L-3W * *",
        "0 0 * * 1-5L",
        "0 0 * * *#2",
        "0 0 * * MON#6",
        "0 0 1 * ++MON",
        "0 5L * * *",
        "H * * * *",
        "0\u{a0}0 * * *",
        "0 0 * * *\n",
        "０ 0 * * *",
        "@reboot",
        "@dayly",
        "@every 5m",
        "CRON_TZ=UTC 0 0 * * *",
        "cron(0 10 * * ? *)",
        "0 0 31 2 *",
        "0 0 0 29 2 * 2025",
        "0 0 1-7 * +MON#2",
        "61 25 32 13 8",
        "",
    ];
    let mut text = String::new();
    for pattern in patterns {
        writeln!(text, "{pattern:?}").unwrap();
        for error in CronExpression::parse_all(pattern).unwrap_err() {
            writeln!(text, "  {error}").unwrap();
            writeln!(text, "  help: {}", error.help()).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn remedies_of_ranges_and_steps_are_valid_themselves() {
    for (wrong, remedy) in [
        ("0 22-2 * * *", "22-23,0-2"),
        ("0 23-0 * * *", "23,0"),
        ("58-1 0 * * *", "58-59,0-1"),
        ("0 0 30-2 * *", "30-31,1-2"),
        ("0 0 * NOV-FEB *", "NOV-DEC,JAN-FEB"),
        ("0 0 * * 6-1", "6-7,1"),
        ("0 0 * * SAT-TUE", "SAT-SUN,MON-TUE"),
        ("0 0 * * 5-0", "5-7"),
        ("0 0 * * 7-2", "0-2"),
        ("0 22-1/2 * * *", "22,0"),
        ("5/15 * * * *", "5-59/15"),
        ("0 0 * * MON/2", "MON-SUN/2"),
        ("0 0 * * 0/2", "0-6/2"),
        ("0 0 * JUN/3 *", "JUN-DEC/3"),
        ("0 0 0 1 1 * 2030-2027", "2027-2030"),
        ("59/5 * * * *", "59"),
    ] {
        let error = CronExpression::parse(wrong).unwrap_err();
        assert!(
            error.help().ends_with(&format!("`{remedy}`")),
            "{wrong}: {}",
            error.help()
        );
        let mut right = wrong.to_owned();
        right.replace_range(error.span(), remedy);
        assert!(CronExpression::parse(&right).is_ok(), "{right}");
    }
}

#[test]
fn warnings_tell_what_happens() {
    let patterns = [
        "0 0 13 * FRI",
        "0 0 31 * *",
        "0 0 29-31 * *",
        "0 0 15,30 * *",
        "0 0 31W * *",
        "*/7 * * * *",
        "0 */5 */2 * */3",
        "0 9 * * * *",
        "30 9 * * 1 *",
    ];
    let mut text = String::new();
    for pattern in patterns {
        writeln!(text, "{pattern}").unwrap();
        for warning in CronExpression::parse(pattern).unwrap().warnings() {
            writeln!(
                text,
                "  {:?} at {:?}: {warning}",
                warning.kind(),
                warning.span()
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn harmless_patterns_get_no_warning() {
    for pattern in [
        "*/15 9-17 * * MON-FRI",
        "0 0 13 * +FRI",
        "0 0 L * *",
        "0 0 31 1,3 *",
        "0 0 30,L * *",
        "0 0 29 3-12 *",
        "0 0 15-31 * *",
        "0 0 * * * *",
        "0 30 * * * *",
        "*/20 * * * * *",
        "@yearly",
        "0 0 0 1 1 * 2027",
    ] {
        assert_eq!(
            CronExpression::parse(pattern).unwrap().warnings(),
            [],
            "{pattern}"
        );
    }
}

#[test]
fn gap_warning_names_the_date() {
    let check = |pattern: &str, zone: &str, now: &str, expected: &[&str]| {
        let zone: TimeZone = zone.parse().unwrap();
        let cron = CronExpression::parse(pattern).unwrap();
        let warnings = cron.gap_warnings(zone, now.parse().unwrap());
        assert!(warnings.iter().all(|w| w.kind() == CronWarningKind::Gap));
        let messages: Vec<&str> = warnings.iter().map(CronWarning::message).collect();
        assert_eq!(messages, expected);
    };
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-01-01T00:00:00Z",
        &[
            "2026-03-29 02:30 does not exist in Europe/Berlin, where clocks skip from 02:00 to 03:00: it fires at 03:00 instead",
        ],
    );
    check("*/30 2 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", &[]);
    check("30 3 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", &[]);
    check("30 2 * * MON", "Europe/Berlin", "2026-01-01T00:00:00Z", &[]);
    check("30 2 * * *", "UTC", "2026-01-01T00:00:00Z", &[]);
    check(
        "0 12 * * *",
        "Pacific/Apia",
        "2011-11-01T00:00:00Z",
        &[
            "2011-12-30 12:00 does not exist in Pacific/Apia, where clocks skip from 2011-12-30 00:00 to 2011-12-31 00:00: it does not fire",
        ],
    );
}
