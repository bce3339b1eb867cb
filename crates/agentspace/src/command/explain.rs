//! `agentspace explain`: the page of a diagnostic's code, or the list of all codes.

use std::fmt::Write as _;

use gateway::workflow_types::{Code, Severity};
use serde_json::{Value, json};

use crate::cli::{Explain, Global};
use crate::exit::{Exit, UsageError};
use crate::output;

/// The headings of a page.
const HEADING: anstyle::Style = anstyle::Style::new().bold();
/// The examples of a page.
const EXAMPLE: anstyle::Style = anstyle::AnsiColor::Cyan.on_default();

pub(super) fn run(global: &Global, args: &Explain) -> anyhow::Result<Exit> {
    let Some(typed) = &args.code else {
        list(global);
        return Ok(Exit::Ok);
    };
    let code: Code = typed.parse().map_err(|error| {
        UsageError(output::plain(&format!(
            "{error}; `agentspace explain` lists all codes"
        )))
    })?;
    if global.json {
        let mut data = to_json(code);
        data["page"] = Value::from(code.page());
        output::envelope("explain", &data);
    } else {
        output::data(&styled(code.page()));
    }
    Ok(Exit::Ok)
}

fn list(global: &Global) {
    if global.json {
        let all: Vec<Value> = Code::ALL.iter().copied().map(to_json).collect();
        output::envelope("codes", &Value::from(all));
        return;
    }
    for code in Code::ALL {
        let style = match code.severity() {
            Severity::Error => output::RED,
            Severity::Warning => output::YELLOW,
        };
        let severity = format!("{:7}", code.severity().to_string());
        let severity = output::paint(style, &severity);
        output::data(&format!("{code}  {severity}  {}", code.title()));
    }
}

fn to_json(code: Code) -> Value {
    json!({
        "code": code.as_str(),
        "severity": code.severity().to_string(),
        "title": code.title(),
    })
}

/// A page for reading: headings in bold instead of behind `#`, examples set in instead of fenced.
///
/// The pages are our own and use no more of Markdown than this.
fn styled(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut example = false;
    for line in page.trim_end().lines() {
        if line.starts_with("```") {
            example = !example;
            continue;
        }
        let line = if example && !line.is_empty() {
            format!("    {}", output::paint(EXAMPLE, line))
        } else if let Some(heading) = line.trim_start_matches('#').strip_prefix(' ')
            && line.starts_with('#')
            && !example
        {
            output::paint(HEADING, heading)
        } else {
            line.to_owned()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text.truncate(text.trim_end().len());
    text
}
