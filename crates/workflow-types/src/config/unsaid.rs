//! Settings that may hold a secret: what is wrong with them is told without a word of what stands
//! there.
//!
//! A secret does not belong into the file; where one stands all the same, something is wrong, and
//! nothing that quotes it may reach a terminal or the log of a build.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Diagnostics, Fix, Part, Place, escaped};

/// The tables in which secrets, or what leads to one, are configured.
const GUARDED: [&str; 4] = ["secrets", "models", "alerts", "mcp"];

/// The keys below them whose values are none, whatever is wrong with these.
const HARMLESS: [&str; 12] = [
    "adapter",
    "allow_private_addresses",
    "cwd",
    "inherit_env",
    "input_price",
    "kind",
    "max_tokens",
    "model",
    "output_price",
    "remind_after",
    "temperature",
    "timeout",
];

/// Parts of words that stand beside secrets.
const TELLING: [&str; 11] = [
    "key",
    "token",
    "secret",
    "passw",
    "pwd",
    "auth",
    "credential",
    "bearer",
    "cookie",
    "signature",
    "://",
];

/// The fewest bytes of a value that is not quoted: shorter ones stand in every other text by chance.
const SHORTEST: usize = 4;

/// Whether somebody may have written a secret into a setting, by the names that lead to it.
///
/// ```
/// use workflow_types::config::may_hold_secret;
///
/// assert!(may_hold_secret(&["models", "fast", "api_key"]));
/// assert!(!may_hold_secret(&["models", "fast", "temperature"]));
/// assert!(!may_hold_secret(&["gateway", "drain"]));
/// ```
pub fn may_hold_secret(names: &[&str]) -> bool {
    let is_guarded = names.first().is_some_and(|name| GUARDED.contains(name));
    // The items of a list have numbers for names.
    let is_name = |name: &&&str| name.parse::<usize>().is_err();
    let last = names.iter().rfind(is_name);
    let is_harmless = last.is_some_and(|name| HARMLESS.contains(name));
    (is_guarded && !is_harmless) || names.iter().any(|name| speaks_of_secrets(name))
}

/// Whether a text has a word that stands beside secrets.
///
/// ```
/// use workflow_types::config::speaks_of_secrets;
///
/// assert!(speaks_of_secrets("API-Token = 5"));
/// assert!(!speaks_of_secrets("max_tokens = 5"));
/// ```
pub fn speaks_of_secrets(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace("max_tokens", "");
    TELLING.iter().any(|word| text.contains(word))
}

/// Diagnostics of a document that quote no value which may be a secret.
pub(super) fn silenced(document: &Value, diagnostics: &Diagnostics) -> Diagnostics {
    let silenced = |diagnostic: &Diagnostic| {
        let mut diagnostic = diagnostic.clone();
        if let Place::Node { pointer, part } = &diagnostic.place
            && let Some(value) = document.pointer(pointer.as_str())
        {
            let is_of_value = *part == Part::Value;
            let names: Vec<&str> = pointer.as_str().split('/').skip(1).collect();
            let mut values = Vec::new();
            collect(value, &names, &mut values);
            if is_of_value && !values.is_empty() && diagnostic.fix.take().is_some() {
                // What is to be written instead is made of what stands there.
                diagnostic.help = None;
            }
            for value in &values {
                hide(value, &mut diagnostic);
            }
        }
        diagnostic
    };
    Diagnostics::from(diagnostics.iter().map(silenced).collect::<Vec<_>>())
}

/// The texts and numbers of settings that may hold a secret, from a value on.
fn collect<'v>(value: &'v Value, names: &[&'v str], found: &mut Vec<String>) {
    let mut below = |name: &'v str, value: &'v Value| {
        let names: Vec<&str> = names.iter().copied().chain([name]).collect();
        collect(value, &names, found);
    };
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Array(items) => items.iter().for_each(|item| below("0", item)),
        Value::Object(map) => map.iter().for_each(|(name, value)| below(name, value)),
        Value::Number(_) | Value::String(_) if !may_hold_secret(names) => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => found.push(text.clone()),
    }
}

/// Takes a value out of all that is said.
fn hide(value: &str, diagnostic: &mut Diagnostic) {
    if value.len() < SHORTEST {
        return;
    }
    let json = Value::from(value).to_string();
    let forms = [value, &escaped(value), json.trim_matches('"')];
    for form in forms {
        let texts = [&mut diagnostic.message, &mut diagnostic.label];
        for text in texts.into_iter().chain(diagnostic.help.as_mut()) {
            if text.contains(form) {
                *text = text.replace(form, "[not shown]");
            }
        }
        let is_quoted = |fix: &Fix| fix.replacement.to_string().contains(form);
        diagnostic.fix = diagnostic.fix.take().filter(|fix| !is_quoted(fix));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::Config;

    #[test]
    fn a_value_of_the_wrong_type_is_not_quoted_where_it_may_be_a_secret() {
        for document in [
            json!({"models": "cAnary-1"}),
            json!({"models": {"x": "cAnary-1"}}),
            json!({"models": {"x": {"adapter": "openai", "model": "m", "base_url": ["cAnary-1"]}}}),
            json!({"secrets": {"A": {"env": {"b": "cAnary-1"}}}}),
            json!({"mcp": {"servers": {"x": {"url": "http://h", "headers": "cAnary-1"}}}}),
            json!({"mcp": {"servers": {"x": {"command": "run cAnary-1"}}}}),
            json!({"alerts": {"sinks": {"x": {"kind": "webhook", "url": "cAnary-1"}}}}),
            json!({"alerts": {"sinks": {"x": {"kind": "command", "command": "a\ncAnary-1"}}}}),
        ] {
            let checked = Config::check(&document);
            assert!(checked.diagnostics.has_errors(), "{document}");
            for diagnostic in &checked.diagnostics {
                let all = format!("{diagnostic:?}");
                assert!(!all.contains("cAnary"), "{all}");
            }
        }
        let told = Config::check(&json!({"models": 12345}))
            .diagnostics
            .to_string();
        assert!(
            told.contains("`models` is the number [not shown]"),
            "{told}"
        );
        let told = Config::check(&json!({"gateway": "soon"}))
            .diagnostics
            .to_string();
        assert!(told.contains("`gateway` is the string \"soon\""), "{told}");
    }
}
