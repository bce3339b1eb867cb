//! The secrets of a host, as `[secrets]` says them: where each value is, and never the value.
//!
//! What is wrong here is told without a word of what stands there.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

use super::Path;
use super::named::name_of;
use crate::definition::fields::{Field, Fields};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};
use crate::id::SecretName;
use crate::shape::secrets::SECRET;

/// Where the value of a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// `env`: in this environment variable.
    Env(String),
    /// `file`: in this file, relative to the file that says so.
    File(String),
}

/// Words that stand for a value.
const VALUES: [&str; 7] = [
    "value", "secret", "token", "password", "key", "text", "content",
];

/// Reads `secrets`.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> BTreeMap<SecretName, SecretPlace> {
    let mut secrets = BTreeMap::new();
    let Some(field) = fields.take("secrets") else {
        return secrets;
    };
    let Some(map) = field.value.as_object() else {
        fields.report.push(value_stands(&field.at));
        return secrets;
    };
    for (name, value) in map {
        let at = field.at.key(name);
        let place = place(
            &Field {
                value,
                at: at.clone(),
            },
            fields.report,
        );
        let name = name_of::<SecretName>(name, &at, fields.report);
        secrets.extend(name.zip(place));
    }
    secrets
}

fn place(field: &Field<'_>, report: &mut Report) -> Option<SecretPlace> {
    let Value::Object(map) = field.value else {
        report.push(value_stands(&field.at));
        return None;
    };
    let is_value = |key: &&String| VALUES.contains(&key.to_ascii_lowercase().as_str());
    if let Some(key) = map.keys().find(is_value) {
        report.push(value_stands(&field.at.key(key)));
        return None;
    }
    let mut fields = Fields::open(field.value, &field.at, &SECRET, report)?;
    let place = if fields.has("file") {
        if fields.take("env").is_some() {
            let at = field.at.key("env");
            let reason = "it stands beside `file`: a value is in one place; remove one of them";
            fields.report.invalid(&at, reason);
        }
        fields
            .parsed("file")
            .map(|Path(path)| SecretPlace::File(path))
    } else {
        let remedy = "name the environment variable that holds the value, or a `file` with it";
        fields.require_or("env", remedy);
        let variable = fields.parsed("env");
        variable.map(|VariableName(name)| SecretPlace::Env(name))
    };
    fields.finish();
    place
}

fn value_stands(at: &Pointer) -> Diagnostic {
    let message = format!("`{at}` is a value, expected where the value is");
    Diagnostic::new(Code::SecretValue, Place::key(at), message)
        .label("not shown")
        .help(
            "take the value out of this file and write { env = \"NAME\" } with the name of an \
             environment variable that holds it, or { file = \"PATH\" }",
        )
}

/// What names an environment variable, and is surely no value.
struct VariableName(String);

impl FromStr for VariableName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_named = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if starts && text.len() <= 64 && text.chars().all(is_named) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "it is no name of an environment variable; write the name of the one that holds the \
                 value, as \"API_TOKEN\": the value itself may not stand in this file",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    fn told(secrets: &Value) -> String {
        let checked = Config::check(&json!({ "secrets": secrets }));
        assert_eq!(checked.config.is_none(), checked.diagnostics.has_errors());
        checked.diagnostics.to_string()
    }

    #[test]
    fn a_secret_is_in_a_variable_or_in_a_file() {
        let document = json!({"secrets": {"A": {"env": "A_1"}, "b-2": {"file": "x/y"}}});
        let config = Config::check(&document).config.unwrap();
        let places: Vec<SecretPlace> = config.secrets.into_values().collect();
        let (env, file) = ("A_1".to_owned(), "x/y".to_owned());
        assert_eq!(places, [SecretPlace::Env(env), SecretPlace::File(file)]);
        for (secret, words) in [
            (json!({}), "`env` is missing"),
            (json!({"env": "A", "file": "b"}), "it stands beside `file`"),
            (json!({"env": 1}), "expected a string"),
            (json!({"file": ""}), "it is empty"),
            (json!({"evn": "A"}), "did you mean `env`?"),
        ] {
            let text = told(&json!({ "A": secret }));
            assert!(text.contains(words), "{text}");
        }
        assert!(told(&json!({"a b": {"env": "A"}})).contains("may not stand in a name"));
    }

    #[test]
    fn a_value_is_refused_and_never_repeated() {
        for secret in [
            json!("canary"),
            json!(["canary"]),
            json!({"value": "canary"}),
            json!({"Token": "canary", "env": "A"}),
        ] {
            let text = told(&json!({ "A": secret }));
            assert!(text.contains("[WF0520]"), "{text}");
            assert!(!text.contains("canary"), "{text}");
        }
        assert!(told(&json!("canary")).contains("[WF0520]"));
        let text = told(&json!({"A": {"env": "canary-1"}}));
        assert!(text.contains("may not stand in this file"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
