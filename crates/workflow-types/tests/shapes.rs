//! Every way to write a definition says the same: the parser, the published schemas, the builder and
//! the stored form.

#![expect(clippy::unwrap_used, reason = "test helpers fail loudly")]

mod shapes {
    mod builder;
    mod generate;
    mod mutate;
    mod published;
    mod refused;
    mod stored;
}
