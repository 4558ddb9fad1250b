//! What the operator lays down, whatever a request says.

use crate::destination::DestinationParser;
use crate::error::Error;
use crate::hosted::HostedRules;
use crate::providers::Providers;

/// What holds for every request.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// A missing variable is an error, even where the request does not say so.
    pub strict_variables: bool,
    /// Whom requests may name.
    pub providers: Providers,
    /// The models that may be asked; none said, all.
    pub allowed_models: Option<ModelPatterns>,
    /// The most tokens that an answer may have; a request that names no `maxTokens` gets it as
    /// its own.
    pub max_tokens_ceiling: Option<u64>,
    /// Which hosted configs may be read.
    pub hosted: HostedRules,
    /// What the destinations that requests may name begin with; nothing said, none may be named.
    pub destinations: Vec<String>,
    /// Parses the field `destination`. Without a parser the field is rejected.
    pub destination_parser: Option<DestinationParser>,
}

/// Patterns of models, like `openai:gpt-4o*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPatterns(Vec<String>);

impl ModelPatterns {
    /// Reads patterns parted by commas or spaces: a provider, a colon, and a model, in which `*`
    /// stands for any text.
    ///
    /// # Errors
    /// `InvalidRequest` naming a pattern that can't match anything.
    pub fn read(text: &str) -> Result<ModelPatterns, Error> {
        let split = text.split(|c: char| c == ',' || c.is_whitespace());
        let patterns: Vec<String> =
            split.filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let odd = patterns.iter().find(|one| *one != "*" && !one.contains(':'));
        if let Some(odd) = odd {
            let text = format!("{odd:?} is no pattern like openai:gpt-4o*");
            return Err(Error::invalid("", text));
        }
        if patterns.is_empty() {
            return Err(Error::invalid("", format!("{text:?} names no pattern")));
        }
        Ok(ModelPatterns(patterns))
    }

    /// Whether a provider's model may be asked.
    pub fn allow(&self, provider: &str, model: &str) -> bool {
        let name = format!("{provider}:{model}");
        self.0.iter().any(|pattern| matches(pattern, &name))
    }
}

/// Whether a text is of a pattern in which `*` stands for any text. Linear in both for each star.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{ModelPatterns, matches};

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("openai:gpt-4o*", "openai:gpt-4o-mini", true),
            ("openai:gpt-4o*", "openai:gpt-4o", true),
            ("openai:gpt-4o", "openai:gpt-4o-mini", false),
            ("openai:*", "xai:gpt-4o", false),
            ("*", "any:thing", true),
            ("*:gpt*mini", "openai:gpt-4o-mini", true),
            ("*:gpt*mini", "openai:gpt-4o-mini-high", false),
            ("amazon:*claude*-v1:0", "amazon:us.anthropic.claude-opus-4-1-v1:0", true),
            ("a:b*b", "a:b", false),
            ("a:**b", "a:xb", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_list_allows_what_any_of_it_does() {
        let some = ModelPatterns::read("openai:gpt-4o*, anthropic:*").unwrap();
        assert!(some.allow("openai", "gpt-4o-mini") && some.allow("anthropic", "claude-x"));
        assert!(!some.allow("openai", "gpt-5") && !some.allow("xai", "grok-4"));
        assert!(ModelPatterns::read("gpt-4o").is_err() && ModelPatterns::read(" , ").is_err());
    }
}
