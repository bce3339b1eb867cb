//! Workflows and their definitions.

use db::{ErrorKind, definition, workflow};
use workflow_types::registry::{Registered, Registration};

use crate::support::{Database, at, registration};

#[test]
fn registering_again_changes_nothing_and_a_new_definition_keeps_the_old_one() {
    let mut database = Database::new();
    let first = registration("First");
    let mut register = |registration| workflow::register(&mut database.connection, registration);
    assert_eq!(register(&first).unwrap(), Registered::New);
    let later = Registration {
        at: at(9),
        ..first.clone()
    };
    assert_eq!(register(&later).unwrap(), Registered::Unchanged);
    let second = Registration {
        at: at(10),
        ..registration("Second")
    };
    assert_eq!(register(&second).unwrap(), Registered::Changed);

    let found = workflow::list(&mut database.connection).unwrap().items;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, "Second");
    assert_eq!((found[0].created_at, found[0].updated_at), (at(0), at(10)));
    let pinned = definition::load(&mut database.connection, first.definition.digest()).unwrap();
    let pinned = pinned.unwrap();
    assert_eq!(pinned.stored, first.definition);
    assert_eq!(pinned.source, first.source);
}

#[test]
fn a_definition_whose_text_was_changed_is_corrupt() {
    let mut database = Database::with_workflow();
    database.damage("UPDATE workflow_definitions SET definition = '{}'");
    let digest = registration("Wait").definition.digest().clone();
    let error = definition::load(&mut database.connection, &digest).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&digest.to_string()));
    assert_eq!(database.check(), [error.to_string()]);
}
