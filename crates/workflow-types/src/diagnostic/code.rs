//! The stable codes of diagnostics: one line each, never renumbered, never reused.
//!
//! Each has a page in `pages/`, for an author who wants to know more than the diagnostic says.

use std::fmt;
use std::str::FromStr;

use super::closest;

/// Whether a problem refuses the document or only informs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is taken; the author should know.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $severity:ident, $title:literal;)*) => {
        /// The kind of a problem. The text form (`WF0107`) is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => concat!("WF", $number),)* }
            }

            /// What the code stands for, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The page that explains the code, in Markdown: what was found, why it matters, an
            /// example that is wrong and the same one mended.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("pages/WF", $number, ".md")),)*
                }
            }

            /// Whether a problem of this kind refuses the document.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    // Syntax and limits.
    NotUtf8 = "0001", Error, "the text is not UTF-8";
    TooLarge = "0002", Error, "the text is too large";
    Syntax = "0003", Error, "the text is not well formed";
    Tab = "0004", Error, "a tab is used for indentation";
    DuplicateKey = "0005", Error, "a key stands twice in one mapping";
    TooDeep = "0006", Error, "the document is nested too deeply";
    TooManyNodes = "0007", Error, "the document is too large once its aliases are expanded";
    KeyNotString = "0008", Error, "a key is not a string";
    Unsupported = "0009", Error, "the document uses something that JSON cannot hold";
    NotOneDocument = "0010", Error, "the text does not hold exactly one document";
    UnquotedTemplate = "0011", Error, "a template is not quoted";
    // Structure.
    UnknownKey = "0101", Error, "a key is not known";
    MissingKey = "0102", Error, "a required key is missing";
    WrongType = "0103", Error, "a value has the wrong type";
    InvalidValue = "0104", Error, "a value is not allowed";
    DuplicateStep = "0105", Error, "two steps have the same id";
    ForeignKey = "0106", Error, "a key does not belong to the step's action";
    UnknownTarget = "0107", Error, "a target is not a step of the workflow";
    NoSteps = "0108", Error, "a workflow has no steps";
    TooManySteps = "0109", Error, "a workflow has too many steps";
    BadCron = "0110", Error, "a cron expression is not valid";
    BadZone = "0111", Error, "a time zone is not known";
    BadActiveHours = "0112", Error, "active hours are not valid";
    BadSchema = "0113", Error, "a schema is not valid";
    BadInterval = "0114", Error, "an interval is not valid";
    NoChecks = "0115", Error, "a heartbeat has nothing to check";
    BadCheck = "0116", Error, "an item of a checklist cannot be read";
    DuplicateCheck = "0117", Error, "two items of a checklist say the same";
    // Meaning.
    BadCondition = "0201", Error, "a condition cannot be parsed";
    BadTemplate = "0202", Error, "a template cannot be parsed";
    UnknownName = "0203", Error, "an expression reads a name that does not exist";
    UnknownStep = "0204", Error, "an expression reads a step that does not exist";
    StepNotBefore = "0205", Error, "an expression reads a step that cannot have run before";
    ShellTemplate = "0206", Error, "a shell string contains a template";
    UnknownTool = "0207", Error, "a tool is not registered";
    BadToolArgs = "0208", Error, "the arguments of a tool do not fit its schema";
    UnknownModel = "0209", Warning, "a model is not configured";
    UnknownSecret = "0220", Error, "a secret is not configured";
    SecretNotAlone = "0221", Error, "an expression does something with a secret";
    SecretMisplaced = "0222", Error, "a secret is named where it would be stored";
    Unreachable = "0301", Warning, "a step can never be reached";
    EndlessLoop = "0302", Warning, "a loop has no way out";
    GateInLoop = "0303", Warning, "a gate stands on a loop";
    TimeoutUnit = "0304", Warning, "a time looks like seconds";
    CronHint = "0305", Warning, "a cron expression may not mean what it says";
    OpenSchema = "0306", Warning, "a schema accepts anything";
    AllTicked = "0307", Warning, "every item of a checklist is ticked off";
    // 0308 told of what was read and not acted on yet; nothing is left of it.
    Coercion = "0309", Warning, "a comparison converts its operands";
    Constant = "0310", Warning, "a condition always has the same result";
    UnreachableBranch = "0311", Warning, "a branch can never be taken";
    ZeroDeadline = "0312", Warning, "an approval expires as soon as it is asked for";
    UnknownKeyword = "0313", Warning, "a schema keyword is not known";
    CutByComment = "0314", Warning, "a comment cuts a text short";
    CatchUpSkips = "0315", Warning, "missed times are caught up and may be skipped";
    // Configuration of a host.
    SecretValue = "0520", Error, "the value of a secret stands in a file";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As a person types it: `WF0107`, `wf0107`, `0107` or `107`.
///
/// ```
/// use workflow_types::Code;
///
/// assert_eq!("wf107".parse(), Ok(Code::UnknownTarget));
/// let error = "WF0170".parse::<Code>().unwrap_err();
/// assert_eq!(error.to_string(), "there is no code `WF0170`; did you mean `WF0107`?");
/// ```
impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let text = text.trim();
        let upper = text.to_ascii_uppercase();
        let digits = upper.strip_prefix("WF").unwrap_or(&upper);
        let number = format!("WF{digits:0>4}");
        let all = || Self::ALL.iter().copied();
        all().find(|code| code.as_str() == number).ok_or_else(|| {
            // Other words are as far from one code as from the next.
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let near = closest(&number, all().map(Self::as_str)).filter(|_| is_number);
            UnknownCode {
                found: text.to_owned(),
                near,
            }
        })
    }
}

/// A text that is no code of a diagnostic; its own text tells what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCode {
    found: String,
    near: Option<&'static str>,
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no code `{}`; ", self.found)?;
        match self.near {
            Some(near) => write!(f, "did you mean `{near}`?"),
            None => f.write_str("a code is WF and four digits, for example WF0107"),
        }
    }
}

impl std::error::Error for UnknownCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_however_it_is_typed() {
        for code in Code::ALL {
            let text = code.as_str();
            let digits = &text[2..];
            let short = digits.trim_start_matches('0');
            for typed in [
                text,
                &text.to_lowercase(),
                digits,
                short,
                &format!(" {text} "),
            ] {
                assert_eq!(typed.parse(), Ok(*code), "{typed}");
            }
        }
    }

    #[test]
    fn what_is_no_code_is_told_the_form_of_one() {
        for typed in ["", "WF", "help", "WF01070", "-1", "wf 107", "É"] {
            let error = typed.parse::<Code>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{}`", typed.trim())), "{error}");
        }
    }

    #[test]
    fn codes_are_unique_and_in_order() {
        let texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Code::UnknownTarget.to_string(), "WF0107");
    }
}
