//! What to write instead: the same values in a form that the grammar takes.
//!
//! Knows no tokens and no errors.

use super::field::Field;

/// `22-2` as `22-23,0-2`; by name where the author used names.
pub(super) fn wrapped_ranges(field: Field, first: u32, last: u32, by_name: bool) -> String {
    let halves = |begin: u32, end: u32| {
        format!(
            "{},{}",
            joined(field, first, end, by_name),
            joined(field, begin, last, by_name)
        )
    };
    match field {
        Field::Year => format!("{last}-{first}"),
        Field::DayOfWeek if first == 7 => format!("0-{last}"),
        Field::DayOfWeek if last == 0 => joined(field, first, 7, by_name),
        // Sunday ends the week here, so that the second half begins with Monday.
        Field::DayOfWeek => halves(1, 7),
        Field::Second | Field::Minute | Field::Hour | Field::DayOfMonth | Field::Month => {
            halves(field.min(), field.max())
        }
    }
}

/// `22-1/2` as `22,0`: steps go on across the end of the field.
pub(super) fn wrapped_values(field: Field, first: u32, last: u32, step: u32) -> String {
    if field == Field::Year {
        return format!("{last}-{first}/{step}");
    }
    let size = field.last() - field.min() + 1;
    let values: Vec<String> = (first..=last + size)
        .step_by(step as usize)
        .map(|value| (value - field.min()) % size + field.min())
        .map(|value| value.to_string())
        .collect();
    values.join(",")
}

/// `5/15` as `5-59/15`, which is what most tools make of it.
pub(super) fn open_step(field: Field, first: u32, step: u32, by_name: bool) -> String {
    let last = if field == Field::DayOfWeek && first == 0 {
        field.last()
    } else {
        field.max()
    };
    if first == last {
        label(field, first, by_name)
    } else {
        format!("{}/{step}", joined(field, first, last, by_name))
    }
}

/// The name that `word` abbreviates or misspells by one letter.
pub(super) fn closest(word: &str, names: &[&'static str]) -> Option<&'static str> {
    let begun = names.iter().find(|name| word.starts_with(**name));
    let misspelt = || {
        names
            .iter()
            .find(|name| strsim::levenshtein(word, name) == 1)
    };
    begun.or_else(misspelt).copied()
}

fn joined(field: Field, first: u32, last: u32, by_name: bool) -> String {
    if first == last {
        label(field, first, by_name)
    } else {
        format!(
            "{}-{}",
            label(field, first, by_name),
            label(field, last, by_name)
        )
    }
}

fn label(field: Field, value: u32, by_name: bool) -> String {
    let names = field.names();
    // Sunday is 7 as well as 0.
    let index = (value - field.min()) as usize % names.len().max(1);
    match names.get(index) {
        Some(name) if by_name => (*name).to_owned(),
        Some(_) | None => value.to_string(),
    }
}
