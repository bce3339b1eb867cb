//! Rust text as a flat list of tokens, so that rules see code and never comments or strings.

use proc_macro2::{TokenStream, TokenTree};

/// One identifier, punctuation mark, literal or bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of `source`, or why it is not Rust.
pub(crate) fn flatten(source: &str) -> Result<Vec<Token>, String> {
    let stream: TokenStream = source
        .parse()
        .map_err(|error| format!("not readable as Rust: {error}"))?;
    let mut tokens = Vec::new();
    push_all(stream, &mut tokens);
    Ok(tokens)
}

/// The lines on which the tokens `pattern` stand in a row.
pub(crate) fn lines_with(tokens: &[Token], pattern: &[&str]) -> Vec<usize> {
    tokens
        .windows(pattern.len())
        .filter(|window| window.iter().zip(pattern).all(|(t, p)| t.text == *p))
        .filter_map(|window| window.first().map(|token| token.line))
        .collect()
}

fn push_all(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                push(open, group.span_open(), tokens);
                push_all(group.stream(), tokens);
                push(close, group.span_close(), tokens);
            }
            TokenTree::Ident(ident) => push(&ident.to_string(), ident.span(), tokens),
            TokenTree::Punct(punct) => push(&punct.as_char().to_string(), punct.span(), tokens),
            TokenTree::Literal(literal) => push(&literal.to_string(), literal.span(), tokens),
        }
    }
}

fn push(text: &str, span: proc_macro2::Span, tokens: &mut Vec<Token>) {
    tokens.push(Token {
        text: text.to_owned(),
        line: span.start().line,
    });
}

fn brackets(delimiter: proc_macro2::Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        proc_macro2::Delimiter::Parenthesis => ("(", ")"),
        proc_macro2::Delimiter::Brace => ("{", "}"),
        proc_macro2::Delimiter::Bracket => ("[", "]"),
        proc_macro2::Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_hold_no_tokens_of_code() {
        let source = "//! unsafe\nfn f() {\n  /* unsafe */ g(\"unsafe\");\n  unsafe { h() }\n}\n";
        let tokens = flatten(source).unwrap();
        assert_eq!(lines_with(&tokens, &["unsafe"]), [4]);
    }

    #[test]
    fn a_pattern_may_span_lines_and_macro_bodies() {
        let tokens = flatten("m! { a\n  #[\nx] }").unwrap();
        assert_eq!(lines_with(&tokens, &["#", "[", "x"]), [2]);
    }

    #[test]
    fn broken_text_is_named_as_such() {
        assert!(flatten("fn f( {").unwrap_err().contains("not readable"));
    }
}
