//! Two values that nothing else contains, who echoes them in every form, and the search for these.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// A value that every encoding changes.
pub(crate) const ENV: &str = r#"cAnary-7f3a/"x+y=&z w\q!"#;
/// Another one.
pub(crate) const FILE: &str = "fIlary~91c2<k>|{m}^`n` 100%";

/// The beginnings of both, as text, in base64 behind any number of bytes, and as numbers.
const FORMS: [&str; 14] = [
    "cAnary-7f3a",
    "Y0FuYXJ5LTdmM2",
    "NBbmFyeS03ZjNh",
    "jQW5hcnktN2YzY",
    "63416e6172792d37663361",
    "63416E6172792D37663361",
    "99, 65, 110, 97, 114, 121, 45, 55, 102, 51, 97",
    "fIlary~91c2",
    "ZklsYXJ5fjkxYz",
    "ZJbGFyeX45MWMy",
    "mSWxhcnl+OTFjM",
    "66496c6172797e39316332",
    "66496C6172797E39316332",
    "102, 73, 108, 97, 114, 121, 126, 57, 49, 99, 50",
];

/// Where a form stands, as `form in file`.
pub(crate) fn hits(traces: &[(String, Vec<u8>)]) -> Vec<String> {
    FORMS.iter().flat_map(|form| found(traces, form)).collect()
}

/// Where the first value stands backwards.
pub(super) fn reversed(traces: &[(String, Vec<u8>)]) -> Vec<String> {
    let backwards: String = FORMS[0].chars().rev().collect();
    found(traces, &backwards)
}

fn found(traces: &[(String, Vec<u8>)], form: &str) -> Vec<String> {
    let has = |bytes: &[u8]| {
        let mut windows = bytes.windows(form.len());
        windows.any(|window| window == form.as_bytes())
    };
    let hits = traces.iter().filter(|(_, bytes)| has(bytes));
    hits.map(|(name, _)| format!("{form} in {name}")).collect()
}

/// Every file below a directory with what it holds.
pub(crate) fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            all.extend(files(&entry.path()));
        } else if kind.is_file() && !kind.is_fifo() {
            let name = entry.path().display().to_string();
            all.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    all
}

/// A server that says again all that it is told, and remembers it.
pub(super) struct EchoServer {
    port: u16,
    told: Arc<Mutex<String>>,
}

impl EchoServer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Mutex::new(String::new()));
        let remembered = Arc::clone(&told);
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = answer(&stream);
                remembered.lock().unwrap().push_str(&request);
            }
        });
        Self { port, told }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All that it was told.
    pub(super) fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }
}

/// Answers a request with itself: as a header, and as text, JSON and numbers in the body.
fn answer(mut stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    let mut header = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(number) = lower.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        if lower.starts_with("authorization:") {
            header = line["authorization:".len()..].trim().to_owned();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let request = format!("{head}{}", String::from_utf8_lossy(&body));
    let numbers: Vec<String> = header.bytes().map(|byte| format!("{byte:02x}")).collect();
    let numbers = numbers.concat();
    let answer = serde_json::json!({
        "text": request, "json": serde_json::json!(request).to_string(), "hex": numbers,
        (header.as_str()): [header],
    });
    let answer = answer.to_string();
    let status = if head.contains("/fail") {
        "500 No"
    } else {
        "200 OK"
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-echo: {header}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    )
    .unwrap();
    request
}
