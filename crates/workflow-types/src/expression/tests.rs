//! Tests of the language as a whole, through its public surface.

use serde_json::{Map, Value, json};

use super::*;

fn scope() -> Map<String, Value> {
    let scope = json!({
        "input": { "name": "api", "count": 3, "list": [1, "a", null], "check-health": { "ok": true } },
        "big": "x".repeat(1024 * 1024),
        "long": vec![0; 1_000_000],
    });
    scope.as_object().unwrap().clone()
}

#[track_caller]
fn check(source: &str, expect: &Value) {
    let expression = Expression::parse(source).unwrap();
    let scope = scope();
    let datum = expression.evaluate(&scope).unwrap();
    assert_eq!(&datum.to_json(), expect, "{source}");
}

#[track_caller]
fn check_fails(source: &str, expect: &EvalErrorKind) {
    let expression = Expression::parse(source).unwrap();
    let scope = scope();
    let error = expression.evaluate(&scope).unwrap_err();
    assert_eq!(error.kind(), expect, "{source}");
}

#[test]
fn operators_bind_as_in_javascript() {
    check("1 + 2 * 3 - 4 / 2 % 3", &json!(5));
    check("1 < 2 === true", &json!(true));
    check("3 > 2 > 1", &json!(false));
    check("true || false && false", &json!(true));
    check("!1 + 1", &json!(1));
    check("- - 1", &json!(1));
    check("1 ? 2 ? 3 : 4 : 5", &json!(3));
    check("null ?? undefined ?? 0 ?? 1", &json!(0));
    check("(null || undefined) ?? 'x'", &json!("x"));
    check("null ?? 1 ? 'a' : 'b'", &json!("a"));
}

#[test]
fn values_are_converted_as_in_javascript() {
    check("1 + '1'", &json!("11"));
    check("'3' * '4'", &json!(12));
    check("[1, 2] + [3]", &json!("1,23"));
    check("input + ''", &json!("[object Object]"));
    check("null + 1", &json!(1));
    check("'10' < '9'", &json!(true));
    check("'10' < 9", &json!(false));
    check("null >= 0", &json!(true));
    check("null == 0", &json!(false));
    check("undefined == null", &json!(true));
    check("0.1 + 0.2", &json!(0.1 + 0.2));
    check("input.list === input.list", &json!(true));
    check("[] === []", &json!(false));
    check("input.list.slice(0) === input.list", &json!(false));
}

#[test]
fn missing_keys_are_undefined_at_any_depth() {
    check("missing.a.b[0]['c'] === undefined", &json!(true));
    check("input.count.a.b === undefined", &json!(true));
    check(
        "input.constructor ?? input.list.map ?? input.name.at",
        &json!(null),
    );
    check("missing?.trim()", &json!(null));
    check("missing?.a.b.trim()", &json!(null));
    check("input.check-health.ok", &json!(true));
}

#[test]
fn methods_need_the_right_value() {
    let fails = |source: &str, method, expected, found, receiver: &str| {
        let receiver = receiver.to_owned();
        let kind = EvalErrorKind::WrongReceiver {
            method,
            expected,
            found,
            receiver,
        };
        check_fails(source, &kind);
    };
    fails(
        "input.nope.trim()",
        "trim",
        "a string",
        "undefined",
        "input.nope",
    );
    fails(
        "(missing?.a).trim()",
        "trim",
        "a string",
        "undefined",
        "(missing?.a)",
    );
    fails(
        "input.list.trim()",
        "trim",
        "a string",
        "an array",
        "input.list",
    );
    fails("'a'.join()", "join", "an array", "a string", "'a'");
    fails(
        "input['count'].slice(1)",
        "slice",
        "a string or an array",
        "a number",
        "input['count']",
    );
    fails(
        "' a '.trim().indexOf('a').trim()",
        "trim",
        "a string",
        "a number",
        "' a '.trim().indexOf('a')",
    );
}

#[test]
fn data_is_borrowed_not_copied() {
    let scope = scope();
    let expression = Expression::parse("input.name.slice(1)").unwrap();
    let Ok(Datum::String(std::borrow::Cow::Borrowed(text))) = expression.evaluate(&scope) else {
        panic!("the slice is copied");
    };
    assert_eq!(text, "pi");
}

#[test]
fn work_is_bounded_whatever_the_data() {
    check("long.includes(1)", &json!(false));
    let many = vec!["long.includes(1)"; 100].join(" || ");
    check_fails(&many, &EvalErrorKind::TooMuchWork);
    let many = vec!["big.length"; 300].join(" + ");
    check_fails(&many, &EvalErrorKind::TooMuchWork);
    let many = ["big"; 10].join(" + ");
    check_fails(&many, &EvalErrorKind::TooMuchText);
    check_fails("[big, big, big].join(big)", &EvalErrorKind::TooMuchText);
    check_fails("long + long + long", &EvalErrorKind::TooMuchText);
    let many = ["big.toUpperCase().trim()"; 10].join(" && ");
    check_fails(&many, &EvalErrorKind::TooMuchText);
}

#[test]
fn long_chains_do_not_nest() {
    let sum = vec!["1"; 1_000].join(" + ");
    check(&sum, &json!(1_000));
    let any = vec!["false"; 400].join(" || ");
    check(&any, &json!(false));
    let path = format!("a{}", ".b".repeat(2_000));
    check(&path, &json!(null));
}

/// Every way to nest, at the bound and beyond, on half the stack of a thread.
#[test]
fn nesting_is_bounded_before_the_stack_is() {
    let shapes: [(&str, &str); 11] = [
        ("(", ")"),
        ("[", "]"),
        ("!", ""),
        ("- ", ""),
        ("a[", "]"),
        ("'a'.includes(", ")"),
        ("1 ? ", " : 2"),
        ("1 ? 2 : ", ""),
        ("1 + 1 * (", ")"),
        ("1 && 1 == 1 < 1 + 1 * a.b[", "].c"),
        ("1 && 1 == 1 < 1 + 1 * - a.b[", "].c"),
    ];
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    let checked = small.spawn(move || {
        for (before, after) in shapes {
            // A sign within brackets is two levels.
            let accepted = |depth: usize| {
                let source = format!("{}1{}", before.repeat(depth), after.repeat(depth));
                Expression::parse(&source).is_ok_and(|expression| {
                    expression.evaluate(&Map::new()).unwrap();
                    expression.clone() == expression
                })
            };
            assert!(accepted(MAX_DEPTH / 2 - 1), "{before}");
            assert!(!accepted(MAX_DEPTH + 1), "{before}");
            assert!((1..MAX_DEPTH).any(|depth| accepted(depth) && !accepted(depth + 1)));
        }
    });
    checked.unwrap().join().unwrap();
}

#[test]
fn sources_are_bounded() {
    let longest = format!("'{}'", "a".repeat(MAX_SOURCE - 2));
    assert!(Expression::parse(&longest).is_ok());
    assert!(Expression::parse(&format!("{longest} ")).is_err());
}

#[derive(Debug)]
struct Steps(Vec<(String, Value)>);

impl Object for Steps {
    fn get(&self, key: &str) -> Option<Datum<'_>> {
        let (_, output) = self.0.iter().find(|(id, _)| id == key)?;
        Some(Datum::from(output))
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.0.iter().map(|(id, _)| id.as_str()))
    }
}

impl Scope for Steps {
    fn get(&self, name: &str) -> Option<Datum<'_>> {
        (name == "steps").then_some(Datum::Virtual(self))
    }
}

#[test]
fn live_objects_are_read_like_data() {
    let steps = Steps(vec![("a-b".to_owned(), json!({ "ok": [1] }))]);
    for (source, expect) in [
        ("steps.a-b.ok[0]", json!(1)),
        ("steps['a-b']", json!({ "ok": [1] })),
        ("steps.missing.ok", json!(null)),
        ("steps + ''", json!("[object Object]")),
        ("steps === steps && steps == steps", json!(true)),
        ("steps === steps.a-b", json!(false)),
        ("[steps]", json!([{ "a-b": { "ok": [1] } }])),
    ] {
        let expression = Expression::parse(source).unwrap();
        let value = expression.evaluate(&steps).unwrap().to_json();
        assert_eq!(value, expect, "{source}");
    }
}

#[test]
fn expressions_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Expression>();
    check::<ExpressionError>();
    check::<EvalError>();
}

const MISTAKES: [&str; 115] = [
    "",
    "  ",
    "a =  1",
    "a += 1",
    "a++",
    "a--b",
    "a and b",
    "a or b",
    "not a",
    "not(a)",
    "a is b",
    "a in b",
    "x => x",
    "{{ a }}",
    "{ a: 1 }",
    "`a`",
    "“a”",
    "'abc",
    "\"a\nb\"",
    r"'\u12'",
    "a.b.starts_with('x')",
    "a.include(1)",
    "a.map(x)",
    "len(a)",
    "trim(a)",
    "a['trim']()",
    "a?.('x')",
    "(a)()",
    "new Date()",
    "typeof a",
    "/ab+/",
    "a // b",
    "a & b",
    "a | b",
    "2 ** 3",
    "a ?? b || c",
    "a && b ?? c",
    "...a",
    "[...a]",
    "[1, , 2]",
    "a, b",
    "a;",
    "a.",
    "a.1",
    "a[",
    "a[]",
    "(a",
    "a)",
    "a ? b",
    "a b",
    "1 +",
    "== 1",
    "a.length-1",
    "010",
    "1_000",
    "10n",
    "3px",
    "NaN",
    "this.a",
    "let a",
    "a # b",
    "a === 'é' = b",
    "status = 'failed' && input.x",
    "a =~ /x/",
    "a !~ 'x'",
    "a =< 1",
    "a <> 'b'",
    "a is not b",
    "a eq 1",
    "a NE 1",
    "a gt 1",
    "a not in b",
    "a contains 'x'",
    "a startswith 'x'",
    "a like 'x%'",
    "${{ a == 1 }}",
    "  {{ a }}  ",
    "{{ a }} == {{ b }}",
    "a == ${{ b }}",
    "‘a’ == b",
    "a == “x y”",
    "a == “it's”",
    "not a.b and c",
    "not a == b",
    "a == True",
    "FALSE",
    "a == None",
    "a != nil",
    "a == NULL",
    "a.size()",
    "a.length ()",
    "a.count(1)",
    "a.contains('x')",
    "a.lower()",
    "a.isEmpty()",
    "a.get('x')",
    "a.match('x')",
    "a.substr(1)",
    "a.equals(b)",
    "a.indxOf(b)",
    "len(a.b)",
    "len(a + b)",
    "contains(a.b, 'x')",
    "contains('x', a)",
    "startsWith(a, 'x') && b",
    "toUpperCase(a)",
    "size( a[0] ) > 1",
    "int(a)",
    "String(a)",
    "exists(a)",
    "matches(a, 'x')",
    "toJSON(a)",
    "success()",
    "a & b & c",
    "a == = b",
];

#[test]
fn mistakes_say_what_was_found_expected_and_meant() {
    let table: String = MISTAKES.into_iter().map(described).collect();
    insta::assert_snapshot!(table);
}

/// Fixes are applied until none is left; what remains must be an expression.
#[test]
fn every_fix_mends() {
    for source in MISTAKES {
        let Some(mut error) = Expression::parse(source).err().filter(|e| e.fix.is_some()) else {
            continue;
        };
        let mut mended = source.to_owned();
        while let Some(fix) = error.fix.take() {
            mended.replace_range(error.span.clone(), &fix);
            match Expression::parse(&mended) {
                Ok(_) => break,
                Err(next) => error = next,
            }
        }
        assert!(Expression::parse(&mended).is_ok(), "{source} -> {mended}");
    }
}

fn described(source: &str) -> String {
    let error = Expression::parse(source).unwrap_err();
    let place = &source[error.span.clone()];
    let help = error
        .help
        .map_or(String::new(), |help| format!("  help: {help}\n"));
    let fix = error
        .fix
        .map_or(String::new(), |fix| format!("  fix: {fix}\n"));
    let (span, message) = (error.span, error.message);
    format!("{source}\n  at {span:?} `{place}`: {message}\n{help}{fix}")
}
