//! The library's fires against those of an oracle that tries every wall time.
//!
//! The oracle is written from the rules alone and shares no code with what it checks; it is held
//! against the shared cases itself. `AGENTSPACE_ORACLE_PATTERNS=N` compares N patterns in each zone
//! over 24 years as well, and `AGENTSPACE_ORACLE_SEED` draws others.

#![expect(clippy::unwrap_used, reason = "test helpers fail loudly")]

mod schedule_oracle {
    pub(crate) mod clock;
    pub(crate) mod draw;
    pub(crate) mod pattern;
    pub(crate) mod window;
}

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use schedule_oracle::clock::Oracle;
use schedule_oracle::draw::{Change, Draw, changes};
use schedule_oracle::pattern::Pattern;
use schedule_oracle::window::Window;
use serde::Deserialize;
use workflow_types::schedule::{CronExpression, TimeZone, fires_after, fires_within};

/// Draws for each zone in the form that always runs.
const DRAWS: u64 = 8;
/// Draws for each of a few changes by something else than an hour, which are rare.
const DRAWS_OF_UNUSUAL: usize = 3;
const MOST_UNUSUAL: usize = 8;
/// Most fires of one draw.
const MOST: usize = 150;

#[derive(Deserialize)]
struct Case {
    pattern: String,
    tz: String,
    after: DateTime<Utc>,
    next: Vec<DateTime<Utc>>,
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap())
}

/// A pattern in a zone, and perhaps a window, with where the comparison begins.
struct Question {
    pattern: String,
    zone: Tz,
    window: Option<Window>,
    after: DateTime<Utc>,
}

impl Question {
    /// The library's fires from the beginning to `until`, but at most so many.
    fn found(&self, until: DateTime<Utc>, most: usize) -> Option<Vec<DateTime<Utc>>> {
        let cron = CronExpression::parse(&self.pattern).ok()?;
        let zone = TimeZone::from(self.zone);
        let hours = self.window.as_ref().map(Window::to_active_hours);
        let fires = match &hours {
            Some(hours) => fires_within(&cron, zone, hours, self.after),
            None => fires_after(&cron, zone, self.after),
        };
        let fires = fires.map(|fire| fire.instant());
        Some(fires.take_while(|fire| *fire <= until).take(most).collect())
    }

    /// Compares up to `until`, or to the last of so many fires. How many there were; none if the
    /// pattern never fires.
    fn compare(&self, until: DateTime<Utc>, most: usize) -> Option<usize> {
        let found = self.found(until, most)?;
        let until = match found.last() {
            Some(last) if found.len() == most => *last,
            Some(_) | None => until,
        };
        let pattern = Pattern::read(&self.pattern);
        let oracle = Oracle::new(&pattern, self.zone, self.window.as_ref());
        let expected = oracle.fires(self.after, until);
        let differs = found
            .iter()
            .zip(&expected)
            .position(|(one, other)| one != other);
        let at = differs.unwrap_or(found.len().min(expected.len()));
        assert!(
            found == expected,
            "`{}` in {} within {:?} after {}: fire {at} is {:?}, expected {:?}",
            self.pattern,
            self.zone,
            self.window,
            self.after,
            found.get(at),
            expected.get(at)
        );
        Some(found.len())
    }
}

#[test]
fn the_oracle_agrees_with_the_shared_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/cron/next.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Case> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut seconds = 0;
    for case in &cases {
        let pattern = Pattern::read(&case.pattern);
        let oracle = Oracle::new(&pattern, case.tz.parse().unwrap(), None);
        let last = *case.next.last().unwrap();
        let fires = oracle.fires(case.after, last);
        assert_eq!(
            fires, case.next,
            "`{}` in {} after {}",
            case.pattern, case.tz, case.after
        );
        seconds += (last - case.after).num_seconds();
    }
    println!(
        "the oracle agrees with {} of {} cases, {} years of wall time",
        cases.len(),
        cases.len(),
        seconds / 31_556_952
    );
}

#[test]
fn fires_near_clock_changes_are_those_of_the_oracle() {
    let mut draw = Draw::new(setting("AGENTSPACE_ORACLE_SEED").unwrap_or(1));
    let (mut zones, mut questions, mut fires) = (0, 0, 0);
    for zone in TZ_VARIANTS {
        let changes = changes(
            zone,
            instant("1972-01-01T00:00:00Z"),
            instant("2099-12-01T00:00:00Z"),
        );
        if changes.is_empty() {
            continue;
        }
        zones += 1;
        let mut near: Vec<Change> = (0..DRAWS).map(|_| *draw.one_of(&changes)).collect();
        let unusual = changes.iter().filter(|change| change.by.abs() != 3_600);
        let unusual: Vec<Change> = unusual.copied().collect();
        for _ in 0..unusual.len().min(MOST_UNUSUAL) {
            near.extend([*draw.one_of(&unusual); DRAWS_OF_UNUSUAL]);
        }
        for change in near {
            let compared = near_a_change(&mut draw, zone, change);
            questions += u64::from(compared.is_some());
            fires += compared.unwrap_or(0);
        }
    }
    println!(
        "{zones} zones, {questions} patterns near clock changes: {fires} fires compared, 0 differences"
    );
    assert!(fires > 20_000, "{fires}");
}

/// Compares one pattern around a change; none if the pattern never fires.
fn near_a_change(draw: &mut Draw, zone: Tz, change: Change) -> Option<usize> {
    let pattern = draw.pattern(true);
    // Seconds are many.
    let six_fields = pattern.split(' ').count() == 6;
    let hours = if six_fields { 6 } else { 72 };
    // Within the hours around it, or from well before it on.
    let after = change.at
        + match draw.below(2) {
            0 => draw.between(-2 * 3_600, 3 * 3_600),
            _ => draw.between(-hours * 3_000, hours * 600),
        };
    let question = Question {
        pattern,
        zone,
        window: draw.window(),
        after: DateTime::from_timestamp(after, 0).unwrap(),
    };
    question.compare(question.after + TimeDelta::hours(hours), MOST)
}

/// Every wall time of 24 years that a pattern names, in every zone whose clocks change meanwhile.
#[test]
fn fires_of_24_years_are_those_of_the_oracle() {
    let (first, last) = (
        instant("2014-01-01T00:00:00Z"),
        instant("2038-01-01T00:00:00Z"),
    );
    let Some(patterns) = setting("AGENTSPACE_ORACLE_PATTERNS") else {
        // One zone of each kind: an hour, half an hour, two hours, Ramadan, a day that was skipped
        // before, clocks that were set at midnight.
        let mut draw = Draw::new(7);
        for zone in [
            Tz::Europe__Berlin,
            Tz::Australia__Lord_Howe,
            Tz::Antarctica__Troll,
            Tz::Africa__Casablanca,
            Tz::Africa__Cairo,
            Tz::America__Nuuk,
        ] {
            over_years(&mut draw, zone, (first, first + TimeDelta::days(366)));
        }
        return;
    };
    let mut draw = Draw::new(setting("AGENTSPACE_ORACLE_SEED").unwrap_or(1));
    let (mut zones, mut fires) = (0_u64, 0);
    for zone in TZ_VARIANTS {
        if changes(zone, first, last).is_empty() {
            continue;
        }
        zones += 1;
        for _ in 0..patterns {
            fires += over_years(&mut draw, zone, (first, last));
        }
    }
    println!(
        "{zones} zones x 24 years x {patterns} patterns: {fires} fires compared, 0 differences"
    );
}

/// Compares one pattern over years; how many fires there were.
fn over_years(draw: &mut Draw, zone: Tz, (first, last): (DateTime<Utc>, DateTime<Utc>)) -> usize {
    loop {
        let question = Question {
            pattern: draw.pattern(false),
            zone,
            window: draw.window(),
            after: first,
        };
        if let Some(fires) = question.compare(last, usize::MAX) {
            return fires;
        }
    }
}
