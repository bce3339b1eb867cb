//! Tools of the machine that a test needs: required in CI, elsewhere a reason to pass it over.

use std::process::{Command, Stdio};

/// Whether strace can be used; in CI it must be.
pub(crate) fn strace_is_there() -> bool {
    let found = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    found || passed_over("strace is not installed")
}

/// Answers false where a test may be passed over, and says why; in CI the test fails.
pub(crate) fn passed_over(reason: &str) -> bool {
    assert!(
        std::env::var_os("CI").is_none(),
        "{reason}, and CI needs it"
    );
    demonstrated(&format!("skipped: {reason}"));
    false
}

/// Shows what a demonstration has found; `--nocapture` lets it be seen.
#[expect(clippy::print_stderr, reason = "a demonstration shows its figures")]
pub(crate) fn demonstrated(figures: &str) {
    eprintln!("{figures}");
}
