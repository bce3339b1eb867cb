//! Reads a file's syntax tree: how long its functions are and which public items lack words.

use anyhow::Result;
use syn::visit::{self, Visit};
use syn::{Attribute, Visibility};

use super::Measured;
use crate::workspace::SourceFile;

/// What one file holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// From the signature to the closing brace, without attributes and documentation.
    pub(super) functions: Vec<Measured>,
    pub(super) public: Public,
}

/// Items marked `pub`, fields and methods included; re-exports carry no words of their own.
#[derive(Debug, Default)]
pub(super) struct Public {
    pub(super) documented: usize,
    /// Where the others stand.
    pub(super) undocumented: Vec<String>,
}

pub(super) fn read(file: &SourceFile) -> Result<Found> {
    let tree = syn::parse_file(&file.text)?;
    let mut reader = Reader {
        path: &file.path,
        found: Found::default(),
    };
    reader.visit_file(&tree);
    Ok(reader.found)
}

struct Reader<'a> {
    path: &'a str,
    found: Found,
}

impl Reader<'_> {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = block.brace_token.span.close().end().line;
        let name = format!("{}:{first} {}", self.path, signature.ident);
        self.found.functions.push((last + 1 - first, name));
    }

    fn item(&mut self, visibility: &Visibility, attributes: &[Attribute], name: &syn::Ident) {
        if !matches!(visibility, Visibility::Public(_)) {
            return;
        }
        if attributes.iter().any(|a| a.path().is_ident("doc")) {
            self.found.public.documented += 1;
        } else {
            let line = name.span().start().line;
            let place = format!("{}:{line} {name}", self.path);
            self.found.public.undocumented.push(place);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.item(&node.vis, &node.attrs, &node.sig.ident);
        self.function(&node.sig, &node.block);
        visit::visit_item_fn(self, node);
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.item(&node.vis, &node.attrs, &node.sig.ident);
        self.function(&node.sig, &node.block);
        visit::visit_impl_item_fn(self, node);
    }

    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        if let Some(block) = &node.default {
            self.function(&node.sig, block);
        }
        visit::visit_trait_item_fn(self, node);
    }

    fn visit_item_struct(&mut self, node: &'ast syn::ItemStruct) {
        self.item(&node.vis, &node.attrs, &node.ident);
        visit::visit_item_struct(self, node);
    }

    fn visit_field(&mut self, node: &'ast syn::Field) {
        if let Some(name) = &node.ident {
            self.item(&node.vis, &node.attrs, name);
        }
        visit::visit_field(self, node);
    }

    fn visit_item_enum(&mut self, node: &'ast syn::ItemEnum) {
        self.item(&node.vis, &node.attrs, &node.ident);
        visit::visit_item_enum(self, node);
    }

    fn visit_item_trait(&mut self, node: &'ast syn::ItemTrait) {
        self.item(&node.vis, &node.attrs, &node.ident);
        visit::visit_item_trait(self, node);
    }

    fn visit_item_type(&mut self, node: &'ast syn::ItemType) {
        self.item(&node.vis, &node.attrs, &node.ident);
        visit::visit_item_type(self, node);
    }

    fn visit_item_const(&mut self, node: &'ast syn::ItemConst) {
        self.item(&node.vis, &node.attrs, &node.ident);
        visit::visit_item_const(self, node);
    }

    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        // A module in a file of its own says what it is there, and tidy sees to that.
        if node.content.is_some() {
            self.item(&node.vis, &node.attrs, &node.ident);
        }
        visit::visit_item_mod(self, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found {
        read(&SourceFile {
            path: "a.rs".to_owned(),
            text: text.to_owned(),
        })
        .unwrap()
    }

    #[test]
    fn a_function_is_measured_from_its_signature_to_its_brace() {
        let found = found(
            "/// Words.\n#[inline]\npub fn f(\n    a: u8,\n) {\n    g()\n}\ntrait T { fn t() {} fn u(); }\nimpl S { fn s() {\n} }",
        );
        let expected = [(5, "a.rs:3 f"), (1, "a.rs:8 t"), (2, "a.rs:9 s")];
        assert_eq!(
            found.functions,
            expected.map(|(lines, name)| (lines, name.to_owned()))
        );
    }

    #[test]
    fn public_items_without_words_are_named() {
        let found = found(
            "//! A.\n/// Words.\npub struct S { pub a: u8, b: u8 }\npub fn f() {}\npub(crate) fn g() {}\npub mod m;\npub use m::X;",
        );
        assert_eq!(found.public.documented, 1);
        assert_eq!(found.public.undocumented, ["a.rs:3 a", "a.rs:4 f"]);
    }
}
