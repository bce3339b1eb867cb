//! Which lines are not shown with what is wrong with them: somebody may have written a secret there.

use std::path::Path;

use gateway::workflow_types::diagnostic::{Code, Place};
use gateway::workflow_types::{Diagnostic, SourceMap};

/// Whether a diagnostic is shown with its place alone.
pub(super) fn is(diagnostic: &Diagnostic, map: &SourceMap, path: &Path) -> bool {
    if diagnostic.code == Code::SecretValue {
        return true;
    }
    // Only a configuration is written in TOML.
    let is_config = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    let related = diagnostic.related.iter().map(|label| &label.place);
    let mut places = std::iter::once(&diagnostic.place).chain(related);
    is_config && places.any(|place: &Place| is_of_secrets(map.text(), map.resolve(place).start))
}

/// Whether a byte stands below `[secrets]`, or on a line that begins with that word, however little
/// of the text is well formed.
fn is_of_secrets(text: &str, byte: usize) -> bool {
    let end = text.get(byte..).and_then(|rest| rest.find('\n'));
    let end = end.map_or(text.len(), |end| byte + end);
    let lines = text.get(..end).unwrap_or(text).lines().rev();
    let mut lines = lines.map(str::trim_start);
    let first = lines.next().unwrap_or_default();
    let header = std::iter::once(first)
        .chain(lines)
        .find(|line| line.starts_with('['));
    names_secrets(first) || header.is_some_and(|line| names_secrets(&line[1..]))
}

fn names_secrets(text: &str) -> bool {
    let text = text.trim_start_matches(['[', ' ', '\t', '"', '\'']);
    let rest = text.strip_prefix("secrets");
    rest.is_some_and(|rest| {
        !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_below_the_table_or_behind_the_word_is_concealed() {
        for (text, is) in [
            ("[secrets]\nA = x", true),
            ("[ \"secrets\" ]\n\n# c\nA = x", true),
            ("[secrets.A]\nenv = x", true),
            ("secrets = x", true),
            ("secrets.A = x", true),
            ("[secrets]\nA = 1\n[gateway]\ndrain = x", false),
            ("[secretsauce]\nA = x", false),
            ("drain = x", false),
        ] {
            let byte = text.rfind('x').unwrap();
            assert_eq!(is_of_secrets(text, byte), is, "{text}");
        }
    }
}
