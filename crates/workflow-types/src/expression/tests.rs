//! Tests of the language as a whole, through its public surface.
