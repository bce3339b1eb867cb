//! The laws that the fuzz targets check: those that `cargo test` replays the corpus against.

#[path = "../../crates/workflow-types/tests/corpus/laws.rs"]
pub mod laws;
