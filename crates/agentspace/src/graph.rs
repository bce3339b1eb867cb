//! Pictures of workflows: one model in, a text in one of four forms out.
//!
//! The model is `workflow_types::definition::picture`; how a form draws it is that form's own file.
//! Nothing here reads a file or prints.

mod ascii;
mod dot;
mod json;
mod lanes;
mod layout;
mod marks;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;
mod words;

use gateway::workflow_types::definition::picture::Picture;

use crate::cli::GraphFormat;

pub(crate) use json::to_json;
pub(crate) use marks::Marks;

/// Draws a picture. The text ends with a line break.
///
/// `marks` say what else is to be seen in it, such as the way that an execution took; an empty set
/// draws the workflow alone.
pub(crate) fn draw(picture: &Picture, marks: &Marks, format: GraphFormat) -> String {
    match format {
        GraphFormat::Ascii => ascii::draw(picture, marks),
        GraphFormat::Mermaid => mermaid::draw(picture, marks),
        GraphFormat::Dot => dot::draw(picture, marks),
        GraphFormat::Svg => svg::draw(picture, marks),
    }
}
