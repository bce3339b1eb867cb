//! Stub.
use crate::expression::Scope;
use serde_json::Value;
use std::ops::Range;
#[derive(Debug, Clone, PartialEq)]
pub struct Template(String);
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("x")]
pub struct TemplateError;
impl TemplateError {
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
impl Template {
    pub fn parse(s: &str) -> Result<Self, TemplateError> {
        Ok(Self(s.to_owned()))
    }
    pub fn render(&self, _scope: &dyn Scope) -> Result<Value, TemplateError> {
        Ok(Value::String(self.0.clone()))
    }
}
#[derive(Debug, Clone, PartialEq)]
pub struct ArgsTemplate(Value);
impl ArgsTemplate {
    pub fn parse(v: &Value) -> Result<Self, Vec<(String, TemplateError)>> {
        Ok(Self(v.clone()))
    }
    pub fn render(&self, _scope: &dyn Scope) -> Result<Value, (String, TemplateError)> {
        Ok(self.0.clone())
    }
}
