//! OpenAI's models, and those of its imitators.

use super::{Tuning, matches};

/// A model that is asked in OpenAI's dialect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenAiModel {
    pub(crate) pattern: &'static str,
    /// Reasons, whether it can be told how much or not.
    pub(crate) reasons: bool,
    /// The words of `effort` that it takes, from little to much.
    pub(crate) efforts: &'static [&'static str],
    /// Temperature and top_p.
    pub(crate) tuning: Tuning,
    /// The penalties.
    pub(crate) penalties: Tuning,
    pub(crate) stop: bool,
    pub(crate) images: bool,
    /// `response_format` of type `json_schema`.
    pub(crate) json_schema: bool,
    /// `response_format` of type `json_object`.
    pub(crate) json_mode: bool,
}

const fn chat(pattern: &'static str, json_schema: bool, json_mode: bool) -> OpenAiModel {
    OpenAiModel {
        pattern,
        reasons: false,
        efforts: &[],
        tuning: Tuning::Free,
        penalties: Tuning::Free,
        stop: true,
        images: true,
        json_schema,
        json_mode,
    }
}

const fn reasoning(
    pattern: &'static str,
    efforts: &'static [&'static str],
    tuning: Tuning,
) -> OpenAiModel {
    let plain = chat(pattern, true, true);
    // `stop` is refused even with effort "none" (huggingface/smolagents#1868, #1893).
    OpenAiModel { reasons: true, efforts, tuning, penalties: tuning, stop: false, ..plain }
}

const fn o_series(pattern: &'static str) -> OpenAiModel {
    reasoning(pattern, &["low", "medium", "high"], Tuning::No)
}

const FIVE: &[&str] = &["minimal", "low", "medium", "high"];
const SINCE_FIVE_ONE: &[&str] = &["none", "low", "medium", "high"];
const SINCE_FIVE_TWO: &[&str] = &["none", "low", "medium", "high", "xhigh"];
const EVERY: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// From the model pages and `openai` 6.49's types.
pub(crate) const OPENAI: &[OpenAiModel] = &[
    chat("gpt-3.5-turbo-instruct*", false, false),
    chat("gpt-3.5-turbo-0613", false, false),
    chat("gpt-3.5*", false, true),
    chat("gpt-4", false, false),
    chat("gpt-4-0*", false, false),
    chat("gpt-4-32k*", false, false),
    chat("gpt-4-*", false, true),
    chat("gpt-4o-2024-05-13", false, true),
    chat("chatgpt-4o*", false, false),
    chat("gpt-4*", true, true),
    chat("gpt-5-chat*", true, true),
    reasoning("gpt-5", FIVE, Tuning::No),
    reasoning("gpt-5-*", FIVE, Tuning::No),
    reasoning("gpt-5.1", SINCE_FIVE_ONE, Tuning::WithoutEffort),
    reasoning("gpt-5.1-2*", SINCE_FIVE_ONE, Tuning::WithoutEffort),
    reasoning("gpt-5.2*", SINCE_FIVE_TWO, Tuning::WithoutEffort),
    reasoning("gpt-5.3*", SINCE_FIVE_TWO, Tuning::WithoutEffort),
    o_series("o1*"),
    OpenAiModel { stop: true, ..o_series("o3-mini*") },
    o_series("o3*"),
    o_series("o4*"),
    reasoning("*", EVERY, Tuning::WithoutEffort),
];

const fn grok(
    pattern: &'static str,
    efforts: &'static [&'static str],
    tuning: Tuning,
) -> OpenAiModel {
    OpenAiModel {
        penalties: Tuning::No,
        tuning: Tuning::Free,
        ..reasoning(pattern, efforts, tuning)
    }
}

const fn silent_grok(pattern: &'static str) -> OpenAiModel {
    grok(pattern, &[], Tuning::Free)
}

/// From xAI's model pages and `@ai-sdk/xai` 3.0.
pub(crate) const XAI: &[OpenAiModel] = &[
    chat("grok-2*", true, true),
    grok("grok-3-mini*", &["low", "high"], Tuning::Free),
    chat("grok-3*", true, true),
    chat("grok-4-fast-non-reasoning*", true, true),
    chat("grok-4-1-fast-non-reasoning*", true, true),
    chat("grok-4.20-0309-non-reasoning*", true, true),
    silent_grok("grok-4"),
    silent_grok("grok-4-*"),
    silent_grok("grok-code*"),
    grok("*", &["none", "low", "medium", "high", "xhigh"], Tuning::Free),
];

const fn deepseek(
    pattern: &'static str,
    efforts: &'static [&'static str],
    tuning: Tuning,
) -> OpenAiModel {
    OpenAiModel {
        json_schema: false,
        images: false,
        penalties: Tuning::No,
        stop: true,
        ..reasoning(pattern, efforts, tuning)
    }
}

const V4: &[&str] = &["none", "low", "high", "max"];

/// From DeepSeek's API pages and `@ai-sdk/deepseek` 2.0.
pub(crate) const DEEPSEEK: &[OpenAiModel] = &[
    OpenAiModel { images: false, ..chat("deepseek-chat*", false, true) },
    deepseek("deepseek-reasoner*", &[], Tuning::No),
    OpenAiModel {
        images: true,
        ..deepseek("deepseek-v4-flash-vision*", V4, Tuning::WithoutEffort)
    },
    deepseek("*", V4, Tuning::WithoutEffort),
];

const fn any(json_schema: bool, json_mode: bool) -> OpenAiModel {
    OpenAiModel { efforts: EVERY, ..chat("*", json_schema, json_mode) }
}

/// A server of the operator's that takes `json_schema`; nothing more is known of its models.
pub(crate) const ANY_SCHEMA: &[OpenAiModel] = &[any(true, true)];
/// One that takes `json_object`.
pub(crate) const ANY_JSON: &[OpenAiModel] = &[any(false, true)];
/// One that takes neither.
pub(crate) const ANY_TEXT: &[OpenAiModel] = &[any(false, false)];

/// A model's row in its provider's table; a fine-tuned one (`ft:base:…`) is its base. The last row
/// of each table is for every name.
pub(crate) fn openai(table: &'static [OpenAiModel], model: &str) -> OpenAiModel {
    let base = match model.strip_prefix("ft:") {
        Some(tuned) => tuned.split(':').next().unwrap_or(tuned),
        None => model,
    };
    let newest = reasoning("*", EVERY, Tuning::WithoutEffort);
    table.iter().find(|row| matches(row.pattern, base)).copied().unwrap_or(newest)
}
