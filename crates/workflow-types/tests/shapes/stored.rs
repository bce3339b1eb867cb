//! A definition outlives its storage, and its JSON shape is one more way to write it.

use proptest::prelude::*;
use workflow_types::WorkflowDefinition;
use workflow_types::definition::StoredDefinition;

use super::generate;

proptest! {
    #[test]
    fn a_definition_is_read_again_as_it_was_stored(document in generate::workflow()) {
        let definition = WorkflowDefinition::from_json(&document)
            .map_err(|problems| TestCaseError::fail(format!("{problems}\n{document:#}")))?;
        let stored = StoredDefinition::new(&definition);
        let again = stored.read().unwrap();
        let twice = StoredDefinition::new(&again);
        prop_assert_eq!(twice.digest(), stored.digest());
        let copy = StoredDefinition::from_text(stored.json().to_owned());
        prop_assert_eq!(copy.digest(), stored.digest());
        prop_assert_eq!(&again, &definition);
        let shape = serde_json::to_value(&definition).unwrap();
        prop_assert_eq!(WorkflowDefinition::from_json(&shape).unwrap(), definition);
    }
}
