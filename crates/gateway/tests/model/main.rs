//! The law of the engine: whatever the definition, whatever its tools answer, whatever people do in
//! which order, and wherever the process dies, what is stored and what was called is what an
//! independent reference says.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod campaign;
mod case;
mod choices;
mod compare;
mod flaw;
mod generate;
mod ledger;
mod life;
mod mortal;
mod plan;
mod pulse;
mod reference;
mod seen;
mod sensitivity;
mod tools;
