//! Runs the binary: to its end, or for as long as a test lets it live.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{DEADLINE, Place};

/// A run of the program that is being prepared.
pub(crate) struct Call(Command);

impl Call {
    pub(super) fn new<'a>(directory: &Path, args: impl IntoIterator<Item = &'a str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentspace"));
        // Nothing of the tester's own settings.
        command
            .args(args)
            .current_dir(directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", directory)
            .env("USER", "ada")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn within(mut self, directory: impl AsRef<Path>) -> Self {
        self.0.current_dir(directory);
        self
    }

    /// Run by the user who owns nothing, which only the superuser can ask for.
    pub(crate) fn run_by_nobody(self, place: &Place) -> Self {
        const NOBODY: u32 = 65_534;
        // The build's directory may be closed to others.
        let program = place.path("agentspace");
        fs::copy(env!("CARGO_BIN_EXE_agentspace"), &program).unwrap();
        let mut command = Command::new(program);
        command
            .args(self.0.get_args())
            .current_dir(place.root())
            .env_clear()
            .env("USER", "nobody")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .gid(NOBODY)
            .uid(NOBODY);
        Self(command)
    }

    /// Killed with SIGKILL as one of its threads comes to its `point`th call of a system call;
    /// strace counts them, so that the same point is met again.
    pub(crate) fn killed_at(self, call: &str, point: usize) -> Self {
        let fault = format!("signal=KILL:when={point}");
        self.traced(call, &fault, Path::new("/dev/null"))
    }

    /// Held up for some seconds as it comes to its first call of a system call, which is written to
    /// a file before.
    pub(crate) fn held_up_at(self, call: &str, told: &Path) -> Self {
        self.traced(call, "delay_enter=3s:when=1", told)
    }

    fn traced(self, call: &str, fault: &str, told: &Path) -> Self {
        let output = format!("--output={}", told.display());
        let trace = format!("--trace={call}");
        let inject = format!("--inject={call}:{fault}");
        let words = ["strace", "--follow-forks", "-qqq", &output, &trace, &inject];
        self.started_by(words)
    }

    /// Started by another program, which is given these arguments before.
    pub(crate) fn started_by<'a>(self, words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().expect("a program"));
        command
            .args(words)
            .arg(self.0.get_program())
            .args(self.0.get_args())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in self.0.get_envs() {
            value.map(|value| command.env(name, value));
        }
        if let Some(directory) = self.0.get_current_dir() {
            command.current_dir(directory);
        }
        Self(command)
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.0.stdin(stdin);
        self
    }

    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.0.stdout(stdout);
        self
    }

    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.0.stderr(stderr);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ran {
        self.start().end()
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.0.spawn().unwrap();
        let (stderr, talk) = heard(child.stderr.take());
        let (stdout, data) = heard(child.stdout.take());
        Running {
            child: Some(child),
            talk,
            data,
            stdout,
            stderr,
        }
    }
}

/// Reads a pipe to its end; its lines can be waited for meanwhile.
fn heard(
    pipe: Option<impl Read + Send + 'static>,
) -> (Option<JoinHandle<String>>, Receiver<String>) {
    let (sender, lines) = mpsc::channel();
    let reader = pipe.map(|pipe| {
        thread::spawn(move || {
            let mut all = String::new();
            for line in BufReader::new(pipe).lines() {
                let line = line.unwrap();
                all.push_str(&line);
                all.push('\n');
                // Nobody listens any more once the end is waited for.
                let _ = sender.send(line);
            }
            all
        })
    });
    (reader, lines)
}

/// The program while it runs; killed when it is dropped.
pub(crate) struct Running {
    child: Option<Child>,
    talk: Receiver<String>,
    data: Receiver<String>,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Waits until it says a line with these words on stderr.
    pub(crate) fn says(&self, words: &str) -> String {
        line_with(&self.talk, words)
    }

    /// The same, but answers false if it ends without having said it.
    pub(crate) fn says_unless_it_ends(&self, words: &str) -> bool {
        loop {
            match self.talk.recv_timeout(DEADLINE) {
                Ok(line) if line.contains(words) => return true,
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => panic!("neither `{words}` nor an end"),
            }
        }
    }

    /// Waits until it prints a line with these words on stdout.
    pub(crate) fn prints(&self, words: &str) -> String {
        line_with(&self.data, words)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), signal).unwrap();
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
        assert_eq!(self.end().code, None, "it ended before it was killed");
    }

    /// Ends it as a power cut would, whether or not it has just ended by itself.
    pub(crate) fn kill_if_alive(self) {
        self.signal(Signal::KILL);
        self.end();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        let child = self.child.take().expect("it runs");
        let status = ended(child);
        let text = |reader: Option<JoinHandle<String>>| {
            reader.map_or_else(String::new, |reader| reader.join().unwrap())
        };
        Ran {
            code: status.code(),
            stdout: text(self.stdout.take()),
            stderr: text(self.stderr.take()),
        }
    }
}

fn line_with(lines: &Receiver<String>, words: &str) -> String {
    loop {
        match lines.recv_timeout(DEADLINE) {
            Ok(line) if line.contains(words) => return line,
            Ok(_) => {}
            Err(error) => panic!("the program did not say `{words}`: {error}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for the end of a process, which is killed when the deadline comes first.
fn ended(mut child: Child) -> ExitStatus {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (sender, status) = mpsc::channel();
    let waiter = thread::spawn(move || sender.send(child.wait().unwrap()));
    if let Ok(status) = status.recv_timeout(DEADLINE) {
        return status;
    }
    // Not waited for yet, so the id is still its own.
    let _ = kill_process(pid.unwrap(), Signal::KILL);
    let _ = waiter.join();
    panic!("the program did not end");
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Asserts how it ended, and that it was no panic.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{stdout}\nstderr:\n{stderr}"
        );
        assert!(!stderr.contains("panicked"), "{stderr}");
        self
    }

    /// Asserts that it says all of these on stderr.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for words in words {
            assert!(
                self.stderr.contains(words),
                "`{words}` is not in:\n{}",
                self.stderr
            );
        }
        self
    }

    /// Asserts that it prints all of these on stdout.
    #[track_caller]
    pub(crate) fn prints(self, words: &[&str]) -> Self {
        for words in words {
            assert!(
                self.stdout.contains(words),
                "`{words}` is not in:\n{}",
                self.stdout
            );
        }
        self
    }

    /// The data in the envelope of its one JSON document.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        self.envelope()["data"].clone()
    }

    /// Its one JSON document.
    #[track_caller]
    pub(crate) fn envelope(&self) -> Value {
        let envelope: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.stdout));
        assert_eq!(envelope["v"], 1);
        assert!(envelope["kind"].is_string());
        envelope
    }
}
