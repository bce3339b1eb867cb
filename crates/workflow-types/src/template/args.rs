//! A JSON value with templates in its strings: the arguments of a tool, compiled once.
//!
//! Must not know tools. Keys are never templates.

use std::ops::Range;

use serde_json::{Map, Value};

use super::output::Limits;
use super::{RenderError, Rendered, Template, TemplateError};
use crate::expression::{Reference, Scope};
use crate::id::SecretName;

/// Deeper values than serde reads from text cannot come from an author.
const MAX_DEPTH: usize = 128;

/// A JSON value whose strings are templates, parsed and ready to be rendered.
///
/// # Examples
///
/// ```
/// use serde_json::json;
/// use workflow_types::template::ArgsTemplate;
///
/// let args = json!({ "url": "https://{{ input.host }}/", "retries": "{{ input.retries }}" });
/// let args = ArgsTemplate::parse(&args).unwrap();
/// assert!(args.references().any(|(pointer, _)| pointer == "/url"));
///
/// let scope = json!({ "input": { "host": "example.org", "retries": 2 } });
/// let rendered = args.render(scope.as_object().unwrap()).unwrap();
/// assert_eq!(rendered, json!({ "url": "https://example.org/", "retries": 2 }));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ArgsTemplate {
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// A value without templates in it.
    Plain(Value),
    Template {
        pointer: String,
        template: Template,
    },
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl ArgsTemplate {
    /// Parses every string in `value`, however deep.
    ///
    /// # Errors
    ///
    /// All mistakes, each with the JSON pointer of its string.
    pub fn parse(value: &Value) -> Result<Self, Vec<(String, TemplateError)>> {
        let (template, errors) = Self::parse_usable(value);
        if errors.is_empty() {
            Ok(template)
        } else {
            Err(errors)
        }
    }

    /// As [`Self::parse`], with what can be read although other strings cannot: enough to look for
    /// further mistakes, never to be rendered.
    pub(crate) fn parse_usable(value: &Value) -> (Self, Vec<(String, TemplateError)>) {
        let mut compiler = Compiler::default();
        let root = compiler.node(value, 0);
        (Self { root }, compiler.errors)
    }

    /// Whether there is no expression in it.
    pub fn is_literal(&self) -> bool {
        match self.root {
            Node::Plain(_) => true,
            Node::Template { .. } | Node::Array(_) | Node::Object(_) => false,
        }
    }

    /// Everything that it may read: the JSON pointer of the string, and what is read there.
    pub fn references(&self) -> impl Iterator<Item = (&str, Reference)> {
        self.templates()
            .into_iter()
            .flat_map(|(pointer, template)| {
                let own = template.references();
                own.map(move |reference| (pointer, reference))
            })
    }

    /// Every string that has expressions in it, with its JSON pointer.
    pub(crate) fn templates(&self) -> Vec<(&str, &Template)> {
        let mut found = Vec::new();
        let mut open = vec![&self.root];
        while let Some(node) = open.pop() {
            match node {
                Node::Plain(_) => {}
                Node::Template { pointer, template } => found.push((pointer.as_str(), template)),
                Node::Array(nodes) => open.extend(nodes.iter().rev()),
                Node::Object(members) => open.extend(members.iter().rev().map(|(_, node)| node)),
            }
        }
        found
    }

    /// Every secret that it leaves a place for: the JSON pointer of the string, the bytes of it that
    /// name the secret, and the name.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, Range<usize>, SecretName)> {
        self.templates()
            .into_iter()
            .flat_map(|(pointer, template)| {
                let own = template.secrets();
                own.map(move |(span, name)| (pointer, span, name))
            })
    }

    /// The value for the data in `scope`, as it may be shown. All strings share the bounds of one
    /// template.
    ///
    /// # Errors
    ///
    /// The first failure, with the JSON pointer of its string.
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, (String, RenderError)> {
        self.root.render(scope, &mut Limits::default())
    }

    /// As [`render`](Self::render), with the places of secrets.
    ///
    /// # Errors
    ///
    /// Those of [`render`](Self::render).
    pub fn render_with_secrets(
        &self,
        scope: &dyn Scope,
    ) -> Result<Rendered, (String, RenderError)> {
        let mut limits = Limits::default();
        let value = self.root.render(scope, &mut limits)?;
        Ok(Rendered {
            value,
            secrets: limits.secrets,
        })
    }
}

impl Node {
    /// The value itself, if nothing in it is left to render.
    fn as_plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            Self::Template { .. } | Self::Array(_) | Self::Object(_) => None,
        }
    }

    fn array(nodes: Vec<Self>) -> Self {
        let plain: Option<Vec<_>> = nodes.iter().map(|node| node.as_plain().cloned()).collect();
        plain.map_or(Self::Array(nodes), |elements| Self::Plain(elements.into()))
    }

    fn object(members: Vec<(String, Self)>) -> Self {
        let plain: Option<Map<_, _>> = members
            .iter()
            .map(|(key, node)| Some((key.clone(), node.as_plain()?.clone())))
            .collect();
        plain.map_or(Self::Object(members), |members| Self::Plain(members.into()))
    }

    fn render(
        &self,
        scope: &dyn Scope,
        limits: &mut Limits,
    ) -> Result<Value, (String, RenderError)> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Template { pointer, template } => {
                let before = limits.secrets.len();
                let value = template
                    .render_within(scope, limits)
                    .map_err(|error| (pointer.clone(), error))?;
                for mark in &mut limits.secrets[before..] {
                    mark.stands_at(pointer);
                }
                Ok(value)
            }
            Self::Array(nodes) => nodes
                .iter()
                .map(|node| node.render(scope, limits))
                .collect(),
            Self::Object(members) => members
                .iter()
                .map(|(key, node)| Ok((key.clone(), node.render(scope, limits)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
        }
    }
}

#[derive(Default)]
struct Compiler {
    /// Where the value at hand stands.
    pointer: String,
    errors: Vec<(String, TemplateError)>,
}

impl Compiler {
    fn node(&mut self, value: &Value, depth: usize) -> Node {
        if depth > MAX_DEPTH {
            self.errors.push((self.pointer.clone(), too_deep()));
            return Node::Plain(Value::Null);
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Node::Plain(value.clone()),
            Value::String(source) => self.string(source),
            Value::Array(elements) => {
                let nodes = elements.iter().enumerate();
                let nodes = nodes
                    .map(|(at, element)| self.child(&at.to_string(), element, depth))
                    .collect();
                Node::array(nodes)
            }
            Value::Object(members) => {
                let nodes = members
                    .iter()
                    .map(|(key, member)| (key.clone(), self.child(key, member, depth)))
                    .collect();
                Node::object(nodes)
            }
        }
    }

    fn child(&mut self, key: &str, value: &Value, depth: usize) -> Node {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer
            .push_str(&key.replace('~', "~0").replace('/', "~1"));
        let node = self.node(value, depth + 1);
        self.pointer.truncate(length);
        node
    }

    fn string(&mut self, source: &str) -> Node {
        let pointer = self.pointer.clone();
        let template = match Template::parse(source) {
            Ok(template) => template,
            Err(error) => {
                self.errors.push((pointer, error));
                return Node::Plain(Value::Null);
            }
        };
        if let Some(text) = template.as_literal() {
            return Node::Plain(Value::String(text.to_owned()));
        }
        Node::Template { pointer, template }
    }
}

fn too_deep() -> TemplateError {
    TemplateError {
        span: 0..0,
        message: format!("the value is nested deeper than {MAX_DEPTH} levels"),
        help: Some("compute the value in a step and read its output".to_owned()),
        fix: None,
    }
}
