//! `execute_command` against real processes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use gateway::workflow_types::Timestamp;
use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;
use tokio::task::{JoinHandle, spawn_blocking};

use super::*;

const KEY: &str = "0198/deploy/1";

fn call(args: &Value) -> ToolCall {
    let args = args.as_object().unwrap().clone();
    ToolCall::new(args, KEY.to_owned(), Timestamp::from_millis(0).unwrap())
}

fn tool() -> ExecuteCommand {
    ExecuteCommand::new(CommandOptions::default())
}

/// Runs a command as the gateway would: its arguments fit the schema.
async fn run(args: Value) -> Result<Value, ToolError> {
    let problems = tool().spec().input().unwrap().check(&args);
    assert_eq!(problems, Vec::<String>::new());
    tool().call(call(&args)).await
}

async fn stdout(args: Value) -> String {
    run(args).await.unwrap()["stdout"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn permanent(args: Value) -> String {
    let error = run(args).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    error.to_string()
}

async fn only(programs: &[&str], args: Value) -> Result<Value, ToolError> {
    let programs = programs.iter().map(|&program| program.to_owned()).collect();
    let options = CommandOptions {
        programs: Programs::Only(programs),
        ..CommandOptions::default()
    };
    ExecuteCommand::new(options).call(call(&args)).await
}

#[tokio::test]
async fn the_answer_holds_the_exit_and_both_outputs() {
    let answer = run(json!({"command": "echo out; echo err >&2"})).await;
    assert_eq!(
        answer.unwrap(),
        json!({"exitCode": 0, "stdout": "out\n", "stderr": "err\n", "truncated": false})
    );
}

#[tokio::test]
async fn a_non_zero_exit_is_a_failure_with_the_end_of_stderr() {
    let error = run(json!({"command": "seq 1000 >&2; exit 3"}))
        .await
        .unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(
        text.starts_with("`sh` failed with exit code 3, stderr ends with:\n981\n"),
        "{text}"
    );
    assert!(text.ends_with("\n1000"), "{text}");
    let error = run(json!({"command": ["false"]})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`false` failed with exit code 1, stderr is empty"
    );
}

#[tokio::test]
async fn an_allowed_exit_code_is_an_answer() {
    let args = json!({"command": ["sh", "-c", "exit 3"], "allowExitCodes": [1, 3]});
    assert_eq!(run(args).await.unwrap()["exitCode"], 3);
    assert!(
        run(json!({"command": "exit 2", "allowExitCodes": [1]}))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn death_by_a_signal_is_named() {
    let error = run(json!({"command": "kill -SEGV $$"})).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`sh` was killed by signal 11 (SIGSEGV)"),
        "{error}"
    );
}

#[tokio::test]
async fn arguments_pass_byte_for_byte() {
    let dir = TempDir::new().unwrap();
    let hostile = [
        "$(touch pwned)",
        "; touch pwned",
        "`touch pwned`",
        "a b",
        "",
        "*",
        "'\"",
        "é\n",
        "-n",
    ];
    let mut command = vec!["printf", "%s|", "--"];
    command.extend(hostile);
    let output = stdout(json!({"command": command, "cwd": dir.path()})).await;
    assert_eq!(output, format!("--|{}|", hostile.join("|")));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn numbers_that_templates_leave_are_arguments_too() {
    let args = json!({"command": ["echo", 7, true], "env": {"PORT": 80}});
    assert_eq!(stdout(args).await, "7 true\n");
}

#[tokio::test]
async fn a_huge_output_is_drained_in_bounded_memory() {
    let answer = run(json!({"command": ["head", "-c", "100000000", "/dev/zero"]}))
        .await
        .unwrap();
    assert_eq!(answer["stdout"].as_str().unwrap().len(), 256 * 1024);
    assert_eq!(answer["truncated"], true);
}

#[tokio::test]
async fn both_outputs_are_read_while_the_input_is_written() {
    let text = "0123456789".repeat(50_000);
    let args = json!({"command": "tee /dev/stderr | sha256sum", "stdin": text});
    let answer = run(args).await.unwrap();
    assert_eq!(answer["stderr"].as_str().unwrap(), &text[..256 * 1024]);
    assert!(answer["stdout"].as_str().unwrap().ends_with("  -\n"));
}

#[tokio::test]
async fn a_program_need_not_read_its_input() {
    let args = json!({"command": ["true"], "stdin": "x".repeat(1_000_000)});
    assert_eq!(run(args).await.unwrap()["exitCode"], 0);
    assert_eq!(stdout(json!({"command": ["cat"]})).await, "");
}

#[tokio::test]
async fn a_command_learns_its_key_and_attempt_and_nothing_can_pretend_another() {
    let args = json!({
        "command": "echo $AGENTSPACE_IDEMPOTENCY_KEY $AGENTSPACE_ATTEMPT $GREETING",
        "env": {"GREETING": "hi", "AGENTSPACE_ATTEMPT": "9"},
    });
    assert_eq!(stdout(args).await, format!("{KEY} 1 hi\n"));
}

#[tokio::test]
async fn the_hosts_own_variables_pass_only_if_named() {
    // Cargo sets these for every test.
    let command =
        json!({"command": "echo ${CARGO_PKG_NAME-none} ${CARGO_CRATE_NAME-none} ${PATH:+path}"});
    assert_eq!(stdout(command.clone()).await, "none none path\n");
    let named = Inherit::BasicsAnd(vec!["CARGO_PKG_NAME".to_owned()]);
    for (inherit, expected) in [
        (named, "agentspace none path\n"),
        (Inherit::Everything, "agentspace none path\n"),
    ] {
        let options = CommandOptions {
            inherit,
            ..CommandOptions::default()
        };
        let answer = ExecuteCommand::new(options)
            .call(call(&command))
            .await
            .unwrap();
        assert_eq!(answer["stdout"], expected);
    }
}

#[tokio::test]
async fn what_cannot_start_is_named_with_its_remedy() {
    let missing = permanent(json!({"command": ["no-such-program-here"]})).await;
    assert!(missing.contains("`no-such-program-here` did not start: no such program in PATH"));
    let path = permanent(json!({"command": ["/no/such/program"]})).await;
    assert!(
        path.contains("`/no/such/program` did not start: no such file"),
        "{path}"
    );
    // Written by another process: a file that this one has open for writing cannot be run.
    let dir = TempDir::new().unwrap();
    let write = "echo no first line > plain; chmod 600 plain; cp plain script; chmod 700 script";
    stdout(json!({"command": write, "cwd": dir.path()})).await;
    let denied = permanent(json!({"command": [dir.path().join("plain")]})).await;
    assert!(
        denied.contains("permission denied, make the file executable"),
        "{denied}"
    );
    let foreign = permanent(json!({"command": [dir.path().join("script")]})).await;
    assert!(
        foreign.contains("begin a script with a `#!` line"),
        "{foreign}"
    );
    let cwd = permanent(json!({"command": ["true"], "cwd": "/no/such"})).await;
    assert!(cwd.contains("`cwd` /no/such is no directory"), "{cwd}");
    let null = permanent(json!({"command": ["echo", "a\u{0}b"]})).await;
    assert!(null.contains("contains a null character"), "{null}");
    let name = permanent(json!({"command": ["true"], "env": {"A=B": "c"}})).await;
    assert!(name.contains("a name in `env`"), "{name}");
    let long = permanent(json!({"command": ["true", "x".repeat(4_000_000)]})).await;
    assert!(long.contains("pass the data in `stdin`"), "{long}");
}

#[tokio::test]
async fn arguments_of_the_wrong_kind_are_named_without_their_values() {
    for (args, expected) in [
        (json!({"command": 5}), "`command` is a number"),
        (json!({}), "`command` is missing"),
        (json!({"command": []}), "`command` names no program"),
        (json!({"command": ["a", null]}), "`command[1]` is null"),
        (
            json!({"command": ["a"], "env": {"A": ["secret"]}}),
            "`env.A` is a list",
        ),
        (
            json!({"command": ["a"], "timeout": 5}),
            "`timeout` is no argument",
        ),
    ] {
        let error = tool().call(call(&args)).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn only_listed_programs_run() {
    assert!(only(&["echo"], json!({"command": ["echo"]})).await.is_ok());
    for args in [
        json!({"command": ["/bin/echo"]}),
        json!({"command": ["./echo"]}),
        json!({"command": "echo"}),
        json!({"command": ["echo"], "env": {"PATH": "/tmp"}}),
        json!({"command": ["echo"], "env": {"LD_PRELOAD": "/tmp/x.so"}}),
    ] {
        let error = only(&["echo"], args).await.unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        assert!(error.to_string().contains("allow"), "{error}");
    }
    assert!(only(&["sh"], json!({"command": "echo"})).await.is_ok());
}

#[tokio::test]
async fn background_processes_that_keep_the_pipes_open_do_not_hold_the_step() {
    let family = Family::new();
    let script = script("hold & read line < go; echo done");
    let running = family.start(&script);
    let pid = family.report.await.unwrap();
    fs::write(family.dir.path().join("go"), "\n").unwrap();
    let answer = running.call.await.unwrap().unwrap();
    assert_eq!(answer["stdout"], "done\n");
    assert_eq!(
        answer["truncated"], true,
        "the end of the output was never seen"
    );
    assert!(test_kill_process(pid).is_ok(), "left alone");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn cancellation_kills_the_group_with_a_grandchild_that_ignores_sigterm() {
    let family = Family::new();
    let script = script("hold & wait");
    let mut running = family.start(&script);
    family.report.await.unwrap();
    running.cancelled.cancel();
    let error = (&mut running.call).await.unwrap().unwrap_err();
    assert!(error.is_retryable());
    assert!(
        error.to_string().contains("was stopped before it ended"),
        "{error}"
    );
    family.dead.await.unwrap();
}

#[tokio::test]
async fn sigterm_comes_first_so_that_a_command_can_clean_up() {
    let family = Family::new();
    let script = "trap 'echo cleaned > clean; exit 0' TERM; exec 3> life; echo $$ >&3; \
                  while :; do sleep 0.01; done";
    let running = family.start(script);
    family.report.await.unwrap();
    running.cancelled.cancel();
    running.call.await.unwrap().unwrap_err();
    family.dead.await.unwrap();
    assert_eq!(
        fs::read_to_string(family.dir.path().join("clean")).unwrap(),
        "cleaned\n"
    );
}

#[tokio::test]
async fn dropping_the_call_kills_the_group() {
    let family = Family::new();
    let script = script("hold & wait");
    let running = family.start(&script);
    family.report.await.unwrap();
    running.call.abort();
    assert!(running.call.await.unwrap_err().is_cancelled());
    family.dead.await.unwrap();
}

/// A directory with two named pipes: `life` first tells the pid of a process and then, by its end,
/// that every process which held it is dead, which `kill(pid, 0)` would deny as long as nobody has
/// reaped an orphan; `go` lets a script wait for the test.
struct Family {
    dir: TempDir,
    report: JoinHandle<Pid>,
    dead: JoinHandle<()>,
}

struct Running {
    call: JoinHandle<Result<Value, ToolError>>,
    cancelled: tokio_util::sync::CancellationToken,
}

impl Family {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        make_pipe(dir.path(), "go");
        let life = make_pipe(dir.path(), "life");
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let dead = spawn_blocking(move || {
            let mut lines = BufReader::new(fs::File::open(life).unwrap()).lines();
            let pid = lines.next().unwrap().unwrap().trim().parse().unwrap();
            sender.send(Pid::from_raw(pid).unwrap()).unwrap();
            assert!(lines.next().is_none());
        });
        let report = tokio::spawn(async { receiver.await.unwrap() });
        Self { dir, report, dead }
    }

    fn start(&self, script: &str) -> Running {
        let call = call(&json!({"command": script, "cwd": self.dir.path()}));
        let cancelled = call.cancelled.clone();
        let call = tokio::spawn(async move { tool().call(call).await });
        Running { call, cancelled }
    }
}

fn make_pipe(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    path
}

/// A script in which `hold` is a process that ignores SIGTERM and holds `life` and all pipes.
fn script(body: &str) -> String {
    let hold = r#"sh -c 'trap "" TERM; exec 3> life; echo $$ >&3; exec sleep 1000'"#;
    format!("hold() {{ {hold}; }}; {body}")
}
