//! OpenAI's models.

use super::{Tuning, matches};

/// An OpenAI model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenAiModel {
    pub(crate) pattern: &'static str,
    /// Takes `reasoning_effort`; its system messages are `developer` ones.
    pub(crate) reasons: bool,
    pub(crate) tuning: Tuning,
    pub(crate) stop: bool,
    /// `response_format` of type `json_schema`.
    pub(crate) json_schema: bool,
    /// `response_format` of type `json_object`.
    pub(crate) json_mode: bool,
}

const fn chat(pattern: &'static str, json_schema: bool, json_mode: bool) -> OpenAiModel {
    let tuning = Tuning::Free;
    OpenAiModel { pattern, reasons: false, tuning, stop: true, json_schema, json_mode }
}

const fn reasoning(pattern: &'static str, tuning: Tuning, stop: bool) -> OpenAiModel {
    OpenAiModel { pattern, reasons: true, tuning, stop, json_schema: true, json_mode: true }
}

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
    reasoning("gpt-5", Tuning::No, true),
    reasoning("gpt-5-*", Tuning::No, true),
    reasoning("o1*", Tuning::No, true),
    reasoning("o3*", Tuning::No, false),
    reasoning("o4*", Tuning::No, false),
    reasoning("*", Tuning::WithoutEffort, true),
];

/// The row for an OpenAI model; a fine-tuned one (`ft:base:…`) is its base.
pub(crate) fn openai(model: &str) -> OpenAiModel {
    let base = model.strip_prefix("ft:").unwrap_or(model);
    let base = base.split(':').next().unwrap_or(base);
    let newest = reasoning("*", Tuning::WithoutEffort, true);
    OPENAI.iter().find(|row| matches(row.pattern, base)).copied().unwrap_or(newest)
}
