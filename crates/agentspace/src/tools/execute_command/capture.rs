//! Keeps the beginning and the very end of an output of any length in bounded memory.
//!
//! Must not stop reading before the end: a full pipe would block the program that writes it.

use std::str;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes read at once: what a pipe holds.
const CHUNK: usize = 64 * 1024;
/// Bytes kept of the end, for the message of a failure.
const TAIL: usize = 2 * 1024;
/// Lines of the end that a message shows.
const TAIL_LINES: usize = 20;

/// What is kept of one output.
#[derive(Debug)]
pub(super) struct Capture {
    kept: Vec<u8>,
    tail: Vec<u8>,
    limit: usize,
    dropped: bool,
    ended: bool,
}

impl Capture {
    /// Nothing yet; at most `limit` bytes of the beginning will be kept.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            kept: Vec::new(),
            tail: Vec::new(),
            limit,
            dropped: false,
            ended: false,
        }
    }

    /// Reads to the end. May be dropped midway: what was read until then is kept.
    pub(super) async fn drain(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = vec![0; CHUNK];
        // A pipe that fails has no more to give, which `ended` tells apart from its end.
        while let Ok(length) = pipe.read(&mut chunk).await {
            if length == 0 {
                self.ended = true;
                return;
            }
            self.push(&chunk[..length]);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.limit - self.kept.len();
        let fitting = room.min(bytes.len());
        self.kept.extend_from_slice(&bytes[..fitting]);
        self.dropped |= fitting < bytes.len();
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    /// Whether there was more than is kept, or may have been: the end was never seen.
    pub(super) fn is_truncated(&self) -> bool {
        self.dropped || !self.ended
    }

    /// The beginning as text; what is no UTF-8 becomes U+FFFD, a character cut by the limit goes.
    pub(super) fn text(&self) -> String {
        let bytes = &self.kept[..];
        let whole = match str::from_utf8(bytes) {
            Err(error) if self.dropped && error.error_len().is_none() => {
                &bytes[..error.valid_up_to()]
            }
            Ok(_) | Err(_) => bytes,
        };
        String::from_utf8_lossy(whole).into_owned()
    }

    /// The last lines as text, without the line that the bound cuts in two if there are others.
    pub(super) fn last_lines(&self) -> String {
        let tail = String::from_utf8_lossy(&self.tail);
        let mut lines: Vec<&str> = tail.trim_end().lines().collect();
        if self.tail.len() == TAIL && lines.len() > 1 {
            lines.remove(0);
        }
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn captured(limit: usize, bytes: &[u8]) -> Capture {
        let mut capture = Capture::new(limit);
        capture.drain(Some(bytes)).await;
        capture
    }

    #[tokio::test]
    async fn a_character_cut_by_the_limit_is_left_out() {
        let capture = captured(4, "abcé".as_bytes()).await;
        assert_eq!(
            (capture.text().as_str(), capture.is_truncated()),
            ("abc", true)
        );
        let capture = captured(5, "abcé".as_bytes()).await;
        assert_eq!(
            (capture.text().as_str(), capture.is_truncated()),
            ("abcé", false)
        );
    }

    #[tokio::test]
    async fn invalid_utf_8_is_replaced() {
        assert_eq!(
            captured(9, b"a\xffb\xc3").await.text(),
            "a\u{fffd}b\u{fffd}"
        );
        assert_eq!(captured(2, b"a\xffbb").await.text(), "a\u{fffd}");
    }

    #[tokio::test]
    async fn the_last_lines_are_those_behind_the_limit() {
        let lines: Vec<String> = (0..9_999).map(|n| format!("line {n}")).collect();
        let capture = captured(8, lines.join("\n").as_bytes()).await;
        let lines = capture.last_lines();
        assert_eq!(lines.lines().count(), TAIL_LINES);
        assert!(lines.starts_with("line 9979\n") && lines.ends_with("line 9998"));
        assert_eq!(captured(8, b"\n \n").await.last_lines(), "");
    }
}
