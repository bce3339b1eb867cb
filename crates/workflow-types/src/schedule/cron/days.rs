//! Which days of a month a pattern names, as one bit per day.
//!
//! Everything here follows from the month's length and the weekday of its first day, so
//! that fourteen kinds of year stand for the whole 400-year cycle (rule P5).

/// How the two day fields are combined (rule P4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DayRule {
    /// Neither field restricts.
    #[default]
    Every,
    /// Only the day of the month restricts.
    OfMonth,
    /// Only the day of the week restricts.
    OfWeek,
    /// Both restrict and one of them suffices.
    Either,
    /// Both restrict and both must agree: the day of the week began with `+`.
    Both,
}

/// Both day fields as bit sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Days {
    /// Days of the month; bit 1 is the 1st.
    pub(super) of_month: u32,
    /// `nW`; bit 1 is the 1st.
    pub(super) nearest_weekday: u32,
    /// `L` is bit 0, `L-n` bit n.
    pub(super) before_last: u32,
    /// `LW`.
    pub(super) last_weekday: bool,
    /// Weekdays; bit 0 is Sunday.
    pub(super) of_week: u8,
    /// `d#n` at index n-1, each a set of weekdays.
    pub(super) nth: [u8; 5],
    /// `dL` and `d#L`: a set of weekdays.
    pub(super) last: u8,
    pub(super) rule: DayRule,
}

/// Saturday and Sunday.
const WEEKEND: u8 = 0b100_0001;

impl Days {
    /// Matching days of a month with `length` days whose first is `first` (0 = Sunday).
    pub(super) fn in_month(&self, length: u32, first: u32) -> u32 {
        match self.rule {
            DayRule::Every => all(length),
            DayRule::OfMonth => self.by_month(length, first),
            DayRule::OfWeek => self.by_week(length, first),
            DayRule::Either => self.by_month(length, first) | self.by_week(length, first),
            DayRule::Both => self.by_month(length, first) & self.by_week(length, first),
        }
    }

    fn by_month(&self, length: u32, first: u32) -> u32 {
        let mut days = self.of_month & all(length);
        for before in bits(self.before_last) {
            if before < length {
                days |= 1 << (length - before);
            }
        }
        if self.last_weekday || self.nearest_weekday != 0 {
            let workdays = spread(!WEEKEND & 0x7f, length, first);
            if self.last_weekday {
                days |= 1 << workdays.ilog2();
            }
            for day in bits(self.nearest_weekday & all(length)) {
                days |= nearest(day, workdays);
            }
        }
        days
    }

    fn by_week(&self, length: u32, first: u32) -> u32 {
        let mut days = spread(self.of_week, length, first);
        for (week, &weekdays) in (0_u32..).zip(&self.nth) {
            days |= spread(weekdays, length, first) & (0b1111_1110 << (7 * week));
        }
        days | spread(self.last, length, first) & (all(length) & !all(length - 7))
    }
}

/// Every day of a set of weekdays in a month.
pub(super) fn spread(weekdays: u8, length: u32, first: u32) -> u32 {
    // Turned so that bit 0 is the weekday of the first, then repeated week by week.
    let week = u64::from(weekdays);
    let turned = (week >> first | week << (7 - first)) & 0x7f;
    let month = turned * 0x1020_4081; // 1 + 2^7 + 2^14 + 2^21 + 2^28
    #[expect(
        clippy::cast_possible_truncation,
        reason = "days beyond the month are cut anyway"
    )]
    let days = (month << 1) as u32;
    days & all(length)
}

/// Set bits from the lowest up.
pub(super) fn bits(mut set: u32) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        (set != 0).then(|| {
            let lowest = set.trailing_zeros();
            set &= set - 1;
            lowest
        })
    })
}

/// Days 1 to `length`.
fn all(length: u32) -> u32 {
    // Shifted in 64 bits, because 31 days fill the last bit of 32.
    #[expect(clippy::cast_possible_truncation, reason = "length is at most 31")]
    let days = ((1_u64 << (length + 1)) - 2) as u32;
    days
}

/// The workday nearest to `day` within its month: never across its border.
fn nearest(day: u32, workdays: u32) -> u32 {
    let bit = 1 << day;
    // A day off is a Saturday (the Friday before is nearer) or a Sunday (the Monday
    // after); at the border of the month the search turns round.
    [bit, bit >> 1, bit << 1, bit << 2, bit >> 2]
        .into_iter()
        .find(|near| near & workdays != 0)
        .unwrap_or(0)
}
