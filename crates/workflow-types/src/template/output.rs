//! Bounds what rendering gives, however many expressions share one result.
//!
//! Must not know how templates are written.

use std::io;

use serde_json::Value;

use super::MAX_OUTPUT;
use super::secret::{SecretMark, shown};
use crate::expression::{Budget, Datum};
use crate::id::SecretName;

/// There is no room for what was to be written.
#[derive(Debug)]
pub(super) struct Full;

/// What one rendering may still do.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) budget: Budget,
    left: usize,
    /// The places of secrets, each in the string that was rendered last when it was left.
    pub(super) secrets: Vec<SecretMark>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            budget: Budget::default(),
            left: MAX_OUTPUT,
            secrets: Vec::new(),
        }
    }
}

impl Limits {
    fn take(&mut self, bytes: usize) -> Result<(), Full> {
        self.left = self.left.checked_sub(bytes).ok_or(Full)?;
        Ok(())
    }

    pub(super) fn append(&mut self, text: &mut String, more: &str) -> Result<(), Full> {
        self.take(more.len())?;
        text.push_str(more);
        Ok(())
    }

    /// Leaves a place for a secret, shown by its name.
    pub(super) fn leave_place(&mut self, text: &mut String, name: SecretName) -> Result<(), Full> {
        let offset = text.len();
        self.append(text, &shown(&name))?;
        self.secrets.push(SecretMark::new(offset, name));
        Ok(())
    }

    pub(super) fn append_json(&mut self, text: &mut String, datum: &Datum<'_>) -> Result<(), Full> {
        self.measure(datum)?;
        text.push_str(&datum.to_json().to_string());
        Ok(())
    }

    /// The value itself; text counts as it is, without the quotes and escapes of JSON.
    pub(super) fn value(&mut self, datum: &Datum<'_>) -> Result<Value, Full> {
        if let Datum::String(text) = datum {
            self.take(text.len())?;
        } else {
            self.measure(datum)?;
        }
        Ok(datum.to_json())
    }

    /// Takes the size of the JSON of `datum` before anything is built: a short expression can
    /// list large data many times.
    fn measure(&mut self, datum: &Datum<'_>) -> Result<(), Full> {
        match datum {
            Datum::List(elements) => {
                self.take("[]".len() + elements.len().saturating_sub(1))?;
                elements
                    .iter()
                    .try_for_each(|element| self.measure(element))
            }
            Datum::Array(elements) => self.measure_json(*elements),
            Datum::Record(members) => self.measure_json(*members),
            Datum::String(text) => self.measure_json(text.as_ref()),
            Datum::Undefined
            | Datum::Null
            | Datum::Bool(_)
            | Datum::Number(_)
            | Datum::Virtual(_) => self.measure_json(&datum.to_json()),
        }
    }

    fn measure_json<T: serde::Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Full> {
        // Writing JSON values fails only if the writer does.
        serde_json::to_writer(Counter(self), value).map_err(|_| Full)
    }
}

struct Counter<'l>(&'l mut Limits);

impl io::Write for Counter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.take(bytes.len()) {
            Ok(()) => Ok(bytes.len()),
            Err(Full) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
