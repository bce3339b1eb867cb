//! A real HTTP server that answers with the very bytes that a test gives it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server that gives its answers one connection after the other, and ends by telling what it was
/// asked.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) asked: JoinHandle<Vec<String>>,
}

impl Server {
    pub(super) async fn start(answers: &[&[u8]]) -> Self {
        let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
        let (listener, port) = listen().await;
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                asked.push(read_request(&mut stream).await);
                // A client that has seen enough may have hung up.
                let _ = stream.write_all(&answer).await;
            }
            asked
        });
        Self { port, asked }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// A listener on a free port.
pub(super) async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Asserts that nobody has connected.
pub(super) fn nobody_came(listener: TcpListener) {
    let listener = listener.into_std().unwrap();
    let waiting = listener.accept().map(|_| ()).unwrap_err().kind();
    assert_eq!(waiting, std::io::ErrorKind::WouldBlock);
}

/// Head and body of one request.
pub(super) async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8(request.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() == length {
                return text;
            }
        }
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "{text}");
    }
}
