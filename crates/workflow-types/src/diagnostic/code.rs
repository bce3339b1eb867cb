//! The stable codes of diagnostics: one line each, never renumbered, never reused.

use std::fmt;

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
    BadInterval = "0114", Error, "a heartbeat interval is not valid";
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
    Unreachable = "0301", Warning, "a step can never be reached";
    EndlessLoop = "0302", Warning, "a loop has no way out";
    GateInLoop = "0303", Warning, "a gate stands on a loop";
    TimeoutUnit = "0304", Warning, "a timeout looks like seconds";
    CronHint = "0305", Warning, "a cron expression may not mean what it says";
    OpenSchema = "0306", Warning, "a schema accepts anything";
    AllTicked = "0307", Warning, "every item of a checklist is ticked off";
    NotActedOn = "0308", Warning, "something is read that this version does not act on";
    Coercion = "0309", Warning, "a comparison converts its operands";
    Constant = "0310", Warning, "a condition always has the same result";
    UnreachableBranch = "0311", Warning, "a branch can never be taken";
    ZeroDeadline = "0312", Warning, "an approval expires as soon as it is asked for";
    UnknownKeyword = "0313", Warning, "a schema keyword is not known";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        let texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Code::UnknownTarget.to_string(), "WF0107");
    }
}
