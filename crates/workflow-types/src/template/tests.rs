//! Tests of templates through their public surface.

use serde_json::json;

use super::*;

fn scope() -> serde_json::Map<String, Value> {
    let scope = json!({
        "input": {
            "name": "api", "count": 3, "list": [1, "a", null], "record": { "k": 1.5 },
            "nothing": null, "yes": true, "template": "{{ input.name }}",
        },
        "big": "x".repeat(MAX_OUTPUT / 2),
    });
    scope.as_object().unwrap().clone()
}

#[track_caller]
fn check(source: &str, expect: &Value) {
    let template = Template::parse(source).unwrap();
    assert_eq!(&template.render(&scope()).unwrap(), expect, "{source}");
}

#[test]
fn a_whole_template_keeps_the_type() {
    check("{{ input.count }}", &json!(3));
    check("{{input.count + 1}}", &json!(4));
    check("{{ input.list }}", &json!([1, "a", null]));
    check("{{ input.record }}", &json!({ "k": 1.5 }));
    check("{{ input.yes }}", &json!(true));
    check("{{ input.nothing }}", &json!(null));
    check("{{ missing.at.any.depth }}", &json!(null));
    check("{{ 0 / 0 }}", &json!(null));
    check("{{ [input.count, undefined] }}", &json!([3, null]));
}

#[test]
fn within_text_values_become_text() {
    check(" {{ input.count }}", &json!(" 3"));
    check("a {{ input.name }}{{ input.name }}!", &json!("a apiapi!"));
    check("<{{ input.nothing }}{{ missing }}>", &json!("<>"));
    check(
        "{{ input.list }} {{ input.yes }}",
        &json!("[1,\"a\",null] true"),
    );
    check("é{{ '😀' }}é", &json!("é😀é"));
}

#[test]
fn the_json_filter_gives_json_text() {
    check("{{ input.name | json }}", &json!("\"api\""));
    check("{{ missing|json }}", &json!("null"));
    check("x {{ input.list | json }}", &json!("x [1,\"a\",null]"));
    check("{{ false || 'a|b' }}", &json!("a|b"));
    check("{{ false || 'a|b' | json }}", &json!("\"a|b\""));
}

#[test]
fn braces_may_be_literal() {
    check(r"\{{ input.name }}", &json!("{{ input.name }}"));
    check(r"\{{{{ input.count }}", &json!("{{3"));
    check(r"a \{ b } }}", &json!(r"a \{ b } }}"));
    check("{{ '}}' }}", &json!("}}"));
    check(r#"{{ "\"}}" + '\'{{' }}"#, &json!("\"}}'{{"));
    check("", &json!(""));
}

#[test]
fn data_is_never_a_template() {
    check("{{ input.template }}", &json!("{{ input.name }}"));
    check("a {{ input.template }}", &json!("a {{ input.name }}"));
}

#[test]
fn only_templates_without_expressions_are_literal() {
    assert!(Template::parse("a").unwrap().is_literal());
    assert!(Template::parse(r"\{{ a }}").unwrap().is_literal());
    assert!(!Template::parse("a {{ 1 }}").unwrap().is_literal());
}

#[test]
fn references_point_into_the_whole_string() {
    let source = "é {{ input.name }} {{ steps.a-b.output | json }}";
    let template = Template::parse(source).unwrap();
    let references: Vec<_> = template.references().collect();
    let names: Vec<_> = references
        .iter()
        .flat_map(|reference| std::iter::once(reference.root()).chain(reference.path()))
        .map(|segment| (segment.name(), &source[segment.span()]))
        .collect();
    let expect = ["input", "name", "steps", "a-b", "output"].map(|name| (name, name));
    assert_eq!(names, expect);
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let sources = [
        "a {{ input.name",
        "{{ }}",
        "{{ a = 1 }}",
        "é {{ a.map(b) }}",
        "{{ 'a }} b",
        "{{ it's }} and {{ it's }}",
        "{{ a {{ b }}",
        "{{ a | upper }}",
        "{{ a | }}",
        "{{ a | json | json }}",
        "{{{ a }}}",
    ];
    let table: String = sources.into_iter().map(described).collect();
    insta::assert_snapshot!(table);
}

fn described(source: &str) -> String {
    let error = Template::parse(source).unwrap_err();
    let place = &source[error.span.clone()];
    let help = error
        .help
        .map_or(String::new(), |help| format!("  help: {help}\n"));
    let (span, message) = (error.span, error.message);
    format!("{source}\n  at {span:?} `{place}`: {message}\n{help}")
}

#[test]
fn failures_point_into_the_whole_string() {
    let source = "x {{ input.count.trim() }}";
    let error = Template::parse(source)
        .unwrap()
        .render(&scope())
        .unwrap_err();
    assert_eq!(&source[error.span()], "trim");
    assert_eq!(
        error.to_string(),
        "`trim` can be called on a string, but `input.count` is a number"
    );
}

#[test]
fn results_are_bounded() {
    let too_long = |source: &str| {
        let error = Template::parse(source)
            .unwrap()
            .render(&scope())
            .unwrap_err();
        assert_eq!(error.kind(), &RenderErrorKind::TooLong, "{source}");
    };
    check("{{ big + big }}", &json!("x".repeat(MAX_OUTPUT)));
    too_long("{{ big + big + 'x' }}");
    too_long("{{ [big, big] }}");
    too_long("{{ [big, big] | json }}");
    too_long("{{ big }}{{ big }}.");
}

#[test]
fn arguments_share_one_bound() {
    let args = ArgsTemplate::parse(&json!(["{{ big }}", "{{ big }}", "{{ 'x' }}"])).unwrap();
    let (pointer, error) = args.render(&scope()).unwrap_err();
    assert_eq!(pointer, "/2");
    assert_eq!(error.kind(), &RenderErrorKind::TooLong);
}

#[test]
fn arguments_are_rendered_at_any_depth_but_not_in_keys() {
    let args = json!({
        "plain": [1, { "a": "b" }],
        "deep": [{ "{{ key }}": "{{ input.count }}" }, r"\{{ x }}"],
    });
    let args = ArgsTemplate::parse(&args).unwrap();
    assert!(!args.is_literal());
    let expect = json!({
        "plain": [1, { "a": "b" }],
        "deep": [{ "{{ key }}": 3 }, "{{ x }}"],
    });
    assert_eq!(args.render(&scope()).unwrap(), expect);
}

#[test]
fn arguments_without_expressions_are_literal() {
    for (args, literal) in [
        (json!({ "a": ["b"] }), true),
        (json!([r"\{{ a }}"]), true),
        (json!(["{{ 1 }}"]), false),
    ] {
        assert_eq!(
            ArgsTemplate::parse(&args).unwrap().is_literal(),
            literal,
            "{args}"
        );
    }
}

#[test]
fn all_mistakes_in_arguments_are_found() {
    let args = json!({ "a/b": "{{ 1 + }}", "c": ["x", "{{ y"], "d": "{{ fine }}" });
    let errors = ArgsTemplate::parse(&args).unwrap_err();
    let pointers: Vec<_> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/a~1b", "/c/1"]);
}

#[test]
fn arguments_too_deep_are_refused() {
    let mut args = json!("{{ a }}");
    for _ in 0..200 {
        args = Value::Array(vec![args]);
    }
    assert_eq!(ArgsTemplate::parse(&args).unwrap_err().len(), 1);
}

#[test]
fn compiled_forms_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Template>();
    check::<ArgsTemplate>();
    check::<TemplateError>();
    check::<RenderError>();
}
