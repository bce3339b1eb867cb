//! Which lines are not shown with what is wrong with them: somebody may have written a secret there.
//!
//! Nothing is known for certain of a file that is wrong. So a line is shown where it tells nothing:
//! below a table that deals with secrets only if its key takes none, and anywhere else only if no word
//! of it speaks of one.

use std::ops::Range;
use std::path::Path;

use gateway::workflow_types::config::{may_hold_secret, speaks_of_secrets};
use gateway::workflow_types::diagnostic::Code;
use gateway::workflow_types::{Diagnostic, SourceMap};

use super::excerpts;

/// The most bytes of a line that is looked at.
const LONGEST_LINE: usize = 4096;

/// Whether a diagnostic is shown with its place alone.
pub(super) fn is(diagnostic: &Diagnostic, map: &SourceMap, path: &Path) -> bool {
    if diagnostic.code == Code::SecretValue {
        return true;
    }
    // Only a configuration is written in TOML.
    let is_config = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    if !is_config {
        return false;
    }
    let excerpts = excerpts::of(diagnostic, map);
    !excerpts
        .iter()
        .all(|excerpt| is_plain(map.text(), &excerpt.part()))
}

/// Whether all lines of a part of a text tell nothing.
fn is_plain(text: &str, part: &Range<usize>) -> bool {
    let start = text.get(..part.start).and_then(|before| before.rfind('\n'));
    let start = start.map_or(0, |at| at + 1);
    let end = text.get(part.end..).and_then(|rest| rest.find('\n'));
    let end = end.map_or(text.len(), |end| part.end + end);
    let before = text.get(..start).unwrap_or_default();
    let header = before.lines().rev().find_map(header);
    let mut table: Vec<&str> = header.unwrap_or_default();
    for line in text.get(start..end).unwrap_or(text).lines() {
        if line.len() > LONGEST_LINE || speaks_of_secrets(line) {
            return false;
        }
        if let Some(names) = self::header(line) {
            let behind = line
                .rsplit_once(']')
                .map_or("", |(_, behind)| behind.trim());
            if !behind.is_empty() && !behind.starts_with('#') {
                return false;
            }
            table = names;
        } else if !is_plain_line(line, &table) {
            return false;
        }
    }
    true
}

fn is_plain_line(line: &str, table: &[&str]) -> bool {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return true;
    }
    // What is no setting continues the one before it, or is a mistake that nobody understands.
    let Some((names, value)) = line.split_once('=') else {
        let word = line.split([':', ' ', '\t']).next().unwrap_or_default();
        let is_key = word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        return !is_guarded(table) && is_key;
    };
    let path: Vec<&str> = table.iter().copied().chain(self::names(names)).collect();
    // A table on one line holds other settings as well.
    let is_of_others = is_guarded(&path) && value.contains('{');
    !(is_of_others || may_hold_secret(&path))
}

/// Whether settings below these names may hold secrets.
fn is_guarded(names: &[&str]) -> bool {
    let below: Vec<&str> = names.iter().copied().chain(["any"]).collect();
    may_hold_secret(&below)
}

/// The names of a table, if a line begins with one.
fn header(line: &str) -> Option<Vec<&str>> {
    let line = line.trim();
    line.starts_with('[').then(|| names(line))
}

/// The names of a dotted key, however little of it is well formed.
fn names(key: &str) -> Vec<&str> {
    let marks = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\'');
    let names = key.split('.').map(|name| name.trim_matches(marks));
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_where_it_can_hold_no_secret() {
        for (text, is_shown) in [
            ("[secrets]\nA = x", false),
            ("[ \"secrets\" ]\n\n# c\nA = x", false),
            ("[secrets.A]\nenv = x", false),
            ("secrets = x", false),
            ("secrets.A = x", false),
            ("[secrets]\nA = 1\n[gateway]\ndrain = x", true),
            ("[secretsauce]\nA = x", false),
            ("drain = x", true),
            ("drain: x", true),
            ("x = 1", true),
            (
                "[tools.execute_command]\nallow_programs = [\"git\", x]",
                true,
            ),
            ("[gateway]\nPassWord = x", false),
            ("# the old TOKEN was x", false),
            ("[models.a]\nadapter = x", true),
            ("[models.a]\nmax_tokens = x", true),
            ("[models.\"a\"]\nadaptr = x", false),
            ("[models.a]\napi_key = x", false),
            ("[models.a]\nkey_env = x", false),
            ("[models.a]\nmodel = {x", false),
            ("[models.a]\napi-key x", false),
            ("[models.a]\n# c\n\nx", false),
            ("models.a = {adapter = x", false),
            ("models.a.adapter = x", true),
            ("[models.a]\nmodel = 'm' # http://u:x@h", false),
            ("[alerts.sinks.a]\nurl = x", false),
            ("[alerts.sinks.a]\nkind = x", true),
            ("[mcp.servers.a.env]\nA = x", false),
            ("[mcp.servers.a]\ncommand = [\n  'x", false),
            ("[models.a]\n[x", true),
            ("[models.x] # c", true),
            ("[models.x] adapter = 1", false),
            ("sk-0x", false),
        ] {
            let byte = text.rfind('x').unwrap();
            assert_eq!(is_plain(text, &(byte..byte + 1)), is_shown, "{text}");
        }
        let between = "[gateway]\ndrain = 1\npassword = 2\ndrain = x";
        assert!(!is_plain(between, &(10..between.len())));
    }
}
