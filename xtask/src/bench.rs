//! `cargo xtask bench`: the benchmarks, each a package of its own below `benches/`.

use anyhow::{Result, bail};
use clap::Args;

use crate::{process, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// Which benchmark to run; without a name all of them are listed.
    name: Option<String>,
    /// What of it to run, as `schedules` of `engine`; all of it if nothing is named.
    arguments: Vec<String>,
}

struct Bench {
    name: &'static str,
    purpose: &'static str,
    measured: Measured,
}

/// What is measured beside the libraries.
#[derive(Clone, Copy)]
enum Measured {
    /// The program as well, as it is shipped.
    Program,
    Libraries,
}

const BENCHES: [Bench; 3] = [
    Bench {
        name: "definitions",
        purpose: "reading files, evaluating conditions, the worst files and bombs; time and memory",
        measured: Measured::Program,
    },
    Bench {
        name: "engine",
        purpose: "durable steps beside bare SQLite, executions and schedules that wait, a gateway at rest",
        measured: Measured::Libraries,
    },
    Bench {
        name: "schedules",
        purpose: "the next fire beside `croner` and `cron`, patterns that never fire",
        measured: Measured::Libraries,
    },
];

pub(crate) fn run(options: &Options) -> Result<()> {
    let Some(name) = &options.name else {
        for bench in &BENCHES {
            println!("cargo xtask bench {}    {}", bench.name, bench.purpose);
        }
        return Ok(());
    };
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        bail!(
            "there is no benchmark `{name}`; there is {}",
            known.join(", ")
        );
    };
    measure(bench, &options.arguments)
}

fn measure(bench: &Bench, arguments: &[String]) -> Result<()> {
    let target = workspace::root().join("target");
    let name = bench.name;
    let manifest = workspace::root().join(format!("benches/{name}/Cargo.toml"));
    let mut command = process::cargo(&["run", "--quiet", "--release", "--locked"]);
    command
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target.join("benches"))
        .arg("--");
    match bench.measured {
        Measured::Libraries => {}
        Measured::Program => {
            let build = ["build", "--release", "--package", "agentspace"];
            process::run(&mut process::cargo(&build))?;
            command.arg(target.join("release/agentspace"));
        }
    }
    command.args(arguments);
    process::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_is_listed_and_every_listed_one_is_there() {
        let folder = workspace::root().join("benches");
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        let listed: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn an_unknown_benchmark_names_the_known_ones() {
        let name = Some("definition".to_owned());
        let error = run(&Options {
            name,
            arguments: Vec::new(),
        })
        .unwrap_err();
        assert!(error.to_string().contains("there is definitions"));
    }
}
