//! `agentspace schema`: the published JSON Schemas, for editors.

use gateway::workflow_types::json_schema;

use crate::cli::{Global, Schema, SchemaOf};
use crate::exit::Exit;
use crate::output;

pub(super) fn run(global: &Global, args: &Schema) -> Exit {
    let schema = match args.of {
        SchemaOf::Workflow => json_schema::workflow(),
        SchemaOf::Heartbeat => json_schema::heartbeat(),
    };
    if global.json {
        output::envelope("schema", &schema);
    } else {
        output::data(json_schema::to_text(&schema).trim_end());
    }
    Exit::Ok
}
