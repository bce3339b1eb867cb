//! Stub.
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
pub trait Scope {
    fn get(&self, name: &str) -> Option<Datum<'_>>;
}
pub trait Object: fmt::Debug {
    fn get(&self, key: &str) -> Option<Datum<'_>>;
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_>;
}
#[derive(Debug, Clone)]
pub enum Datum<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    String(Cow<'a, str>),
    Json(&'a Value),
    Virtual(&'a dyn Object),
}
impl<'a> From<&'a Value> for Datum<'a> {
    fn from(v: &'a Value) -> Self {
        Self::Json(v)
    }
}
impl<'a> From<&'a str> for Datum<'a> {
    fn from(v: &'a str) -> Self {
        Self::String(v.into())
    }
}
impl Datum<'_> {
    pub fn truthy(&self) -> bool {
        matches!(self, Self::Bool(true))
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(String);
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("x")]
pub struct ExpressionError;
impl ExpressionError {
    pub fn span(&self) -> Range<usize> {
        0..0
    }
    pub fn message(&self) -> &str {
        ""
    }
    pub fn help(&self) -> Option<&str> {
        None
    }
}
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("x")]
pub struct EvalError;
impl Expression {
    pub fn parse(s: &str) -> Result<Self, ExpressionError> {
        Ok(Self(s.to_owned()))
    }
    pub fn source(&self) -> &str {
        &self.0
    }
    pub fn evaluate<'a>(&'a self, _scope: &'a dyn Scope) -> Result<Datum<'a>, EvalError> {
        Ok(Datum::Bool(true))
    }
}
