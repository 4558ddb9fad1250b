//! The capabilities of models, which are looked up by name prefix.
//!
//! A model whose name matches no prefix belongs to another provider that uses this dialect. Such a
//! model accepts all parameters.

use crate::dialects::alias::without_alias;

/// The capabilities of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    /// Whether this is one of OpenAI's reasoning models, which reject sampling parameters.
    pub(crate) is_reasoning: bool,
    /// The supported values of `reasoning_effort`; empty if the parameter is not supported.
    pub(crate) efforts: &'static [&'static str],
    /// Whether `response_format` of type `json_schema` is supported.
    pub(crate) json_schema: bool,
    /// Whether `temperature` and `top_p` are supported if the reasoning effort is `none`.
    pub(crate) samples_with_effort_none: bool,
    /// Whether sampling parameters and penalties are supported by a model that does not reason.
    pub(crate) sampling: bool,
    /// When function tools are rejected.
    pub(crate) tools: Tools,
    /// Whether assistant messages must have `reasoning_content` in requests with tools.
    pub(crate) needs_reasoning_turns: bool,
    /// Whether `stop` is supported.
    pub(crate) stop: bool,
    /// The maximum number of stop sequences.
    pub(crate) max_stops: usize,
    /// Whether penalties are supported. Reasoning models do not support them with any effort.
    pub(crate) penalties: bool,
    /// Whether only the Responses API serves the model.
    pub(crate) only_responses: bool,
    /// Whether the model's chat template requires that the roles alternate and that the last
    /// message is not a system message.
    pub(crate) alternates: bool,
    /// The maximum number of output tokens.
    pub(crate) max_output: i64,
}

/// When a model rejects function tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tools {
    Accepted,
    /// They are rejected if the request has a reasoning effort other than `none`.
    RejectedWithEffort,
    /// They are rejected unless the request has the reasoning effort `none`.
    OnlyWithoutReasoning,
    Rejected,
}

pub(crate) const PLAIN: Model = Model {
    is_reasoning: false,
    efforts: &[],
    json_schema: true,
    samples_with_effort_none: false,
    sampling: true,
    tools: Tools::Accepted,
    needs_reasoning_turns: false,
    stop: true,
    max_stops: 4,
    penalties: true,
    only_responses: false,
    alternates: false,
    max_output: i64::MAX,
};
const OLD: Model = Model { json_schema: false, ..PLAIN };
/// A model of another provider that does not reason and supports only `json_object`.
pub(crate) const WITHOUT_SCHEMA: Model = OLD;
/// Models of other providers by the efforts that they support.
pub(crate) const NONE_OR_HIGH: Model = Model { efforts: &["none", "high"], ..PLAIN };
pub(crate) const LOW_TO_HIGH: Model = Model { efforts: &["low", "medium", "high"], ..PLAIN };
pub(crate) const NONE_TO_HIGH: Model =
    Model { efforts: &["none", "low", "medium", "high"], ..PLAIN };
pub(crate) const MINIMAL_TO_HIGH: Model =
    Model { efforts: &["minimal", "low", "medium", "high"], ..PLAIN };
/// Of the reasoning models, only o3-mini supports `stop`.
const REASONING: Model =
    Model { is_reasoning: true, stop: false, penalties: false, max_output: 128_000, ..PLAIN };
pub(crate) const RESPONSES: Model = Model { only_responses: true, ..REASONING };
const O_SERIES: Model =
    Model { efforts: &["low", "medium", "high"], max_output: 100_000, ..REASONING };
const GPT_5: Model = Model { efforts: &["minimal", "low", "medium", "high"], ..REASONING };
const GPT_5_1: Model = Model {
    efforts: &["none", "low", "medium", "high"],
    samples_with_effort_none: true,
    ..REASONING
};
const GPT_5_2: Model = Model { efforts: &["none", "low", "medium", "high", "xhigh"], ..GPT_5_1 };
const GPT_5_4: Model = Model { tools: Tools::RejectedWithEffort, ..GPT_5_2 };
const GPT_6: Model = Model { tools: Tools::OnlyWithoutReasoning, ..GPT_5_2 };
/// Models that always reason.
const GPT_6_REASONING: Model = Model {
    efforts: &["low", "medium", "high", "xhigh"],
    samples_with_effort_none: false,
    tools: Tools::Rejected,
    ..GPT_5_2
};
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];
pub(crate) const OTHER: Model = Model { efforts: EFFORTS, ..PLAIN };
const MISTRAL: Model = Model { alternates: true, ..OTHER };
const GROK: Model =
    Model { efforts: &["low", "medium", "high", "xhigh"], stop: false, penalties: false, ..PLAIN };
const GROK_WITHOUT_EFFORT: Model = Model { efforts: &[], ..GROK };
const DEEPSEEK: Model = Model {
    json_schema: false,
    efforts: &["low", "medium", "high", "xhigh", "max"],
    needs_reasoning_turns: true,
    ..OTHER
};

/// Name prefixes, each with the capabilities of the models. The first matching prefix is used.
const MODELS: &[(&str, Model)] = &[
    ("gpt-5-chat", Model { max_output: 16_384, ..PLAIN }),
    ("gpt-5-pro", RESPONSES),
    ("gpt-5.2-pro", RESPONSES),
    ("gpt-5.4-pro", RESPONSES),
    ("gpt-5.5-pro", RESPONSES),
    ("gpt-5.1", GPT_5_1),
    ("gpt-5.2", GPT_5_2),
    ("gpt-5.3", GPT_5_2),
    ("gpt-5.4", GPT_5_4),
    ("gpt-5.5", GPT_5_4),
    ("gpt-5.", GPT_6),
    ("gpt-5", GPT_5),
    ("o1-mini", Model { json_schema: false, ..O_SERIES }),
    ("o1-preview", Model { json_schema: false, ..O_SERIES }),
    ("o1-pro", RESPONSES),
    ("o3-pro", RESPONSES),
    ("o3-deep-research", RESPONSES),
    ("o1", O_SERIES),
    ("o3-mini", Model { stop: true, ..O_SERIES }),
    ("o3", O_SERIES),
    ("o4", O_SERIES),
    ("computer-use", RESPONSES),
    ("gpt-3.5-turbo-instruct", OLD),
    ("gpt-3.5", Model { max_output: 4096, ..OLD }),
    ("gpt-4o-2024-05-13", Model { max_output: 4096, ..OLD }),
    ("gpt-4o-search-preview", Model { sampling: false, ..PLAIN }),
    ("gpt-4o-mini-search-preview", Model { sampling: false, ..PLAIN }),
    ("gpt-4o", Model { max_output: 16_384, ..PLAIN }),
    ("gpt-4.1", Model { max_output: 32_768, ..PLAIN }),
    ("gpt-4.", PLAIN),
    ("gpt-4-turbo", Model { max_output: 4096, ..OLD }),
    ("gpt-4", OLD),
    ("gpt-6-sol", GPT_6),
    ("gpt-6-luna", GPT_6),
    ("gpt-6.1-terra", GPT_6),
    ("gpt-6", GPT_6_REASONING),
    ("gpt-", Model { tools: Tools::Accepted, ..GPT_6_REASONING }),
    ("chat-latest", Model { tools: Tools::Accepted, ..GPT_6_REASONING }),
    ("chatgpt-", Model { tools: Tools::Rejected, ..OLD }),
    ("deepseek-chat", Model { json_schema: false, ..PLAIN }),
    ("deepseek-reasoner", Model { needs_reasoning_turns: false, ..DEEPSEEK }),
    ("deepseek-", DEEPSEEK),
    ("grok-4.20-multi-agent", Model { only_responses: true, ..GROK_WITHOUT_EFFORT }),
    ("grok-4.20", GROK_WITHOUT_EFFORT),
    ("grok-4.3", Model { efforts: &["none", "low", "medium", "high"], ..GROK }),
    ("grok-4.5", Model { efforts: &["low", "medium", "high"], ..GROK }),
    ("grok-4.", GROK),
    ("grok-4", GROK_WITHOUT_EFFORT),
    ("grok-code", GROK_WITHOUT_EFFORT),
    ("grok-3-mini", Model { efforts: &["low", "high"], ..GROK }),
    ("grok-3", PLAIN),
    ("grok-2", PLAIN),
    ("grok-", GROK),
    ("mistral", MISTRAL),
    ("ministral", MISTRAL),
    ("gemma", MISTRAL),
];

/// Returns the capabilities of the model with this name.
pub(crate) fn model(name: &str) -> Model {
    let name = without_alias(name);
    let name = name.strip_prefix("ft:").unwrap_or(name);
    if name.starts_with("grok-") && name.contains("non-reasoning") {
        return PLAIN;
    }
    if name.starts_with("codex") || name.starts_with("gpt-") && name.contains("codex") {
        return RESPONSES;
    }
    let row = MODELS.iter().find(|(prefix, _)| name.starts_with(prefix));
    row.map_or(OTHER, |(_, model)| *model)
}

/// Returns whether a model with this name is served by OpenAI.
pub(crate) fn is_of_openai(name: &str) -> bool {
    let name = without_alias(name);
    ["gpt-", "chatgpt-", "ft:", "o1", "o3", "o4", "codex", "computer-use"]
        .iter()
        .any(|prefix| name.starts_with(prefix) && !name.starts_with("gpt-oss"))
}

#[cfg(test)]
mod tests {
    use super::model;

    #[test]
    fn models_are_found_by_prefix() {
        assert!(model("gpt-5-mini").is_reasoning);
        assert!(model("o3-mini").is_reasoning);
        assert!(!model("gpt-4.1").is_reasoning && model("gpt-4.1").json_schema);
        assert!(!model("gpt-4").json_schema && !model("gpt-4-turbo").json_schema);
        assert!(model("gpt-4o-mini").json_schema && model("gpt-4o-mini").efforts.is_empty());
        assert!(!model("ft:gpt-4o-mini:us:x").is_reasoning);
        assert!(model("llama-3").efforts.contains(&"low"));
        assert!(model("o3-mini").stop && model("gpt-5-chat-latest").stop);
        for name in ["o1", "o3", "o4-mini", "gpt-5", "gpt-5.1", "gpt-5.5", "gpt-6-sol"] {
            assert!(!model(name).stop, "{name}");
        }
    }
}
