//! Laws of definitions: refused with places, or accepted and written down without loss.

use workflow_types::definition::StoredDefinition;
use workflow_types::{SourceFormat, WorkflowDefinition};

pub fn check(bytes: &[u8]) {
    read(bytes, SourceFormat::Yaml);
    read(bytes, SourceFormat::Json);
}

fn read(bytes: &[u8], format: SourceFormat) {
    let checked = WorkflowDefinition::check(bytes, format);
    let refused = checked.definition.is_none();
    super::diagnostics::check(refused, &checked.diagnostics, &checked.map);
    match &checked.definition {
        Some(definition) => {
            assert!(checked.usable.is_empty());
            assert!(!definition.steps().is_empty());
            survives_storage(definition);
        }
        None => {
            for usable in &checked.usable {
                assert!(!usable.at.as_str().is_empty());
            }
        }
    }
}

/// What is read back is what was written, and has the same digest.
fn survives_storage(definition: &WorkflowDefinition) {
    let stored = StoredDefinition::new(definition);
    let again = stored.read().unwrap_or_else(|error| {
        let reason = std::error::Error::source(&error).map(ToString::to_string);
        panic!("{error}: {reason:?}\n{}", stored.json())
    });
    assert_eq!(&again, definition, "{}", stored.json());
    assert_eq!(StoredDefinition::new(&again), stored);
    let copied = StoredDefinition::from_text(stored.json().to_owned());
    assert_eq!(copied.digest(), stored.digest());
}
