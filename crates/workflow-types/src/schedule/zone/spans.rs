//! Offsets of zones as short tables: chrono-tz is asked once for each piece of time.
//!
//! A look at chrono-tz takes as long as all else of the search for the next fire, which needs two or
//! more of them, and a program asks about few zones and few years. The tables are what chrono-tz says and nothing else; a piece of
//! one is made when an instant in it is asked about, and kept until the program ends.

use std::ops::Range;
use std::sync::OnceLock;

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::schedule::cron::calendar::DAY;

/// Time from which on a zone keeps its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schedule) struct Span {
    /// Seconds to add to UTC.
    pub(in crate::schedule) offset: i64,
    /// The first instant at which the offset may be another one.
    pub(in crate::schedule) end: i64,
}

/// Seconds of a piece as a power of two: 388 days.
const PIECE_BITS: u32 = 25;
const PIECE: i64 = 1 << PIECE_BITS;
/// Pieces from 1970 to 2106; chrono-tz knows clock changes up to 2100.
const PIECES: usize = 128;

/// The spans of a piece in their order; the last one ends with the piece.
type Piece = OnceLock<Box<[Span]>>;
type Pieces = [Piece; PIECES];

static ZONES: [OnceLock<Box<Pieces>>; TZ_VARIANTS.len()] =
    [const { OnceLock::new() }; TZ_VARIANTS.len()];

/// The span of a zone that holds an instant, if a table reaches as far. `ask` is chrono-tz.
pub(super) fn at(zone: Tz, instant: i64, ask: impl Fn(i64) -> i64) -> Option<Span> {
    let number = usize::try_from(instant >> PIECE_BITS).ok()?;
    let pieces = ZONES
        .get(zone as usize)?
        .get_or_init(|| Box::new([const { Piece::new() }; PIECES]));
    let spans = pieces.get(number)?.get_or_init(|| {
        let begin = instant & !(PIECE - 1);
        piece(begin..begin + PIECE, ask)
    });
    spans.iter().find(|span| instant < span.end).copied()
}

/// The spans of a piece of time. No zone changes twice within a day, so a look a day suffices.
fn piece(time: Range<i64>, ask: impl Fn(i64) -> i64) -> Box<[Span]> {
    let mut spans = Vec::new();
    let mut offset = ask(time.start);
    let mut seen = time.start;
    while seen < time.end {
        let next = (seen + DAY).min(time.end);
        // The last look is at the last second of the piece.
        let new = ask(next.min(time.end - 1));
        if new != offset {
            let end = first(seen, next, |instant| ask(instant) == new);
            spans.push(Span { offset, end });
            offset = new;
        }
        seen = next;
    }
    spans.push(Span {
        offset,
        end: time.end,
    });
    spans.into_boxed_slice()
}

/// The first instant after `before` for which something holds that holds from then on, at `after`
/// at the latest.
pub(super) fn first(before: i64, after: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut before, mut after) = (before, after);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if holds(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_the_last_second_of_a_piece_is_seen() {
        let end = PIECE;
        for change in [1, DAY, DAY + 1, end - DAY, end - 2, end - 1] {
            let spans = piece(0..end, |instant| i64::from(instant >= change));
            let expected = [
                Span {
                    offset: 0,
                    end: change,
                },
                Span { offset: 1, end },
            ];
            assert_eq!(*spans, expected, "{change}");
        }
    }

    #[test]
    fn every_zone_has_a_table_of_its_own() {
        let mut numbers: Vec<usize> = TZ_VARIANTS.iter().map(|zone| *zone as usize).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..TZ_VARIANTS.len()));
    }
}
