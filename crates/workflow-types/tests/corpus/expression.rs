//! Laws of expressions: refused with a place, or evaluated to the same end every time.

use serde_json::{Map, Value};
use workflow_types::expression::{Datum, EvalError, Expression, Object, Reference, Scope};

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (source, data) = super::source_and_data(text);
    match Expression::parse(source) {
        Ok(expression) => {
            assert_eq!(expression.to_string(), source);
            assert_eq!(
                Expression::parse(expression.source()).as_ref(),
                Ok(&expression)
            );
            references(source, expression.references().iter().cloned());
            ends_the_same(&expression, &data);
            ends_the_same(&expression, &Live(data));
        }
        Err(error) => {
            super::assert_within(source, &error.span, &error.message);
            assert!(!error.message.is_empty());
        }
    }
}

/// Every name that is read stands in the source.
pub fn references(source: &str, references: impl IntoIterator<Item = Reference>) {
    for reference in references {
        for segment in std::iter::once(reference.root()).chain(reference.path()) {
            super::assert_within(source, &segment.span(), segment.name());
            assert!(!segment.span().is_empty());
        }
    }
}

/// The same data gives the same value, or the same error at a place in the source.
fn ends_the_same(expression: &Expression, scope: &dyn Scope) {
    let (first, second) = (expression.evaluate(scope), expression.evaluate(scope));
    assert_eq!(outline(first.as_ref()), outline(second.as_ref()));
    if let Err(error) = &first {
        super::assert_within(expression.source(), &error.span(), &error.to_string());
    }
}

/// What can be told of a value without writing it out: it may be far larger than the data.
fn outline(result: Result<&Datum<'_>, &EvalError>) -> String {
    match result {
        Ok(value) => match value {
            Datum::String(text) => format!("{text:?}"),
            Datum::Number(number) => number.to_string(),
            Datum::Undefined
            | Datum::Null
            | Datum::Bool(_)
            | Datum::Array(_)
            | Datum::Record(_)
            | Datum::Virtual(_)
            | Datum::List(_) => format!("{:?} {}", std::mem::discriminant(value), value.truthy()),
        },
        Err(error) => format!("{error:?}"),
    }
}

/// Data whose outermost objects answer when they are asked, as an execution's do.
#[derive(Debug)]
struct Live(Map<String, Value>);

impl Scope for Live {
    fn get(&self, name: &str) -> Option<Datum<'_>> {
        if name == "live" {
            return Some(Datum::Virtual(self));
        }
        Scope::get(&self.0, name)
    }
}

impl Object for Live {
    fn get(&self, key: &str) -> Option<Datum<'_>> {
        Scope::get(&self.0, key)
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.0.keys().map(String::as_str))
    }
}
