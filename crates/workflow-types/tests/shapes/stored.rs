//! A definition outlives its storage, and its JSON shape is one more way to write it.

use proptest::prelude::*;
use serde_json::json;
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

/// A definition as an older program stored it, with what is refused today.
fn stored(definition: &serde_json::Value) -> StoredDefinition {
    StoredDefinition::from_text(json!({"definition": definition, "v": 1}).to_string())
}

#[test]
fn what_is_refused_today_is_read_as_it_was_stored() {
    let step = |own: serde_json::Value| {
        let mut step = json!({
            "id": "ask", "action": "noop", "approvalRequired": false,
            "retry": {"maxAttempts": 1, "initialBackoff": "1s", "factor": 2.0,
                      "maxBackoff": "5m", "jitter": 0.1},
        });
        step.as_object_mut()
            .unwrap()
            .extend(own.as_object().unwrap().clone());
        step
    };
    let shell = json!({"action": "tool", "tool": "execute_command",
                       "args": {"command": "echo {{ input.name }}"}});
    let misspelt = json!({"action": "model", "prompt": "Well?", "outputSchema":
                          {"type": "object", "requred": ["ok"], "properties": {"ok": {"type": "boolean"}}}});
    let undeclared =
        json!({"action": "model", "prompt": "{{ input.nme }} {{ steps.gone.output }}"});
    let hasty = json!({"approvalRequired": {"timeout": 0, "onTimeout": "deny", "count": 1}});
    for own in [shell, misspelt, undeclared, hasty] {
        let definition = json!({"name": "W", "trigger": "manual",
                                "input": {"name": "string"}, "steps": [step(own.clone())]});
        assert!(WorkflowDefinition::from_json(&definition).is_err(), "{own}");
        let before = stored(&definition);
        let definition = before
            .read()
            .unwrap_or_else(|error| panic!("{own}: {error:?}"));
        // Whatever an older program wrote down, this one writes it down in one way only.
        let today = StoredDefinition::new(&definition);
        assert_eq!(
            StoredDefinition::new(&today.read().unwrap()).digest(),
            today.digest()
        );
        assert_eq!(today.json(), before.json(), "{own}");
        assert_eq!(today.digest(), before.digest(), "{own}");
    }
}

#[test]
fn what_cannot_be_built_is_not_read() {
    for step in [
        json!({"id": "a", "action": "fly"}),
        json!({"id": "a", "action": "noop", "onSuccess": "gone"}),
        json!({"id": "a", "action": "noop", "aprovalRequired": true}),
    ] {
        let definition = json!({"name": "W", "steps": [step]});
        assert!(stored(&definition).read().is_err(), "{definition}");
    }
}
