//! The heartbeats that a host's configuration names: where the file of each is.

use std::collections::BTreeMap;

use super::Path;
use super::named::{name_of, named};
use crate::definition::fields::Fields;
use crate::id::HeartbeatName;
use crate::shape::config::heartbeats::HEARTBEAT_FILE;

/// Reads what stands under `heartbeats`.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> BTreeMap<HeartbeatName, String> {
    let mut files = BTreeMap::new();
    for (name, field) in named(fields, "heartbeats") {
        let name = name_of::<HeartbeatName>(&name, &field.at, fields.report);
        let Some(mut inner) = Fields::open(field.value, &field.at, &HEARTBEAT_FILE, fields.report)
        else {
            continue;
        };
        let given = inner.require("file").is_some();
        let file: Option<Path> = given.then(|| inner.parsed("file")).flatten();
        inner.finish();
        files.extend(name.zip(file.map(|Path(text)| text)));
    }
    files
}
