//! The packages of the workspace as `cargo metadata` tells them.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// One package of the workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) examples: Vec<String>,
}

/// One line under a package's `[dependencies]`, `[dev-dependencies]` or `[build-dependencies]`.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
    pub(crate) optional: bool,
}

/// When a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    Normal,
    Build,
    Dev,
}

/// The packages of this workspace, without those they depend on.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps"];
    parse(&process::output(&mut process::cargo(&arguments))?)
}

fn parse(text: &str) -> Result<Vec<Package>> {
    let value: Value = serde_json::from_str(text).context("cargo metadata printed no JSON")?;
    list(&value, "packages")?.iter().map(package).collect()
}

fn package(value: &Value) -> Result<Package> {
    let examples = list(value, "targets")?
        .iter()
        .filter(|target| target["kind"][0] == "example")
        .map(|target| text(target, "name"))
        .collect::<Result<_>>()?;
    let dependencies = list(value, "dependencies")?
        .iter()
        .map(dependency)
        .collect::<Result<_>>()?;
    Ok(Package {
        name: text(value, "name")?,
        dependencies,
        examples,
    })
}

fn dependency(value: &Value) -> Result<Dependency> {
    let kind = match value["kind"].as_str() {
        None => DependencyKind::Normal,
        Some("build") => DependencyKind::Build,
        Some("dev") => DependencyKind::Dev,
        Some(other) => anyhow::bail!("cargo metadata names an unknown dependency kind `{other}`"),
    };
    Ok(Dependency {
        name: text(value, "name")?,
        kind,
        optional: value["optional"].as_bool().unwrap_or(false),
    })
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value[key]
        .as_array()
        .with_context(|| format!("cargo metadata has no list `{key}`"))
}

fn text(value: &Value, key: &str) -> Result<String> {
    value[key]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("cargo metadata has no text `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_examples_are_read() {
        let packages = parse(
            r#"{"packages": [{
                "name": "gateway",
                "targets": [{"kind": ["lib"], "name": "gateway"}, {"kind": ["example"], "name": "host"}],
                "dependencies": [
                    {"name": "db", "kind": null, "optional": false},
                    {"name": "tempfile", "kind": "dev", "optional": false},
                    {"name": "axum", "kind": null, "optional": true}
                ]
            }]}"#,
        )
        .unwrap();
        let gateway = packages.first().unwrap();
        assert_eq!(gateway.examples, ["host"]);
        let kinds: Vec<_> = gateway.dependencies.iter().map(|d| d.kind).collect();
        assert_eq!(
            kinds,
            [
                DependencyKind::Normal,
                DependencyKind::Dev,
                DependencyKind::Normal
            ]
        );
        assert!(gateway.dependencies.iter().any(|d| d.optional));
    }

    #[test]
    fn this_workspace_is_readable() {
        let names: Vec<_> = packages().unwrap().into_iter().map(|p| p.name).collect();
        assert!(names.contains(&"workflow-types".to_owned()), "{names:?}");
    }
}
