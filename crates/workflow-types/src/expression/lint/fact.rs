//! What is known of a name before anything runs: the kinds of its value, the words it can be.

/// The kind of a value, as JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A text.
    String,
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

impl Kind {
    /// As a sentence names a value of it.
    pub(super) fn named(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "true or false",
            Self::Number => "a number",
            Self::String => "a text",
            Self::List => "a list",
            Self::Mapping => "a mapping",
        }
    }
}

/// What is known of the value that a path reads, if it is there at all.
///
/// A missing value is never excluded, because reading what is missing is no mistake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fact {
    kinds: Vec<Kind>,
    words: Vec<String>,
    never: Vec<(String, &'static str)>,
}

impl Fact {
    /// Nothing is known.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The value is of one of these kinds.
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self {
            kinds: kinds.into_iter().collect(),
            ..Self::default()
        }
    }

    /// A text is one of these words.
    #[must_use]
    pub fn with_words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words = words.into_iter().map(Into::into).collect();
        self
    }

    /// One of the words does not occur where the expression runs, for this reason.
    #[must_use]
    pub fn never(mut self, word: &str, why: &'static str) -> Self {
        self.never.push((word.to_owned(), why));
        self
    }

    /// The kinds that are possible; empty if they are not known.
    pub(super) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The words that a text can be; empty if they are not known.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Why a word does not occur, if it does not.
    pub(super) fn why_never(&self, word: &str) -> Option<&'static str> {
        let (_, why) = self.never.iter().find(|(own, _)| own == word)?;
        Some(why)
    }
}

/// What the names of an expression stand for.
pub trait Kinds {
    /// What is known of the value that a path reads; the first segment is the name.
    fn fact(&self, path: &[&str]) -> Fact;
}
