//! The secrets that `agentspace.toml` names: read when a call needs one, and known to the log.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use gateway::workflow_types::id::SecretName;
use gateway::workflow_types::template::SecretText;
use gateway::{LONGEST_SECRET, Mask, SecretError, SecretSource, SecretValue};
use tokio::task::spawn_blocking;

use crate::config::Origin;

/// What this process has revealed: there is one stderr, so there is one mask.
static MASK: LazyLock<Mask> = LazyLock::new(Mask::default);

/// The mask of everything that this program writes without knowing what it is.
pub(crate) fn mask() -> &'static Mask {
    &MASK
}

/// A secret as it is configured.
#[derive(Debug, Clone)]
pub(crate) struct ConfiguredSecret {
    /// Its name.
    pub(crate) name: SecretName,
    /// Where its value is.
    pub(crate) place: Place,
    /// The line that says so.
    pub(crate) origin: Origin,
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In an environment variable.
    Variable(String),
    /// In a file.
    File(PathBuf),
}

impl ConfiguredSecret {
    /// Its value.
    ///
    /// # Errors
    ///
    /// If it is not there; the text says nothing of what is.
    pub(crate) fn read(&self) -> Result<SecretValue, SecretError> {
        match &self.place {
            Place::Variable(name) => variable(name),
            Place::File(path) => file(path),
        }
    }
}

fn variable(name: &str) -> Result<SecretValue, SecretError> {
    let of = |what: &str| SecretError::permanent(format!("the environment variable {name} {what}"));
    let value = std::env::var_os(name).ok_or_else(|| of("is not set"))?;
    // The error would show the value.
    let value = value.into_string().map_err(|_| of("holds no text"))?;
    value_of(value, &of)
}

fn file(path: &Path) -> Result<SecretValue, SecretError> {
    let shown = path.display();
    let of = |what: &str| SecretError::permanent(format!("the file {shown} {what}"));
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST_SECRET).unwrap_or(u64::MAX);
    std::fs::File::open(path)
        .and_then(|file| file.take(most.saturating_add(3)).read_to_end(&mut bytes))
        .map_err(|error| of(&format!("cannot be read: {error}")))?;
    let mut value = String::from_utf8(bytes).map_err(|_| of("holds no text"))?;
    // The end of its last line is the editor's.
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    value_of(value, &of)
}

fn value_of(value: String, of: &dyn Fn(&str) -> SecretError) -> Result<SecretValue, SecretError> {
    SecretValue::new(value).map_err(|error| of(&format!("does not do: {error}")))
}

/// The secrets as the gateway asks for them.
pub(crate) struct Keeper(pub(crate) Vec<ConfiguredSecret>);

#[async_trait]
impl SecretSource for Keeper {
    fn names(&self) -> Option<Vec<SecretName>> {
        Some(self.0.iter().map(|secret| secret.name.clone()).collect())
    }

    async fn reveal(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        let mut secrets = self.0.iter();
        let Some(secret) = secrets.find(|secret| secret.name == *name).cloned() else {
            // The workflow was loaded when the file still named it.
            let message = "agentspace.toml names no such secret under [secrets]";
            return Err(SecretError::permanent(message));
        };
        // A file may be on a slow disk.
        let read = spawn_blocking(move || secret.read()).await;
        read.unwrap_or_else(|_| Err(SecretError::retryable("it could not be read")))
    }
}

/// Reveals secrets to what this program starts or connects to by itself; clones share all of it.
#[derive(Clone)]
pub(crate) struct Revealer {
    source: Arc<dyn SecretSource>,
    mask: Mask,
}

impl fmt::Debug for Revealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revealer").finish_non_exhaustive()
    }
}

impl Revealer {
    /// From this source; what is revealed is in the mask before anybody has it.
    pub(crate) fn new(source: impl SecretSource, mask: Mask) -> Self {
        let source = Arc::new(source);
        Self { source, mask }
    }

    /// What was revealed to anybody.
    pub(crate) fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Texts with the values of their secrets, each of which is asked for once and `heard` of.
    ///
    /// # Errors
    ///
    /// If a secret has no value; says which and why, and nothing of any value.
    pub(crate) async fn fill(
        &self,
        texts: &BTreeMap<String, SecretText>,
        heard: impl Fn(&SecretName, &SecretValue) + Send + Sync,
    ) -> Result<BTreeMap<String, String>, String> {
        let mut values: BTreeMap<&SecretName, SecretValue> = BTreeMap::new();
        for name in texts.values().flat_map(SecretText::secrets) {
            if values.contains_key(name) {
                continue;
            }
            let value = self.source.reveal(name).await;
            let value = value.map_err(|error| format!("secret `{name}` cannot be had: {error}"))?;
            self.mask.add(name, &value);
            heard(name, &value);
            values.insert(name, value);
        }
        let value_of = |name: &SecretName| values.get(name).map(SecretValue::expose);
        let filled = texts.iter().map(|(key, text)| {
            let text = text.fill(value_of).map_err(|error| error.to_string());
            text.map(|text| (key.clone(), text))
        });
        filled.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_text_without_the_end_of_its_last_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let read = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            file(&path)
        };
        for (content, value) in [
            (&b"hunter2\n"[..], "hunter2"),
            (b"hunter2\r\n", "hunter2"),
            (b" two\nlines\n\n", " two\nlines\n"),
        ] {
            assert_eq!(read(content).unwrap().expose(), value);
        }
        assert!(
            read(b"\xffhunter2")
                .unwrap_err()
                .to_string()
                .ends_with("holds no text")
        );
        assert!(
            read(b"\n")
                .unwrap_err()
                .to_string()
                .ends_with("its value is empty")
        );
        let long = read(&vec![b'x'; LONGEST_SECRET + 1])
            .unwrap_err()
            .to_string();
        assert!(long.contains("does not do"), "{long}");
        let gone = file(&directory.path().join("gone"))
            .unwrap_err()
            .to_string();
        assert!(gone.contains("cannot be read: No such file"), "{gone}");
    }
}
