//! Places inside scalars, in every style that YAML and JSON have.

use std::ops::Range;

use proptest::prelude::*;

use super::{SourceFormat, read};
use crate::diagnostic::{Fix, Part, Place, Pointer, Report};

/// A scalar as a writer of its own put it down: the text, and where each character stands in it.
#[derive(Debug, Default)]
struct Written {
    text: String,
    places: Vec<Range<usize>>,
}

impl Written {
    fn begun(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            places: Vec::new(),
        }
    }

    /// Text that stands for no character.
    fn silent(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Text that stands for the next character.
    fn sounds(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.places.push(start..self.text.len());
    }
}

/// How a writer lays a scalar out.
#[derive(Debug, Clone)]
struct Layout {
    indent: usize,
    line_break: &'static str,
    /// One choice a character: break here, escape this one.
    choices: u64,
}

impl Layout {
    fn margin(&self) -> String {
        " ".repeat(2 + self.indent)
    }

    fn chosen(&self, at: usize) -> bool {
        self.choices >> (at % 64) & 1 == 1
    }
}

fn layout() -> impl Strategy<Value = Layout> {
    let line_break = prop_oneof![Just("\n"), Just("\r\n")];
    (1..=4_usize, line_break, any::<u64>()).prop_map(|(indent, line_break, choices)| Layout {
        indent,
        line_break,
        choices,
    })
}

/// The characters before and after one.
fn neighbours(chars: &[char], at: usize) -> (Option<char>, Option<char>) {
    let before = at.checked_sub(1).and_then(|at| chars.get(at).copied());
    (before, chars.get(at + 1).copied())
}

/// A space between two letters, where a line may be folded.
fn foldable(chars: &[char], at: usize) -> bool {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (before, after) = neighbours(chars, at);
    chars[at] == ' ' && letter(before) && letter(after)
}

fn double_quoted(value: &str, layout: &Layout) -> Written {
    let mut written = Written::begun("\"");
    let chars: Vec<char> = value.chars().collect();
    for (at, c) in chars.iter().copied().enumerate() {
        match c {
            '\n' if layout.chosen(at) => written.sounds("\\n"),
            '\n' => written.sounds("\\x0A"),
            '"' => written.sounds("\\\""),
            '\\' => written.sounds("\\\\"),
            ' ' if foldable(&chars, at) && layout.chosen(at) => {
                written.sounds(layout.line_break);
                written.silent(&layout.margin());
            }
            'é' if layout.chosen(at) => written.sounds("\\u00e9"),
            '😀' if layout.chosen(at) => written.sounds("\\U0001F600"),
            'x' if layout.chosen(at) => {
                // A line that goes on within a word.
                written.silent("\\");
                written.silent(layout.line_break);
                written.silent(&layout.margin());
                written.sounds("x");
            }
            c => written.sounds(c.encode_utf8(&mut [0; 4])),
        }
    }
    written.silent("\"");
    written
}

fn single_quoted(value: &str, layout: &Layout) -> Written {
    let mut written = Written::begun("'");
    let chars: Vec<char> = value.chars().collect();
    let mut folded = false;
    for (at, c) in chars.iter().copied().enumerate() {
        match c {
            '\'' => written.sounds("''"),
            '\n' => {
                // The first break of a run is folded away.
                if !folded {
                    written.silent(layout.line_break);
                }
                written.sounds(layout.line_break);
                if neighbours(&chars, at).1 != Some('\n') {
                    written.silent(&layout.margin());
                }
            }
            ' ' if foldable(&chars, at) && layout.chosen(at) => {
                written.sounds(layout.line_break);
                written.silent(&layout.margin());
            }
            c => written.sounds(c.encode_utf8(&mut [0; 4])),
        }
        folded = c == '\n';
    }
    written.silent("'");
    written
}

/// The header of a block: an indentation indicator where it must or may stand, and chomping.
fn header(sign: &str, value: &str, layout: &Layout) -> String {
    let leads = value.trim_start_matches('\n').starts_with(' ');
    let indicator = if leads || layout.chosen(59) {
        layout.indent.to_string()
    } else {
        String::new()
    };
    let chomping = match value.len() - value.trim_end_matches('\n').len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    if layout.chosen(58) {
        format!("{sign}{indicator}{chomping}")
    } else {
        format!("{sign}{chomping}{indicator}  # why")
    }
}

fn literal(value: &str, layout: &Layout) -> Written {
    let mut written = Written::begun(&header("|", value, layout));
    written.silent(layout.line_break);
    let mut fresh = true;
    for c in value.chars() {
        if c == '\n' {
            written.sounds(layout.line_break);
            fresh = true;
            continue;
        }
        if std::mem::take(&mut fresh) {
            written.silent(&layout.margin());
        }
        written.sounds(c.encode_utf8(&mut [0; 4]));
    }
    written
}

/// Of values whose lines do not begin with a space: around those nothing is folded.
fn folded(value: &str, layout: &Layout) -> Written {
    let mut written = Written::begun(&header(">", value, layout));
    written.silent(layout.line_break);
    let chars: Vec<char> = value.chars().collect();
    let text_ends = value.trim_end_matches('\n').chars().count();
    let text_begins = chars.iter().take_while(|c| **c == '\n').count();
    let mut fresh = true;
    for (at, c) in chars.iter().copied().enumerate() {
        if c == '\n' {
            let first = neighbours(&chars, at).0 != Some('\n');
            if first && (text_begins..text_ends).contains(&at) {
                written.silent(layout.line_break);
            }
            written.sounds(layout.line_break);
            fresh = true;
            continue;
        }
        if std::mem::take(&mut fresh) {
            written.silent(&layout.margin());
        }
        if foldable(&chars, at) && layout.chosen(at) {
            written.sounds(layout.line_break);
            fresh = true;
        } else {
            written.sounds(c.encode_utf8(&mut [0; 4]));
        }
    }
    written
}

fn plain(value: &str, layout: &Layout) -> Written {
    let mut written = Written::default();
    let chars: Vec<char> = value.chars().collect();
    for (at, c) in chars.iter().copied().enumerate() {
        if foldable(&chars, at) && layout.chosen(at) {
            written.sounds(layout.line_break);
            written.silent(&layout.margin());
        } else {
            written.sounds(c.encode_utf8(&mut [0; 4]));
        }
    }
    written
}

fn json(value: &str, layout: &Layout) -> Written {
    let mut written = Written::begun("\"");
    for (at, c) in value.chars().enumerate() {
        match c {
            '\n' => written.sounds("\\n"),
            '"' => written.sounds("\\\""),
            '\\' => written.sounds("\\\\"),
            '😀' if layout.chosen(at) => written.sounds("\\ud83d\\ude00"),
            'é' if layout.chosen(at) => written.sounds("\\u00E9"),
            c => written.sounds(c.encode_utf8(&mut [0; 4])),
        }
    }
    written.silent("\"");
    written
}

/// Every character of `value` is found where its writer put it.
fn check(value: &str, written: &Written, layout: &Layout) -> Result<(), TestCaseError> {
    let before = format!("é: 1{0}a:{0}  b: ", layout.line_break);
    // A block that ends in line breaks has ended its line itself.
    let end = if written.text.ends_with('\n') {
        ""
    } else {
        layout.line_break
    };
    let text = format!("{before}{}{end}  c: 😀{}", written.text, layout.line_break);
    placed(value, written, (before.len(), &text, SourceFormat::Yaml))
}

fn placed(
    value: &str,
    written: &Written,
    (offset, text, format): (usize, &str, SourceFormat),
) -> Result<(), TestCaseError> {
    let mut report = Report::default();
    let document = read(text.as_bytes(), format, &mut report);
    prop_assert!(!report.has_errors(), "{text}\n{}", report.finish());
    let read = document.value.unwrap();
    prop_assert_eq!(read.pointer("/a/b").unwrap(), value, "{}", text);
    let at = Pointer::root().key("a").key("b");
    let characters = value.char_indices().zip(&written.places);
    for ((start, c), place) in characters {
        let found = document
            .map
            .resolve(&Place::inside(&at, start..start + c.len_utf8()));
        let expected = place.start + offset..place.end + offset;
        prop_assert_eq!(found, expected, "{:?} at {} of\n{}", c, start, text);
    }
    Ok(())
}

/// Lines of words, some of which are spaced, quoted or not of ASCII.
const LINES: &str = r#"\n{0,2}( {0,3}[a-xé😀'"\\#:]{1,3}( [a-xé😀'"\\,]{1,4}){0,4}\n{1,3}){1,4}"#;
const UNINDENTED: &str = r#"\n{0,2}([a-xé😀'"\\][#:]?( [a-xé😀'"\\,]{1,4}){0,6}\n{1,3}){1,4}"#;

proptest! {
    #[test]
    fn places_in_double_quotes_are_exact(value in LINES, layout in layout()) {
        check(&value, &double_quoted(&value, &layout), &layout)?;
    }

    #[test]
    fn places_in_single_quotes_are_exact(value in UNINDENTED, layout in layout()) {
        let value = value.trim();
        check(value, &single_quoted(value, &layout), &layout)?;
    }

    #[test]
    fn places_in_literal_blocks_are_exact(value in LINES, end in 0..3_usize, layout in layout()) {
        let value = format!("{}{}", value.trim_end_matches('\n'), "\n".repeat(end));
        check(&value, &literal(&value, &layout), &layout)?;
    }

    #[test]
    fn places_in_folded_blocks_are_exact(value in UNINDENTED, end in 0..3_usize, layout in layout()) {
        let value = format!("{}{}", value.trim_end_matches('\n'), "\n".repeat(end));
        check(&value, &folded(&value, &layout), &layout)?;
    }

    #[test]
    fn places_in_plain_scalars_are_exact(value in "[a-xé😀]{1,4}( [a-xé😀=']{1,4}){0,8}", layout in layout()) {
        prop_assume!(!["n", "no", "null", "on", "off", "true", "false", "x"].contains(&value.as_str()));
        check(&value, &plain(&value, &layout), &layout)?;
    }

    #[test]
    fn places_in_json_are_exact(value in LINES, layout in layout()) {
        let written = json(&value, &layout);
        let before = "{\"a\": {\"b\": ";
        let text = format!("{before}{}, \"c\": 1}}}}", written.text);
        placed(&value, &written, (before.len(), &text, SourceFormat::Json))?;
    }

    /// Whatever the text, a place inside a string is a place of its scalar.
    #[test]
    fn no_place_is_outside_of_its_scalar(scalar in r#"[>|'"]?[-+]?[1-3]?[ \n\r\ta-c'"\\n#:]{0,40}"#, at in 0..30_usize, length in 0..9_usize) {
        let text = format!("a: {scalar}\n");
        let mut report = Report::default();
        let document = read(text.as_bytes(), SourceFormat::Yaml, &mut report);
        let place = Place::inside(&Pointer::root().key("a"), at..at + length);
        let found = document.map.resolve(&place);
        prop_assert!(text.get(found.clone()).is_some(), "{found:?} of {text:?}");
    }
}

/// What stands at the place of `wanted` inside the string at `pointer`, with line and column.
#[track_caller]
fn shown(text: &str, pointer: &str, wanted: &str) -> String {
    let mut report = Report::default();
    let document = read(text.as_bytes(), SourceFormat::Yaml, &mut report);
    let value = document.value.unwrap();
    let string = value.pointer(pointer).unwrap().as_str().unwrap();
    let start = string.find(wanted).unwrap();
    let place = Place::Node {
        pointer: Pointer::from_text(pointer).unwrap(),
        part: Part::Inside(start..start + wanted.len()),
    };
    let span = document.map.resolve(&place);
    let at = document.map.line_column(span.start);
    format!("{}:{} {}", at.line, at.column, &document.map.text()[span])
}

#[test]
fn examples_of_every_style() {
    for (text, pointer, wanted, expect) in [
        ("a: \"x \\\"y\\\" z\"\n", "/a", "\"y\"", "1:7 \\\"y\\\""),
        ("a: 'it''s = so'  # ' why\n", "/a", "=", "1:11 ="),
        ("a: {k: 'x = y' , \"l\" : z = w }\n", "/a/k", "=", "1:11 ="),
        ("a: {k: 'x = y' , \"l\" : z = w }\n", "/a/l", "=", "1:26 ="),
        (
            "a: {k: {m: n\n  = o}, l: [p, q\n   = r]}\n",
            "/a/k/m",
            "= o",
            "2:3 = o",
        ),
        (
            "a: {k: {m: n\n  = o}, l: [p, q\n   = r]}\n",
            "/a/l/1",
            "= r",
            "3:4 = r",
        ),
        ("a: |2-\n    x\n  y = é\n", "/a", "= é", "3:5 = é"),
        (
            "a: >-\n  one\n  two\n\n   three\n  = four\n",
            "/a",
            "= four",
            "6:3 = four",
        ),
        (
            "a: >\r\n  one\r\n  two =\r\n\r\n  three\r\n",
            "/a",
            "three",
            "5:3 three",
        ),
        ("- &x 'a = b'\n- *x\n", "/0", "=", "1:9 ="),
        ("- &x 'a = b'\n- *x\n", "/1", "=", "2:3 *x"),
        ("a: !!str x = y\n", "/a", "=", "1:12 ="),
        ("a: &x\n  !!str |\n\n  x\n  = y\n", "/a", "=", "5:3 ="),
        ("a: |\n  !x = y\n", "/a", "=", "2:6 ="),
        ("? a\n: x\n  = y # = z\nb: 1\n", "/a", "=", "3:3 ="),
        ("a/b: \"é \\u00e9 \\\n  = x\"\n", "/a~1b", "=", "2:3 ="),
    ] {
        assert_eq!(shown(text, pointer, wanted), expect, "{text}");
    }
}

#[test]
fn the_end_of_a_value_is_shown_on_its_last_line() {
    for (text, expect) in [
        ("a: |\n  x &&\n", "2:7 "),
        ("a: x &&\nb: 1\n", "1:8 "),
        ("a: 'x &&'\n", "1:9 "),
    ] {
        let mut report = Report::default();
        let document = read(text.as_bytes(), SourceFormat::Yaml, &mut report);
        let value = document.value.unwrap();
        let length = value["a"].as_str().unwrap().len();
        let place = Place::inside(&Pointer::root().key("a"), length..length);
        let span = document.map.resolve(&place);
        let at = document.map.line_column(span.start);
        let found = format!("{}:{} {}", at.line, at.column, &text[span]);
        assert_eq!(found, expect, "{text}");
    }
}

#[test]
fn a_comment_behind_quotes_does_not_belong_to_the_value() {
    let text = "a: 'x'   # it's\n\"b\" : \"y\\\"\" # \"\n";
    let mut report = Report::default();
    let map = read(text.as_bytes(), SourceFormat::Yaml, &mut report).map;
    let at = |key: &str| Pointer::root().key(key);
    assert_eq!(&text[map.resolve(&Place::value(&at("a")))], "'x'");
    assert_eq!(&text[map.resolve(&Place::value(&at("b")))], "\"y\\\"\"");
    assert_eq!(&text[map.resolve(&Place::key(&at("b")))], "\"b\"");
}

#[test]
fn a_fix_is_written_as_its_scalar_needs_it() {
    for (text, range, replacement, expect) in [
        ("a: 'x = b'\n", 0..1, "'y'", Some("'y' = b")),
        ("a: \"x = \\u00e9\"\n", 4..6, "\"\\\"", Some("x = \"\\\"")),
        ("a: |\n  x\n  = b\n", 2..3, "===", Some("x\n=== b\n")),
        ("a: x = b\n", 2..3, "===", Some("x === b")),
        ("a: x = b\n", 0..1, "!x", None),
        ("a: x = b\n", 4..5, "[b]", None),
    ] {
        let mut report = Report::default();
        let document = read(text.as_bytes(), SourceFormat::Yaml, &mut report);
        let fix = Fix {
            place: Place::inside(&Pointer::root().key("a"), range),
            replacement: replacement.to_owned(),
        };
        let mended = document.map.replacement(&fix).map(|written| {
            let mut mended = text.to_owned();
            mended.replace_range(document.map.resolve(&fix.place), &written);
            let again = read(mended.as_bytes(), SourceFormat::Yaml, &mut report);
            again.value.unwrap()["a"].as_str().unwrap().to_owned()
        });
        assert_eq!(mended.as_deref(), expect, "{text}");
    }
}
