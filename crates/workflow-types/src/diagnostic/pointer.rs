//! JSON pointers (RFC 6901): the address of a node, whatever the document was written in.

use std::fmt;

/// The address of a node, as `/steps/0/branches/1/goto`; the empty pointer is the whole document.
///
/// ```
/// use workflow_types::diagnostic::Pointer;
/// let at = Pointer::root().key("steps").index(0).key("a/b");
/// assert_eq!(at.as_str(), "/steps/0/a~1b");
/// assert_eq!(at.to_string(), "steps[0].a/b");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// A pointer from its text form, which must be empty or begin with `/`.
    pub fn from_text(text: &str) -> Option<Self> {
        (text.is_empty() || text.starts_with('/')).then(|| Self(text.to_owned()))
    }

    /// The node under a key of this mapping.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{escaped}", self.0))
    }

    /// The item at a place of this sequence.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// The node at `inner` below this one.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self(format!("{}{}", self.0, inner.0))
    }

    /// The mapping or sequence that holds this node; none for the whole document.
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|cut| Self(self.0[..cut].to_owned()))
    }

    /// The pointer as RFC 6901 writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As an author reads it: `steps[0].branches[1].goto`.
impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the document");
        }
        for (position, segment) in self.0.split('/').skip(1).enumerate() {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            if !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()) {
                write!(f, "[{segment}]")?;
            } else if position == 0 {
                f.write_str(&segment)?;
            } else {
                write!(f, ".{segment}")?;
            }
        }
        Ok(())
    }
}
