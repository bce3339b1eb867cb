//! A named pipe between a test and a command: the command says how far it is and waits for more.
//!
//! The test holds both ends open, so that neither side blocks on opening it, and a command that
//! waits for a test that has ended reads the end and ends too.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::{DEADLINE, Place};

/// A named pipe.
pub(crate) struct Fifo {
    pub(crate) path: PathBuf,
    file: File,
    lines: Option<Mutex<Receiver<String>>>,
}

impl Fifo {
    /// One that commands write lines to.
    pub(crate) fn to_test(place: &Place, name: &str) -> Self {
        let mut fifo = Self::to_command(place, name);
        let (sender, lines) = mpsc::channel();
        let reader = BufReader::new(fifo.file.try_clone().unwrap());
        // Ends with the test's process.
        thread::spawn(move || {
            for line in reader.lines() {
                if line.map(|line| sender.send(line)).is_err() {
                    return;
                }
            }
        });
        fifo.lines = Some(Mutex::new(lines));
        fifo
    }

    /// One that commands read lines from.
    pub(crate) fn to_command(place: &Place, name: &str) -> Self {
        let path = place.path(name);
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        Self {
            path,
            file,
            lines: None,
        }
    }

    /// The next line that a command wrote.
    pub(crate) fn line(&self) -> String {
        let lines = self.lines.as_ref().expect("one made with to_test");
        let line = lines.lock().unwrap().recv_timeout(DEADLINE);
        line.unwrap_or_else(|_| panic!("no command wrote to {}", self.path.display()))
    }

    /// Lets a command that reads a line go on.
    pub(crate) fn say(&self, line: &str) {
        writeln!(&self.file, "{line}").unwrap();
    }
}
