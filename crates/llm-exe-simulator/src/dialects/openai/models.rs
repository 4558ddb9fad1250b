//! What is known of models by their names: one table of what they offer.
//!
//! In: a model's name. Out: `Model`. Names that no row knows belong to other providers that speak
//! this dialect, and nothing is refused on their behalf.

/// What a model offers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    /// Whether it is one of OpenAI's reasoning models, which take no sampling parameters.
    pub(crate) reasons: bool,
    /// The values that `reasoning_effort` may have; none when it takes no such parameter.
    pub(crate) efforts: &'static [&'static str],
    /// Whether `response_format` may be of type `json_schema`.
    pub(crate) json_schema: bool,
    /// Whether effort `none` makes it take sampling parameters.
    pub(crate) samples_without_effort: bool,
    /// Whether function tools and an effort exclude each other.
    pub(crate) effort_or_tools: bool,
    /// Whether it takes `stop`.
    pub(crate) stops: bool,
    /// Whether it takes penalties (xAI's reasoning models don't).
    pub(crate) penalties: bool,
}

const PLAIN: Model = Model {
    reasons: false,
    efforts: &[],
    json_schema: true,
    samples_without_effort: false,
    effort_or_tools: false,
    stops: true,
    penalties: true,
};
const OLD: Model = Model { json_schema: false, ..PLAIN };
/// Of the reasoning models only o3-mini accepts `stop`.
const REASONING: Model = Model { reasons: true, stops: false, ..PLAIN };
const O_SERIES: Model = Model { efforts: &["low", "medium", "high"], ..REASONING };
const GPT_5: Model = Model { efforts: &["minimal", "low", "medium", "high"], ..REASONING };
const GPT_5_1: Model = Model {
    efforts: &["none", "low", "medium", "high"],
    samples_without_effort: true,
    ..REASONING
};
const GPT_5_2: Model = Model { efforts: &["none", "low", "medium", "high", "xhigh"], ..GPT_5_1 };
const GPT_5_4: Model = Model {
    efforts: &["none", "minimal", "low", "medium", "high", "xhigh", "max"],
    effort_or_tools: true,
    ..GPT_5_1
};
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const OTHER: Model = Model { efforts: EFFORTS, ..PLAIN };
const GROK: Model = Model {
    efforts: &["none", "low", "medium", "high", "xhigh"],
    stops: false,
    penalties: false,
    ..PLAIN
};
const DEEPSEEK: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Name prefixes and what is behind them; the first that fits counts.
const MODELS: &[(&str, Model)] = &[
    ("gpt-5-chat", PLAIN),
    ("gpt-5.1", GPT_5_1),
    ("gpt-5.2", GPT_5_2),
    ("gpt-5.3", GPT_5_2),
    ("gpt-5.", GPT_5_4),
    ("gpt-5", GPT_5),
    ("o1-mini", Model { json_schema: false, ..O_SERIES }),
    ("o1-preview", Model { json_schema: false, ..O_SERIES }),
    ("o1", O_SERIES),
    ("o3-mini", Model { stops: true, ..O_SERIES }),
    ("o3", O_SERIES),
    ("o4", O_SERIES),
    ("gpt-3.5", OLD),
    ("gpt-4o-2024-05-13", OLD),
    ("gpt-4o", PLAIN),
    ("gpt-4.", PLAIN),
    ("gpt-4-", OLD),
    ("gpt-4", OLD),
    ("gpt-", GPT_5_4),
    ("chatgpt-", OLD),
    ("deepseek-chat", Model { json_schema: false, ..PLAIN }),
    ("deepseek-", Model { json_schema: false, efforts: DEEPSEEK, ..OTHER }),
    ("grok-4.", GROK),
    ("grok-4", Model { efforts: &[], ..GROK }),
    ("grok-3-mini", Model { efforts: &["low", "high"], ..GROK }),
    ("grok-3", PLAIN),
    ("grok-2", PLAIN),
    ("grok-", GROK),
];

/// What the model of this name offers.
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
    fn rows_are_found() {
        assert!(model("gpt-5-mini").reasons);
        assert!(model("o3-mini").reasons);
        assert!(!model("gpt-4.1").reasons && model("gpt-4.1").json_schema);
        assert!(!model("gpt-4").json_schema && !model("gpt-4-turbo").json_schema);
        assert!(model("gpt-4o-mini").json_schema && model("gpt-4o-mini").efforts.is_empty());
        assert!(!model("ft:gpt-4o-mini:us:x").reasons);
        assert!(model("llama-3").efforts.contains(&"low"));
        assert!(model("o3-mini").stops && model("gpt-5-chat-latest").stops);
        for name in ["o1", "o3", "o4-mini", "gpt-5", "gpt-5.1", "gpt-5.5", "gpt-6-sol"] {
            assert!(!model(name).stops, "{name}");
        }
    }
}
