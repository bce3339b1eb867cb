//! The name of a migration's folder: `YYYY-MM-DD-HHMMSS_name`.

use chrono::{DateTime, NaiveDateTime, Utc};

const MOMENT: &str = "%Y-%m-%d-%H%M%S";
const MOMENT_LENGTH: usize = "2026-01-31-090000".len();

/// The folder for a migration called `name` that is written at `now`.
pub(crate) fn compose(name: &str, now: DateTime<Utc>) -> String {
    format!("{}_{name}", now.format(MOMENT))
}

/// The moment that orders the migrations; `None` for any other name.
pub(crate) fn version(folder: &str) -> Option<NaiveDateTime> {
    let (moment, name) = folder.split_once('_')?;
    if moment.len() != MOMENT_LENGTH || !is_valid_name(name) {
        return None;
    }
    NaiveDateTime::parse_from_str(moment, MOMENT).ok()
}

/// Whether `name` is small letters, digits and underscores, a letter first.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_composed_is_recognised() {
        let now = "2026-01-31T09:00:05Z".parse().unwrap();
        let folder = compose("add_alerts", now);
        assert_eq!(folder, "2026-01-31-090005_add_alerts");
        assert_eq!(version(&folder), Some(now.naive_utc()));
    }

    #[test]
    fn other_names_have_no_version() {
        for folder in [
            "00000000000000_setup",
            "2026-01-31_x",
            "2026-02-30-090000_x",
            "2026-1-031-090000_x",
            "2026-01-31-090000_",
            "2026-01-31-090000_Up",
            "2026-01-31-090000",
        ] {
            assert_eq!(version(folder), None, "{folder}");
        }
    }
}
