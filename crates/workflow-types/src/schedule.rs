//! Stub.
use std::ops::Range;
#[derive(Debug, Clone, PartialEq)]
pub struct CronExpression(String);
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("x")]
pub struct CronError;
impl CronError {
    pub fn span(&self) -> Range<usize> {
        0..0
    }
    pub fn message(&self) -> &str {
        ""
    }
    pub fn help(&self) -> &str {
        ""
    }
}
impl CronExpression {
    pub fn parse(s: &str) -> Result<Self, CronError> {
        Ok(Self(s.to_owned()))
    }
}
impl std::fmt::Display for CronExpression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
