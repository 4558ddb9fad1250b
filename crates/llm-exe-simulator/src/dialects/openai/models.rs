//! The capabilities of models, which are looked up by name prefix.
//!
//! A model whose name matches no prefix belongs to another provider that uses this dialect. Such a
//! model accepts all parameters.

/// The capabilities of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    /// Whether this is one of OpenAI's reasoning models, which reject sampling parameters.
    pub(crate) is_reasoning: bool,
    /// The supported values of `reasoning_effort`; empty if the parameter is not supported.
    pub(crate) efforts: &'static [&'static str],
    /// Whether `response_format` of type `json_schema` is supported.
    pub(crate) json_schema: bool,
    /// Whether sampling parameters are supported if the reasoning effort is `none`.
    pub(crate) samples_with_effort_none: bool,
    /// When function tools are rejected.
    pub(crate) tools: Tools,
    /// Whether assistant messages must have `reasoning_content` in requests with tools.
    pub(crate) needs_reasoning_turns: bool,
    /// Whether `stop` is supported.
    pub(crate) stop: bool,
    /// Whether penalties are supported. xAI's reasoning models do not support them.
    pub(crate) penalties: bool,
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

const PLAIN: Model = Model {
    is_reasoning: false,
    efforts: &[],
    json_schema: true,
    samples_with_effort_none: false,
    tools: Tools::Accepted,
    needs_reasoning_turns: false,
    stop: true,
    penalties: true,
};
const OLD: Model = Model { json_schema: false, ..PLAIN };
/// Of the reasoning models, only o3-mini supports `stop`.
const REASONING: Model = Model { is_reasoning: true, stop: false, ..PLAIN };
const O_SERIES: Model = Model { efforts: &["low", "medium", "high"], ..REASONING };
const GPT_5: Model = Model { efforts: &["minimal", "low", "medium", "high"], ..REASONING };
const GPT_5_1: Model = Model {
    efforts: &["none", "low", "medium", "high"],
    samples_with_effort_none: true,
    ..REASONING
};
const GPT_5_2: Model = Model { efforts: &["none", "low", "medium", "high", "xhigh"], ..GPT_5_1 };
const GPT_5_4: Model = Model {
    efforts: &["none", "minimal", "low", "medium", "high", "xhigh", "max"],
    tools: Tools::RejectedWithEffort,
    ..GPT_5_1
};
const GPT_6: Model = Model { tools: Tools::OnlyWithoutReasoning, ..GPT_5_4 };
/// Models that always reason.
const GPT_6_REASONING: Model = Model {
    efforts: &["low", "medium", "high", "xhigh"],
    samples_with_effort_none: false,
    tools: Tools::Rejected,
    ..GPT_5_4
};
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const OTHER: Model = Model { efforts: EFFORTS, ..PLAIN };
const GROK: Model = Model {
    efforts: &["none", "low", "medium", "high", "xhigh"],
    stop: false,
    penalties: false,
    ..PLAIN
};
const DEEPSEEK: Model = Model {
    json_schema: false,
    efforts: &["low", "medium", "high", "xhigh", "max"],
    needs_reasoning_turns: true,
    ..OTHER
};

/// Name prefixes, each with the capabilities of the models. The first matching prefix is used.
const MODELS: &[(&str, Model)] = &[
    ("gpt-5-chat", PLAIN),
    ("gpt-5.1", GPT_5_1),
    ("gpt-5.2", GPT_5_2),
    ("gpt-5.3", GPT_5_2),
    ("gpt-5.6", GPT_6),
    ("gpt-5.", GPT_5_4),
    ("gpt-5", GPT_5),
    ("o1-mini", Model { json_schema: false, ..O_SERIES }),
    ("o1-preview", Model { json_schema: false, ..O_SERIES }),
    ("o1", O_SERIES),
    ("o3-mini", Model { stop: true, ..O_SERIES }),
    ("o3", O_SERIES),
    ("o4", O_SERIES),
    ("gpt-3.5", OLD),
    ("gpt-4o-2024-05-13", OLD),
    ("gpt-4o", PLAIN),
    ("gpt-4.", PLAIN),
    ("gpt-4-", OLD),
    ("gpt-4", OLD),
    ("gpt-6-sol", GPT_6),
    ("gpt-6-luna", GPT_6),
    ("gpt-6.1-terra", GPT_6),
    ("gpt-6", GPT_6_REASONING),
    ("gpt-", GPT_5_4),
    ("chatgpt-", Model { tools: Tools::Rejected, ..OLD }),
    ("deepseek-chat", Model { json_schema: false, ..PLAIN }),
    ("deepseek-reasoner", Model { needs_reasoning_turns: false, ..DEEPSEEK }),
    ("deepseek-", DEEPSEEK),
    ("grok-4.", GROK),
    ("grok-4", Model { efforts: &[], ..GROK }),
    ("grok-3-mini", Model { efforts: &["low", "high"], ..GROK }),
    ("grok-3", PLAIN),
    ("grok-2", PLAIN),
    ("grok-", GROK),
];

/// Returns the capabilities of the model with this name.
pub(crate) fn model(name: &str) -> Model {
    let name = name.strip_prefix("ft:").unwrap_or(name);
    if name.starts_with("grok-") && name.contains("non-reasoning") {
        return PLAIN;
    }
    let row = MODELS.iter().find(|(prefix, _)| name.starts_with(prefix));
    row.map_or(OTHER, |(_, model)| *model)
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
