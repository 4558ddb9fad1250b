//! The operator's rules, which apply to every request.

use std::str::FromStr;

use crate::destination::DestinationParser;
use crate::glob;
use crate::hosted::HostedRules;
use crate::json;
use crate::parsers::Parsers;
use crate::providers::Providers;

/// The rules that the operator sets for all requests.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Whether a missing template variable is always an error, even in requests without
    /// `strictVariables`.
    pub strict_variables: bool,
    /// Whether a provider's refusal of an option is always an error. By default, the request is
    /// sent again without the option.
    pub strict_options: bool,
    /// The providers that requests may use.
    pub providers: Providers,
    /// The parsers that requests may select with `output`.
    pub parsers: Parsers,
    /// The models that may be called. `None` allows all models.
    pub allowed_models: Option<ModelPatterns>,
    /// The maximum value of `maxTokens`, which is also the default for requests without
    /// `maxTokens`.
    pub max_tokens_ceiling: Option<u64>,
    /// Which hosted configs may be read.
    pub hosted: HostedRules,
    /// The prefixes of the allowed destinations. If there are none, requests must not name a
    /// destination.
    pub destinations: Vec<String>,
    /// The parser of the `destination` field. Without a parser, requests must not set this field.
    pub destination_parser: Option<DestinationParser>,
}

/// Patterns for the models that may be called, such as `openai:gpt-4o*`.
///
/// The patterns are parsed from a string, in which they are separated by commas or spaces. A
/// pattern consists of a provider, a colon and a model. `*` matches any number of characters.
///
/// ```
/// let patterns: llm_exe::ModelPatterns = "openai:gpt-4o*, anthropic:*".parse()?;
/// assert!(patterns.allow("openai", "gpt-4o-mini"));
/// assert!(!patterns.allow("openai", "gpt-5"));
/// # Ok::<(), llm_exe::InvalidModelPatterns>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPatterns(Vec<String>);

/// The reason why a list of model patterns is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidModelPatterns {
    /// The list contains no pattern.
    #[error("expected at least one pattern such as openai:gpt-4o*, got {}", json::quoted(.0))]
    Empty(String),
    /// A pattern has no colon, so it cannot match any model.
    #[error("expected a pattern such as openai:gpt-4o*, got {}", json::quoted(.0))]
    NoProvider(String),
}

impl FromStr for ModelPatterns {
    type Err = InvalidModelPatterns;

    fn from_str(text: &str) -> Result<Self, InvalidModelPatterns> {
        let items = text.split(|c: char| c == ',' || c.is_whitespace());
        let patterns: Vec<String> =
            items.filter(|item| !item.is_empty()).map(str::to_owned).collect();
        let invalid = patterns.iter().find(|pattern| *pattern != "*" && !pattern.contains(':'));
        if let Some(invalid) = invalid {
            return Err(InvalidModelPatterns::NoProvider(invalid.clone()));
        }
        if patterns.is_empty() {
            return Err(InvalidModelPatterns::Empty(text.to_owned()));
        }
        Ok(ModelPatterns(patterns))
    }
}

impl ModelPatterns {
    /// Returns whether the model of this provider may be called.
    pub fn allow(&self, provider: &str, model: &str) -> bool {
        let name = format!("{provider}:{model}");
        self.0.iter().any(|pattern| glob::matches(pattern, &name))
    }
}

#[cfg(test)]
mod tests {
    use super::ModelPatterns;

    #[test]
    fn list_allows_models_that_any_pattern_matches() {
        let patterns: ModelPatterns = "openai:gpt-4o*, anthropic:*".parse().unwrap();
        assert!(patterns.allow("openai", "gpt-4o-mini") && patterns.allow("anthropic", "claude-x"));
        assert!(!patterns.allow("openai", "gpt-5") && !patterns.allow("xai", "grok-4"));
    }

    #[test]
    fn invalid_patterns_are_rejected() {
        for (text, message) in [
            ("gpt-4o", "expected a pattern such as openai:gpt-4o*, got \"gpt-4o\""),
            (" , ", "expected at least one pattern such as openai:gpt-4o*, got \" , \""),
        ] {
            assert_eq!(text.parse::<ModelPatterns>().unwrap_err().to_string(), message);
        }
    }
}
