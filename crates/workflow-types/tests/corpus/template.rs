//! Laws of templates: refused with a place, or rendered to the same bounded result every time.

use serde_json::{Map, Value};
use workflow_types::template::{ArgsTemplate, MAX_OUTPUT, Template};

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (source, data) = super::source_and_data(text);
    escaped_text_is_itself(source, &data);
    match Template::parse(source) {
        Ok(template) => rendered(&template, &data),
        Err(error) => {
            assert!(source.contains("{{"), "{error}");
            super::assert_within(source, &error.span, &error.message);
        }
    }
    agrees_with_arguments(source, &data);
    if let Ok(value) = serde_json::from_str::<Value>(source) {
        arguments(&value, &data);
    }
}

fn rendered(template: &Template, data: &Map<String, Value>) {
    let source = template.source();
    super::expression::references(source, template.references());
    let result = template.render(data);
    assert_eq!(result, template.render(data));
    if !source.contains("{{") && source.len() <= MAX_OUTPUT {
        assert!(template.is_literal());
        assert_eq!(result, Ok(Value::from(source)));
    }
    match &result {
        Ok(Value::String(text)) => assert!(text.len() <= MAX_OUTPUT),
        Ok(value) => assert!(value.to_string().len() <= MAX_OUTPUT),
        Err(error) => super::assert_within(source, &error.span(), &error.to_string()),
    }
}

/// Text whose `{{` are escaped gives the text again, whatever it is.
fn escaped_text_is_itself(text: &str, data: &Map<String, Value>) {
    let escaped = text.replace("{{", "\\{{");
    let template = Template::parse(&escaped).unwrap_or_else(|error| panic!("{error}: {escaped}"));
    if text.len() <= MAX_OUTPUT {
        assert_eq!(template.render(data), Ok(Value::from(text)), "{escaped}");
    }
}

/// A string among the arguments of a tool is read as it is read alone.
fn agrees_with_arguments(source: &str, data: &Map<String, Value>) {
    let alone = Template::parse(source);
    match ArgsTemplate::parse(&Value::from(source)) {
        Ok(arguments) => {
            let alone = alone.unwrap_or_else(|error| panic!("{error}: {source}"));
            let alone = alone.render(data).map_err(|error| (String::new(), error));
            assert_eq!(arguments.render(data), alone);
        }
        Err(errors) => assert_eq!(
            alone.err().map(|error| (String::new(), error)),
            errors.into_iter().next()
        ),
    }
}

fn arguments(value: &Value, data: &Map<String, Value>) {
    match ArgsTemplate::parse(value) {
        Ok(arguments) => {
            for (pointer, reference) in arguments.references() {
                let source = string_at(value, pointer);
                super::expression::references(source, [reference]);
            }
            let result = arguments.render(data);
            assert_eq!(result, arguments.render(data));
            if let Err((pointer, error)) = &result {
                let source = string_at(value, pointer);
                super::assert_within(source, &error.span(), &error.to_string());
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for (pointer, error) in &errors {
                assert!(value.pointer(pointer).is_some(), "{pointer}");
                if let Some(source) = value.pointer(pointer).and_then(Value::as_str) {
                    super::assert_within(source, &error.span, &error.message);
                }
            }
        }
    }
}

fn string_at<'v>(value: &'v Value, pointer: &str) -> &'v str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no string at `{pointer}` in {value}"))
}
