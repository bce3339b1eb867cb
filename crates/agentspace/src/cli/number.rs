//! Numbers as people type them: what is refused says which are expected.
//!
//! The options that take them let a minus through, so that it is this that refuses it.

use std::num::{NonZeroU32, NonZeroUsize};

/// The most fire times that are told at once: more than a year of hourly ones. What lies further is
/// begun at by another instant, and a number that was mistyped does not fill a terminal for hours.
const MOST_FIRES: u128 = 10_000;

/// A number of things, at least one.
pub(crate) fn some(text: &str) -> Result<NonZeroUsize, String> {
    let number = positive(text, usize::MAX as u128)?;
    let number = usize::try_from(number).ok().and_then(NonZeroUsize::new);
    number.ok_or_else(|| expected_from(1))
}

/// As [`some`], in 32 bits.
pub(crate) fn some_32(text: &str) -> Result<NonZeroU32, String> {
    let number = positive(text, u128::from(u32::MAX))?;
    let number = u32::try_from(number).ok().and_then(NonZeroU32::new);
    number.ok_or_else(|| expected_from(1))
}

/// How many fire times are told.
pub(crate) fn fires(text: &str) -> Result<NonZeroUsize, String> {
    positive(text, MOST_FIRES).map_err(|expected| {
        if some(text).is_ok() {
            format!("{expected}; --after begins later")
        } else {
            expected
        }
    })?;
    some(text)
}

/// A number of things, or none, in 32 bits.
pub(crate) fn any_32(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| expected(0, u128::from(u32::MAX)))
}

/// A place in a list: 0 is before the first.
pub(crate) fn place(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| expected(0, u128::from(u64::MAX)))
}

fn positive(text: &str, most: u128) -> Result<u128, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| expected(1, most))
}

/// What was expected; the most is told where somebody could come near it.
fn expected(least: u8, most: u128) -> String {
    if most > MOST_FIRES {
        return expected_from(least);
    }
    format!("expected a whole number from {least} to {most}")
}

fn expected_from(least: u8) -> String {
    format!("expected a whole number from {least}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_things_is_told_what_is_expected() {
        assert_eq!(some("7").unwrap().get(), 7);
        assert_eq!(some(&usize::MAX.to_string()).unwrap(), NonZeroUsize::MAX);
        assert_eq!(some_32("7").unwrap().get(), 7);
        assert_eq!(any_32("0"), Ok(0));
        assert_eq!(place("0"), Ok(0));
        for text in ["0", "-1", "1.5", "many", "", "99999999999999999999999"] {
            let expected = Err("expected a whole number from 1".to_owned());
            assert_eq!(some(text).map(|_| ()), expected, "{text}");
            assert_eq!(some_32(text).map(|_| ()), expected, "{text}");
        }
        for text in ["-1", "1.5", "", "99999999999999999999999"] {
            let expected = "expected a whole number from 0";
            assert_eq!(any_32(text).unwrap_err(), expected, "{text}");
            assert_eq!(place(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn fire_times_are_told_up_to_a_bound_and_the_way_beyond_it() {
        assert_eq!(fires("10000").unwrap().get(), 10_000);
        assert_eq!(
            fires("10001").unwrap_err(),
            "expected a whole number from 1 to 10000; --after begins later"
        );
        let expected = "expected a whole number from 1 to 10000";
        assert_eq!(fires("-1").unwrap_err(), expected);
    }
}
