//! The comparison has teeth: a store that breaks one promise is noticed.
