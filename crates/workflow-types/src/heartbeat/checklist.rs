//! Reads the checklist of a Markdown text: `- [ ] text` and `- [x] text`, over several lines.
//!
//! What looks like an item and is none is reported, because an item that is silently left out is a
//! check that nobody makes. Code blocks and HTML comments hold no items.

mod mark;

use std::collections::HashMap;
use std::ops::Range;

use super::HeartbeatItem;
use super::front_matter::lines;
use crate::diagnostic::{Code, Diagnostic, Place, Report};

use mark::Line;

/// The items of a part of a text, in order; more than `most` open ones are refused.
pub(super) fn read(
    text: &str,
    body: Range<usize>,
    most: usize,
    report: &mut Report,
) -> Vec<HeartbeatItem> {
    let mut reader = Reader {
        most,
        found: Vec::new(),
        open: None,
        block: Block::Text,
        refused: false,
        bullet: None,
        report,
    };
    let first = text[..body.start].matches('\n').count() + 1;
    for (number, (start, line)) in (first..).zip(lines(&text[body.clone()])) {
        reader.line(line.trim_end(), body.start + start, number);
    }
    reader.finish(body)
}

/// An item with its place.
struct Found {
    item: HeartbeatItem,
    place: Place,
}

/// The item that the next lines may continue.
struct OpenItem {
    /// Blanks before its bullet.
    indent: usize,
    /// Whether a blank line has come since.
    blank: bool,
}

/// What the lines belong to.
enum Block {
    Text,
    /// A code block, opened by this text of backticks or tildes.
    Fence {
        fence: String,
        opened: Range<usize>,
    },
    /// An HTML comment over several lines.
    Comment {
        opened: Range<usize>,
    },
}

struct Reader<'r> {
    most: usize,
    found: Vec<Found>,
    open: Option<OpenItem>,
    block: Block,
    /// Whether something that looks like an item was reported.
    refused: bool,
    /// The first bullet without a box, which its author may have meant as an item.
    bullet: Option<Range<usize>>,
    report: &'r mut Report,
}

impl Reader<'_> {
    fn line(&mut self, line: &str, start: usize, number: usize) {
        let content = line.trim_start();
        match &self.block {
            Block::Fence { fence, .. } => {
                if closes(content, fence) {
                    self.block = Block::Text;
                }
                if self.open.is_some() {
                    self.append(content, "\n");
                }
            }
            Block::Comment { .. } => {
                if content.contains("-->") {
                    self.block = Block::Text;
                }
            }
            Block::Text => {
                let indent = line.len() - content.len();
                self.text(content, indent, start + indent, number);
            }
        }
    }

    /// A line outside code blocks and comments; `start` is its first byte after the blanks.
    fn text(&mut self, content: &str, indent: usize, start: usize, number: usize) {
        if content.is_empty() {
            if let Some(open) = &mut self.open {
                open.blank = true;
            }
            return;
        }
        if let Some(comment) = content.strip_prefix("<!--") {
            if !comment.contains("-->") {
                let opened = start..start + 4;
                self.block = Block::Comment { opened };
            }
            return;
        }
        if let Some(fence) = fence(content) {
            self.block = Block::Fence {
                fence: fence.to_owned(),
                opened: start..start + fence.len(),
            };
            self.continued(content, indent, "\n");
            return;
        }
        match mark::classify(content) {
            Line::Item { ticked, text, mark } => {
                self.item(ticked, text, number, start..start + mark);
                self.open = Some(OpenItem {
                    indent,
                    blank: false,
                });
            }
            Line::Mistake(mistake) => {
                self.refused = true;
                self.open = None;
                self.report.push(mistake.diagnostic(start));
            }
            Line::Bullet => {
                self.bullet
                    .get_or_insert_with(|| start..start + content.len());
                self.continued(content, indent, "\n");
            }
            Line::Text => self.paragraph(content, indent),
        }
    }

    fn item(&mut self, ticked: bool, text: &str, line: usize, place: Range<usize>) {
        self.found.push(Found {
            item: HeartbeatItem {
                text: text.to_owned(),
                line,
                ticked,
            },
            place: Place::Text(place),
        });
    }

    /// Goes on with the open item if the line is further in than its bullet, and ends it if not.
    fn continued(&mut self, content: &str, indent: usize, joint: &str) {
        match &mut self.open {
            Some(open) if indent > open.indent => {
                open.blank = false;
                self.append(content, joint);
            }
            Some(_) | None => self.open = None,
        }
    }

    /// A plain line: as in Markdown, right after an item it belongs to it wherever it begins.
    fn paragraph(&mut self, content: &str, indent: usize) {
        let Some(open) = &self.open else {
            return;
        };
        let joint = if open.blank { "\n" } else { " " };
        let lazy = !open.blank && !content.starts_with(['#', '>', '|', '=']) && !is_rule(content);
        if lazy {
            self.append(content, joint);
        } else {
            self.continued(content, indent, joint);
        }
    }

    fn append(&mut self, content: &str, joint: &str) {
        if let Some(found) = self.found.last_mut() {
            found.item.text.push_str(joint);
            found.item.text.push_str(content);
        }
    }

    fn finish(mut self, body: Range<usize>) -> Vec<HeartbeatItem> {
        let unclosed = match &self.block {
            Block::Text => None,
            Block::Fence { fence, opened } => Some(("code block", fence.as_str(), opened.clone())),
            Block::Comment { opened } => Some(("comment", "-->", opened.clone())),
        };
        if let Some((what, end, opened)) = unclosed {
            self.refused = true;
            self.report.push(
                Diagnostic::new(
                    Code::Syntax,
                    Place::Text(opened),
                    format!(
                        "the {what} that begins here has no end, so that it hides what follows"
                    ),
                )
                .label("opened here")
                .help(format!("end it with {end}")),
            );
        }
        if self.found.is_empty() && !self.refused {
            self.report.push(no_checks(body, self.bullet.clone()));
        }
        self.duplicates();
        let mut open = self.found.iter().filter(|found| !found.item.ticked);
        if let Some(first) = open.nth(self.most) {
            self.report.push(too_many(self.most, first.place.clone()));
        }
        if let Some(first) = self.found.first()
            && self.found.iter().all(|found| found.item.ticked)
        {
            self.report.push(all_ticked(first.place.clone()));
        }
        self.found.into_iter().map(|found| found.item).collect()
    }

    /// Items are told apart by their text, so that two of the same text cannot be.
    fn duplicates(&mut self) {
        let mut seen: HashMap<&str, &Place> = HashMap::new();
        for Found { item, place } in self.found.iter().filter(|found| !found.item.ticked) {
            let Some(first) = seen.get(item.text.as_str()) else {
                seen.insert(&item.text, place);
                continue;
            };
            self.report.push(
                Diagnostic::new(
                    Code::DuplicateCheck,
                    place.clone(),
                    "two items of the checklist have the same text",
                )
                .label("again here")
                .related((*first).clone(), "first here")
                .help("remove one of them, or say what differs"),
            );
        }
    }
}

fn no_checks(body: Range<usize>, bullet: Option<Range<usize>>) -> Diagnostic {
    let found = "the checklist has no items, so that nothing would ever be checked";
    match bullet {
        Some(bullet) => Diagnostic::new(Code::NoChecks, Place::Text(bullet), found)
            .label("a bullet without a box is no item")
            .help("put a box behind the bullet: `- [ ] The site answers`"),
        None => Diagnostic::new(Code::NoChecks, Place::Text(body.start..body.start), found)
            .help("write at least one item, as `- [ ] The site answers`"),
    }
}

fn too_many(most: usize, first: Place) -> Diagnostic {
    Diagnostic::new(
        Code::TooManySteps,
        first,
        format!(
            "the checklist has more than {most} open items, which is all that one run can check"
        ),
    )
    .label("one too many")
    .help("spread the items over several heartbeats")
}

fn all_ticked(first: Place) -> Diagnostic {
    Diagnostic::new(
        Code::AllTicked,
        first,
        "every item is ticked off, so that nothing is checked",
    )
    .help("write `[ ]` to check an item again, or `enabled: false` to pause the heartbeat")
}

/// The backticks or tildes with which a line begins a code block.
fn fence(content: &str) -> Option<&str> {
    let mark = content.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = content.trim_start_matches(mark);
    let fence = &content[..content.len() - rest.len()];
    // Backticks behind it make it code within a line.
    let inline = mark == '`' && rest.contains('`');
    (fence.len() >= 3 && !inline).then_some(fence)
}

/// Whether a line ends the code block that was begun so.
fn closes(content: &str, fence: &str) -> bool {
    content.starts_with(fence) && content.trim_start_matches(&fence[..1]).is_empty()
}

/// A line across the page: three or more of `-`, `*` or `_`, and nothing else.
fn is_rule(content: &str) -> bool {
    ['-', '*', '_'].into_iter().any(|mark| {
        content.matches(mark).count() >= 3 && content.chars().all(|c| c == mark || c == ' ')
    })
}
