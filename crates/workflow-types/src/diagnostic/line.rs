//! Keeps a sentence on one line, whatever an author wrote that it quotes.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with what would break, hide or turn it around shown as an escape.
///
/// Line breaks, other control characters, and the signs that change the direction of writing.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_unseen(c) => {
                // Writing into a string never fails.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The same of one character.
pub(crate) fn escaped_char(c: char) -> String {
    escaped(c.encode_utf8(&mut [0; 4])).into_owned()
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_shown_has_no_control_characters(text in any::<String>()) {
            prop_assert!(!escaped(&text).contains(char::is_control));
        }

        #[test]
        fn visible_text_stays_as_it_is(text in "[ -~é☕]{0,20}") {
            let shown = escaped(&text).into_owned();
            prop_assert_eq!(shown, text);
        }
    }

    #[test]
    fn line_breaks_are_shown_as_they_are_written() {
        assert_eq!(escaped("b\n\u{1b}[1m\u{202e}c"), "b\\n\\u{1b}[1m\\u{202e}c");
    }
}
