//! Rule: crates depend downwards only: workflow-types <- db <- gateway <- agentspace.

use super::Finding;
use crate::metadata::{Dependency, DependencyKind, Package};

/// What a package must not use at all, and what it may use only behind a feature.
struct Direction {
    package: &'static str,
    never: &'static [&'static str],
    only_optional: &'static [&'static str],
}

const DIRECTIONS: [Direction; 4] = [
    Direction {
        package: "workflow-types",
        never: &["tokio", "diesel", "db", "gateway", "agentspace"],
        only_optional: &[],
    },
    Direction {
        package: "db",
        never: &["tokio", "gateway", "agentspace"],
        only_optional: &[],
    },
    Direction {
        package: "gateway",
        never: &["agentspace"],
        only_optional: &["reqwest", "axum", "hyper"],
    },
    Direction {
        package: "agentspace",
        never: &[],
        only_optional: &[],
    },
];

/// The one package that knows SQL, and the libraries by which one knows it.
const SQL_PACKAGE: &str = "db";
const SQL_LIBRARIES: [&str; 3] = ["diesel", "diesel_migrations", "diesel_derives"];

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = strangers(packages);
    for package in packages {
        findings.extend(sql_outside_its_package(package));
        for direction in DIRECTIONS.iter().filter(|d| d.package == package.name) {
            findings.extend(against(direction, package));
        }
    }
    findings
}

/// A rule about a package that no longer exists would hold for nothing.
fn strangers(packages: &[Package]) -> Vec<Finding> {
    DIRECTIONS
        .iter()
        .filter(|direction| !packages.iter().any(|p| p.name == direction.package))
        .map(|direction| Finding {
            place: direction.package.to_owned(),
            message: "has a rule of direction, but the workspace has no such package".to_owned(),
        })
        .collect()
}

fn sql_outside_its_package(package: &Package) -> Vec<Finding> {
    package
        .dependencies
        .iter()
        .filter(|_| package.name != SQL_PACKAGE)
        .filter(|dependency| SQL_LIBRARIES.contains(&dependency.name.as_str()))
        .map(|dependency| finding(package, dependency, "only db knows SQL"))
        .collect()
}

fn against(direction: &Direction, package: &Package) -> Vec<Finding> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Dev)
        .filter_map(|dependency| {
            let name = dependency.name.as_str();
            if direction.never.contains(&name) {
                Some(finding(
                    package,
                    dependency,
                    "it is above or outside this crate",
                ))
            } else if direction.only_optional.contains(&name) && !dependency.optional {
                Some(finding(
                    package,
                    dependency,
                    "it must be optional, behind a feature",
                ))
            } else {
                None
            }
        })
        .collect()
}

fn finding(package: &Package, dependency: &Dependency, reason: &str) -> Finding {
    Finding {
        place: package.name.clone(),
        message: format!("must not depend on {}: {reason}", dependency.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, kind: DependencyKind, optional: bool) -> Dependency {
        Dependency {
            name: name.to_owned(),
            kind,
            optional,
        }
    }

    /// The workspace in order, with `extra` added to `package`: what is found.
    fn messages(package: &str, extra: &Dependency) -> Vec<String> {
        let mut packages: Vec<_> = DIRECTIONS
            .iter()
            .map(|direction| Package {
                name: direction.package.to_owned(),
                ..Package::default()
            })
            .collect();
        for found in packages.iter_mut().filter(|p| p.name == package) {
            found.dependencies.push(extra.clone());
        }
        check(&packages).into_iter().map(|f| f.message).collect()
    }

    #[test]
    fn what_stands_above_is_refused() {
        for (package, name) in [
            ("workflow-types", "tokio"),
            ("workflow-types", "db"),
            ("db", "tokio"),
            ("db", "gateway"),
            ("gateway", "diesel"),
            ("gateway", "axum"),
            ("agentspace", "diesel"),
        ] {
            for kind in [DependencyKind::Normal, DependencyKind::Build] {
                let found = messages(package, &dependency(name, kind, false));
                assert_eq!(found.len(), 1, "{package} -> {name}: {found:?}");
            }
        }
    }

    #[test]
    fn what_stands_below_or_serves_tests_is_allowed() {
        for (package, name, kind, optional) in [
            ("db", "diesel", DependencyKind::Normal, false),
            ("gateway", "db", DependencyKind::Normal, false),
            ("gateway", "axum", DependencyKind::Normal, true),
            ("db", "tokio", DependencyKind::Dev, false),
            ("agentspace", "reqwest", DependencyKind::Normal, false),
        ] {
            let found = messages(package, &dependency(name, kind, optional));
            assert!(found.is_empty(), "{package} -> {name}: {found:?}");
        }
    }

    #[test]
    fn a_rule_without_its_package_is_reported() {
        assert_eq!(check(&[]).len(), DIRECTIONS.len());
    }
}
