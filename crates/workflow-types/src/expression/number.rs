//! Numbers as JavaScript reads, prints and rounds them.
//!
//! Knows nothing of expressions or values.

use super::utf16;

/// JavaScript's `String(number)`.
pub(super) fn to_text(number: f64) -> String {
    ryu_js::Buffer::new().format(number).to_owned()
}

/// JavaScript's `Number(text)`: not a number where the text is not exactly one literal.
pub(super) fn from_text(text: &str) -> f64 {
    let text = utf16::trim(text);
    match text {
        "" => return 0.0,
        "Infinity" | "+Infinity" => return f64::INFINITY,
        "-Infinity" => return f64::NEG_INFINITY,
        _ => {}
    }
    if let Some((digits, radix)) = radix_digits(text) {
        return from_radix(digits, radix).unwrap_or(f64::NAN);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if decimal_length(unsigned) == unsigned.len() {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

/// The base that a literal's prefix names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Radix {
    Binary,
    Octal,
    Hexadecimal,
}

impl Radix {
    fn bits(self) -> u32 {
        match self {
            Self::Binary => 1,
            Self::Octal => 3,
            Self::Hexadecimal => 4,
        }
    }
}

/// What follows `0x`, `0o` or `0b`.
pub(super) fn radix_digits(text: &str) -> Option<(&str, Radix)> {
    let rest = text.strip_prefix('0')?;
    let radix = match rest.chars().next()? {
        'x' | 'X' => Radix::Hexadecimal,
        'o' | 'O' => Radix::Octal,
        'b' | 'B' => Radix::Binary,
        _ => return None,
    };
    Some((rest.get(1..)?, radix))
}

/// The value of digits in a base that is a power of two, rounded once, to nearest and to even.
pub(super) fn from_radix(digits: &str, radix: Radix) -> Option<f64> {
    let bits = radix.bits();
    let mut head: u64 = 0;
    let mut dropped_digits: i32 = 0;
    for c in digits.chars() {
        let digit = c.to_digit(1 << bits)?;
        if head >> 60 == 0 {
            head = (head << bits) | u64::from(digit);
        } else {
            // 60 bits are more than a number keeps; of the rest only "was any set" matters.
            head |= u64::from(digit != 0);
            dropped_digits = dropped_digits.saturating_add(1);
        }
    }
    if digits.is_empty() {
        return None;
    }
    let scale = 2_f64.powi(dropped_digits.saturating_mul(bits.cast_signed()));
    Some(rounded(head) * scale)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rounding to nearest, ties to even, is what JavaScript does here"
)]
fn rounded(integer: u64) -> f64 {
    integer as f64
}

/// How many bytes at the start of `text` are one unsigned decimal literal: `1`, `1.5`, `.5`,
/// `5.`, each with an exponent. Zero if there is none.
pub(super) fn decimal_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes
            .iter()
            .skip(from)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let whole = digits(0);
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if whole + fraction == 0 {
            return 0;
        }
        end += 1 + fraction;
    }
    if end > 0 && matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// A length or position as a number; lengths are far below the first integer that would round.
#[expect(
    clippy::cast_precision_loss,
    reason = "no collection in memory has 2^53 elements"
)]
pub(super) fn from_count(count: usize) -> f64 {
    count as f64
}

/// A position given as any number: truncated, not-a-number as 0, held within `0..=length`.
pub(super) fn clamp(position: f64, length: usize) -> usize {
    to_index(position).min(length)
}

/// As [`clamp`], but a negative position counts from the end.
pub(super) fn clamp_from_end(position: f64, length: usize) -> usize {
    if position.trunc() < 0.0 {
        length - to_index(-position).min(length)
    } else {
        clamp(position, length)
    }
}

/// The element that a number names: a whole number that is not negative.
pub(super) fn exact_index(position: f64) -> Option<usize> {
    let index = to_index(position);
    let exact = from_count(index).to_bits() == (position + 0.0).to_bits();
    (exact && position < 4_294_967_295.0).then_some(index)
}

/// The element that a property key names: only the plain spelling of the number counts.
pub(super) fn key_index(key: &str) -> Option<usize> {
    let plain = key == "0" || !key.starts_with('0');
    let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    if plain && digits {
        key.parse().ok()
    } else {
        None
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates and takes not-a-number to 0, as wanted"
)]
fn to_index(position: f64) -> usize {
    position as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: f64) {
        let number = from_text(text);
        assert!(
            number.to_bits() == expect.to_bits() || (number.is_nan() && expect.is_nan()),
            "{text:?} gives {number}, expected {expect}"
        );
    }

    #[test]
    fn texts_become_numbers_as_in_javascript() {
        check("", 0.0);
        check(" \n\t", 0.0);
        check(" 12 ", 12.0);
        check("-0", -0.0);
        check("+1.50e+2", 150.0);
        check("5.", 5.0);
        check(".5", 0.5);
        check("0x1F", 31.0);
        check("0b101", 5.0);
        check("0o17", 15.0);
        check("010", 10.0);
        check("Infinity", f64::INFINITY);
        check("-Infinity", f64::NEG_INFINITY);
        check("1e999", f64::INFINITY);
        for text in [
            ".", "e5", "1e", "1e+", "0x", "-0x1", "inf", "nan", "NaN", "1_0", "1 2", "infinity",
            "0xg", "--1",
        ] {
            check(text, f64::NAN);
        }
    }

    #[test]
    fn long_hexadecimals_round_once() {
        check("0x20000000000001", 9_007_199_254_740_992.0);
        check("0x20000000000003", 9_007_199_254_740_996.0);
        check(
            "0x200000000000010000000000000001",
            2_f64.powi(117) + 2_f64.powi(65),
        );
        check(&format!("0x1{}", "0".repeat(300)), f64::INFINITY);
        check(&format!("0x{}1", "0".repeat(300)), 1.0);
    }

    #[test]
    fn numbers_print_as_in_javascript() {
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (123e18, "123000000000000000000"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(to_text(number), text);
        }
    }

    #[test]
    fn positions_are_truncated_and_held_within() {
        assert_eq!(clamp(f64::NAN, 3), 0);
        assert_eq!(clamp(1.9, 3), 1);
        assert_eq!(clamp(f64::INFINITY, 3), 3);
        assert_eq!(clamp(-1.0, 3), 0);
        assert_eq!(clamp_from_end(-1.9, 3), 2);
        assert_eq!(clamp_from_end(-0.9, 3), 0);
        assert_eq!(clamp_from_end(f64::NEG_INFINITY, 3), 0);
    }

    #[test]
    fn only_plain_numbers_are_indices() {
        assert_eq!(exact_index(2.0), Some(2));
        assert_eq!(exact_index(-0.0), Some(0));
        assert_eq!(exact_index(1.5), None);
        assert_eq!(exact_index(-1.0), None);
        assert_eq!(exact_index(f64::NAN), None);
        assert_eq!(key_index("10"), Some(10));
        for key in ["", "01", "1.0", "-1", "+1", "x"] {
            assert_eq!(key_index(key), None);
        }
    }
}
