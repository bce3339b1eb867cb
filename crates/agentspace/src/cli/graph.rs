//! The words of `graph`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `graph`
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// A workflow file, or the id of a registered workflow or of an execution.
    #[arg(value_name = "FILE|ID")]
    pub(crate) workflow: String,
    /// The form of the picture.
    #[arg(long, value_enum, default_value_t = GraphFormat::Ascii)]
    pub(crate) format: GraphFormat,
    /// Write the picture to this file instead of stdout.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

/// The form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Boxes and lines for a terminal.
    Ascii,
    /// A Mermaid flowchart, as GitHub and many editors draw it.
    Mermaid,
    /// A Graphviz graph.
    Dot,
    /// A drawing for browsers and documents, light or dark as the reader's machine is.
    Svg,
}
