//! A real HTTP server on loopback, which answers whatever status it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use super::DEADLINE;

/// The server; it lives as long as the test's process.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    keys: Mutex<Receiver<String>>,
}

struct Shared {
    status: AtomicU16,
    requests: AtomicUsize,
    keys: Mutex<Sender<String>>,
}

impl Server {
    /// One that answers with a status; 0 hangs up without an answer.
    pub(crate) fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, keys) = mpsc::channel();
        let shared = Arc::new(Shared {
            status: AtomicU16::new(status),
            requests: AtomicUsize::new(0),
            keys: Mutex::new(sender),
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                // Whoever hangs up early gets no answer.
                if let Ok(Answered::NotYet) = served.answer(&stream) {
                    held.push(stream);
                }
            }
        });
        Self {
            address,
            shared,
            keys: Mutex::new(keys),
        }
    }

    /// One that takes requests and never answers them.
    pub(crate) fn holding() -> Self {
        Self::answering(HOLDS)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/health", self.address)
    }

    /// From now on it answers with another status.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Waits for the next request that nobody has asked for yet; its idempotency key.
    pub(crate) fn next_key(&self) -> String {
        let keys = self.keys.lock().unwrap();
        keys.recv_timeout(DEADLINE).expect("a request comes")
    }
}

/// The status of a server that takes requests and does not answer.
const HOLDS: u16 = 1;

enum Answered {
    Now,
    NotYet,
}

impl Shared {
    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<Answered> {
        let mut key = String::new();
        for line in BufReader::new(stream).lines() {
            let line = line?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("idempotency-key:") {
                value.trim().clone_into(&mut key);
            }
        }
        let status = self.status.load(Ordering::SeqCst);
        self.requests.fetch_add(1, Ordering::SeqCst);
        // Only some tests ask for keys.
        let _ = self.keys.lock().unwrap().send(key);
        match status {
            0 => return Ok(Answered::Now),
            HOLDS => return Ok(Answered::NotYet),
            _ => {}
        }
        write!(
            stream,
            "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        )?;
        Ok(Answered::Now)
    }
}
