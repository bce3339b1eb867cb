//! Takes the values of secrets out of what comes back from a call, however a tool encodes them.
//!
//! What it finds: a value, its lines if they are long, its base64 (also within other base64), its
//! hexadecimal form, each of them escaped or percent-encoded up to twice and folded at any width; and
//! the part of a value that is left where a long text was cut. What it cannot find: what was computed
//! from a value otherwise, such as a digest, a reversed text, half a value in the middle of a text.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use workflow_types::id::SecretName;
use workflow_types::template::shown;

use super::view::View;
use super::{SHORTEST_SECRET, SecretValue};

/// How many values are remembered: keepers may give another one for every call.
const MAX_VALUES: usize = 256;
/// The shortest line of a value of several lines that is looked for by itself.
const SHORTEST_LINE: usize = 16;
/// Where a text ends within a value, it was cut; shorter texts are not cut by anybody.
const LONG_TEXT: usize = 1024;
/// What a cut leaves of a value is told from chance by so many bytes, or half the value.
const SHORTEST_PART: usize = 8;

/// The values that must not be shown: those that a gateway has given to calls since it started.
///
/// It is a handle: a host gives it to [`GatewayBuilder::mask`](crate::GatewayBuilder::mask) and to
/// whatever writes its log, because libraries that a tool uses may write down what they send.
///
/// ```
/// use gateway::{Mask, SecretValue};
///
/// let mask = Mask::default();
/// mask.add(&"TOKEN".parse()?, &SecretValue::new("pass word")?);
/// assert_eq!(mask.text("?key=pass%20word&x=1"), "?key=[secret TOKEN]&x=1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Mask {
    needles: Arc<RwLock<Arc<Needles>>>,
}

/// What is looked for.
#[derive(Default)]
struct Needles {
    values: VecDeque<(SecretName, SecretValue)>,
    /// None while there are no values.
    search: Option<AhoCorasick>,
    /// The value that each pattern of the search stands for.
    owners: Vec<usize>,
}

impl Mask {
    /// Looks for a value from now on.
    pub fn add(&self, name: &SecretName, value: &SecretValue) {
        let mut needles = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = |(_, known): &(SecretName, SecretValue)| known == value;
        if !needles.values.iter().any(is_known) {
            *needles = Arc::new(needles.with(name, value));
        }
    }

    /// Whether it looks for a value of this name.
    pub(crate) fn knows(&self, name: &SecretName) -> bool {
        self.now().values.iter().any(|(known, _)| known == name)
    }

    /// A text without the values.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.now().text(text)
    }

    /// A value without the values, in the names of its members, too.
    pub fn value(&self, value: Value) -> Value {
        let needles = self.now();
        if needles.search.is_none() {
            return value;
        }
        needles.value(value)
    }

    fn now(&self) -> Arc<Needles> {
        let needles = self.needles.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&needles)
    }
}

impl Needles {
    fn with(&self, name: &SecretName, value: &SecretValue) -> Self {
        let mut values = self.values.clone();
        values.push_back((name.clone(), value.clone()));
        if values.len() > MAX_VALUES {
            values.pop_front();
        }
        let mut patterns = Vec::new();
        let mut owners = Vec::new();
        for (owner, (_, value)) in values.iter().enumerate() {
            for form in forms(value.expose()) {
                patterns.push(form);
                owners.push(owner);
            }
        }
        Self {
            values,
            // It is refused only beyond billions of patterns, which so few values do not make.
            search: AhoCorasick::new(patterns).ok(),
            owners,
        }
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value,
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Borrowed(_) => Value::Number(number),
                Cow::Owned(masked) => Value::String(masked),
            },
            Value::String(text) => match self.text(&text) {
                Cow::Borrowed(_) => Value::String(text),
                Cow::Owned(masked) => Value::String(masked),
            },
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => Value::Object(self.members(members)),
        }
    }

    fn members(&self, members: Map<String, Value>) -> Map<String, Value> {
        let mut masked = Map::with_capacity(members.len());
        for (key, value) in members {
            let mut key = self.text(&key).into_owned();
            // Two names may have differed only in what is not shown.
            while masked.contains_key(&key) {
                key.push('\'');
            }
            masked.insert(key, self.value(value));
        }
        masked
    }

    fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(search) = &self.search else {
            return Cow::Borrowed(text);
        };
        let mut found = self.cut(text);
        let owner = |pattern: aho_corasick::PatternID| {
            self.owners.get(pattern.as_usize()).copied().unwrap_or(0)
        };
        for hit in search.find_overlapping_iter(text) {
            found.push((hit.range(), owner(hit.pattern())));
        }
        if is_encoded(text) {
            for view in View::of(text).all_but() {
                for hit in search.find_overlapping_iter(&view.bytes) {
                    found.push((view.original(hit.range()), owner(hit.pattern())));
                }
            }
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(self.without(text, found))
    }

    /// What is left of values at the ends of a long text.
    fn cut(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let mut found = Vec::new();
        if text.len() < LONG_TEXT {
            return found;
        }
        let (text, end) = (text.as_bytes(), text.len());
        for (owner, (_, value)) in self.values.iter().enumerate() {
            let value = value.expose().as_bytes();
            let least = (value.len() / 2).clamp(SHORTEST_SECRET, SHORTEST_PART);
            let parts = || (least..value.len().min(end)).rev();
            if let Some(part) = parts().find(|part| text.ends_with(&value[..*part])) {
                found.push((end - part..end, owner));
            }
            if let Some(part) = parts().find(|part| text.starts_with(&value[value.len() - part..]))
            {
                found.push((0..part, owner));
            }
        }
        found
    }

    /// The text with the names of secrets in the place of what was found.
    fn without(&self, text: &str, mut found: Vec<(Range<usize>, usize)>) -> String {
        // Of those that begin at one place, the longest gives its name.
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        let mut found = found.into_iter().peekable();
        while let Some((range, owner)) = found.next() {
            let mut end = range.end;
            while let Some((next, _)) = found.next_if(|(next, _)| next.start < end) {
                end = end.max(next.end);
            }
            let start = text.floor_char_boundary(range.start).max(at);
            masked.push_str(&text[at..start]);
            if let Some((name, _)) = self.values.get(owner) {
                masked.push_str(&shown(name));
            }
            at = text.ceil_char_boundary(end);
        }
        masked.push_str(&text[at..]);
        masked
    }
}

/// Whether a text may read otherwise than it stands there.
fn is_encoded(text: &str) -> bool {
    let marks = |byte: u8| matches!(byte, b'\\' | b'%' | b'+' | b'\n' | b'\r');
    text.bytes().any(marks)
}

/// What a value may look like, beside escapes.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let bytes = value.as_bytes();
    let mut forms = vec![bytes.to_vec(), value.trim().into()];
    // Folded texts are looked at without the ends of their lines.
    forms.push(value.replace(['\r', '\n'], "").into_bytes());
    let lines = value.lines().map(str::trim);
    let telling = |line: &&str| line.len() >= SHORTEST_LINE && !line.starts_with("-----");
    forms.extend(lines.filter(telling).map(Into::into));
    for alphabet in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.extend((0..3).flat_map(|before| base64_after(alphabet, before, bytes)));
    }
    let (mut lower, mut upper) = (String::new(), String::new());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(lower, "{byte:02x}");
        let _ = write!(upper, "{byte:02X}");
    }
    forms.extend([lower.into(), upper.into()]);
    // As programs print a list of bytes.
    let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
    forms.extend([list.join(", ").into(), list.join(",").into()]);
    forms.retain(|form| form.len() >= SHORTEST_SECRET);
    forms.sort();
    forms.dedup();
    forms
}

/// What base64 makes of a value that has so many bytes before it, modulo three: all of it where it
/// ends the text, and what does not depend on the bytes around it.
fn base64_after(
    alphabet: &base64::engine::GeneralPurpose,
    before: usize,
    value: &[u8],
) -> [Vec<u8>; 2] {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(value);
    let encoded = alphabet.encode(&bytes);
    let start = [0, 2, 3].get(before).copied().unwrap_or(0);
    let whole = encoded.as_bytes()[start..].to_vec();
    let mut inner = whole.clone();
    if !bytes.len().is_multiple_of(3) {
        inner.pop();
    }
    [whole, inner]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn mask(values: &[(&str, &str)]) -> Mask {
        let mask = Mask::default();
        for (name, value) in values {
            let value = SecretValue::new(*value).unwrap();
            mask.add(&name.parse().unwrap(), &value);
        }
        mask
    }

    const VALUE: &str = "p\"ä/ss+w\\rd &c?";

    #[test]
    fn every_form_that_a_tool_may_echo_is_masked() {
        let mask = mask(&[("X", VALUE)]);
        let json = serde_json::to_string(VALUE).unwrap();
        let forms = [
            VALUE.to_owned(),
            json[1..json.len() - 1].to_owned(),
            json.replace('/', "\\/").replace('ä', "\\u00E4")[1..]
                .trim_end_matches('"')
                .to_owned(),
            format!("{VALUE:?}").trim_matches('"').to_owned(),
            serde_json::to_string(&json)
                .unwrap()
                .replace("\"\\\"", "")
                .replace("\\\"\"", ""),
            form_urlencoded::byte_serialize(VALUE.as_bytes()).collect(),
            form_urlencoded::byte_serialize(VALUE.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
                .to_lowercase(),
            STANDARD_NO_PAD.encode(VALUE),
            URL_SAFE_NO_PAD.encode(VALUE),
        ];
        for form in forms {
            let text = format!("a {form} b");
            assert_eq!(mask.text(&text), "a [secret X] b", "{form}");
        }
    }

    #[test]
    fn base64_is_found_within_other_base64_and_across_lines() {
        let mask = mask(&[(
            "X",
            "correct-horse-battery-staple-correct-horse-battery-staple-7",
        )]);
        let value = "correct-horse-battery-staple-correct-horse-battery-staple-7";
        for before in ["", "u", "us", "use", "user:"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{value}!"));
            let (head, tail) = encoded.split_at(60);
            for text in [
                encoded.clone(),
                format!("{head}\n{tail}"),
                format!("{head}\\n{tail}"),
            ] {
                let masked = mask.text(&text);
                assert!(masked.contains("[secret X]"), "{text}");
                // What is left are the characters that hold bits of the neighbours as well.
                let left = masked.replace("[secret X]", "");
                assert!(left.len() <= before.len() * 4 / 3 + 6, "{masked}");
            }
        }
    }

    #[test]
    fn keys_numbers_and_all_depths_of_a_value_are_masked() {
        let mask = mask(&[("PIN", "123456"), ("X", "hunter22")]);
        let value = json!({
            "hunter22": 1, "[secret X]": 2,
            "list": [[{"a": "hunter22 hunter22"}], 123_456, true, null, 7],
        });
        assert_eq!(
            mask.value(value),
            json!({
                "[secret X]": 1, "[secret X]'": 2,
                "list": [[{"a": "[secret X] [secret X]"}], "[secret PIN]", true, null, 7],
            })
        );
    }

    #[test]
    fn overlapping_values_leave_nothing_between_them() {
        let mask = mask(&[("A", "abcdef"), ("B", "defghi"), ("C", "cde-")]);
        assert_eq!(mask.text("xabcdefghiy"), "x[secret A]y");
        assert_eq!(mask.text("abcde-f"), "ab[secret C]f");
        assert_eq!(mask.text("nothing"), "nothing");
    }

    #[test]
    fn the_part_that_a_cut_leaves_at_the_end_of_a_long_text_is_masked() {
        let mask = mask(&[("X", "0123456789abcdef")]);
        let filler = ".".repeat(LONG_TEXT);
        assert_eq!(
            mask.text(&format!("{filler}01234567")),
            format!("{filler}[secret X]")
        );
        assert_eq!(
            mask.text(&format!("9abcdef{filler}")),
            format!("9abcdef{filler}")
        );
        assert_eq!(
            mask.text(&format!("89abcdef{filler}")),
            format!("[secret X]{filler}")
        );
        assert_eq!(
            mask.text("01234567"),
            "01234567",
            "a short text was not cut"
        );
    }

    #[test]
    fn long_lines_of_a_key_are_masked_one_by_one() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END KEY-----\n";
        let mask = mask(&[("KEY", key)]);
        assert_eq!(
            mask.text("> MIIEvQIBADANBgkqhkiG9w0\n> short"),
            "> [secret KEY]\n> short"
        );
        assert_eq!(
            mask.text(&format!("got {}", key.trim())),
            "got [secret KEY]"
        );
        assert_eq!(mask.text("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
    }

    #[test]
    fn values_that_were_given_long_ago_are_forgotten() {
        let mask = Mask::default();
        for number in 0..=MAX_VALUES {
            let value = SecretValue::new(format!("value-{number}-")).unwrap();
            mask.add(&"X".parse().unwrap(), &value);
        }
        assert_eq!(mask.text("value-0- value-1-"), "value-0- [secret X]");
    }

    proptest! {
        #[test]
        fn what_is_shown_has_no_value_and_the_rest_is_untouched(
            value in "\\PC{4,20}",
            before in "[a-z]{0,5}",
            after in "[a-z]{0,5}",
        ) {
            prop_assume!(value.len() >= SHORTEST_SECRET && !"[secret X]".contains(&value));
            prop_assume!(!before.contains(&value) && !after.contains(&value));
            let mask = mask(&[("X", &value)]);
            let text = format!("{before}{value}{after}");
            let masked = mask.text(&text);
            prop_assert!(!masked.contains(&value) || shown(&"X".parse().unwrap()).contains(&value));
            prop_assert!(masked.contains("[secret X]"));
            for encoded in [
                json!(text).to_string(),
                json!(json!(text).to_string()).to_string(),
                form_urlencoded::byte_serialize(text.as_bytes()).collect(),
            ] {
                prop_assert!(mask.text(&encoded).contains("[secret X]"), "{}", encoded);
            }
        }

        #[test]
        fn texts_of_any_kind_are_read_without_a_panic(text in "\\PC{0,40}|[\\\\%+u0-9a-f{}\n]{0,40}") {
            let mask = mask(&[("X", "0000"), ("Y", "{{}}")]);
            let _ = mask.text(&text);
        }
    }
}
