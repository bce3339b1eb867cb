//! What other languages write, and how the same is written here.
//!
//! Looks at the text around a token that the parser refused; must not know the grammar.

use super::ast::{Method, Span};
use super::token::{Token, TokenKind};

/// How to write what was meant.
pub(super) struct Remedy {
    /// What the remedy is for, and what a fix replaces.
    pub(super) span: Span,
    pub(super) help: String,
    pub(super) fix: Option<String>,
}

impl Remedy {
    fn told(span: Span, help: impl Into<String>) -> Self {
        Self {
            span,
            help: help.into(),
            fix: None,
        }
    }

    fn replaced(span: Span, help: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..Self::told(span, help)
        }
    }
}

const REGULAR: &str =
    "regular expressions are not in the language; use includes, startsWith or endsWith";

/// What stands where an operator, or the end, was expected.
pub(super) fn infix(found: &Token, source: &str) -> Option<Remedy> {
    match &found.kind {
        TokenKind::Sign(sign) => sign_remedy(sign, found.span, source),
        TokenKind::Name(name) => word(name, found.span, source),
        TokenKind::Number(_) | TokenKind::String(_) | TokenKind::End => None,
    }
}

fn sign_remedy(sign: &str, span: Span, source: &str) -> Option<Remedy> {
    let before = source.get(..span.start).unwrap_or_default();
    let after = source.get(span.end..).unwrap_or_default();
    let wider = Span::new(span.start, span.end + 1);
    Some(match sign {
        "=" | "!" if after.starts_with('~') => Remedy::told(wider, REGULAR),
        "=" if after.starts_with('<') => Remedy::replaced(wider, "use `<=` to compare", "<="),
        "=" => Remedy::replaced(span, "use `===` to compare; there is no assignment", "==="),
        ">" if before.ends_with('<') => {
            let both = Span::new(span.start - 1, span.end);
            Remedy::replaced(both, "use `!==` to compare", "!==")
        }
        "&" => Remedy::replaced(
            span,
            "use `&&` for and; bitwise operators are not in the language",
            "&&",
        ),
        "|" => Remedy::replaced(
            span,
            "use `||` for or; bitwise operators are not in the language",
            "||",
        ),
        "{{" => return wrapped(source),
        _ => return None,
    })
}

/// An expression that is wrapped as a whole as if it were a template.
fn wrapped(source: &str) -> Option<Remedy> {
    let all = source.trim();
    let (open, rest) = match all.strip_prefix("${{") {
        Some(rest) => ("${{", rest),
        None => ("{{", all.strip_prefix("{{")?),
    };
    let inner = rest.strip_suffix("}}")?;
    let start = source.len() - source.trim_start().len();
    let span = Span::new(start, start + all.len());
    let help =
        format!("write the expression without `{open}` and `}}}}`; they are for templates only");
    if inner.contains("{{") || inner.contains("}}") {
        return Some(Remedy::told(span, help));
    }
    Some(Remedy::replaced(span, help, inner.trim()))
}

/// A word where an operator stands.
fn word(name: &str, span: Span, source: &str) -> Option<Remedy> {
    let operator = |sign: &str, help: &str| Some(Remedy::replaced(span, help, sign));
    let comparison = |sign: &str| operator(sign, &format!("use `{sign}` to compare"));
    let after = source.get(span.end..).unwrap_or_default();
    let spaces = after.len() - after.trim_start().len();
    let next = after
        .trim_start()
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let both = Span::new(span.start, span.end + spaces + next.len());
    match (name.to_ascii_lowercase().as_str(), next) {
        ("and", _) => operator("&&", "use `&&` for and"),
        ("or", _) => operator("||", "use `||` for or"),
        ("is", "not") => Some(Remedy::replaced(both, "use `!==` to compare", "!==")),
        ("is" | "eq" | "equals", _) => comparison("==="),
        ("ne" | "neq", _) => comparison("!=="),
        ("gt", _) => comparison(">"),
        ("ge" | "gte", _) => comparison(">="),
        ("lt", _) => comparison("<"),
        ("le" | "lte", _) => comparison("<="),
        ("not", "in") => Some(Remedy::told(
            both,
            "use !list.includes(value) to search a list",
        )),
        ("not", _) => Some(Remedy::told(span, "use `!` for not")),
        ("contains" | "has" | "includes", _) => Some(Remedy::told(
            span,
            "write `text.includes(part)` or `list.includes(value)`",
        )),
        ("startswith" | "endswith", _) => Some(Remedy::told(
            span,
            "write `text.startsWith(part)` or `text.endsWith(part)`",
        )),
        ("matches" | "like" | "match", _) => Some(Remedy::told(span, REGULAR)),
        _ => None,
    }
}

/// A name where a value stands, which is a literal or an operator elsewhere.
pub(super) fn value(name: &str, span: Span, source: &str) -> Option<Remedy> {
    let literal = match name {
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        "None" | "nil" | "Nil" | "NIL" | "Null" | "NULL" => "null",
        "Undefined" => "undefined",
        "not" | "NOT" => {
            let help = "use `!` for not";
            return Some(if negates_one_value(source.get(span.end..)?) {
                Remedy::replaced(span, help, "!")
            } else {
                Remedy::told(span, help)
            });
        }
        _ => return None,
    };
    Some(Remedy::replaced(
        span,
        format!("write `{literal}`"),
        literal,
    ))
}

/// Whether a `!` in the place of `not` negates all that follows: it binds closer.
fn negates_one_value(after: &str) -> bool {
    let end = ["&&", "||", " and ", " or ", ")"]
        .into_iter()
        .filter_map(|end| after.find(end))
        .min()
        .unwrap_or(after.len());
    let operand = after.get(..end).unwrap_or_default();
    after.starts_with('(')
        || !operand.contains(['=', '<', '>', '+', '*', '/', '%', '?', ' '])
        || is_path(operand.trim())
}

/// A call of a method that values do not have here.
pub(super) fn method(name: &str, span: Span, source: &str) -> Option<Remedy> {
    let renamed = |method: Method| {
        let to = method.name();
        Some(Remedy::replaced(span, format!("write `{to}`"), to))
    };
    match name.to_ascii_lowercase().as_str() {
        "size" | "len" | "length" | "count" => {
            let help = "write `.length`, without parentheses";
            let call = empty_call(span, source);
            Some(match call {
                Some(call) => Remedy::replaced(call, help, "length"),
                None => Remedy::told(span, help),
            })
        }
        "contains" | "contain" | "has" | "include" => renamed(Method::Includes),
        "lower" | "tolower" | "lowercase" | "downcase" => renamed(Method::ToLowerCase),
        "upper" | "toupper" | "uppercase" | "upcase" => renamed(Method::ToUpperCase),
        "strip" => renamed(Method::Trim),
        "hasprefix" | "starts_with" => renamed(Method::StartsWith),
        "hassuffix" | "ends_with" => renamed(Method::EndsWith),
        "find" | "index" | "search" => Some(Remedy::told(
            span,
            "write `includes` to see whether it is there, `indexOf` for where",
        )),
        "substring" | "substr" => Some(Remedy::told(span, "write `slice(from, to)`")),
        "isempty" | "empty" => Some(Remedy::told(span, "compare with `.length === 0`")),
        "equals" | "eq" => Some(Remedy::told(span, "use `===` to compare")),
        "get" => Some(Remedy::told(
            span,
            "read a key with `.name` or `[\"name\"]`",
        )),
        "match" | "matches" | "test" | "regex" => Some(Remedy::told(span, REGULAR)),
        _ => None,
    }
}

/// A name with the empty parentheses behind it.
fn empty_call(span: Span, source: &str) -> Option<Span> {
    let after = source.get(span.end..)?;
    let inner = after.trim_start().strip_prefix('(')?.trim_start();
    let rest = inner.strip_prefix(')')?;
    Some(Span::new(span.start, source.len() - rest.len()))
}

/// A call of a function, of which there are none.
pub(super) fn function(name: &str, span: Span, source: &str) -> Option<Remedy> {
    let lower = name.to_ascii_lowercase();
    if let "len" | "length" | "size" | "count" = lower.as_str() {
        let help = "write `value.length`";
        return Some(match call(span, source) {
            Some((whole, [value, ""])) => Remedy::replaced(whole, help, format!("{value}.length")),
            Some(_) | None => Remedy::told(span, help),
        });
    }
    let method = match lower.as_str() {
        "contains" | "includes" | "has" => Method::Includes,
        "startswith" => Method::StartsWith,
        "endswith" => Method::EndsWith,
        "lower" | "tolower" | "tolowercase" => Method::ToLowerCase,
        "upper" | "toupper" | "touppercase" => Method::ToUpperCase,
        "trim" | "strip" => Method::Trim,
        "join" => Method::Join,
        "indexof" => Method::IndexOf,
        "slice" => Method::Slice,
        other => return conversion(other).map(|help| Remedy::told(span, help)),
    };
    let own = method.name();
    let help = format!("write it after a value, as in `input.name.{own}(...)`");
    Some(match call(span, source) {
        Some((whole, [value, argument])) => {
            Remedy::replaced(whole, help, format!("{value}.{own}({argument})"))
        }
        None => Remedy::told(span, help),
    })
}

/// How a value is converted without a function.
fn conversion(name: &str) -> Option<&'static str> {
    Some(match name {
        "int" | "float" | "number" | "parseint" | "parsefloat" => {
            "write `+value` to read a number from a text"
        }
        "str" | "string" | "tostring" => "write `'' + value` to make a text",
        "bool" | "boolean" => "write `!!value` for true or false",
        "exists" | "defined" | "isset" | "isnull" | "has_key" => {
            "compare with `!= null` to see whether it is there"
        }
        "empty" | "isempty" => "compare with `.length === 0`",
        "matches" | "match" | "regex" => REGULAR,
        "tojson" => "in a template write `{{ value | json }}`",
        "default" | "coalesce" | "ifnull" => "write `value ?? other`",
        _ => return None,
    })
}

/// A call with one or two plain arguments, the first of them a path.
fn call(span: Span, source: &str) -> Option<(Span, [&str; 2])> {
    let after = source.get(span.end..)?;
    let inner = after.trim_start().strip_prefix('(')?;
    let end = inner.find(')')?;
    let arguments = inner.get(..end)?;
    let (value, argument) = arguments.split_once(',').unwrap_or((arguments, ""));
    let (value, argument) = (value.trim(), argument.trim());
    let rest = inner.get(end + 1..)?;
    let whole = Span::new(span.start, source.len() - rest.len());
    let plain = is_path(value) && !argument.contains(['(', ',']);
    plain.then_some((whole, [value, argument]))
}

/// Whether a text can only be a name and its members.
fn is_path(text: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '-' | '[' | ']');
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(part)
}

/// A string in the quotes of a word processor, from its first one on.
pub(super) fn curly_string(open: Span, source: &str) -> Option<Remedy> {
    const QUOTES: [char; 7] = ['“', '”', '‘', '’', '„', '«', '»'];
    let first = source.get(open.start..open.end)?;
    let rest = source.get(open.end..)?;
    let close = rest.find(QUOTES).filter(|_| first.starts_with(QUOTES))?;
    let inner = rest.get(..close)?;
    let length = rest.get(close..)?.chars().next()?.len_utf8();
    let plain = !inner.contains(['\'', '"', '\\', '\n']);
    plain.then(|| {
        let span = Span::new(open.start, open.end + close + length);
        Remedy::replaced(span, "", format!("'{inner}'"))
    })
}
