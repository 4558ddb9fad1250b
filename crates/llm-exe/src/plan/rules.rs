//! The operator's rules, which apply to every request.

use std::str::FromStr;

use crate::destination::DestinationParser;
use crate::function_name::FunctionName;
use crate::glob;
use crate::hosted::HostedRules;
use crate::json;
use crate::parsers::Parsers;
use crate::providers::{PriceList, Providers};

/// The rules that the operator sets for all requests.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Whether a missing template variable is always an error, even in requests without
    /// `strictVariables`.
    pub strict_variables: bool,
    /// Whether it is always an error if a provider rejects an option. By default, the request is
    /// sent again without the option.
    pub strict_options: bool,
    /// Whether every warning about a request is an error, even in requests without `strict`.
    pub strict: bool,
    /// The providers that requests may use.
    pub providers: Providers,
    /// The parsers that requests may select with `output`.
    pub parsers: Parsers,
    /// The models that may be called. `None` allows all models.
    pub allowed_models: Option<ModelPatterns>,
    /// The maximum value of `maxTokens`, which is also the default for requests without
    /// `maxTokens`.
    pub max_tokens_ceiling: Option<u64>,
    /// The prices that take precedence over the list prices.
    pub prices: PriceList,
    /// Which hosted configs may be read.
    pub hosted: HostedRules,
    /// Which Lambda functions tools may call.
    pub tools: ToolRules,
    /// The prefixes of the allowed destinations. If there are none, requests must not name a
    /// destination.
    pub destinations: Vec<String>,
    /// The parser of the `destination` field. Without a parser, requests must not set this field.
    pub destination_parser: Option<DestinationParser>,
}

/// The operator's rules for the tools of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolRules {
    /// Patterns for the Lambda functions that tools may call. Without patterns, they may call none.
    pub functions: Vec<FunctionName>,
    /// Whether requests of HTTP callers may name Lambda functions.
    pub from_http: bool,
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
    /// A pattern names a provider that does not exist, so it cannot match any model.
    #[error("unknown provider in {}{suggestion}", json::quoted(.pattern))]
    UnknownProvider {
        /// The pattern.
        pattern: String,
        /// The name of a similar provider in the form of [`suggestion`](crate::suggestion).
        suggestion: String,
    },
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
    /// Checks that each pattern can match a model of one of the providers.
    ///
    /// # Errors
    /// [`InvalidModelPatterns::UnknownProvider`] for the first pattern that can't.
    pub fn check_providers(&self, providers: &Providers) -> Result<(), InvalidModelPatterns> {
        for pattern in self.0.iter().filter(|pattern| *pattern != "*") {
            if let Err(suggestion) = providers.check_pattern(pattern) {
                let pattern = pattern.clone();
                return Err(InvalidModelPatterns::UnknownProvider { pattern, suggestion });
            }
        }
        Ok(())
    }

    /// Returns whether the model of this provider may be called.
    pub fn allow(&self, provider: &str, model: &str) -> bool {
        let name = format!("{provider}:{model}");
        self.0.iter().any(|pattern| glob::matches(pattern, &name))
    }
}

#[cfg(test)]
mod tests {
    use super::ModelPatterns;
    use crate::providers::Providers;

    #[test]
    fn list_allows_models_that_any_pattern_matches() {
        let patterns: ModelPatterns = "openai:gpt-4o*, anthropic:*".parse().unwrap();
        assert!(patterns.allow("openai", "gpt-4o-mini") && patterns.allow("anthropic", "claude-x"));
        assert!(!patterns.allow("openai", "gpt-5") && !patterns.allow("xai", "grok-4"));
    }

    #[test]
    fn providers_of_patterns_must_exist() {
        let check = |text: &str| {
            let patterns: ModelPatterns = text.parse().unwrap();
            patterns.check_providers(&Providers::default()).map_err(|error| error.to_string())
        };
        for text in [
            "*",
            "*:gpt-4o",
            "openai:gpt-4o*, anthropic:*",
            "open*:x",
            "amazon:anthropic:*",
            "amazon:*",
            "ollama:llama3:8b",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, message) in [
            (
                "openai:*,opnai:gpt-4o",
                "unknown provider in \"opnai:gpt-4o\" (did you mean openai?)",
            ),
            ("y*:*", "unknown provider in"),
            ("zzz:openai:*", "unknown provider in \"zzz:openai:*\""),
            (":gpt-4o", "unknown provider in"),
        ] {
            assert!(check(text).unwrap_err().starts_with(message), "{text}");
        }
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
