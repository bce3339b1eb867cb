//! Texts of a host's settings, in which secrets are filled in and nothing else.
//!
//! There is no data that such a text could read, so it is kept as its pieces: what stands there, and
//! the names of secrets. Must not know where the values of secrets are from.

use super::{Part, Template};
use crate::id::SecretName;

/// A text with places for secrets.
///
/// # Examples
///
/// ```
/// use workflow_types::template::Template;
///
/// let template = Template::parse("Bearer {{ secrets.TOKEN }}")?;
/// let text = template.as_secret_text().unwrap();
/// assert_eq!(text.fill(|_| Some("hunter2")).unwrap(), "Bearer hunter2");
///
/// let template = Template::parse("{{ input.token }}")?;
/// assert!(template.as_secret_text().is_none());
/// # Ok::<(), workflow_types::template::TemplateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Secret(SecretName),
}

/// There is no value for a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("secret `{0}` has no value")]
pub struct NoValue(pub SecretName);

impl SecretText {
    /// The names of its secrets, in their order, each as often as it stands there.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Secret(name) => Some(name),
        })
    }

    /// The text with the values at their places. A value is data: it is not read as a template.
    ///
    /// # Errors
    ///
    /// If a secret has no value.
    pub fn fill<'s>(
        &self,
        value_of: impl Fn(&SecretName) -> Option<&'s str>,
    ) -> Result<String, NoValue> {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text.as_str()),
            Piece::Secret(name) => value_of(name).ok_or_else(|| NoValue(name.clone())),
        });
        pieces.collect()
    }
}

impl Template {
    /// The same as a text in which only secrets are filled in; none if it has another expression.
    pub fn as_secret_text(&self) -> Option<SecretText> {
        let pieces = self.parts.iter().map(|part| match part {
            Part::Text(text) => Some(Piece::Text(text.clone())),
            Part::Insert(insert) => insert.secret().map(Piece::Secret),
        });
        let pieces: Option<Vec<Piece>> = pieces.collect();
        pieces.map(|pieces| SecretText { pieces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(source: &str) -> Option<String> {
        let text = Template::parse(source).unwrap().as_secret_text()?;
        let values = [("A", "one"), ("B-2", "{{ secrets.A }}")];
        let value_of = |name: &SecretName| {
            let found = values.iter().find(|(known, _)| *known == name.as_ref());
            found.map(|(_, value)| *value)
        };
        let filled = text.fill(value_of);
        Some(filled.unwrap_or_else(|error| error.to_string()))
    }

    #[test]
    fn secrets_are_filled_in_and_all_else_stays_as_it_stands() {
        for (source, expected) in [
            ("", ""),
            ("plain } text {", "plain } text {"),
            ("{{secrets.A}}", "one"),
            (
                "x{{ secrets.A }}é{{ secrets['B-2'] }}y",
                "xoneé{{ secrets.A }}y",
            ),
            (r"\{{ secrets.A }} {{ secrets.A }}", "{{ secrets.A }} one"),
            ("[secret A]", "[secret A]"),
            ("{{ secrets.C }}", "secret `C` has no value"),
        ] {
            assert_eq!(filled(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn a_text_with_another_expression_is_none() {
        for source in [
            "{{ input.x }}",
            "{{ 'x' }}",
            "{{ secrets }}",
            "{{ secrets.A | json }}",
            "{{ secrets.A + 'x' }}",
            "{{ secrets.A }}{{ 1 }}",
        ] {
            assert_eq!(filled(source), None, "{source}");
        }
    }
}
