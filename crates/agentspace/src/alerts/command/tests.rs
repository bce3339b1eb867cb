//! Command sinks with real programs.

use std::path::Path;

use super::*;
use crate::alerts::webhook::tests::notice;

fn sink(script: &str, timeout: Duration) -> CommandSink {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    CommandSink::new(
        "page".parse().unwrap(),
        command,
        Some(timeout),
        Inherit::Basics,
    )
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_program_reads_the_notice_and_takes_it_by_ending_well() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let script = format!(
        "cat > {0}; printf %s \"$AGENTSPACE_IDEMPOTENCY_KEY\" >> {0}",
        out.display()
    );
    let notice = notice();
    sink(&script, LONG).deliver(&notice).await.unwrap();
    let written = std::fs::read_to_string(out).unwrap();
    let (line, key) = written.split_once('\n').unwrap();
    let told: Value = serde_json::from_str(line).unwrap();
    assert_eq!(told, envelope(&notice));
    assert_eq!(key, notice.id.to_string());
}

#[tokio::test]
async fn a_program_that_fails_is_tried_again_and_one_that_is_not_there_waits_for_somebody() {
    let failing = sink("echo no room >&2; exit 3", LONG);
    let error = failing.deliver(&notice()).await.unwrap_err();
    assert!(error.is_retryable());
    assert!(error.to_string().contains("exit code 3"), "{error}");
    assert!(error.to_string().contains("no room"), "{error}");
    let command = vec!["/no/such/program".to_owned()];
    let missing = CommandSink::new("page".parse().unwrap(), command, None, Inherit::Basics);
    let error = missing.deliver(&notice()).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_program_that_hangs_is_stopped_with_what_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let pids = directory.path().join("pids");
    // A child that hears no SIGTERM, and has a child of its own.
    let script = format!(
        "trap '' TERM; sh -c \"trap '' TERM; sleep 600 & echo \\$\\$ \\$! >> {0}; wait\" & \
         echo $$ >> {0}; wait; sleep 600",
        pids.display()
    );
    let error = sink(&script, Duration::from_millis(500));
    let error = error.deliver(&notice()).await.unwrap_err();
    assert!(error.is_retryable());
    assert!(error.to_string().contains("stopped"), "{error}");
    let written = std::fs::read_to_string(&pids).unwrap();
    let pids: Vec<&str> = written.split_whitespace().collect();
    assert_eq!(pids.len(), 3, "{written}");
    for pid in pids {
        // Killed; whoever adopts it may not have noticed yet.
        assert!(is_gone(pid), "process {pid} lives");
    }
}

fn is_gone(pid: &str) -> bool {
    let status = Path::new("/proc").join(pid).join("stat");
    match std::fs::read_to_string(status) {
        Err(_) => true,
        Ok(stat) => stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
    }
}
