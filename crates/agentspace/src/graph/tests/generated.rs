//! Laws of pictures, tried on generated workflows.

use gateway::workflow_types::WorkflowDefinition;
use gateway::workflow_types::definition::picture::Picture;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{GraphFormat, Marks, draw, read_back, svg};

/// A step, whose targets are numbers that are taken modulo the number of places there are.
#[derive(Debug, Clone)]
struct Shape {
    action: u8,
    gate: bool,
    on_success: Option<usize>,
    on_failure: Option<usize>,
    branches: Vec<(String, usize)>,
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let target = || prop::option::weighted(0.3, 0..40_usize);
    let text = "[a-z<>&\"|#;%:`{}_ 漢\u{1f600}-]{0,40}";
    let shape = (
        0..3_u8,
        any::<bool>(),
        target(),
        target(),
        vec((text, 0..40_usize), 0..4),
    );
    let shape = shape.prop_map(|(action, gate, on_success, on_failure, branches)| Shape {
        action,
        gate,
        on_success,
        on_failure,
        branches,
    });
    vec(shape, 1..14)
}

fn picture(shapes: &[Shape]) -> Picture {
    let place = |number: usize| match number % (shapes.len() + 2) {
        0 => "$end".to_owned(),
        1 => "$fail".to_owned(),
        other => format!("s{}", other - 2),
    };
    let steps: Vec<Value> = shapes
        .iter()
        .enumerate()
        .map(|(index, shape)| {
            let mut step = match shape.action {
                0 => json!({"action": "tool", "tool": "execute_command", "args": {}, "timeout": "5s"}),
                1 => json!({"action": "model", "prompt": "hi"}),
                _ => json!({"action": "noop"}),
            };
            step["id"] = json!(format!("s{index}"));
            if shape.gate {
                step["approvalRequired"] = json!(true);
            }
            if let Some(target) = shape.on_success {
                step["onSuccess"] = json!(place(target));
            }
            if let Some(target) = shape.on_failure {
                step["onFailure"] = json!(place(target));
            }
            let branch = |(text, target): &(String, usize)| {
                let condition = format!("result.a === {}", Value::from(text.as_str()));
                json!({"condition": condition, "goto": place(*target)})
            };
            if !shape.branches.is_empty() {
                step["branches"] = shape.branches.iter().map(branch).collect();
            }
            step
        })
        .collect();
    let definition = json!({"name": "Generated", "steps": steps});
    WorkflowDefinition::from_json(&definition)
        .unwrap()
        .picture()
}

/// Left, top, right and bottom of what stands in a group.
fn bounds(group: roxmltree::Node<'_, '_>) -> (f64, f64, f64, f64) {
    let number = |node: roxmltree::Node<'_, '_>, name: &str| {
        node.attribute(name)
            .map_or(0.0, |value| value.parse::<f64>().unwrap())
    };
    let moved = group.attribute("transform").map_or((0.0, 0.0), |text| {
        let inside = text.trim_start_matches("translate(").trim_end_matches(')');
        let (x, y) = inside.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    });
    let rect = group.children().find(|node| node.has_tag_name("rect"));
    let (x, y, width, height) = match rect {
        Some(rect) => {
            let number = |name| number(rect, name);
            (number("x"), number("y"), number("width"), number("height"))
        }
        // Six corners: the fourth number is the width, the last one the height.
        None => {
            let path = group
                .descendants()
                .find(|node| node.attribute("class") == Some("box"));
            let data = path.unwrap().attribute("d").unwrap();
            let numbers: Vec<f64> = data
                .split(|c: char| !c.is_ascii_digit() && c != '.')
                .filter_map(|word| word.parse().ok())
                .collect();
            (0.0, 0.0, numbers[3], numbers[6])
        }
    };
    let (left, top) = (x + moved.0, y + moved.1);
    (left, top, left + width, top + height)
}

fn stand_apart(document: &roxmltree::Document<'_>) -> Result<(), TestCaseError> {
    let root = document.root_element();
    let view: Vec<f64> = root
        .attribute("viewBox")
        .unwrap()
        .split(' ')
        .map(|word| word.parse().unwrap())
        .collect();
    let has_class = |node: &roxmltree::Node<'_, '_>, wanted: &str| {
        let class = node.attribute("class").unwrap_or_default();
        class.split(' ').any(|word| word == wanted)
    };
    let groups = || root.children().filter(|node| node.has_tag_name("g"));
    let boxes: Vec<_> = groups()
        .filter(|node| has_class(node, "node"))
        .map(bounds)
        .collect();
    let labels: Vec<_> = groups()
        .filter(|node| has_class(node, "label"))
        .map(bounds)
        .collect();
    for (left, top, right, bottom) in boxes.iter().chain(&labels) {
        let inside = *left >= 0.0 && *top >= 0.0 && *right <= view[2] && *bottom <= view[3];
        prop_assert!(
            inside,
            "outside of the paper: {left} {top} {right} {bottom}"
        );
    }
    let all: Vec<_> = boxes.iter().chain(&labels).collect();
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            let apart = one.2 <= other.0 + 0.2
                || other.2 <= one.0 + 0.2
                || one.3 <= other.1 + 0.2
                || other.3 <= one.1 + 0.2;
            prop_assert!(apart, "{one:?} and {other:?} overlap");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_form_shows_each_node_once_and_every_way(shapes in shapes()) {
        let picture = picture(&shapes);
        let expected = read_back::expected(&picture);
        let drawn = |format| draw(&picture, &Marks::default(), format);
        prop_assert_eq!(&read_back::dot(&drawn(GraphFormat::Dot)), &expected);
        prop_assert_eq!(&read_back::mermaid(&drawn(GraphFormat::Mermaid)), &expected);
        let drawing = drawn(GraphFormat::Svg);
        let document = roxmltree::Document::parse(&drawing).unwrap();
        prop_assert_eq!(&read_back::svg(&document), &expected);
        let mut without_words = expected;
        for way in &mut without_words.ways {
            way.2.clear();
        }
        without_words.ways.sort();
        prop_assert_eq!(&read_back::ascii(&drawn(GraphFormat::Ascii)), &without_words);
    }

    #[test]
    fn nothing_overlaps_and_nothing_leaves_the_paper(shapes in shapes()) {
        let picture = picture(&shapes);
        for drawing in [svg::draw(&picture, &Marks::default()), svg::draw_as_list(&picture)] {
            stand_apart(&roxmltree::Document::parse(&drawing).unwrap())?;
        }
    }
}
