//! What is said of two values and the operator between them.

use super::super::ast::{BinaryOperator, Literal, Node, NodeKind, Span};
use super::super::number;
use super::operand::{Form, Operand};
use super::{Kind, Lint, Surprise, SurpriseKind};
use crate::diagnostic::closest;

/// An operator between two values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) operator: BinaryOperator,
    /// From the first value to the last.
    pub(super) span: Span,
    /// Whether nothing of the same precedence stands beside it, so that it can be rewritten.
    pub(super) alone: bool,
}

/// Whether an operator asks if two values are equal.
pub(super) fn equates(operator: BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(
        operator,
        B::Equal | B::NotEqual | B::StrictlyEqual | B::StrictlyNotEqual
    )
}

/// Whether an operator asks which of two values is greater.
pub(super) fn orders(operator: BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(
        operator,
        B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual
    )
}

/// Whether an operator holds for values that are equal, if it asks for that.
pub(super) fn holds_if_equal(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Equal | BinaryOperator::StrictlyEqual
    )
}

fn converts(operator: BinaryOperator) -> bool {
    matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual)
}

/// `===` or `!==`, whichever asks the same without converting.
fn strict_sign(operator: BinaryOperator) -> &'static str {
    if holds_if_equal(operator) {
        "==="
    } else {
        "!=="
    }
}

/// What equality with something that is never equal gives.
fn outcome(operator: BinaryOperator) -> &'static str {
    if holds_if_equal(operator) {
        "never holds"
    } else {
        "always holds"
    }
}

/// The kind that a literal is compared as; null and undefined are fair to compare with anything.
fn literal_kind(literal: &Literal) -> Option<Kind> {
    match literal {
        Literal::Undefined | Literal::Null => None,
        Literal::Bool(_) => Some(Kind::Boolean),
        Literal::Number(_) => Some(Kind::Number),
        Literal::String(_) => Some(Kind::String),
    }
}

/// The number that JavaScript reads from a text, if it is written as plain digits.
fn plain_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    (number::decimal_length(digits) == digits.len() && !digits.is_empty())
        .then(|| text.parse().ok())
        .flatten()
}

impl Lint<'_> {
    /// Looks at one operator.
    pub(super) fn pair(&mut self, left: &Operand<'_>, pair: Pair, right: &Operand<'_>) {
        let compares = equates(pair.operator) || orders(pair.operator);
        if compares && self.negated_first(left, pair, right) {
            return;
        }
        if equates(pair.operator) {
            self.equality(left, pair, right);
        } else if orders(pair.operator) {
            self.order(left, pair, right);
        } else if pair.operator != BinaryOperator::Add {
            for side in [left, right] {
                if let Form::Literal(Literal::String(text)) = side.form {
                    self.arithmetic(text, side.span);
                }
            }
        }
    }

    /// Reports a text without a number in it where a number is computed with.
    pub(super) fn no_number(&mut self, operand: &Node) {
        if let NodeKind::Literal(Literal::String(text)) = &operand.kind {
            self.arithmetic(text, operand.span);
        }
    }

    fn arithmetic(&mut self, text: &str, span: Span) {
        if text.trim().is_empty() || plain_number(text).is_some() {
            return;
        }
        let shown = self.text(span);
        self.report(
            SurpriseKind::Coercion,
            span,
            format!("{shown} is no number, so computing with it gives no number either"),
            "only `+` joins texts; write a number, or compare the texts".to_owned(),
        );
    }

    /// `!a == b` negates before it compares.
    fn negated_first(&mut self, left: &Operand<'_>, pair: Pair, right: &Operand<'_>) -> bool {
        let Form::Negated { value } = left.form else {
            return false;
        };
        if right.fact.kinds() == [Kind::Boolean] {
            return false;
        }
        let (value, other) = (self.text(value), self.text(right.span));
        let sign = pair.operator.sign();
        let mend = match pair.operator {
            BinaryOperator::Equal => format!("{value} != {other}"),
            BinaryOperator::NotEqual => format!("{value} == {other}"),
            BinaryOperator::StrictlyEqual => format!("{value} !== {other}"),
            BinaryOperator::StrictlyNotEqual => format!("{value} === {other}"),
            // `<=` is not the opposite of `>` where something is missing.
            BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual => format!("!({value} {sign} {other})"),
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder => return false,
        };
        self.report(
            SurpriseKind::Coercion,
            pair.span,
            format!("`!` is applied first: `!{value}` is true or false, and that is compared by `{sign}` with `{other}`"),
            format!("write `{mend}`"),
        );
        self.mended(Some(mend).filter(|_| pair.alone));
        true
    }

    fn equality(&mut self, left: &Operand<'_>, pair: Pair, right: &Operand<'_>) {
        let (literal, other) = match (left.form, right.form) {
            (Form::List { empty }, _) => return self.list(left, right, pair, empty),
            (_, Form::List { empty }) => return self.list(right, left, pair, empty),
            (Form::Literal(one), Form::Literal(two)) => {
                return self.two_literals(one, pair, two);
            }
            (Form::Literal(literal), _) => ((literal, left.span), right),
            (_, Form::Literal(literal)) => ((literal, right.span), left),
            (
                Form::Path | Form::Negated { .. } | Form::Other,
                Form::Path | Form::Negated { .. } | Form::Other,
            ) => return,
        };
        let Some(kind) = literal_kind(literal.0) else {
            return;
        };
        if other.is_never(kind) {
            self.other_kind(literal, kind, pair, other);
        } else if let Literal::String(text) = literal.0 {
            if other.fact.kinds().is_empty() {
                self.maybe_number((text, literal.1), pair, other);
            } else {
                self.word((text, literal.1), pair, other);
            }
        }
    }

    /// Two lists are equal only if they are the same one, and a list in brackets is a new one.
    fn list(&mut self, list: &Operand<'_>, other: &Operand<'_>, pair: Pair, empty: bool) {
        let (shown, value) = (self.text(list.span), self.text(other.span));
        let holds = holds_if_equal(pair.operator);
        let help = if empty {
            let sign = strict_sign(pair.operator);
            format!("write `{value}.length {sign} 0`")
        } else {
            let not = if holds { "" } else { "!" };
            format!("to ask whether it is one of them, write `{not}{shown}.includes({value})`")
        };
        if converts(pair.operator) {
            let message = format!(
                "`{}` compares with a list, which is joined to one text for that",
                self.text(pair.span)
            );
            self.report(SurpriseKind::Coercion, pair.span, message, help);
        } else {
            let message = format!(
                "`{}` {}: a list in brackets is a new one and equal to no other",
                self.text(pair.span),
                outcome(pair.operator)
            );
            self.report(SurpriseKind::Constant, pair.span, message, help);
        }
    }

    fn two_literals(&mut self, one: &Literal, pair: Pair, two: &Literal) {
        let kinds = (literal_kind(one), literal_kind(two));
        let text = self.text(pair.span);
        let help = "compare with something that is read, such as `result`".to_owned();
        if kinds.0 != kinds.1 && converts(pair.operator) {
            let message = format!("`{text}` compares values of two kinds, which converts them");
            self.report(SurpriseKind::Coercion, pair.span, message, help);
        } else {
            let message = format!("`{text}` reads nothing, so its result is always the same");
            self.report(SurpriseKind::Constant, pair.span, message, help);
        }
    }

    /// A literal of a kind that the other side never has.
    fn other_kind(
        &mut self,
        (literal, span): (&Literal, Span),
        kind: Kind,
        pair: Pair,
        other: &Operand<'_>,
    ) {
        let (value, shown) = (self.text(other.span), self.text(span));
        let is = either(other.fact.kinds());
        let sign = strict_sign(pair.operator);
        let words = other.fact.words().count() > 0;
        let mend = right_kind(literal, other.fact.kinds())
            .filter(|_| pair.alone && !words)
            .map(|right| format!("{value} {sign} {right}"));
        let help = match &mend {
            Some(mend) => format!("write `{mend}`"),
            None if words => format!("it can be {}", listed(other)),
            None if other.is_only(Kind::List) => {
                format!("to ask whether it is in the list, write `{value}.includes({shown})`")
            }
            None => format!("compare it with {is}"),
        };
        let found = contrast(Some(kind));
        if converts(pair.operator) {
            let message = format!(
                "`{value}` is {is} and {shown} is {found}, so `{}` converts them before it compares",
                pair.operator.sign()
            );
            self.report(SurpriseKind::Coercion, pair.span, message, help);
        } else {
            let message = format!(
                "`{}` {}: `{value}` is {is}, {shown} is {found}",
                self.text(pair.span),
                outcome(pair.operator)
            );
            self.report(SurpriseKind::Constant, pair.span, message, help);
        }
        self.mended(mend);
    }

    /// A text of digits, loosely compared with something that may be a number.
    fn maybe_number(&mut self, (text, span): (&str, Span), pair: Pair, other: &Operand<'_>) {
        if !converts(pair.operator) || other.form != Form::Path || plain_number(text).is_none() {
            return;
        }
        let (value, shown) = (self.text(other.span), self.text(span));
        let (sign, strict) = (pair.operator.sign(), strict_sign(pair.operator));
        let number = text.trim();
        self.report(
            SurpriseKind::Coercion,
            pair.span,
            format!("{shown} is a text that looks like a number, and `{sign}` converts it if `{value}` is one"),
            format!("write `{value} {strict} {number}` for a number, `{value} {strict} {shown}` for a text"),
        );
    }

    /// A text that is none of those that the other side can be.
    fn word(&mut self, (text, span): (&str, Span), pair: Pair, other: &Operand<'_>) {
        let words: Vec<&str> = other.fact.words().collect();
        if words.is_empty() {
            return;
        }
        let (value, shown) = (self.text(other.span), self.text(span));
        let why = other.fact.why_never(text);
        if words.contains(&text) && why.is_none() {
            return;
        }
        let message = format!(
            "`{}` {}: `{value}` is never {shown}",
            self.text(pair.span),
            outcome(pair.operator)
        );
        let mut surprise = Surprise {
            kind: SurpriseKind::Constant,
            span: span.into(),
            message,
            help: String::new(),
            fix: None,
        };
        if let Some(why) = why {
            why.clone_into(&mut surprise.help);
        } else {
            let near = closest(text, words.iter().copied()).or_else(|| synonym(text, &words));
            let never = near.and_then(|near| other.fact.why_never(near));
            match (near, never) {
                (Some(near), Some(why)) => {
                    surprise.help = format!("`{near}` is the word, but {why}");
                }
                (Some(near), None) => {
                    let quote = shown.chars().next().unwrap_or('\'');
                    surprise.help = format!("did you mean `{near}`?");
                    surprise.fix = Some(format!("{quote}{near}{quote}"));
                }
                (None, _) => surprise.help = format!("it can be {}", listed(other)),
            }
        }
        self.found.push(surprise);
    }

    fn order(&mut self, left: &Operand<'_>, pair: Pair, right: &Operand<'_>) {
        for (literal, span, other) in [(left, right), (right, left)].map(|(side, other)| {
            let literal = match side.form {
                Form::Literal(literal) => Some(literal),
                Form::List { .. } | Form::Path | Form::Negated { .. } | Form::Other => None,
            };
            (literal, side.span, other)
        }) {
            let Some(literal) = literal else { continue };
            let kind = literal_kind(literal);
            if kind.is_some_and(|kind| !other.is_never(kind)) || other.fact.kinds().is_empty() {
                continue;
            }
            let (value, shown) = (self.text(other.span), self.text(span));
            let is = either(other.fact.kinds());
            let sign = pair.operator.sign();
            let found = contrast(kind);
            let message = format!(
                "`{value}` is {is} and {shown} is {found}, so `{sign}` converts them before it compares"
            );
            let help = match right_kind(literal, other.fact.kinds()) {
                _ if other.fact.words().count() > 0 => format!("it can be {}", listed(other)),
                Some(right) => format!("compare it with {right}"),
                None => format!("compare it with {is}"),
            };
            self.report(SurpriseKind::Coercion, pair.span, message, help);
            return;
        }
    }
}

/// The same literal in the kind that the other side has.
fn right_kind(literal: &Literal, kinds: &[Kind]) -> Option<String> {
    let wanted: Vec<Kind> = kinds
        .iter()
        .copied()
        .filter(|kind| *kind != Kind::Null)
        .collect();
    match (literal, wanted.as_slice()) {
        (Literal::String(text), [Kind::Number]) => {
            plain_number(text).map(|_| text.trim().to_owned())
        }
        (Literal::String(text), [Kind::Boolean]) => {
            matches!(text.as_str(), "true" | "false").then(|| text.clone())
        }
        (Literal::Number(number), [Kind::String]) => {
            Some(format!("'{}'", number::to_text(*number)))
        }
        (Literal::Bool(value), [Kind::String]) => Some(format!("'{value}'")),
        (
            Literal::Undefined
            | Literal::Null
            | Literal::Bool(_)
            | Literal::Number(_)
            | Literal::String(_),
            _,
        ) => None,
    }
}

/// The kinds as a sentence names them.
fn either(kinds: &[Kind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.named()).collect();
    names.join(" or ")
}

/// The words that a side can be.
fn listed(side: &Operand<'_>) -> String {
    let words = side.fact.words();
    let words: Vec<&str> = words
        .filter(|word| side.fact.why_never(word).is_none())
        .collect();
    words.join(" or ")
}

/// The kind of a literal, beside a value that is of another.
fn contrast(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(kind @ (Kind::Number | Kind::String | Kind::List | Kind::Mapping)) => kind.named(),
        Some(Kind::Boolean | Kind::Null) | None => "not",
    }
}

/// Words that other tools use for the same.
fn synonym<'w>(found: &str, words: &[&'w str]) -> Option<&'w str> {
    let meant: &[&str] = match found.to_ascii_lowercase().as_str() {
        "ok" | "okay" | "succeeded" | "successful" | "completed" | "complete" | "done"
        | "passed" => &["success", "completed"],
        "failed" | "fail" | "error" | "errored" | "ko" | "broken" => &["failure", "failed"],
        "waiting" | "pending" => &["paused", "waiting"],
        "schedule" | "scheduled" | "timer" => &["cron"],
        "workflow_dispatch" | "user" | "hand" => &["manual"],
        _ => return None,
    };
    words.iter().copied().find(|word| meant.contains(word))
}
