//! Rebuilds the crate when a migration changes, because the SQL is embedded in it.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
