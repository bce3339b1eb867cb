//! MCP servers that listen on a port: a real one, and a door before it that only one header opens.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::Place;

/// A process that ends with its test.
pub(super) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a real server, and waits until it listens.
pub(super) fn start(program: &Path) -> (Running, u16) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut command = Command::new("node");
    command.arg(program).arg("streamableHttp");
    let (running, _) = listening(command.env("PORT", port.to_string()));
    (running, port)
}

/// Starts a door before a server: it lets requests through whose `Authorization` is what the file
/// `accepted` of a place holds, and repeats to all others what they sent.
pub(super) fn locked(place: &Place, server: u16) -> (Running, u16) {
    place.write("locked.mjs", include_str!("locked.mjs"));
    let mut command = Command::new("node");
    command.args(["locked.mjs", &server.to_string()]);
    let (running, said) = listening(command.current_dir(place.root()));
    let (_, port) = said.rsplit_once(' ').unwrap();
    (running, port.parse().unwrap())
}

/// A process once it says that it listens, and in which words.
fn listening(command: &mut Command) -> (Running, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let running = Running(child);
    let mut lines = said.by_ref().map(Result::unwrap);
    let listens = lines.find(|line| line.contains("listening on port"));
    let listens = listens.expect("it listens before it ends");
    // Whoever stops reading what it says would end it with SIGPIPE.
    std::thread::spawn(move || said.for_each(drop));
    (running, listens)
}
