//! How a number is written, before a parser turns it into what it can hold.

use std::fmt;

use super::SourceFormat;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer};

/// Whether a number is written as JSON would not show it again: `1e9`, `1.10`, `0x1f`.
pub(super) fn is_in_other_words(text: &str) -> bool {
    let is_whole = text
        .parse::<i64>()
        .is_ok_and(|number| number.to_string() == text);
    let hexadecimal = text.starts_with("0x") || text.starts_with("0o");
    !is_whole && (hexadecimal || text.parse::<f64>().is_ok_and(f64::is_finite))
}

/// Whether a value without quotes is a number that the parser of its format would change or take
/// for a text, instead of saying that it is too large.
pub(super) fn is_lost(text: &str, format: SourceFormat) -> bool {
    // Not `inf` and `nan`, which the standard library reads as well.
    let written = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !text.bytes().all(written) {
        return false;
    }
    let Ok(number) = text.parse::<f64>() else {
        return false;
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return !number.is_finite();
    }
    match format {
        SourceFormat::Json => text.parse::<i64>().is_err() && text.parse::<u64>().is_err(),
        // With zeros in front it is a text, and up to 128 bits the parser tells what it read.
        SourceFormat::Yaml => {
            let is_text = digits.len() > 1 && digits.starts_with('0');
            !is_text && text.parse::<i128>().is_err() && text.parse::<u128>().is_err()
        }
    }
}

/// A number that no value can hold.
pub(super) fn too_large(place: Place, at: &Pointer, number: impl fmt::Display) -> Diagnostic {
    Diagnostic::new(
        Code::Unsupported,
        place,
        format!("`{at}` is {number}, which is no number of 64 bits"),
    )
    .help("use a smaller number, or put it in quotes")
}
