//! How one expression is written for each engine.

/// One expression as our language, JavaScript, and JavaScript with reads that never fail write it.
#[derive(Clone)]
pub(crate) struct Spelled {
    pub(crate) own: String,
    pub(crate) verbatim: String,
    pub(crate) relaxed: String,
}

impl Spelled {
    pub(crate) fn same(text: &str) -> Self {
        let [own, verbatim, relaxed] = [(); 3].map(|()| text.to_owned());
        Self {
            own,
            verbatim,
            relaxed,
        }
    }

    /// Joins parts, each spelling by itself.
    pub(crate) fn concat(parts: &[&Self]) -> Self {
        let all = |spelling: fn(&Self) -> &str| parts.iter().map(|part| spelling(part)).collect();
        Self {
            own: all(|part| &part.own),
            verbatim: all(|part| &part.verbatim),
            relaxed: all(|part| &part.relaxed),
        }
    }

    pub(crate) fn wrapped(&self, before: &str, after: &str) -> Self {
        Self::concat(&[&Self::same(before), self, &Self::same(after)])
    }
}

pub(crate) struct Link {
    pub(crate) optional: bool,
    pub(crate) access: Access,
}

pub(crate) enum Access {
    Member(&'static str),
    Index(Spelled),
    Call(&'static str, Spelled),
}

impl Link {
    fn own(&self) -> String {
        match &self.access {
            Access::Member(name) => format!("{}{name}", if self.optional { "?." } else { "." }),
            Access::Index(index) => self.index(&index.own),
            Access::Call(method, arguments) => self.call(method, &arguments.own),
        }
    }

    /// JavaScript needs quotes around a name with a hyphen.
    fn verbatim(&self) -> String {
        match &self.access {
            Access::Member(name) if name.contains('-') => self.index(&format!("'{name}'")),
            Access::Member(_) => self.own(),
            Access::Index(index) => self.index(&index.verbatim),
            Access::Call(method, arguments) => self.call(method, &arguments.verbatim),
        }
    }

    fn index(&self, index: &str) -> String {
        format!("{}[{index}]", if self.optional { "?." } else { "" })
    }

    fn call(&self, method: &str, arguments: &str) -> String {
        format!(
            "{}{method}({arguments})",
            if self.optional { "?." } else { "." }
        )
    }

    fn relaxed(&self, owner: &str) -> String {
        match &self.access {
            Access::Member(name) => format!("G({owner}, '{name}')"),
            Access::Index(index) => format!("G({owner}, {})", index.relaxed),
            Access::Call(method, arguments) => {
                format!("M({owner}, '{method}', [{}])", arguments.relaxed)
            }
        }
    }
}

pub(crate) fn chained(base: Spelled, links: &[Link]) -> Spelled {
    let mut chain = Spelled {
        relaxed: relaxed(base.relaxed, links),
        ..base
    };
    for link in links {
        chain.own += &link.own();
        chain.verbatim += &link.verbatim();
    }
    chain
}

/// Reads as calls; what follows a `?.` becomes a function of the value before it.
fn relaxed(base: String, links: &[Link]) -> String {
    let Some((link, rest)) = links.split_first() else {
        return base;
    };
    if link.optional {
        format!("O({base}, t => {})", relaxed(link.relaxed("t"), rest))
    } else {
        relaxed(link.relaxed(&base), rest)
    }
}
