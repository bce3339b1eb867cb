//! What a store could not read, named, so that one damaged row does not hide the others.

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its id as it is stored, which may be what is damaged.
    pub id: String,
    /// What is wrong with it, in words that name the row and never a value of it.
    pub reason: String,
}

/// A list without what could not be read, which is named beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What could be read, in the order of the list.
    pub items: Vec<T>,
    /// What could not.
    pub damaged: Vec<Damaged>,
}
