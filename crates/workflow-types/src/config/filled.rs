//! Texts of a configuration in which secrets are filled in, named as steps name them.
//!
//! Somebody may have written a secret itself beside the braces, so that no text is repeated.

use serde_json::Value;

use crate::definition::secrets::{in_call, is_secret};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report, closest};
use crate::id::SecretName;
use crate::template::{SecretText, Template, TemplateError};

/// The names of secrets that a document has.
pub(super) struct Names<'d> {
    /// None if the table of secrets is none, which is told at its own place.
    known: Option<Vec<&'d str>>,
}

impl<'d> Names<'d> {
    /// The names that stand below `secrets`, whatever stands at them.
    pub(super) fn of(document: &'d Value) -> Self {
        let known = match document.get("secrets") {
            None => Some(Vec::new()),
            Some(table) => table
                .as_object()
                .map(|table| table.keys().map(String::as_str).collect()),
        };
        Self { known }
    }

    /// Reads a text; reports if something else than secrets that there are is to be filled in.
    pub(super) fn text(&self, text: &str, at: &Pointer, report: &mut Report) -> Option<SecretText> {
        let template = Template::parse(text);
        let template = template.map_err(|error| report.push(bad_template(at, error)));
        let template = template.ok()?;
        in_call(at, &template, report);
        for (offset, expression) in template.expressions() {
            if !expression.references().iter().any(is_secret) {
                let end = offset + expression.source().len();
                report.push(no_secret(Place::inside(at, offset..end), at));
            }
        }
        for (span, name) in template.secrets() {
            if let Some(known) = &self.known
                && !known.contains(&name.as_ref())
            {
                report.push(unknown(Place::inside(at, span), &name, known));
            }
        }
        template.as_secret_text()
    }
}

/// Reports a secret in a text in which none is filled in.
pub(super) fn refuse(text: &str, at: &Pointer, (why, help): (&str, &str), report: &mut Report) {
    let Ok(template) = Template::parse(text) else {
        return;
    };
    if let Some((span, _)) = template.secrets().next() {
        let message = format!("`{at}` names a secret: {why}");
        let place = Place::inside(at, span);
        let diagnostic = Diagnostic::new(Code::SecretMisplaced, place, message);
        report.push(diagnostic.label("not here").help(help));
    }
}

fn bad_template(at: &Pointer, error: TemplateError) -> Diagnostic {
    let place = Place::inside(at, error.span);
    let message = format!(
        "the template in `{at}` cannot be parsed: it names a secret as {{{{ secrets.NAME }}}}"
    );
    Diagnostic::new(Code::BadTemplate, place, message).help(BRACES)
}

/// What to do about braces.
const BRACES: &str = "write {{ secrets.NAME }} to fill in a secret, or \\{{ where two braces are \
                      meant";

fn no_secret(place: Place, at: &Pointer) -> Diagnostic {
    let message = format!("`{at}` has an expression that is no secret; only secrets are filled in");
    let diagnostic = Diagnostic::new(Code::InvalidValue, place, message);
    diagnostic.label("no secret").help(BRACES)
}

fn unknown(place: Place, name: &SecretName, known: &[&str]) -> Diagnostic {
    let help = match closest(name.as_ref(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "say below [secrets] where its value is, as in {name} = {{ env = \"VARIABLE\" }}"
        ),
    };
    let message = format!("there is no secret `{name}`");
    Diagnostic::new(Code::UnknownSecret, place, message)
        .label("not configured")
        .help(help)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::Config;
    use crate::config::mcp::McpEndpoint;

    fn told(server: &serde_json::Value) -> String {
        let document = json!({
            "mcp": {"servers": {"files": server}},
            "secrets": {"TOKEN": {"env": "A"}, "KEY": {"file": "b"}},
        });
        let checked = Config::check(&document);
        assert_eq!(checked.config.is_none(), checked.diagnostics.has_errors());
        checked.diagnostics.to_string()
    }

    #[test]
    fn variables_and_headers_name_secrets_as_steps_do() {
        let document = json!({
            "mcp": {"servers": {
                "far": {"url": "http://a", "headers": {"Authorization": "Bearer {{secrets.TOKEN}}"}},
                "near": {"command": ["x"], "env": {"A": "{{ secrets['KEY'] }}", "B": "\\{{ x }}"}},
            }},
            "secrets": {"TOKEN": {"env": "A"}, "KEY": {"file": "b"}},
        });
        let config = Config::check(&document).config.unwrap();
        let mut texts = Vec::new();
        for server in config.mcp_servers.into_values() {
            match server.endpoint {
                McpEndpoint::Program { env, .. } => texts.extend(env),
                McpEndpoint::Address { headers, .. } => texts.extend(headers),
            }
        }
        let filled = texts.iter().map(|(name, text)| {
            let text = text.fill(|secret| Some(if secret.as_ref() == "KEY" { "k" } else { "t" }));
            format!("{name}: {}", text.unwrap())
        });
        let filled: Vec<String> = filled.collect();
        assert_eq!(filled, ["Authorization: Bearer t", "A: k", "B: {{ x }}"]);
    }

    #[test]
    fn what_is_no_secret_that_there_is_is_told_with_a_remedy_and_without_the_text() {
        for (value, words) in [
            (
                "canary {{ secrets.TOKNE }}",
                ["WF0220", "did you mean `TOKEN`?"],
            ),
            (
                "canary {{ secrets.other_one }}",
                ["WF0220", "other_one = { env = \"VARIABLE\" }"],
            ),
            ("canary {{ secrets['a b'] }}", ["WF0220", "what is no name"]),
            ("canary {{ secrets.TOKEN | json }}", ["WF0221", "by itself"]),
            (
                "canary {{ secrets }}",
                ["WF0221", "expected the name of one"],
            ),
            (
                "canary {{ env.TOKEN }}",
                ["WF0104", "only secrets are filled in"],
            ),
            ("canary {{ 'canary' }}", ["WF0104", "\\{{ where two braces"]),
            ("canary {{ canary", ["WF0202", "\\{{ where two braces"]),
        ] {
            for server in [
                json!({"command": ["x"], "env": {"A": value}}),
                json!({"url": "http://a", "headers": {"A": value}}),
            ] {
                let text = told(&server);
                assert!(words.iter().all(|word| text.contains(word)), "{text}");
                assert!(!text.contains("canary"), "{text}");
            }
        }
    }

    #[test]
    fn where_a_secret_would_be_seen_it_is_refused() {
        let text = told(&json!({"command": ["x", "--key={{ secrets.KEY }}"]}));
        assert!(text.contains("WF0222") && text.contains("`env`"), "{text}");
        let text = told(&json!({"url": "http://a/?k={{secrets.KEY}}"}));
        assert!(
            text.contains("WF0222") && text.contains("`headers`"),
            "{text}"
        );
        assert_eq!(told(&json!({"command": ["x", "{{ y }}", "{{"]})), "");
    }

    #[test]
    fn a_table_of_secrets_that_is_none_is_told_once() {
        let document = json!({
            "mcp": {"servers": {"a": {"command": ["x"], "env": {"A": "{{ secrets.B }}"}}}},
            "secrets": 5,
        });
        let told = Config::check(&document).diagnostics.to_string();
        assert!(
            told.contains("WF0520") && !told.contains("WF0220"),
            "{told}"
        );
    }
}
