//! Where the key of a model is, and that it is told to nobody.

use std::fmt;

use gateway::workflow_types::config::{Adapter, ModelConfig};
#[cfg(feature = "models")]
use gateway::workflow_types::id::SecretName;
#[cfg(feature = "models")]
use gateway::{Mask, SecretValue};

/// Where a model's key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// From this environment variable.
    Variable(String),
    /// It needs none.
    Nothing,
}

impl KeySource {
    /// Of a model: the variable that it names, else its provider's usual one. Where requests go
    /// elsewhere, the provider's key has no business.
    pub(crate) fn of(config: &ModelConfig) -> Self {
        let usual = || {
            let goes_elsewhere = config.base_url.is_some();
            usual_variable(config.adapter).filter(|_| !goes_elsewhere)
        };
        let named = config.key_env.as_deref().or_else(usual);
        named.map_or(Self::Nothing, |name| Self::Variable(name.to_owned()))
    }

    /// Whether the key is there, if one is needed.
    pub(crate) fn is_present(&self) -> Option<bool> {
        match self {
            Self::Nothing => None,
            Self::Variable(name) => Some(Key::read(name).is_some()),
        }
    }
}

/// The variable in which the provider's own programs look for a key.
fn usual_variable(adapter: Adapter) -> Option<&'static str> {
    match adapter {
        Adapter::OpenAi | Adapter::OpenAiResponses => Some("OPENAI_API_KEY"),
        Adapter::Anthropic => Some("ANTHROPIC_API_KEY"),
        Adapter::Gemini => Some("GEMINI_API_KEY"),
        Adapter::Ollama => None,
        Adapter::Cohere => Some("COHERE_API_KEY"),
        Adapter::DeepSeek => Some("DEEPSEEK_API_KEY"),
        Adapter::Groq => Some("GROQ_API_KEY"),
        Adapter::Mistral => Some("MISTRAL_API_KEY"),
        Adapter::OpenRouter => Some("OPEN_ROUTER_API_KEY"),
        Adapter::Together => Some("TOGETHER_API_KEY"),
        Adapter::Xai => Some("XAI_API_KEY"),
    }
}

/// A key. It can be sent and taken out of texts, and not be shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    variable: String,
    value: String,
}

impl Key {
    /// The key in a variable; none if it is not set, empty or no text.
    pub(crate) fn read(variable: &str) -> Option<Self> {
        let key = std::env::var(variable).ok()?;
        let key = key.trim();
        (!key.is_empty()).then(|| Self {
            variable: variable.to_owned(),
            value: key.to_owned(),
        })
    }

    /// A text in which the key stands nowhere: providers repeat it in their errors.
    #[cfg(feature = "models")]
    pub(crate) fn hide(&self, text: &str) -> String {
        let mask = Mask::default();
        self.add_to(&mask);
        mask.text(text).into_owned()
    }

    /// Has a mask know the key by the name of its variable. One of fewer bytes than a secret has is
    /// none: servers that want no key are given such, and it stands in every other text by chance.
    #[cfg(feature = "models")]
    pub(crate) fn add_to(&self, mask: &Mask) {
        let name = self.variable.parse::<SecretName>();
        if let (Ok(name), Ok(value)) = (name, SecretValue::new(self.value.as_str())) {
            mask.add(&name, &value);
        }
    }

    /// The key itself, for the request that needs it.
    #[cfg(feature = "models")]
    pub(crate) fn reveal(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(all(test, feature = "models"))]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown_and_is_taken_out_of_texts() {
        let key = |value: &str| Key {
            variable: "STUB".to_owned(),
            value: value.to_owned(),
        };
        let canary = key("sk/canary");
        assert_eq!(format!("{canary:?}"), "Key");
        for text in ["sk/canary", "sk%2Fcanary", r"sk\/canary", "c2svY2FuYXJ5"] {
            let told = canary.hide(&format!("no such key: {text}."));
            assert_eq!(told, "no such key: [secret STUB].");
        }
        assert_eq!(key("x").hide("an example"), "an example");
    }

    #[test]
    fn the_usual_key_of_a_provider_does_not_go_elsewhere() {
        let mut config = ModelConfig {
            adapter: Adapter::OpenAi,
            model: "m".to_owned(),
            base_url: None,
            key_env: None,
            max_tokens: None,
            temperature: None,
            timeout: None,
            input_price: None,
            output_price: None,
        };
        let variable = |name: &str| KeySource::Variable(name.to_owned());
        assert_eq!(KeySource::of(&config), variable("OPENAI_API_KEY"));
        config.base_url = Some("http://127.0.0.1/".to_owned());
        assert_eq!(KeySource::of(&config), KeySource::Nothing);
        config.key_env = Some("MINE".to_owned());
        assert_eq!(KeySource::of(&config), variable("MINE"));
    }
}
