//! The secrets of a configuration, with where each of them stands.

use std::path::Path;

use gateway::workflow_types::config::SecretPlace;

use super::{ConfigFile, Origin};
use crate::secrets::{ConfiguredSecret, Place};

/// The secrets of a file. `directory` is the file's, or empty for the current one.
pub(super) fn of(file: Option<&ConfigFile>, directory: &Path) -> Vec<ConfiguredSecret> {
    let Some(file) = file else {
        return Vec::new();
    };
    let secrets = file.config.secrets.iter();
    let configured = secrets.map(|(name, place)| ConfiguredSecret {
        name: name.clone(),
        place: match place {
            SecretPlace::Env(variable) => Place::Variable(variable.clone()),
            SecretPlace::File(path) => Place::File(directory.join(path)),
        },
        origin: Origin::File {
            path: file.path.clone(),
            line: file.line(&format!("secrets.{name}")),
        },
    });
    configured.collect()
}
