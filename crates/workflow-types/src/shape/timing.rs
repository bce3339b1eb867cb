//! The keys that say when: those of a trigger and of active hours.

use serde_json::json;

use super::{FILLED, Form, Key, List, Pattern, Shape, Whole};
use crate::schedule::{END_PATTERN, LONGEST_JITTER, Misfire, Overlap, TIME_PATTERN};

static TIME: Pattern = Pattern {
    regex: TIME_PATTERN,
    longest: None,
    words: "HH:MM from 00:00 to 23:59, in quotes",
};

static END: Pattern = Pattern {
    regex: END_PATTERN,
    longest: None,
    words: "HH:MM from 00:00 to 24:00, in quotes",
};

static DAYS: List = List {
    of: Form::Whole(Whole {
        least: 1,
        most: Some(7),
    }),
    least: 1,
    most: None,
};

pub(super) const TIMEZONE: Key = Key::optional(
    "timezone",
    Form::Pattern(&FILLED),
    "The time zone by its IANA name; the gateway's default if it is left out.",
)
.example(|| json!("Europe/Berlin"));

pub(super) const HOURS: Key = Key::optional(
    "activeHours",
    Form::Mapping(&ACTIVE_HOURS),
    "The hours outside which nothing starts; always if they are left out.",
)
.example(|| json!({"start": "09:00", "end": "17:30", "daysOfWeek": [1, 2, 3, 4, 5]}));

pub(crate) static TRIGGER: Shape = Shape {
    name: "trigger",
    called: "the trigger",
    doc: "A cron expression with its time zone, its hours, and what becomes of what is missed or overlaps.",
    keys: &[
        Key::required(
            "cron",
            Form::Pattern(&FILLED),
            "say when it starts, as in `cron: \"0 9 * * MON-FRI\"`",
            "When it starts: minute, hour, day of the month, month and day of the week, or `@daily` and the like.",
        )
        .example(|| json!("0 9 * * MON-FRI")),
        TIMEZONE,
        HOURS,
        Key::optional(
            "maxRuns",
            Form::Whole(Whole {
                least: 1,
                most: None,
            }),
            "After how many starts it is done; never if it is left out.",
        )
        .example(|| json!(1)),
        Key::optional(
            "misfire",
            Form::Words(Misfire::WORDS),
            "What becomes of the times that passed while nothing could start.",
        )
        .example(|| json!("skip"))
        .default(|| json!(Misfire::Latest)),
        Key::optional(
            "catchUp",
            Form::Duration(Whole {
                least: 0,
                most: None,
            }),
            "How old a missed time may be to be caught up: milliseconds as a number, or a text such as \"1h\"; if it is left out, half the distance to the next time and at most 12 h with `misfire: latest`, any age with `misfire: all`.",
        )
        .example(|| json!("1h")),
        Key::optional(
            "overlap",
            Form::Words(Overlap::WORDS),
            "What becomes of a time that comes while an earlier execution is not finished.",
        )
        .example(|| json!("buffer_one"))
        .default(|| json!(Overlap::Skip)),
        Key::optional(
            "overlapIgnoresPaused",
            Form::Boolean,
            "Whether an execution that waits for an approval stands in the way of none.",
        )
        .example(|| json!(true))
        .default(|| json!(false)),
        Key::optional(
            "jitter",
            Form::Duration(Whole {
                least: 0,
                most: Some(LONGEST_JITTER.as_secs() * 1_000),
            }),
            "Start later by up to this, always by the same: milliseconds as a number, or a text such as \"5m\".",
        )
        .example(|| json!("5m"))
        .default(|| json!(0)),
        Key::optional(
            "pauseAfterFailures",
            Form::Whole(Whole::POSITIVE),
            "After how many failed executions in a row it is paused; never if it is left out.",
        )
        .example(|| json!(3)),
    ],
};

pub(crate) static ACTIVE_HOURS: Shape = Shape {
    name: "activeHours",
    called: "the active hours",
    doc: "A window of the day; an end before the start means the next day.",
    keys: &[
        Key::required(
            "start",
            Form::Pattern(&TIME),
            "say when the window opens, as \"09:00\"",
            "When the window opens.",
        )
        .example(|| json!("09:00")),
        Key::required(
            "end",
            Form::Pattern(&END),
            "say when the window closes, as \"17:30\"",
            "When the window closes; `24:00` is the end of the day.",
        )
        .example(|| json!("17:30")),
        Key::optional(
            "daysOfWeek",
            Form::List(&DAYS),
            "The days on which the window opens, 1 (Monday) to 7 (Sunday); every day if they are left out.",
        )
        .example(|| json!([1, 2, 3, 4, 5])),
    ],
};
