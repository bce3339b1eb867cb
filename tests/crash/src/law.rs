//! The laws that hold whenever a process is killed, by name, and what it means to break one.

use std::fmt;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Law {
    StartKept,
    AnswerKept,
    ComesToRest,
    EndAsDefined,
    EffectHappened,
    OneForEachKey,
    AtMostOnce,
    NotAfterItsResult,
    SameKey,
    NotMixed,
    DatabaseSound,
    BegunBeforeEffect,
    ApprovedBeforeEffect,
    InterruptedByKillOnly,
    SupersededWritesNothing,
}

/// What it amounts to if a law is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Harm {
    Lost,
    Duplicated,
    Corrupt,
}

impl Law {
    pub(crate) fn harm(self) -> Harm {
        match self {
            Self::StartKept
            | Self::AnswerKept
            | Self::ComesToRest
            | Self::EndAsDefined
            | Self::EffectHappened => Harm::Lost,
            Self::OneForEachKey
            | Self::AtMostOnce
            | Self::NotAfterItsResult
            | Self::SameKey
            | Self::NotMixed => Harm::Duplicated,
            Self::DatabaseSound
            | Self::BegunBeforeEffect
            | Self::ApprovedBeforeEffect
            | Self::InterruptedByKillOnly
            | Self::SupersededWritesNothing => Harm::Corrupt,
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StartKept => "a start that was answered is kept",
            Self::AnswerKept => "a decision, a cancellation, an end that was answered stays",
            Self::ComesToRest => "every execution comes to its end",
            Self::EndAsDefined => "every execution ends as its definition says",
            Self::EffectHappened => "a recorded attempt has had its effect",
            Self::OneForEachKey => "one key, one execution",
            Self::AtMostOnce => "what may not be repeated happens at most once",
            Self::NotAfterItsResult => "nothing is repeated after its result was recorded",
            Self::SameKey => "every repetition carries the same key",
            Self::NotMixed => "no two executions are mixed under a limit of one",
            Self::DatabaseSound => "the database is sound",
            Self::BegunBeforeEffect => "begun is recorded before the effect",
            Self::ApprovedBeforeEffect => "a gate is approved before its step has an effect",
            Self::InterruptedByKillOnly => "interrupted is only what a kill found begun",
            Self::SupersededWritesNothing => "who was superseded writes nothing",
        })
    }
}

/// A law that was broken, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) law: Law,
    pub(crate) detail: String,
}

impl Breach {
    pub(crate) fn new(law: Law, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { law, detail }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.detail)
    }
}
