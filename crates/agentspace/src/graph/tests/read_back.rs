//! Reads drawings back, each form by simple means: which nodes and which ways are in it.

use std::collections::HashMap;

use gateway::workflow_types::definition::picture::Picture;

use super::words;

/// What was found: the names of nodes and, from where to where, of ways, sorted.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    pub(super) nodes: Vec<String>,
    pub(super) ways: Vec<(String, String, String)>,
}

impl Found {
    fn sorted(mut nodes: Vec<String>, mut ways: Vec<(String, String, String)>) -> Self {
        nodes.sort();
        ways.sort();
        Self { nodes, ways }
    }
}

/// What must be found.
pub(super) fn expected(picture: &Picture) -> Found {
    let nodes = picture.nodes().iter().map(|n| n.id().to_string()).collect();
    let ways = picture.edges().iter().map(|edge| {
        let label = words::on_edge(edge).unwrap_or_default();
        (edge.from.to_string(), edge.to.to_string(), label)
    });
    Found::sorted(nodes, ways.collect())
}

/// A quoted text at the beginning of another, and what follows.
fn quoted(text: &str) -> (String, &str) {
    let mut inside = String::new();
    let mut characters = text.strip_prefix('"').unwrap().char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next().unwrap().1 {
                'n' => inside.push('\n'),
                other => inside.push(other),
            },
            '"' => return (inside.replace("&amp;", "&"), &text[at + 2..]),
            other => inside.push(other),
        }
    }
    panic!("no end of {text}")
}

pub(super) fn dot(drawing: &str) -> Found {
    let (mut nodes, mut ways) = (Vec::new(), Vec::new());
    for line in drawing.lines().filter(|line| line.starts_with("  \"")) {
        let (from, rest) = quoted(line.trim_start());
        match rest.strip_prefix(" -> ") {
            None => nodes.push(from),
            Some(rest) => {
                let (to, rest) = quoted(rest);
                let label = rest.strip_prefix(" [label=");
                let label = label.map_or(String::new(), |rest| quoted(rest).0);
                ways.push((from, to, label));
            }
        }
    }
    Found::sorted(nodes, ways)
}

pub(super) fn mermaid(drawing: &str) -> Found {
    let mut names: HashMap<&str, String> = HashMap::new();
    let mut ways = Vec::new();
    for line in drawing.lines().skip(1).map(str::trim) {
        // A `>` in words is written as an entity.
        let is_way = line.contains("->");
        if let Some((node, label)) = line.split_once('"').filter(|_| !is_way) {
            let (id, shape) = node.split_at(node.find(['(', '[', '{']).unwrap());
            let name = label.split(['"', '<']).next().unwrap();
            let special = matches!(shape, "([");
            let name = decoded(name);
            names.insert(id, if special { format!("${name}") } else { name });
        } else {
            let (from, rest) = line.split_once(' ').unwrap();
            let (rest, to) = rest.rsplit_once(' ').unwrap();
            let label = rest
                .split_once("|\"")
                .map_or("", |(_, rest)| rest.trim_end_matches("\"|"));
            ways.push((names[from].clone(), names[to].clone(), decoded(label)));
        }
    }
    Found::sorted(names.into_values().collect(), ways)
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('#');
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(';').unwrap();
        whole.push(char::from_u32(number.parse().unwrap()).unwrap());
        whole.push_str(rest);
    }
    whole
}

pub(super) fn svg(document: &roxmltree::Document<'_>) -> Found {
    let (mut nodes, mut ways) = (Vec::new(), Vec::new());
    for group in document.descendants() {
        let data = |name| group.attribute(name).map(ToOwned::to_owned);
        nodes.extend(data("data-node"));
        if let (Some(from), Some(to)) = (data("data-from"), data("data-to")) {
            let title = group.first_element_child().unwrap().text().unwrap();
            let label = title.split_once(": ").map_or("", |(_, label)| label);
            ways.push((from, to, label.to_owned()));
        }
    }
    Found::sorted(nodes, ways)
}

/// A way's words can be clipped here, so they are left out; `then` and no words are one.
pub(super) fn ascii(drawing: &str) -> Found {
    let (mut nodes, mut ways) = (Vec::new(), Vec::new());
    let mut down: Option<String> = None;
    let mut above = "";
    for line in drawing.lines() {
        let round = line
            .strip_prefix("  ( ")
            .and_then(|rest| rest.split_once(" )"));
        let name = match round {
            Some((word, _)) => Some(format!("${word}")),
            None if above.starts_with('+') && line.starts_with("| ") => {
                line[2..].split(' ').next().map(ToOwned::to_owned)
            }
            None => None,
        };
        if let Some(name) = name {
            if let Some(from) = down.take() {
                ways.push((from, name.clone(), String::new()));
            }
            nodes.push(name);
        } else if line.starts_with("    +--") {
            let to = line.rsplit_once(" --> ").unwrap().1;
            let to = match to.strip_prefix("( ") {
                Some(rest) => format!("${}", rest.split(' ').next().unwrap()),
                None => to.split(' ').next().unwrap().to_owned(),
            };
            ways.push((nodes.last().unwrap().clone(), to, String::new()));
        } else if line.starts_with("    v") {
            down = nodes.last().cloned();
        }
        // The lower border of a box is followed by no name.
        above = if above.starts_with("| ") { "" } else { line };
        if line.starts_with('|') {
            above = line;
        }
    }
    Found::sorted(nodes, ways)
}
