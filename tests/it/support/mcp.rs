//! The MCP servers that tests talk to: real ones from npm, pinned in `tests/mcp`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::tools::passed_over;

/// The directory with the real servers, installed when it is first needed; none where a test may be
/// passed over because there is no npm.
pub(crate) fn real_servers() -> Option<PathBuf> {
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mcp");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp");
    fs::create_dir_all(&directory).unwrap();
    // Each test may be a process of its own.
    let lock = fs::File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let wanted = fs::read(pinned.join("package-lock.json")).unwrap();
    let installed = directory.join("installed");
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(pinned.join(name), directory.join(name)).unwrap();
        }
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        if !npm.is_ok_and(|status| status.success()) {
            passed_over("the MCP servers could not be installed by npm");
            return None;
        }
        fs::write(installed, wanted).unwrap();
    }
    Some(directory.join("node_modules/@modelcontextprotocol"))
}

/// Whether there is Node.js, which runs all servers of these tests; in CI there must be.
pub(crate) fn node_is_there() -> bool {
    let found = Command::new("node")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    found || passed_over("Node.js is not installed")
}
