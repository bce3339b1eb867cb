//! Where secrets go: a template names one, rendering leaves its place, and a call fills it in.
//!
//! A place is told beside the value, never in it. What data says can look like the words that stand
//! at a place, but it can make none. Must not know where the values of secrets are from.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expression::{Beyond, Expression};
use crate::id::SecretName;

/// The name with which an expression says that it means a secret.
pub const SECRETS: &str = "secrets";

/// A place in a rendered value at which the value of a secret is put in for a call.
///
/// # Examples
///
/// ```
/// use serde_json::json;
/// use workflow_types::template::{ArgsTemplate, reveal};
///
/// let args = json!({ "header": "Bearer {{ secrets.TOKEN }}", "note": "{{ input.note }}" });
/// let args = ArgsTemplate::parse(&args).unwrap();
/// let scope = json!({ "input": { "note": "[secret TOKEN]" } });
/// let rendered = args.render_with_secrets(scope.as_object().unwrap()).unwrap();
/// assert_eq!(rendered.value["header"], "Bearer [secret TOKEN]");
///
/// let mut value = rendered.value;
/// reveal(&mut value, &rendered.secrets, |_| Some("hunter2")).unwrap();
/// assert_eq!(value, json!({ "header": "Bearer hunter2", "note": "[secret TOKEN]" }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretMark {
    /// The JSON pointer of the string.
    at: String,
    /// The byte of the string at which its shown form begins.
    offset: usize,
    name: SecretName,
}

impl SecretMark {
    pub(super) fn new(offset: usize, name: SecretName) -> Self {
        Self {
            at: String::new(),
            offset,
            name,
        }
    }

    /// The secret that is meant.
    pub fn name(&self) -> &SecretName {
        &self.name
    }

    pub(super) fn stands_at(&mut self, pointer: &str) {
        pointer.clone_into(&mut self.at);
    }

    /// The same place seen from further out.
    #[must_use]
    pub fn beneath(mut self, outer: &str) -> Self {
        self.at.insert_str(0, outer);
        self
    }
}

/// What is shown in the place of a secret's value.
pub fn shown(name: &SecretName) -> String {
    format!("[secret {name}]")
}

/// What rendering gave, and where secrets go in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The value as it may be stored and shown.
    pub value: Value,
    /// The places, in the order of the template.
    pub secrets: Vec<SecretMark>,
}

/// Why the secrets of a value were not put in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevealError {
    /// Nothing stands at a place, or something else: the two do not belong together.
    #[error("secret `{0}` has no place at `{1}`")]
    NoPlace(SecretName, String),
    /// There is no value.
    #[error("secret `{0}` has no value")]
    NoValue(SecretName),
}

/// Puts the values of secrets in at their places.
///
/// # Errors
///
/// If a place is not there, or a secret has no value; the value is half filled in then.
pub fn reveal<'s>(
    value: &mut Value,
    marks: &[SecretMark],
    value_of: impl Fn(&SecretName) -> Option<&'s str>,
) -> Result<(), RevealError> {
    // From the last to the first, so that none moves the places of those that follow.
    for mark in marks.iter().rev() {
        let (shown, no_place) = (shown(&mark.name), || {
            RevealError::NoPlace(mark.name.clone(), mark.at.clone())
        });
        let Some(Value::String(text)) = value.pointer_mut(&mark.at) else {
            return Err(no_place());
        };
        let end = mark.offset.saturating_add(shown.len());
        if text.get(mark.offset..end) != Some(shown.as_str()) {
            return Err(no_place());
        }
        let secret = value_of(&mark.name).ok_or_else(|| RevealError::NoValue(mark.name.clone()))?;
        text.replace_range(mark.offset..end, secret);
    }
    Ok(())
}

/// The secret that an expression names, if it does nothing else.
pub(super) fn named_by(expression: &Expression) -> Option<SecretName> {
    let reference = expression.as_reference()?;
    if reference.root().name() != SECRETS || reference.beyond() != Beyond::Nothing {
        return None;
    }
    match reference.path() {
        [segment] => SecretName::try_new(segment.name()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::template::{ArgsTemplate, Template};

    fn rendered(args: &Value, input: &Value) -> Rendered {
        let scope = json!({ "input": input });
        let args = ArgsTemplate::parse(args).unwrap();
        args.render_with_secrets(scope.as_object().unwrap())
            .unwrap()
    }

    fn revealed(rendered: &Rendered) -> Value {
        let mut value = rendered.value.clone();
        let values = [("A", "one"), ("B-2", "[secret A]")];
        let value_of = |name: &SecretName| {
            let found = values.iter().find(|(known, _)| *known == name.as_ref());
            found.map(|(_, value)| *value)
        };
        reveal(&mut value, &rendered.secrets, value_of).unwrap();
        value
    }

    #[test]
    fn several_secrets_of_one_text_each_find_their_place() {
        let args =
            json!({ "x": ["{{ input }}{{ secrets.A }}é{{ secrets['B-2'] }}{{ secrets.A }}"] });
        let rendered = rendered(&args, &json!("[secret A]"));
        assert_eq!(
            rendered.value["x"][0],
            "[secret A][secret A]é[secret B-2][secret A]"
        );
        assert_eq!(revealed(&rendered)["x"][0], "[secret A]oneé[secret A]one");
    }

    #[test]
    fn what_is_computed_with_a_secret_is_computed_with_nothing() {
        for source in [
            "{{ secrets }}",
            "{{ secrets.A | json }}",
            "{{ secrets.A + 'x' }}",
            "{{ secrets.A.length }}",
            "{{ secrets['a b'] }}",
            "{{ [secrets.A] }}",
        ] {
            let template = Template::parse(source).unwrap();
            let rendered = template
                .render_with_secrets(&serde_json::Map::new())
                .unwrap();
            assert_eq!(rendered.secrets, [], "{source}");
            assert!(template.secrets().next().is_none(), "{source}");
        }
    }

    #[test]
    fn marks_that_do_not_fit_their_value_put_nothing_in() {
        let rendered = rendered(&json!({ "x": "{{ secrets.A }}" }), &Value::Null);
        for other in [
            json!({}),
            json!({"x": 1}),
            json!({"x": "[secret B]"}),
            json!({"x": ""}),
        ] {
            let mut value = other.clone();
            let error = reveal(&mut value, &rendered.secrets, |_| Some("one")).unwrap_err();
            assert_eq!(error.to_string(), "secret `A` has no place at `/x`");
            assert_eq!(value, other);
        }
        let mut value = rendered.value.clone();
        let error = reveal(&mut value, &rendered.secrets, |_| None).unwrap_err();
        assert_eq!(error, RevealError::NoValue("A".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_data_becomes_a_secret(
            data in prop_oneof![
                "\\PC{0,8}",
                Just("[secret A]".to_owned()),
                Just("{{ secrets.A }}".to_owned()),
                "(\\[secret |A|\\]|\\{\\{ ?secrets\\.A ?\\}\\}|/x|~0){0,6}",
            ],
            key in "[a-z~/]{0,3}",
        ) {
            let args = json!({
                (key.as_str()): ["{{ input }}", "{{ secrets.A }}{{ input }}", "{{ input }}{{ secrets.A }}"],
            });
            let revealed = revealed(&rendered(&args, &json!(data)));
            let list = &revealed[key.as_str()];
            prop_assert_eq!(&list[0], &json!(data));
            prop_assert_eq!(&list[1], &json!(format!("one{data}")));
            prop_assert_eq!(&list[2], &json!(format!("{data}one")));
        }
    }
}
