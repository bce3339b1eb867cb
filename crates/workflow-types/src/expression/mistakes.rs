//! What is said about each mistake in an expression: found, expected, and how to mend it.
//!
//! Knows tokens, not the grammar; the parser says what it expected.

use super::ast::{Method, Span};
use super::token::{Token, TokenKind};
use super::{ExpressionError, MAX_DEPTH, MAX_SOURCE, foreign};
use crate::diagnostic::closest;

fn error(span: Span, message: String, help: Option<String>) -> ExpressionError {
    ExpressionError {
        span: span.into(),
        message,
        help,
        fix: None,
    }
}

impl ExpressionError {
    fn mended(self, fix: Option<String>) -> Self {
        Self { fix, ..self }
    }
}

pub(super) fn too_long(length: usize) -> ExpressionError {
    error(
        Span::new(0, length),
        format!("the expression has {length} bytes, expected at most {MAX_SOURCE}"),
        Some("compute the value in a step and read its output".to_owned()),
    )
}

pub(super) fn too_deep(span: Span) -> ExpressionError {
    error(
        span,
        format!("the expression is nested deeper than {MAX_DEPTH} levels"),
        Some("compute a part of it in a step and read its output".to_owned()),
    )
}

pub(super) fn foreign_character(found: char, span: Span, source: &str) -> ExpressionError {
    let help = match found {
        '`' => {
            Some("template literals are not in the language; quote with ' or \" and join with `+`")
        }
        '“' | '”' | '‘' | '’' | '„' | '«' | '»' => {
            Some("quote strings with plain ' or \"")
        }
        _ => None,
    };
    let message = format!("expected an expression, found the character `{found}`");
    match foreign::curly_string(span, source) {
        Some(remedy) => error(remedy.span, message, help.map(str::to_owned)).mended(remedy.fix),
        None => error(span, message, help.map(str::to_owned)),
    }
}

pub(super) fn unterminated_string(quote: char, span: Span) -> ExpressionError {
    error(
        span,
        format!("expected a closing {quote}, found the end of the line"),
        Some(format!(
            "end the string with {quote}; a line break in it is written \\n"
        )),
    )
}

pub(super) fn bad_escape(text: &str, span: Span) -> ExpressionError {
    error(
        span,
        format!("expected an escape such as \\n, \\x41, \\u0041 or \\u{{1F600}}, found `{text}`"),
        Some("write \\\\ for a backslash itself".to_owned()),
    )
}

pub(super) fn bad_number(text: &str, span: Span) -> ExpressionError {
    let legacy = text
        .strip_prefix('0')
        .is_some_and(|rest| rest.starts_with(char::is_numeric));
    let help = if text.contains('_') {
        "write the digits without `_`"
    } else if text.ends_with('n') {
        "write the number without `n`; all numbers are doubles, as in JSON"
    } else if legacy {
        "write it without the leading `0`; octal numbers begin with `0o`"
    } else {
        "numbers look like 12, 1.5, 1e3 or 0xff"
    };
    error(
        span,
        format!("expected a number, found `{text}`"),
        Some(help.to_owned()),
    )
}

/// `list.length-1` would silently be a name that nothing has.
pub(super) fn hyphen_after_length(name: &str, span: Span) -> ExpressionError {
    error(
        span,
        format!("`{name}` is one name, because after a dot a `-` belongs to the name"),
        Some(format!(
            "to subtract, put spaces around the `-`; for a key of this name, write [\"{name}\"]"
        )),
    )
}

pub(super) fn empty(span: Span) -> ExpressionError {
    error(
        span,
        "expected an expression, found nothing".to_owned(),
        None,
    )
}

/// What the parser expects where an operand must stand.
pub(super) const A_VALUE: &str = "a value";

/// `expected` is not what `found` is.
pub(super) fn unexpected(expected: &str, found: &Token, source: &str) -> ExpressionError {
    if let Some(remedy) = foreign::infix(found, source) {
        let text = source
            .get(remedy.span.start..remedy.span.end)
            .unwrap_or_default();
        let message = format!("expected {expected}, found `{text}`");
        // Where a value is missing, another sign in its place does not mend it.
        let mends = expected != A_VALUE || found.is_sign(">") || found.is_sign("{{");
        let fix = remedy.fix.filter(|_| mends);
        return error(remedy.span, message, Some(remedy.help)).mended(fix);
    }
    let help = match &found.kind {
        TokenKind::Sign(",") if expected == A_VALUE => Some("a value is missing before the comma"),
        TokenKind::Sign(sign) => help_for_sign(sign),
        TokenKind::Name(name) if name == "in" => Some("use list.includes(value) to search a list"),
        TokenKind::Name(name) if name == "instanceof" => Some("types are not in the language"),
        TokenKind::Number(_) if found.description(source).starts_with("`.") => {
            Some("write an index in brackets, as in `list[0]`")
        }
        TokenKind::Name(_) | TokenKind::Number(_) | TokenKind::String(_) | TokenKind::End => None,
    };
    error(
        found.span,
        format!("expected {expected}, found {}", found.description(source)),
        help.map(str::to_owned),
    )
}

fn help_for_sign(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "+=" | "-=" | "*=" | "/=" | "%=" | "**=" | "&=" | "|=" | "^=" | "<<=" | ">>=" | ">>>="
        | "&&=" | "||=" | "??=" => "there is no assignment; an expression only reads",
        "=>" => "functions are not in the language; `>=` is greater or equal",
        "++" | "--" => "there is no assignment; to add or subtract, put a space between the signs",
        "{{" | "}}" => "write the expression without `{{` and `}}`; they are for templates only",
        "{" | "}" => "object literals are not in the language",
        "^" | "~" | "<<" | ">>" | ">>>" => "bitwise operators are not in the language",
        "**" => "powers are not in the language",
        "/" => "regular expressions are not in the language; use includes, startsWith or endsWith",
        "//" | "/*" => "comments are not in the language",
        "..." => "spreading is not in the language",
        ";" => "an expression is one value, without statements",
        "," => "an expression is one value, without a comma",
        _ => return None,
    })
}

/// What to say of a name that JavaScript gives a meaning that the language lacks.
fn reserved_help(name: &str) -> Option<&'static str> {
    Some(match name {
        "new" => "nothing can be constructed",
        "typeof" => "types are not in the language; compare with `=== undefined` or `=== null`",
        "void" => "write `undefined`",
        "function" | "async" | "await" | "yield" | "class" | "super" => {
            "functions and classes are not in the language"
        }
        "this" => "name what you read, such as `input` or `steps`",
        "in" => "use list.includes(value) to search a list",
        "instanceof" => "types are not in the language",
        "var" | "let" | "const" | "delete" => "there is no assignment; an expression only reads",
        "if" | "else" | "switch" | "case" | "default" => "write `condition ? value : other`",
        "for" | "while" | "do" | "break" | "continue" => "there are no loops",
        "return" => "write the value alone",
        "NaN" => "no value equals it; JSON has no such number",
        "Infinity" => "JSON has no such number; compare with a large number such as 1e308",
        "try" | "catch" | "finally" | "throw" | "import" | "export" | "extends" | "with"
        | "enum" | "debugger" | "static" | "implements" | "interface" | "package" | "private"
        | "protected" | "public" => "it is a reserved word of JavaScript",
        _ => return None,
    })
}

/// The error for a name that cannot be read, if it is one.
pub(super) fn reserved(name: &str, span: Span, source: &str) -> Option<ExpressionError> {
    let (help, fix) = match foreign::value(name, span, source) {
        Some(remedy) => (remedy.help, remedy.fix),
        None => (reserved_help(name)?.to_owned(), None),
    };
    let message = format!("expected a value, found `{name}`, which is not in the language");
    Some(error(span, message, Some(help)).mended(fix))
}

fn methods() -> String {
    Method::ALL.map(Method::name).join(", ")
}

/// A call of `name` that is no method of the language.
pub(super) fn unknown_method(name: &str, span: Span, source: &str) -> ExpressionError {
    let message = format!("expected a method, found `{name}`, which is not in the language");
    if let Some(remedy) = foreign::method(name, span, source) {
        return error(remedy.span, message, Some(remedy.help)).mended(remedy.fix);
    }
    let near = closest(name, Method::ALL.map(Method::name));
    let suggestion = near.map_or(String::new(), |known| format!("did you mean `{known}`? "));
    let help = format!("{suggestion}the methods are {}", methods());
    error(span, message, Some(help)).mended(near.map(str::to_owned))
}

/// A call of a name on its own, which may be a method or a function of another language.
pub(super) fn called_name(name: &str, span: Span, source: &str) -> ExpressionError {
    let message = format!("`{name}` cannot be called; there are no functions");
    if let Some(remedy) = foreign::function(name, span, source) {
        return error(remedy.span, message, Some(remedy.help)).mended(remedy.fix);
    }
    let help = format!("only methods of values can be called: {}", methods());
    error(span, message, Some(help))
}

/// A call of anything else: a literal, an index, parentheses.
pub(super) fn called_value(span: Span) -> ExpressionError {
    error(
        span,
        "expected an operator, found a call of something that has no name".to_owned(),
        Some(format!("only these methods can be called: {}", methods())),
    )
}

pub(super) fn optional_call(span: Span) -> ExpressionError {
    error(
        span,
        "expected a name after `?.`, found `(`".to_owned(),
        Some("write `value?.includes(...)`".to_owned()),
    )
}

pub(super) fn mixed_coalescing(span: Span) -> ExpressionError {
    error(
        span,
        "`??` cannot be mixed with `||` or `&&` without parentheses".to_owned(),
        Some("put parentheses around what belongs together, as in `(a ?? b) || c`".to_owned()),
    )
}
