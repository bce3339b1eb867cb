//! Pictures as they come out: the examples as they look, and laws that hold for every workflow.

mod generated;
mod read_back;

use gateway::workflow_types::definition::picture::Picture;
use gateway::workflow_types::{SourceFormat, WorkflowDefinition};

use super::marks::Marks;
use super::{draw, svg, words};
use crate::cli::GraphFormat;

const DEPLOY_CHECK: &str = include_str!("../../../../examples/deploy-check.yaml");
const BACKUP_ROTATE: &str = include_str!("../../../../examples/backup-rotate.yaml");
const README: &str = include_str!("../../../../README.md");

const LOOP: &str = "
name: Poll
steps:
  - {id: ask, action: tool, tool: http_request, args: {url: 'http://a'}, onFailure: wait}
  - id: judge
    action: model
    prompt: Is it done?
    approvalRequired: true
    branches:
      - {condition: result.done, goto: $end}
      - {condition: result.unsure && steps.ask.attempts < 3, goto: judge}
  - {id: wait, action: noop, onSuccess: ask, onFailure: $fail}
";

/// What must stay words, whatever a form would make of them.
const HOSTILE: &str = r##"
name: "a <script>alert('x')</script> & \"b\" ]]> -->"
description: "<b>&amp; \e[31m red \u202e rtl"
steps:
  - id: end
    description: "</title><img src=x onerror=alert(1)> & more"
    action: noop
    branches:
      - {condition: 'result.a < 3 && "x|y" !== "a`b"', goto: style}
      - {condition: "result.b === '</text><script>\"#35;\\\\n%%'", goto: $end}
    onFailure: $fail
  - {id: style, action: noop}
"##;

fn picture(text: &str) -> Picture {
    WorkflowDefinition::parse(text.as_bytes(), SourceFormat::Yaml)
        .unwrap()
        .picture()
}

fn drawn(text: &str, format: GraphFormat) -> String {
    draw(&picture(text), &Marks::default(), format)
}

macro_rules! looks {
    ($($test:ident: $text:expr, $format:ident;)*) => {
        $(#[test]
        fn $test() {
            insta::assert_snapshot!(drawn($text, GraphFormat::$format));
        })*
    };
}

looks! {
    deploy_check_in_ascii: DEPLOY_CHECK, Ascii;
    deploy_check_in_mermaid: DEPLOY_CHECK, Mermaid;
    deploy_check_in_dot: DEPLOY_CHECK, Dot;
    deploy_check_in_svg: DEPLOY_CHECK, Svg;
    backup_rotate_in_ascii: BACKUP_ROTATE, Ascii;
    backup_rotate_in_mermaid: BACKUP_ROTATE, Mermaid;
    backup_rotate_in_dot: BACKUP_ROTATE, Dot;
    backup_rotate_in_svg: BACKUP_ROTATE, Svg;
    a_loop_in_ascii: LOOP, Ascii;
    a_loop_in_mermaid: LOOP, Mermaid;
    a_loop_in_dot: LOOP, Dot;
    a_loop_in_svg: LOOP, Svg;
    hostile_texts_in_ascii: HOSTILE, Ascii;
    hostile_texts_in_mermaid: HOSTILE, Mermaid;
    hostile_texts_in_dot: HOSTILE, Dot;
}

#[test]
fn the_readme_shows_what_the_command_draws() {
    let drawing = drawn(DEPLOY_CHECK, GraphFormat::Ascii);
    let lines: Vec<String> = drawing.lines().map(|line| format!("    {line}")).collect();
    let shown = lines.join("\n");
    assert!(README.contains(&shown), "the README should show\n{shown}");
}

#[test]
fn the_examples_fit_on_a_terminal() {
    for text in [DEPLOY_CHECK, BACKUP_ROTATE, LOOP, HOSTILE] {
        let drawing = drawn(text, GraphFormat::Ascii);
        let widest = drawing.lines().map(words::width).max();
        assert!(widest <= Some(80), "{drawing}");
    }
}

#[test]
fn hostile_texts_are_words_of_the_drawing_and_nothing_else() {
    let svg = drawn(HOSTILE, GraphFormat::Svg);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let allowed = [
        "svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text",
    ];
    for element in document.descendants().filter(roxmltree::Node::is_element) {
        let name = element.tag_name().name();
        assert!(allowed.contains(&name), "{name}");
        let scripts = element.attributes().any(|one| one.name().starts_with("on"));
        assert!(!scripts, "{name} has a script");
    }
    let titles: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("title") || node.has_tag_name("desc"))
        .filter_map(|node| node.text())
        .collect();
    assert_eq!(titles[0], "a <script>alert('x')</script> & \"b\" ]]> -->");
    assert!(titles[1].starts_with("<b>&amp; \\u{1b}[31m red \\u{202e} rtl"));
    let whole = "else if result.b === '</text><script>\"#35;\\\\n%%'";
    assert!(titles.contains(&whole), "{titles:?}");
}
