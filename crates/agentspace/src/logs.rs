//! What the program says of itself on stderr: its log, and where it panicked.
//!
//! Libraries write down what they send where they are asked to tell everything, so all of it goes
//! through the mask of secrets.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;

use crate::{output, secrets};

/// What says too much: of questions and answers; and of addresses, which may hold keys, when a
/// connection ends, which is told by whoever needed it. Each is a constant that is well formed.
const SILENT: [&str; 2] = ["genai=off", "rmcp::transport::worker=off"];

/// Logs go to stderr and are quiet unless `RUST_LOG` asks for more.
pub(crate) fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let silent = SILENT.iter().filter_map(|directive| directive.parse().ok());
    let filter = silent.fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Masked(io::stderr()))
        .with_ansi(io::stderr().is_terminal())
        // It would be said on stderr, and panic.
        .log_internal_errors(false)
        .init();
    // A tool may panic with words of its arguments.
    std::panic::set_hook(Box::new(|panic| {
        let mut text = panic.to_string();
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text = format!("{text}\n{backtrace}");
        }
        output::talk(&secrets::mask().text(&text));
    }));
}

/// A writer that is given whole events.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(secrets::mask().text(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use gateway::SecretValue;

    use super::*;

    #[test]
    fn an_event_is_written_without_the_values_that_were_revealed() {
        let value = SecretValue::new("canary of the log").unwrap();
        secrets::mask().add(&"LOGGED".parse().unwrap(), &value);
        let mut written = Masked(Vec::new());
        let bytes = b"sent canary%20of%20the%20log \xff\n";
        assert_eq!(written.write(bytes).unwrap(), bytes.len());
        let text = String::from_utf8(written.0).unwrap();
        assert_eq!(text, "sent [secret LOGGED] \u{fffd}\n");
    }
}
