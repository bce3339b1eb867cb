//! The texts of a configuration that have a form of their own.

use std::str::FromStr;

/// What is said of a text that no program can be given.
pub(super) const NULL: &str = "it contains the character U+0000; remove it";

/// A path, or the name of a program.
pub(super) struct Path(pub(super) String);

impl FromStr for Path {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("it is empty; write a text, or remove it"),
            _ if text.contains('\0') => Err(NULL),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// The name of an environment variable.
pub(super) struct Variable(pub(super) String);

impl FromStr for Variable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('=') {
            return Err(
                "it is no name of a variable; write the name alone, without `=` and a value",
            );
        }
        text.parse().map(|Path(name)| Self(name))
    }
}
