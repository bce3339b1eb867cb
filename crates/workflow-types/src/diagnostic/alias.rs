//! Tells what is wrong with a repeated node once, where it is written.

use std::collections::{HashMap, HashSet};

use super::{Code, Diagnostic, Part, Place, Pointer};

/// The nodes that are aliases, with the nodes that they repeat.
#[derive(Debug, Default)]
pub(super) struct Aliases(HashMap<Pointer, Pointer>);

impl Aliases {
    pub(super) fn insert(&mut self, alias: Pointer, original: Pointer) {
        self.0.insert(alias, original);
    }

    /// Takes out of a list what is said of a repeated node and of the original; what is wrong only
    /// where it is repeated is told with the place where it is written.
    pub(super) fn told_once(&self, list: &mut Vec<Diagnostic>) {
        if self.0.is_empty() {
            return;
        }
        let originals: Vec<Option<Place>> =
            list.iter().map(|one| self.original(&one.place)).collect();
        let told: HashSet<(Code, Place)> = list
            .iter()
            .zip(&originals)
            .filter(|(_, original)| original.is_none())
            .map(|(one, _)| (one.code, one.place.clone()))
            .collect();
        let mut kept = Vec::with_capacity(list.len());
        for (one, original) in list.drain(..).zip(originals) {
            match original {
                None => kept.push(one),
                Some(original) if told.contains(&(one.code, original.clone())) => {}
                Some(original) => kept.push(one.related(original, "the alias repeats this")),
            }
        }
        *list = kept;
    }

    /// Where a place behind an alias is written; none if it stands there itself.
    fn original(&self, place: &Place) -> Option<Place> {
        let Place::Node { pointer, part } = place else {
            return None;
        };
        let mut found = self.step(pointer, part)?;
        // What an alias repeats may hold an alias, which repeats something that stands before it.
        while let Some(further) = self.step(&found, part) {
            found = further;
        }
        Some(Place::Node {
            pointer: found,
            part: part.clone(),
        })
    }

    fn step(&self, pointer: &Pointer, part: &Part) -> Option<Pointer> {
        // The key of an alias stands where it is.
        let mut above = match part {
            Part::Key => pointer.parent()?,
            Part::Value | Part::Inside(_) => pointer.clone(),
        };
        loop {
            if let Some(original) = self.0.get(&above) {
                let inner = Pointer::from_text(&pointer.as_str()[above.as_str().len()..])?;
                return Some(original.join(&inner));
            }
            above = above.parent()?;
        }
    }
}
