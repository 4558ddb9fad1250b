//! The restrictions of Claude models, which depend on the family and version in the model name.
//!
//! A model without `claude-` in its name has no restrictions. A Claude model without a version in
//! its name is treated as the newest version.

/// The properties of a model, parsed from its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    /// Whether the model is a Claude model.
    known: bool,
    /// The major and minor version.
    version: (u32, u32),
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Opus,
    Sonnet,
    Haiku,
    Fable,
    Mythos,
    Other,
}

const NEWEST: (u32, u32) = (99, 0);
/// All values of `output_config.effort`.
pub(crate) const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Parses a model name such as `claude-opus-4-7`, `claude-sonnet-4-5-20250929` or
/// `us.anthropic.claude-3-5-haiku-20241022-v1:0`.
pub(crate) fn model(name: &str) -> Model {
    let Some((_, rest)) = name.split_once("claude-") else {
        return Model { known: false, version: NEWEST, family: Family::Other };
    };
    let words: Vec<&str> = rest.split(['-', '@', ':', '.']).collect();
    let family = match () {
        () if words.contains(&"opus") => Family::Opus,
        () if words.contains(&"sonnet") => Family::Sonnet,
        () if words.contains(&"haiku") => Family::Haiku,
        () if words.contains(&"fable") => Family::Fable,
        () if words.contains(&"mythos") => Family::Mythos,
        () => Family::Other,
    };
    // The version is one or two consecutive numbers before or after the family. Numbers of 1000 or
    // more are dates.
    let number = |word: &&str| word.parse::<u32>().ok().filter(|number| *number < 1000);
    let mut numbers = words.iter().skip_while(|word| number(word).is_none()).map_while(number);
    let version = match (numbers.next(), numbers.next()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)),
        (None, _) if words.first() == Some(&"instant") => (1, 0),
        (None, _) => NEWEST,
    };
    Model { known: true, version, family }
}

impl Model {
    fn is_before(self, major: u32, minor: u32) -> bool {
        self.known && self.version < (major, minor)
    }

    /// Whether the model is a Claude model of this version or later.
    pub(crate) fn is_at_least(self, major: u32, minor: u32) -> bool {
        self.known && self.version >= (major, minor)
    }

    /// Whether the model rejects `temperature`, `top_p` and `top_k`.
    pub(crate) fn rejects_sampling(self) -> bool {
        self.is_at_least(4, 7)
    }

    /// Whether the model rejects requests with both `temperature` and `top_p`.
    pub(crate) fn rejects_temperature_with_top_p(self) -> bool {
        self.is_at_least(4, 1)
    }

    /// Whether the model rejects a prefill (a final assistant message).
    pub(crate) fn rejects_prefill(self) -> bool {
        self.is_at_least(4, 6)
    }

    /// Whether the model rejects `thinking` of type `adaptive`.
    pub(crate) fn rejects_adaptive(self) -> bool {
        self.is_before(4, 6)
    }

    /// Whether the model rejects `thinking` of type `enabled`. Newer models have replaced this
    /// type, and older models do not support thinking.
    pub(crate) fn rejects_budget(self) -> bool {
        self.is_at_least(4, 7) || self.is_before(3, 7)
    }

    /// Whether the model rejects `output_config.effort`.
    pub(crate) fn rejects_effort(self) -> bool {
        match self.family {
            Family::Opus => self.is_before(4, 5),
            _ => self.is_before(4, 6),
        }
    }

    /// Returns the supported values of `output_config.effort`.
    pub(crate) fn efforts(self) -> &'static [&'static str] {
        match () {
            () if self.is_before(4, 6) => &["low", "medium", "high"],
            () if self.is_before(4, 7) => &["low", "medium", "high", "max"],
            () => EFFORTS,
        }
    }

    /// Whether the model rejects `thinking` of type `disabled`, because it always thinks.
    pub(crate) fn rejects_disabled(self) -> bool {
        match self.family {
            Family::Fable | Family::Mythos => self.is_at_least(5, 0),
            Family::Haiku => self.is_at_least(5, 6),
            Family::Opus | Family::Sonnet | Family::Other => self.is_at_least(5, 5),
        }
    }

    /// Whether the model rejects `thinking` of type `between_tools`.
    pub(crate) fn rejects_between_tools(self) -> bool {
        self.known && (self.family != Family::Sonnet || self.version != (5, 5))
    }

    /// Returns the maximum number of output tokens.
    pub(crate) fn max_output(self) -> i64 {
        match self.family {
            _ if !self.known => i64::MAX,
            _ if self.is_before(3, 5) => 4096,
            _ if self.is_before(3, 7) => 8192,
            Family::Opus if !self.is_before(4, 0) && self.is_before(4, 5) => 32_000,
            _ if self.is_before(4, 6) => 64_000,
            _ => 128_000,
        }
    }

    /// Whether the model rejects `output_config.format`.
    pub(crate) fn rejects_format(self) -> bool {
        self.is_before(4, 1)
    }

    /// Whether a thinking block is valid only after the conversation that it was created in.
    pub(crate) fn preserves_thinking(self) -> bool {
        match self.family {
            Family::Fable | Family::Mythos => self.is_at_least(5, 1),
            _ => self.is_at_least(5, 5),
        }
    }

    /// Whether the model thinks if the request does not contain `thinking`.
    pub(crate) fn thinks_by_default(self) -> bool {
        self.is_at_least(5, 0)
    }

    /// Whether the model rejects a `tool_choice` that forces a tool call.
    pub(crate) fn rejects_forced_tool(self) -> bool {
        match self.family {
            Family::Fable | Family::Mythos => self.is_at_least(5, 1),
            Family::Haiku => self.is_at_least(5, 6),
            Family::Opus | Family::Sonnet | Family::Other => self.is_at_least(5, 5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::model;

    #[test]
    fn versions_are_parsed() {
        let version = |name| model(name).version;
        assert_eq!(version("claude-opus-4-7"), (4, 7));
        assert_eq!(version("claude-sonnet-4-5-20250929"), (4, 5));
        assert_eq!(version("claude-sonnet-4-20250514"), (4, 0));
        assert_eq!(version("claude-3-5-haiku-latest"), (3, 5));
        assert_eq!(version("claude-3-haiku-20240307"), (3, 0));
        assert_eq!(version("claude-2.1"), (2, 1));
        assert_eq!(version("us.anthropic.claude-opus-4-6-v1:0"), (4, 6));
        assert_eq!(version("claude-haiku-5-5"), (5, 5));
        assert_eq!(version("claude-mythos-preview"), (99, 0));
        assert!(!model("test").rejects_sampling() && !model("test").rejects_format());
    }

    #[test]
    fn newer_models_reject_forced_tools() {
        for name in
            ["claude-opus-5", "claude-sonnet-5-20260901", "claude-haiku-5-5", "claude-fable-5"]
        {
            assert!(!model(name).rejects_forced_tool(), "{name}");
        }
        for name in
            ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "claude-opus-latest"]
        {
            assert!(model(name).rejects_forced_tool(), "{name}");
        }
        assert!(!model("test").rejects_forced_tool());
    }
}
