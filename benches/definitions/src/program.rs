//! The same files through the program, with its memory as the system counts it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use wait4::Wait4 as _;

use crate::table::{Table, bytes, time, verdict};
use crate::{stopwatch, texts};

const MOST_BYTES: u64 = 50_000_000;

pub fn measure(program: &Path) {
    let mut table = Table::new(
        "Through `agentspace check`, everything shown (goal: <= 50 MB)",
        &["file", "bytes", "time", "memory", "written", ""],
    );
    let folder = std::env::temp_dir().join(format!("agentspace-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let (file, shown) = (folder.join("case.yaml"), folder.join("shown"));
    let small = texts::Case {
        name: "10 steps",
        text: texts::steps(10),
    };
    let cases = texts::worst()
        .into_iter()
        .chain(texts::mistakes())
        .chain(texts::bombs());
    for case in std::iter::once(small).chain(cases) {
        fs::write(&file, &case.text).expect("a temporary file");
        let (memory, spent) = check(program, &file, &shown);
        let written = fs::metadata(&shown).map_or(0, |metadata| metadata.len());
        table.row([
            case.name.to_owned(),
            case.text.len().to_string(),
            time(spent),
            bytes(usize::try_from(memory).unwrap_or(usize::MAX)),
            bytes(usize::try_from(written).unwrap_or(usize::MAX)),
            verdict(memory <= MOST_BYTES),
        ]);
    }
    fs::remove_dir_all(&folder).expect("the temporary folder");
    table.print();
}

/// The largest memory and the time of one check.
fn check(program: &Path, file: &Path, shown: &Path) -> (u64, Duration) {
    let output = fs::File::create(shown).expect("a temporary file");
    let mut command = Command::new(program);
    command
        .arg("check")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(output);
    let (ended, spent) = stopwatch::once(|| {
        let mut child = command.spawn().expect("the program starts");
        child.wait4().expect("the program ends")
    });
    (ended.rusage.maxrss, spent)
}
