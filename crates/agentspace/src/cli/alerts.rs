//! The words of `agentspace alerts`.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};
use gateway::workflow_types::id::Actor;

use super::number;

/// `alerts`
#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// List those that are open or unread, the newest first.
    Ls(AlertList),
    /// Show one: what was told of it, and to whom.
    Show {
        /// Its id.
        id: String,
    },
    /// Say that you have read one, or all: nobody is reminded any more.
    Ack(Ack),
    /// Follow what is told of alerts, line by line.
    Watch {
        /// Begin after this place; 0 is before everything. Default: with what comes next.
        #[arg(long, value_name = "PLACE", value_parser = number::place, allow_negative_numbers = true)]
        after: Option<u64>,
    },
}

/// Which alerts are listed.
#[derive(Debug, Args)]
pub(crate) struct AlertList {
    /// Also those that are over and read.
    #[arg(long, conflicts_with_all = ["open", "unread"])]
    pub(crate) all: bool,
    /// Only those that are open.
    #[arg(long)]
    pub(crate) open: bool,
    /// Only those that nobody has acknowledged.
    #[arg(long)]
    pub(crate) unread: bool,
    /// Only those that come after this alert in the list: the last one of the page before.
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
    /// At most so many.
    #[arg(long, default_value = "50", value_parser = number::some, allow_negative_numbers = true)]
    pub(crate) limit: NonZeroUsize,
}

/// Who has read what.
#[derive(Debug, Args)]
pub(crate) struct Ack {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Who has read it. Default: the user's name.
    #[arg(
        long,
        visible_alias = "as",
        value_name = "NAME",
        env = "AGENTSPACE_ACTOR"
    )]
    pub(crate) by: Option<Actor>,
}

/// What was read.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Its id.
    pub(crate) id: Option<String>,
    /// Every alert that is unread.
    #[arg(long)]
    pub(crate) all: bool,
}
