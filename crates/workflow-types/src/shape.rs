//! What an author may write: one table a mapping, from which the parser takes the keys it knows
//! and the published JSON Schemas everything they say.
//!
//! A table says what can be said of a key alone. What spans keys or steps (targets, unique ids, a
//! pattern that never fires) is the parser's.

pub(crate) mod config;
pub(crate) mod habits;
pub(crate) mod heartbeat;
pub(crate) mod mcp;
pub(crate) mod secrets;
pub(crate) mod step;
pub(crate) mod timing;
pub(crate) mod workflow;

use serde_json::Value;

/// A mapping that an author writes.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Its name among the definitions of a published schema.
    pub(crate) name: &'static str,
    /// What an author would call it where it is the whole document.
    pub(crate) called: &'static str,
    /// What it is, in one sentence.
    pub(crate) doc: &'static str,
    /// Its keys, in the order in which they are listed to an author.
    pub(crate) keys: &'static [Key],
}

/// What is said of a mapping's keys together.
#[derive(Debug)]
pub(crate) struct Either {
    /// The mapping.
    pub(crate) shape: &'static Shape,
    /// The keys of which it has exactly one.
    pub(crate) one_of: Alternatives,
}

impl Shape {
    /// The key of a name in camelCase.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Whether a word is one of the keys, in camelCase or `snake_case`.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.keys
            .iter()
            .any(|key| key.name == word || snake_case(key.name) == word)
    }
}

/// A key of a mapping.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name in camelCase; its `snake_case` spelling is accepted too. A name in `snake_case` has
    /// no other spelling.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) presence: Presence,
    /// What it says, in one sentence; editors show it.
    pub(crate) doc: &'static str,
    /// A value to learn from.
    pub(crate) example: Option<fn() -> Value>,
    /// The value for which its absence stands.
    pub(crate) default: Option<fn() -> Value>,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Presence {
    /// It must; the text tells an author who left it out what to do.
    Required(&'static str),
    /// It may be left out.
    Optional,
}

impl Key {
    const fn required(
        name: &'static str,
        form: Form,
        remedy: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            form,
            presence: Presence::Required(remedy),
            doc,
            example: None,
            default: None,
        }
    }

    const fn optional(name: &'static str, form: Form, doc: &'static str) -> Self {
        Self {
            name,
            form,
            presence: Presence::Optional,
            doc,
            example: None,
            default: None,
        }
    }

    const fn example(mut self, example: fn() -> Value) -> Self {
        self.example = Some(example);
        self
    }

    const fn default(mut self, default: fn() -> Value) -> Self {
        self.default = Some(default);
        self
    }
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// A string of any kind; what it must be beyond that no pattern can say.
    Text,
    /// A string of a pattern.
    Pattern(&'static Pattern),
    /// One of a few words, each with what it means.
    Words(&'static [(&'static str, &'static str)]),
    /// A whole number.
    Whole(Whole),
    /// A number.
    Number {
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// `true` or `false`.
    Boolean,
    /// A whole number of the key's own unit, or a text such as `30s`.
    Duration(Whole),
    /// A list.
    List(&'static List),
    /// A mapping of known keys.
    Mapping(&'static Shape),
    /// A mapping whose keys depend on the word under one of them.
    Choice(&'static Choice),
    /// A mapping of known keys that has exactly one of a few.
    Either(&'static Either),
    /// A mapping from names that the author chooses to values of one form.
    Named(&'static Named),
    /// A mapping with whatever keys.
    Object,
    /// The schema of a workflow's input: the name of a type or a property for each name, unless it is
    /// a JSON Schema as a whole.
    Input(&'static Shape),
    /// Any value.
    Any,
    /// One of several forms.
    OneOf(&'static [Form]),
}

impl Form {
    /// What an author should have written, by kind.
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Text | Self::Pattern(_) | Self::Words(_) => "a string".to_owned(),
            // Nobody comes near the most that 32 bits hold.
            Self::Whole(Whole { least, most }) => match most.filter(|most| *most < Whole::U32) {
                Some(most) => format!("a whole number from {least} to {most}"),
                None => format!("a whole number from {least}"),
            },
            Self::Number { .. } => "a number".to_owned(),
            Self::Boolean => "a boolean".to_owned(),
            Self::Duration(_) => "whole milliseconds, or a text such as \"30s\"".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Mapping(_)
            | Self::Choice(_)
            | Self::Either(_)
            | Self::Named(_)
            | Self::Object
            | Self::Input(_) => "a mapping".to_owned(),
            Self::Any => "a value".to_owned(),
            Self::OneOf(forms) => {
                let each: Vec<String> = forms.iter().map(|form| form.expected()).collect();
                each.join(" or ")
            }
        }
    }

    /// The whole numbers that are allowed; none of any other form.
    pub(crate) fn range(self) -> Option<std::ops::RangeInclusive<u64>> {
        match self {
            Self::Whole(Whole { least, most }) => Some(least..=most.unwrap_or(Whole::I64)),
            Self::Text
            | Self::Pattern(_)
            | Self::Words(_)
            | Self::Number { .. }
            | Self::Boolean
            | Self::Duration(_)
            | Self::List(_)
            | Self::Mapping(_)
            | Self::Choice(_)
            | Self::Either(_)
            | Self::Named(_)
            | Self::Object
            | Self::Input(_)
            | Self::Any
            | Self::OneOf(_) => None,
        }
    }

    /// The words among which an author chooses; none of any other form.
    pub(crate) fn words(self) -> Vec<&'static str> {
        match self {
            Self::Words(words) => words.iter().map(|(word, _)| *word).collect(),
            Self::Text
            | Self::Pattern(_)
            | Self::Whole(_)
            | Self::Number { .. }
            | Self::Boolean
            | Self::Duration(_)
            | Self::List(_)
            | Self::Mapping(_)
            | Self::Choice(_)
            | Self::Either(_)
            | Self::Named(_)
            | Self::Object
            | Self::Input(_)
            | Self::Any
            | Self::OneOf(_) => Vec::new(),
        }
    }
}

/// A text with something in it.
static FILLED: Pattern = Pattern {
    regex: ".",
    longest: None,
    words: "a text that is not empty",
};

/// What a string must look like.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As a regular expression that Rust and JavaScript read alike.
    pub(crate) regex: &'static str,
    /// How many characters it may have.
    pub(crate) longest: Option<usize>,
    /// The same in words.
    pub(crate) words: &'static str,
}

/// A range of whole numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    /// The least.
    pub(crate) least: u64,
    /// The most; none stands for the most that JSON's whole numbers can be.
    pub(crate) most: Option<u64>,
}

impl Whole {
    const U32: u64 = u32::MAX as u64;
    const I64: u64 = i64::MAX as u64;

    /// Whole numbers from 1 that 32 bits hold.
    const POSITIVE: Self = Self {
        least: 1,
        most: Some(Self::U32),
    };
}

/// A list of values of one form.
#[derive(Debug)]
pub(crate) struct List {
    /// What its items are.
    pub(crate) of: Form,
    /// How many it has at least.
    pub(crate) least: usize,
    /// How many it has at most.
    pub(crate) most: Option<usize>,
}

/// A mapping from names that the author chooses.
#[derive(Debug)]
pub(crate) struct Named {
    /// What the names look like.
    pub(crate) names: &'static Pattern,
    /// What stands under each of them.
    pub(crate) of: Form,
}

/// Keys of which a mapping has exactly one, each with those that go with it alone.
pub(crate) type Alternatives = &'static [(&'static str, &'static [&'static str])];

/// A mapping with keys that it always has, and others that depend on a word.
#[derive(Debug)]
pub(crate) struct Choice {
    /// The keys that it always has.
    pub(crate) common: &'static Shape,
    /// The key whose word chooses.
    pub(crate) by: &'static str,
    /// The keys that come with each word.
    pub(crate) cases: &'static [(&'static str, &'static Shape)],
}

/// `onSuccess` as `on_success`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
