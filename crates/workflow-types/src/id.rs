//! Names and ids: newtypes that only a validating constructor can build.
//!
//! Every id is safe to put into a path, a query string or a log line, because nothing else can be
//! an id. None of them knows where it is stored.

use std::fmt;

use nutype::nutype;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::diagnostic::{escaped, escaped_char};

/// Longest name or id in characters.
pub const MAX_NAME_LENGTH: usize = 64;
/// Longest name of an MCP server in characters, so that the names of its tools have room.
pub const MAX_SERVER_NAME_LENGTH: usize = 32;

/// Why a text is no valid name or id; the message says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("a name may not be empty")]
    Empty,
    /// The text is longer than such a name may be.
    #[error("a name has at most {longest} characters, this one has {length}")]
    TooLong {
        /// Its length in characters.
        length: usize,
        /// The most that it may have.
        longest: usize,
    },
    /// The first character is not one that may begin this kind of name.
    #[error("`{}` may not begin a name: {expected}", escaped_char(*.found))]
    BadStart {
        /// The character that was found.
        found: char,
        /// What may stand there.
        expected: &'static str,
    },
    /// A later character is not allowed.
    #[error("`{}` may not stand in a name: {expected}", escaped_char(*.found))]
    BadCharacter {
        /// The character that was found.
        found: char,
        /// What may stand there.
        expected: &'static str,
    },
}

/// The id of a step, unique in its workflow: letters, digits, `_` and `-`, beginning with a letter
/// or `_`, at most 64 characters.
///
/// ```
/// use workflow_types::id::StepId;
/// assert!(StepId::try_new("check-health").is_ok());
/// assert!(StepId::try_new("2nd").is_err());
/// ```
#[nutype(
    validate(with = check_identifier, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Borrow, Serialize, Deserialize)
)]
pub struct StepId(String);

/// The name of a secret: letters, digits, `_` and `-`, beginning with a letter or `_`, at most 64
/// characters.
#[nutype(
    validate(with = check_identifier, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Borrow, Serialize, Deserialize)
)]
pub struct SecretName(String);

/// The id of a workflow: its file's stem. Letters, digits, `_` and `-`, at most 64 characters.
#[nutype(
    validate(with = check_id, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct WorkflowId(String);

/// The id of a schedule: letters, digits, `_` and `-`, at most 64 characters.
#[nutype(
    validate(with = check_id, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct ScheduleId(String);

/// The name of a heartbeat, which is also the id of the workflow that its checklist makes: letters,
/// digits, `_` and `-`, at most 64 characters.
///
/// ```
/// use workflow_types::id::HeartbeatName;
/// assert_eq!(HeartbeatName::try_new("ops")?.workflow().to_string(), "ops");
/// assert!(HeartbeatName::try_new("on call").is_err());
/// # Ok::<(), workflow_types::id::NameError>(())
/// ```
#[nutype(
    validate(with = check_id, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct HeartbeatName(String);

impl HeartbeatName {
    /// The workflow that its checklist makes.
    pub fn workflow(&self) -> WorkflowId {
        // Both are checked by the same rule.
        WorkflowId::try_new(self.to_string()).expect("a name of a heartbeat is an id of a workflow")
    }
}

/// The name of a sink that alerts are told to: letters, digits, `_` and `-`, at most 64 characters.
#[nutype(
    validate(with = check_id, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct SinkName(String);

/// The name of a tool, as `execute_command` or `<server>.<tool>`: letters, digits, `_`, `-` and `.`.
#[nutype(
    validate(with = check_dotted, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct ToolName(String);

/// The name under which a host configures an MCP server, the part of its tools' names before the
/// dot: letters, digits, `_` and `-`, at most 32 characters.
///
/// ```
/// use workflow_types::id::ServerName;
/// assert!(ServerName::try_new("files").is_ok());
/// assert!(ServerName::try_new("files.local").is_err());
/// ```
#[nutype(
    validate(with = check_server, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Borrow, Serialize, Deserialize)
)]
pub struct ServerName(String);

/// The name under which a host configures a model: letters, digits, `_`, `-`, `.`, `:` and `/`.
#[nutype(
    validate(with = check_model, error = NameError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct ModelName(String);

/// Who decides about a gate: a person or a program, in the host's own words, 1 to 200 characters
/// without control characters.
#[nutype(
    sanitize(trim),
    validate(with = check_actor, error = ActorError),
    derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct Actor(String);

/// Why a text names no actor.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an actor is named by 1 to 200 characters without control characters")]
pub struct ActorError;

/// A key by which a caller makes a start repeatable: 1 to 200 visible ASCII characters.
#[nutype(
    validate(with = check_key, error = KeyError),
    derive(Debug, Clone, PartialEq, Eq, Hash, Display, FromStr, AsRef, Serialize, Deserialize)
)]
pub struct IdempotencyKey(String);

/// Why a text is no idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an idempotency key has 1 to 200 visible ASCII characters")]
pub struct KeyError;

/// The id of one execution: a version 7 UUID, so that ids order by their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(Uuid);

/// The id of one gate: a version 7 UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GateId(Uuid);

/// The id of one alert: a UUID that follows from what raised it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(Uuid);

/// The id of one notice: a UUID that follows from its alert and from what happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeId(Uuid);

/// A text that is no UUID where an id was expected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is no id: expected 36 characters such as 01890a5d-ac96-774b-bcce-b302099a8057", escaped(.found))]
pub struct IdError {
    found: String,
}

macro_rules! uuid_id {
    ($name:ident) => {
        impl $name {
            /// The id made of a UUID; the caller provides time and randomness.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the id.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError {
                    found: text.chars().take(MAX_NAME_LENGTH).collect(),
                })
            }
        }
    };
}

uuid_id!(ExecutionId);
uuid_id!(GateId);
uuid_id!(AlertId);
uuid_id!(NoticeId);

/// What [`StepId`] accepts, as a regular expression; [`MAX_NAME_LENGTH`] bounds its length.
pub(crate) const STEP_ID_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";
/// What [`SecretName`] accepts; [`MAX_NAME_LENGTH`] bounds its length.
pub(crate) const SECRET_NAME_PATTERN: &str = STEP_ID_PATTERN;
/// What [`ToolName`] accepts.
pub(crate) const TOOL_NAME_PATTERN: &str = "^[A-Za-z0-9_.-]+$";
/// What [`ServerName`] accepts; [`MAX_SERVER_NAME_LENGTH`] bounds its length.
pub(crate) const SERVER_NAME_PATTERN: &str = "^[A-Za-z0-9_-]+$";
/// What [`HeartbeatName`] accepts.
pub(crate) const HEARTBEAT_NAME_PATTERN: &str = "^[A-Za-z0-9_-]+$";
/// What [`ModelName`] accepts.
pub(crate) const MODEL_NAME_PATTERN: &str = "^[A-Za-z0-9_.:/-]+$";
/// What [`is_line`] accepts, with the white space around it that a name's constructor takes off.
pub(crate) const LINE_PATTERN: &str = concat!(
    r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*",
    r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
    r"([^\u0000-\u001f\u007f-\u009f]{0,198}",
    r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?",
    r"[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$",
);

/// Whether a text is one line of 1 to 200 characters.
pub(crate) fn is_line(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

const IDENTIFIER_START: &str = "it begins with a letter or `_`";
const IDENTIFIER: &str = "letters, digits, `_` and `-` are allowed";
const DOTTED: &str = "letters, digits, `_`, `-` and `.` are allowed";
const MODEL: &str = "letters, digits, `_`, `-`, `.`, `:` and `/` are allowed";

fn check_identifier(text: &str) -> Result<(), NameError> {
    check_length(text)?;
    match text.chars().next() {
        Some(first) if first.is_ascii_alphabetic() || first == '_' => {}
        Some(found) => {
            return Err(NameError::BadStart {
                found,
                expected: IDENTIFIER_START,
            });
        }
        None => return Err(NameError::Empty),
    }
    check_characters(text, "_-", IDENTIFIER)
}

fn check_id(text: &str) -> Result<(), NameError> {
    check_length(text)?;
    check_characters(text, "_-", IDENTIFIER)
}

fn check_dotted(text: &str) -> Result<(), NameError> {
    check_length(text)?;
    check_characters(text, "_-.", DOTTED)
}

fn check_server(text: &str) -> Result<(), NameError> {
    check_length_to(text, MAX_SERVER_NAME_LENGTH)?;
    check_characters(text, "_-", IDENTIFIER)
}

fn check_model(text: &str) -> Result<(), NameError> {
    check_length(text)?;
    check_characters(text, "_-.:/", MODEL)
}

fn check_length(text: &str) -> Result<(), NameError> {
    check_length_to(text, MAX_NAME_LENGTH)
}

fn check_length_to(text: &str, longest: usize) -> Result<(), NameError> {
    match text.chars().count() {
        0 => Err(NameError::Empty),
        length if length > longest => Err(NameError::TooLong { length, longest }),
        _ => Ok(()),
    }
}

fn check_characters(text: &str, extra: &str, expected: &'static str) -> Result<(), NameError> {
    match text
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !extra.contains(*c))
    {
        Some(found) => Err(NameError::BadCharacter { found, expected }),
        None => Ok(()),
    }
}

fn check_actor(text: &str) -> Result<(), ActorError> {
    if is_line(text) {
        Ok(())
    } else {
        Err(ActorError)
    }
}

fn check_key(text: &str) -> Result<(), KeyError> {
    if text.is_empty() || text.len() > 200 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(KeyError);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn step_ids_say_what_is_wrong_with_them() {
        let message = |text: &str| StepId::try_new(text).unwrap_err().to_string();
        assert_eq!(message(""), "a name may not be empty");
        assert_eq!(
            message("1a"),
            "`1` may not begin a name: it begins with a letter or `_`"
        );
        assert_eq!(
            message("a b"),
            "` ` may not stand in a name: letters, digits, `_` and `-` are allowed"
        );
        assert_eq!(
            message("a\nb"),
            "`\\n` may not stand in a name: letters, digits, `_` and `-` are allowed"
        );
        assert_eq!(
            message(&"x".repeat(65)),
            "a name has at most 64 characters, this one has 65"
        );
        assert!(StepId::try_new("$end").is_err());
    }

    /// Compiled once, because its classes of characters are large.
    static LINE: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        jsonschema::validator_for(&serde_json::json!({ "pattern": LINE_PATTERN })).unwrap()
    });

    fn matches(pattern: &str, text: &str) -> bool {
        let schema = serde_json::json!({"pattern": pattern, "maxLength": MAX_NAME_LENGTH});
        jsonschema::is_valid(&schema, &Value::from(text))
    }

    /// Names that are nearly allowed, and some that are.
    fn names() -> impl Strategy<Value = String> {
        prop_oneof![
            "[A-Za-z0-9_.:/$ -]{0,6}",
            "[a-z]{62,66}",
            "\\PC{0,3}",
            "[a\n\t\u{85}\u{a0}\u{2028}\u{feff}]{0,4}"
        ]
    }

    proptest! {
        #[test]
        fn patterns_accept_what_constructors_accept(text in names()) {
            prop_assert_eq!(matches(STEP_ID_PATTERN, &text), StepId::try_new(&*text).is_ok());
            prop_assert_eq!(matches(TOOL_NAME_PATTERN, &text), ToolName::try_new(&*text).is_ok());
            prop_assert_eq!(matches(MODEL_NAME_PATTERN, &text), ModelName::try_new(&*text).is_ok());
        }

        #[test]
        fn the_pattern_of_a_line_accepts_what_an_actor_may_be(
            text in prop_oneof![names(), "\\s{0,2}[a-zé\u{85} ]{195,205}\\s{0,2}"]
        ) {
            let matches = LINE.is_valid(&Value::from(&*text));
            prop_assert_eq!(matches, Actor::try_new(&*text).is_ok());
        }
    }

    #[test]
    fn ids_survive_text_and_json() {
        let id: ExecutionId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(id.to_string().parse::<ExecutionId>().unwrap(), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ExecutionId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<StepId>("\"a b\"").is_err());
        assert!("nonsense".parse::<GateId>().is_err());
    }
}
