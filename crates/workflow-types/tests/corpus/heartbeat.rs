//! Laws of `HEARTBEAT.md`: refused with places, or items that can be told apart and found again.

use std::collections::HashSet;

use workflow_types::Heartbeat;

pub fn check(bytes: &[u8]) {
    let checked = Heartbeat::check(bytes);
    let refused = checked.heartbeat.is_none();
    super::diagnostics::check(refused, &checked.diagnostics, &checked.map);
    let Some(heartbeat) = &checked.heartbeat else {
        return;
    };
    assert!(!heartbeat.items().is_empty());
    let mut texts = HashSet::new();
    for item in heartbeat.checks() {
        assert!(texts.insert(item.text()), "twice: {:?}", item.text());
    }
    let lines: Vec<&str> = checked.map.text().split('\n').collect();
    let mut before = 0;
    for item in heartbeat.items() {
        assert!(item.line() > before, "line {} after {before}", item.line());
        before = item.line();
        assert!(!item.text().trim().is_empty());
        let written = lines.get(item.line() - 1);
        let written = written.unwrap_or_else(|| panic!("there is no line {}", item.line()));
        let word = item.text().split_whitespace().next().unwrap_or_default();
        assert!(written.contains(word), "{word:?} is not in {written:?}");
    }
    assert_eq!(Heartbeat::check(bytes).heartbeat.as_ref(), Some(heartbeat));
}
