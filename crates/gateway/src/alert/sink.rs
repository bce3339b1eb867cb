//! The trait of those who are told of alerts.

use std::time::Duration;

use async_trait::async_trait;
use workflow_types::alert::Notice;
use workflow_types::id::SinkName;

/// Whom a host tells of alerts: a log, a chat, a pager.
///
/// A notice is delivered at least once: it comes again, with the same id and the same contents, if
/// the process dies before it is written down that it was taken. A sink that can tell ids apart
/// takes each once. Notices of a sink come one after the other, in the order in which things
/// happened, and the next one only after the one before was taken: so whoever is told that an alert
/// is over knew of it.
///
/// The future may be dropped midway, at a shutdown or when it takes too long; the notice comes
/// again. A panic is a failure.
#[async_trait]
pub trait AlertSink: Send + Sync + 'static {
    /// Its name, which is the same after a restart: what it has been told is kept under it.
    fn name(&self) -> SinkName;

    /// Tells one notice.
    ///
    /// # Errors
    /// If it was not taken. It is tried again for ever, later each time.
    async fn deliver(&self, notice: &Notice) -> Result<(), SinkError>;
}

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    message: String,
    hope: Hope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hope {
    /// It may be taken soon.
    Soon,
    /// It may be taken after this.
    After(Duration),
    /// It will not be taken before somebody has mended something.
    Mended,
}

impl SinkError {
    /// A failure that another attempt may mend.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hope: Hope::Soon,
        }
    }

    /// A failure that somebody has to mend, such as a wrong address: it is tried again now and then,
    /// and when the gateway is started.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hope: Hope::Mended,
        }
    }

    /// The sink has said how long to wait.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self {
            hope: match self.hope {
                Hope::Soon | Hope::After(_) => Hope::After(wait),
                Hope::Mended => Hope::Mended,
            },
            ..self
        }
    }

    /// Whether another attempt may succeed without anybody's doing.
    pub fn is_retryable(&self) -> bool {
        self.hope != Hope::Mended
    }

    /// How long to wait at least, if the sink has said so.
    pub fn wait(&self) -> Option<Duration> {
        match self.hope {
            Hope::After(wait) => Some(wait),
            Hope::Soon | Hope::Mended => None,
        }
    }
}
