//! The seven fields of a cron pattern: their names, limits and value names.
//!
//! Knows nothing of patterns, errors or dates.

/// One position of a cron pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Second,
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
    Year,
}

/// Fields of a five-field pattern, in order (rule P1).
pub(super) const FIVE: &[Field] = &[
    Field::Minute,
    Field::Hour,
    Field::DayOfMonth,
    Field::Month,
    Field::DayOfWeek,
];

/// Fields of a six-field pattern, seconds first (rule P1).
pub(super) const SIX: &[Field] = &[
    Field::Second,
    Field::Minute,
    Field::Hour,
    Field::DayOfMonth,
    Field::Month,
    Field::DayOfWeek,
];

/// Fields of a seven-field pattern (rule P1).
pub(super) const SEVEN: &[Field] = &[
    Field::Second,
    Field::Minute,
    Field::Hour,
    Field::DayOfMonth,
    Field::Month,
    Field::DayOfWeek,
    Field::Year,
];

/// Earliest year that a pattern may name; nothing runs before the Unix epoch.
pub(super) const FIRST_YEAR: u32 = 1970;
/// Latest year that a pattern may name, and the last one that is searched.
pub(super) const LAST_YEAR: u32 = 9999;

/// Month names as the grammar reads them; index 0 is month 1.
pub(super) const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

/// Day names as the grammar reads them; index 0 is Sunday.
pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Field {
    /// The field as an error calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
            Self::Year => "year",
        }
    }

    /// Smallest number that the field takes.
    pub(super) fn min(self) -> u32 {
        match self {
            Self::Second | Self::Minute | Self::Hour | Self::DayOfWeek => 0,
            Self::DayOfMonth | Self::Month => 1,
            Self::Year => FIRST_YEAR,
        }
    }

    /// Largest number that the field takes; 7 is Sunday once more (rule P2).
    pub(super) fn max(self) -> u32 {
        match self {
            Self::Second | Self::Minute => 59,
            Self::Hour => 23,
            Self::DayOfMonth => 31,
            Self::Month => 12,
            Self::DayOfWeek => 7,
            Self::Year => LAST_YEAR,
        }
    }

    /// Last value of a bare `*`; differs from [`Field::max`] where Sunday has two numbers.
    pub(super) fn last(self) -> u32 {
        if self == Self::DayOfWeek {
            6
        } else {
            self.max()
        }
    }

    /// Number behind an upper-case name, such as `JAN` or `MON`.
    pub(super) fn named(self, name: &str) -> Option<u32> {
        let index = self.names().iter().position(|&known| known == name)?;
        u32::try_from(index).ok().map(|index| index + self.min())
    }

    /// Value names of the field, from its smallest number up; empty where it has none.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            Self::Second | Self::Minute | Self::Hour | Self::DayOfMonth | Self::Year => &[],
        }
    }

    /// What the field takes, for the "expected" half of an error.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => "0-59",
            Self::Hour => "0-23",
            Self::DayOfMonth => "1-31",
            Self::Month => "1-12 or JAN-DEC",
            Self::DayOfWeek => "0-7 or SUN-SAT",
            Self::Year => "1970-9999",
        }
    }

    /// How to write a value of the field, for the help of an error.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Second => "seconds run from 0 to 59; write for example `0`, `*/10` or `15,45`",
            Self::Minute => "minutes run from 0 to 59; write for example `0`, `*/5` or `15,45`",
            Self::Hour => "hours run from 0 (midnight) to 23; write for example `9` or `9-17`",
            Self::DayOfMonth => {
                "days run from 1 to 31; `L` is the last day, `LW` the last weekday, \
                 `15W` the weekday nearest to the 15th"
            }
            Self::Month => {
                "months run from 1 (`JAN`) to 12 (`DEC`); write for example `3` or `MAR-MAY`"
            }
            Self::DayOfWeek => {
                "days run from 0 (`SUN`) to 6 (`SAT`), and 7 is Sunday too; \
                 write for example `MON-FRI`, `MON#1` or `FRI#L`"
            }
            Self::Year => "years run from 1970 to 9999; write for example `2027` or `2027-2030`",
        }
    }

    /// Whether this is one of the two day fields, which take `?`.
    pub(super) fn is_day(self) -> bool {
        matches!(self, Self::DayOfMonth | Self::DayOfWeek)
    }

    /// Whether a `*` or a step here makes the pattern an interval job (rule T2).
    pub(super) fn is_time_of_day(self) -> bool {
        matches!(self, Self::Second | Self::Minute | Self::Hour)
    }
}
