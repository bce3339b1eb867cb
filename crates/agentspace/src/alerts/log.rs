//! A sink that says on one line of stderr what is told.

use async_trait::async_trait;
use gateway::workflow_types::alert::Notice;
use gateway::workflow_types::id::SinkName;
use gateway::{AlertSink, SinkError};

use crate::{output, view};

/// Says each notice on one line.
#[derive(Debug)]
pub(super) struct LogSink {
    name: SinkName,
}

impl LogSink {
    pub(super) fn new(name: SinkName) -> Self {
        Self { name }
    }
}

#[async_trait]
impl AlertSink for LogSink {
    fn name(&self) -> SinkName {
        self.name.clone()
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), SinkError> {
        output::talk(&view::alert::notice_line(notice));
        Ok(())
    }
}
