//! What a server was heard to say outside of the protocol, so that its failure can be explained.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::screen::Screen;
use crate::output;

/// Characters that are kept of a line.
const KEPT: usize = 300;

/// What was heard; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    heard: Arc<Mutex<Heard>>,
    screen: Screen,
}

#[derive(Debug, Default)]
struct Heard {
    /// The last line on stderr.
    said: Option<String>,
    /// The last line on stdout that was no message.
    printed: Option<String>,
    /// A message that was longer than it may be.
    too_long: Option<usize>,
}

impl Account {
    /// Of a server that has said nothing.
    pub(super) fn new(screen: Screen) -> Self {
        Self {
            heard: Arc::default(),
            screen,
        }
    }

    /// What everything passes that the server says.
    pub(super) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// A line on stderr; it comes back as it may be shown.
    pub(super) fn said(&self, line: &str) -> String {
        // Before it is cut: what is left of a value would not be found.
        let line = self.screen.text(line);
        if !line.trim().is_empty() {
            self.change(|heard| heard.said = Some(clipped(&line)));
        }
        line
    }

    /// A line on stdout that is no message of the protocol.
    pub(super) fn printed(&self, line: &[u8]) {
        let line = clipped(&self.screen.text(&String::from_utf8_lossy(line)));
        self.change(|heard| heard.printed = Some(line));
    }

    /// A message with more bytes than it may have.
    pub(super) fn too_long(&self, most: usize) {
        self.change(|heard| heard.too_long = Some(most));
    }

    /// Whether it was given up because of a message that was too long.
    pub(super) fn is_too_long(&self) -> bool {
        self.look(|heard| heard.too_long.is_some())
    }

    /// What was heard, to stand behind what happened.
    pub(super) fn told(&self) -> String {
        self.look(|heard| {
            let mut told = String::new();
            if let Some(most) = heard.too_long {
                let _ = write!(told, "; it sent a message of more than {most} bytes");
            }
            if let Some(line) = &heard.printed {
                let _ = write!(told, "; it printed what is no MCP message: `{line}`");
            }
            if let Some(line) = &heard.said {
                let _ = write!(told, "; its last words: `{line}`");
            }
            told
        })
    }

    fn change(&self, change: impl FnOnce(&mut Heard)) {
        // Nothing in here panics half way.
        change(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn look<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn clipped(line: &str) -> String {
    let mut kept: String = line.trim().chars().take(KEPT).collect();
    if kept.len() < line.trim().len() {
        kept.push('…');
    }
    output::plain(&kept)
}

#[cfg(test)]
mod tests {
    use gateway::{Mask, SecretValue};

    use super::*;

    #[test]
    fn what_the_server_was_given_is_masked_before_a_line_is_cut() {
        let screen = Screen::new(Mask::default());
        let value = SecretValue::new("a-canary-of-the-server").unwrap();
        screen.add(&"KEY".parse().unwrap(), &value);
        let account = Account::new(screen);
        let line = format!("{}a-canary-of-the-server", "x".repeat(KEPT - 10));
        assert!(account.said(&line).ends_with("x[secret KEY]"));
        account.printed(b"key=a-canary-of-the-server");
        let told = account.told();
        assert!(
            !told.contains("a-can") && told.contains("key=[secret KEY]"),
            "{told}"
        );
    }

    #[test]
    fn the_last_words_are_told_and_long_ones_are_cut() {
        let account = Account::new(Screen::new(Mask::default()));
        assert_eq!(account.told(), "");
        account.said("first");
        account.said("no\u{1b}[31m module");
        account.said("  ");
        account.printed(b"hello\xff");
        assert_eq!(
            account.told(),
            "; it printed what is no MCP message: `hello\u{fffd}`; its last words: \
             `no\\u{1b}[31m module`"
        );
        account.said(&"x".repeat(1_000));
        assert!(account.told().len() < 500);
    }
}
