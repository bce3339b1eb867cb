//! Time zones by IANA name, and the offsets that the search for fires needs (rule T1).
//!
//! The database is compiled in; nothing is read from the machine. Knows no patterns.

mod spans;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::cron::calendar::DAY;
pub(super) use spans::Span;

/// Release of the tz database that is compiled in, such as `2025b`. When it changes,
/// stored next fire times are stale (rule T1).
pub const TZ_DATABASE_VERSION: &str = chrono_tz::IANA_TZDB_VERSION;

/// A time zone of the IANA database, by its exact name.
///
/// The compiled table knows clock changes up to the year 2100 and keeps the last offset
/// from then on.
///
/// ```
/// use workflow_types::schedule::TimeZone;
///
/// let zone: TimeZone = "Europe/Berlin".parse()?;
/// assert_eq!(zone.name(), "Europe/Berlin");
/// let error = "Europe/Berln".parse::<TimeZone>().unwrap_err();
/// assert_eq!(error.suggestion(), Some("Europe/Berlin"));
/// # Ok::<(), workflow_types::schedule::UnknownTimeZone>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(Tz);

/// A name that the IANA database lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone `{name}`, expected an IANA name such as `Europe/Berlin`{}", hint(*.suggestion, name))]
pub struct UnknownTimeZone {
    name: String,
    suggestion: Option<&'static str>,
}

impl UnknownTimeZone {
    /// The name that is probably meant.
    pub fn suggestion(&self) -> Option<&'static str> {
        self.suggestion
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        match remedy(self.suggestion, &self.name) {
            Some(remedy) => remedy,
            None => "use an IANA name such as `Europe/Berlin`, or `UTC`".to_owned(),
        }
    }
}

impl TimeZone {
    /// Coordinated Universal Time: no offset, no daylight saving.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The zone as chrono's calendar code takes it.
    pub fn tz(self) -> Tz {
        self.0
    }

    /// What a clock on the wall shows at an instant.
    pub fn wall_time(self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.0).naive_local()
    }

    /// Seconds to add to UTC at an instant, given in seconds since the epoch.
    pub(super) fn offset(self, instant: i64) -> i64 {
        self.span(instant).offset
    }

    /// The offset at an instant, and how long it certainly lasts; perhaps longer.
    pub(super) fn span(self, instant: i64) -> Span {
        if self.0 == Tz::UTC {
            return Span {
                offset: 0,
                end: i64::MAX,
            };
        }
        let ask = |instant| self.compiled_offset(instant);
        spans::at(self.0, instant, ask).unwrap_or_else(|| Span {
            offset: ask(instant),
            end: instant + 1,
        })
    }

    /// What chrono-tz says.
    fn compiled_offset(self, instant: i64) -> i64 {
        let offset = self.0.offset_from_utc_datetime(&wall_from_seconds(instant));
        i64::from(offset.fix().local_minus_utc())
    }

    /// The first instant with the offset of `after`, where `before` has another one and
    /// one transition lies between.
    pub(super) fn transition(self, before: i64, after: i64) -> i64 {
        let old = self.offset(before);
        spans::first(before, after, |instant| self.offset(instant) != old)
    }

    /// Wall times, as seconds, that the clocks skip between two instants at most a day
    /// apart.
    pub(super) fn gap_between(self, from: i64, to: i64) -> Option<Range<i64>> {
        let (old, new) = (self.offset(from), self.offset(to));
        (new > old).then(|| {
            let transition = self.transition(from, to);
            transition + old..transition + new
        })
    }
}

impl From<Tz> for TimeZone {
    fn from(zone: Tz) -> Self {
        Self(zone)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeZone").field(&self.name()).finish()
    }
}

impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        name.parse().map(Self).map_err(|_| UnknownTimeZone {
            name: name.to_owned(),
            suggestion: closest(name),
        })
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// Plain date and time of seconds since 1970-01-01T00:00; the far ends of chrono's range
/// stand for what lies beyond them.
pub(super) fn wall_from_seconds(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).map_or_else(
        || {
            if seconds < 0 {
                NaiveDateTime::MIN
            } else {
                NaiveDateTime::MAX
            }
        },
        |instant| instant.naive_utc(),
    )
}

fn hint(suggestion: Option<&str>, name: &str) -> String {
    remedy(suggestion, name).map_or_else(String::new, |remedy| format!("; {remedy}"))
}

fn remedy(suggestion: Option<&str>, name: &str) -> Option<String> {
    if let Some(known) = suggestion {
        Some(format!("did you mean `{known}`?"))
    } else if name.contains(|c: char| c.is_ascii_digit()) {
        let help = "name a place, as `Europe/Berlin`, whose summer time is known; a fixed offset is \
                    `Etc/GMT-2` for UTC+2, with the sign reversed";
        Some(help.to_owned())
    } else {
        None
    }
}

/// The known name nearest to `name`: the same in other case or blanks, the same city in
/// another area, or a few letters off.
fn closest(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let wanted = plain(name);
    if wanted.is_empty() {
        return None;
    }
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let city = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let wanted_city = wanted.rsplit('/').next().unwrap_or(&wanted);
    let same = names().find(|name| plain(name) == wanted);
    let same_city = || names().find(|name| plain(city(name)) == wanted_city);
    let near = || {
        names()
            .map(|name| (strsim::damerau_levenshtein(&plain(name), &wanted), name))
            .filter(|(distance, name)| *distance * 4 <= name.len())
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name)
    };
    same.or_else(same_city).or_else(near)
}

/// Longest time between two instants that [`TimeZone::transition`] is asked about: no
/// zone has had two transitions within it since 1970.
pub(super) const NEAR: i64 = 2 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    /// A zone's spans from 1970 on, as far as the tables reach, those of equal offset joined.
    fn spans(zone: TimeZone) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut instant = 0;
        while instant < 1 << 32 {
            let span = zone.span(instant);
            instant = span.end;
            match spans.last_mut() {
                Some(last) if last.offset == span.offset => last.end = span.end,
                Some(_) | None => spans.push(span),
            }
        }
        spans
    }

    #[test]
    fn no_zone_changes_twice_within_the_near_span_and_spans_are_what_is_compiled_in() {
        let mut changes = 0;
        for zone in TZ_VARIANTS.iter().copied().map(TimeZone) {
            let mut begin = 0;
            for Span { offset, end } in spans(zone) {
                assert!(end - begin > NEAR, "{zone} at {begin}");
                let last = end.min(1 << 32) - 1;
                for instant in [begin, begin.midpoint(last), last] {
                    assert_eq!(zone.compiled_offset(instant), offset, "{zone} at {instant}");
                }
                begin = end;
                changes += 1;
            }
            for instant in [i64::MIN, -1, 1 << 32, i64::MAX - 1] {
                let expected = zone.compiled_offset(instant);
                assert_eq!(zone.offset(instant), expected, "{zone} at {instant}");
            }
        }
        assert!(changes > 50_000, "{changes}");
    }

    #[test]
    fn unknown_names_get_a_suggestion() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(
                name.parse::<TimeZone>().unwrap_err().suggestion(),
                expected,
                "{name}"
            );
        };
        check("europe/berlin", Some("Europe/Berlin"));
        check("Berlin", Some("Europe/Berlin"));
        check("America/New York", Some("America/New_York"));
        check("Europe/Berln", Some("Europe/Berlin"));
        check("Asia/Tokio", Some("Asia/Tokyo"));
        check("", None);
        check("+02:00", None);
        check("Middle-earth/Mordor", None);
    }

    #[test]
    fn serde_uses_the_name() {
        let zone: TimeZone = serde_json::from_str("\"Asia/Kolkata\"").unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Kolkata\"");
        let error = serde_json::from_str::<TimeZone>("\"utc+2\"").unwrap_err();
        assert!(error.to_string().contains("Etc/GMT-2"), "{error}");
    }
}
