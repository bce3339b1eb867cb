//! The models that a host's configuration names: which there are and how each is asked.
//!
//! It knows the name of the variable that holds a key, and never the key.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::{Config, Path, Variable, wait, whole};
use crate::definition::fields::Fields;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Remedy, Report};
use crate::execution::{Cost, ModelUsage};
use crate::id::ModelName;
use crate::shape::config::models::MODEL;

/// The highest temperature that a provider takes.
pub const HOTTEST: f64 = 2.0;

crate::words::words! {
    /// The wire format that a model's provider speaks.
    Adapter {
        /// Chat completions, which many servers speak besides their inventor's.
        OpenAi = "openai",
        /// The newer responses of the same provider.
        OpenAiResponses = "openai_responses",
        /// Anthropic's messages.
        Anthropic = "anthropic",
        /// Google's Gemini.
        Gemini = "gemini",
        /// A local Ollama.
        Ollama = "ollama",
        /// Cohere.
        Cohere = "cohere",
        /// The provider of this name.
        DeepSeek = "deepseek",
        /// Groq.
        Groq = "groq",
        /// Mistral.
        Mistral = "mistral",
        /// A service that passes questions on to others.
        OpenRouter = "openrouter",
        /// Together AI.
        Together = "together",
        /// xAI.
        Xai = "xai",
    }
}

/// A model that steps may ask.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// `adapter`
    pub adapter: Adapter,
    /// `model`: the name by which the provider knows it.
    pub model: String,
    /// `base_url`: where requests go, if not to the provider itself.
    pub base_url: Option<String>,
    /// `key_env`: the variable that holds the key; none stands for the provider's usual one, or
    /// for no key if there is a `base_url`.
    pub key_env: Option<String>,
    /// `max_tokens`: the most tokens of an answer.
    pub max_tokens: Option<NonZeroU32>,
    /// `temperature`: from 0 to [`HOTTEST`].
    pub temperature: Option<f64>,
    /// `timeout`: how long one request may take.
    pub timeout: Option<Duration>,
    /// `input_price`: what a million tokens of questions cost.
    pub input_price: Option<f64>,
    /// `output_price`: what a million tokens of answers cost.
    pub output_price: Option<f64>,
}

/// What a million tokens may cost.
pub const PRICES: std::ops::RangeInclusive<f64> = 0.0..=1_000_000.0;

impl ModelConfig {
    /// What an answer cost; none if a price is missing, or if its provider does not say how many
    /// tokens there were.
    pub fn cost(&self, used: &ModelUsage) -> Option<Cost> {
        let of = |tokens: Option<u64>, price: Option<f64>| {
            // Nobody comes near the most that a number holds.
            let tokens = u32::try_from(tokens?).unwrap_or(u32::MAX);
            Some(Cost::from_amount(f64::from(tokens) * price? / 1e6))
        };
        let input = of(used.input_tokens, self.input_price)?;
        Some(input.plus(of(used.output_tokens, self.output_price)?))
    }
}

/// Words that authors of other files write for a key itself.
const KEYS: [&str; 7] = [
    "key", "api_key", "apikey", "api-key", "token", "secret", "auth",
];

/// Reads `models` and `default_model`.
pub(super) fn read(fields: &mut Fields<'_, '_>, config: &mut Config) {
    let default = fields.string("default_model");
    let default = default.and_then(|(text, at)| {
        let name = name(text, &Place::value(&at), &at, fields.report)?;
        Some((name, at))
    });
    if let Some(field) = fields.take("models") {
        match field.value {
            Value::Object(map) => {
                for (key, value) in map {
                    let at = field.at.key(key);
                    let name = name(key, &Place::key(&at), &at, fields.report);
                    let model = model(value, &at, fields.report);
                    config.models.extend(name.zip(model));
                }
                choose(default.as_ref(), map.len(), &field.at, fields.report);
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => fields.wrong_type("models", &field),
        }
    }
    if let Some((name, at)) = default {
        if !config.models.contains_key(&name) && !fields.report.has_errors() {
            unknown(&name, &at, &config.models, fields.report);
        }
        config.default_model = Some(name);
    }
}

fn name(text: &str, place: &Place, at: &Pointer, report: &mut Report) -> Option<ModelName> {
    ModelName::try_new(text)
        .map_err(|error| {
            let message = format!("`{at}` is no name of a model: {error}");
            let diagnostic = Diagnostic::new(Code::InvalidValue, place.clone(), message);
            report.push(diagnostic.help("give it another name, as in `[models.fast]`"));
        })
        .ok()
}

/// One of several has to be the default.
fn choose(
    default: Option<&(ModelName, Pointer)>,
    models: usize,
    at: &Pointer,
    report: &mut Report,
) {
    if default.is_some() || models < 2 {
        return;
    }
    let message = "there are several models, and none of them is the default";
    report.push(
        Diagnostic::new(Code::MissingKey, Place::key(at), message).help(
            "name the one that is asked where a step names none, before all tables: \
             default_model = \"NAME\"",
        ),
    );
}

fn unknown(
    name: &ModelName,
    at: &Pointer,
    models: &BTreeMap<ModelName, ModelConfig>,
    report: &mut Report,
) {
    let names: Vec<&str> = models.keys().map(AsRef::as_ref).collect();
    let remedy = if names.is_empty() {
        format!("add a table [models.{name}], or remove the key")
    } else {
        format!("write one of {}, or add a table for it", names.join(", "))
    };
    let reason = format!("there is no model `{name}`");
    report.invalid_but(at, reason, Some(Remedy::told(remedy)));
}

fn model(value: &Value, at: &Pointer, report: &mut Report) -> Option<ModelConfig> {
    let mut fields = Fields::open(value, at, &MODEL, report)?;
    let adapter = fields.require("adapter").is_some();
    let adapter = adapter
        .then(|| fields.word("adapter", Adapter::from_word))
        .flatten();
    fields.require("model");
    let model = fields.parsed("model").map(|Path(text)| text);
    let base_url = fields.parsed("base_url").map(|Url(text)| text);
    let key_env = fields.parsed("key_env").map(|KeyVariable(name)| name);
    let max_tokens = whole(&mut fields, "max_tokens");
    let temperature = fields.number("temperature", &(0.0..=HOTTEST));
    let timeout = timeout(&mut fields);
    let input_price = fields.number("input_price", &PRICES);
    let output_price = fields.number("output_price", &PRICES);
    fields.finish_told(|key| {
        let is_key = KEYS.contains(&key.to_ascii_lowercase().as_str());
        is_key.then(|| {
            let message = format!("a key does not stand in this file, so `{key}` is not known");
            let help = "put the key into an environment variable, remove it here, and write the \
                        variable's name: key_env = \"OPENAI_API_KEY\"";
            (message, help.to_owned())
        })
    });
    Some(ModelConfig {
        adapter: adapter?,
        model: model?,
        base_url,
        key_env,
        max_tokens,
        temperature,
        timeout,
        input_price,
        output_price,
    })
}

fn timeout(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    let timeout = wait(fields, "timeout")?;
    if timeout.is_zero() {
        let at = fields.at().key("timeout");
        let reason = "no answer comes in no time; write for example \"60s\"";
        fields.report.invalid(&at, reason);
    }
    Some(timeout)
}

/// Where requests go.
struct Url(String);

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))
            .ok_or("it begins with neither http:// nor https://; write a whole URL")?;
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() {
            return Err("it names no host; write it as in \"http://127.0.0.1:8080/v1/\"");
        }
        if host.contains('@') {
            return Err("it holds a user; a key is read from the variable that `key_env` names");
        }
        if rest.contains(|c: char| c.is_whitespace() || matches!(c, '?' | '#')) {
            return Err("it has white space, a query or a fragment; remove that");
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of a variable that holds a key.
struct KeyVariable(String);

impl FromStr for KeyVariable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NO_NAME: &str = "it is no name of an environment variable; write the name of the \
                               one that holds the key, as \"OPENAI_API_KEY\": the key itself may \
                               not stand in this file";
        let Variable(name) = text.parse().map_err(|_| NO_NAME)?;
        let is_named = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts = |name: &str| !name.starts_with(|c: char| c.is_ascii_digit());
        if name.len() <= 64 && name.chars().all(is_named) && starts(&name) {
            Ok(Self(name))
        } else {
            Err(NO_NAME)
        }
    }
}
