//! The capabilities of Google's models.

use crate::glob::matches;

/// How a Gemini model reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeminiThinking {
    /// The model does not reason, and rejects `thinkingConfig`.
    No,
    /// The model reasons within a token budget.
    Budget {
        /// The minimum number of tokens while reasoning is on.
        min: u64,
        /// The maximum number of tokens.
        max: u64,
        /// Whether a budget of 0 turns reasoning off.
        can_be_off: bool,
    },
    /// The model supports these reasoning levels, in ascending order.
    Levels(&'static [&'static str]),
}

/// How a Gemini model supports JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeminiJson {
    /// The model accepts a schema in `responseJsonSchema`.
    Schema,
    /// The model supports JSON through `responseMimeType`, but does not accept a schema.
    Mode,
    /// The model does not support JSON output.
    No,
}

/// The capabilities of a Gemini or Gemma model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GeminiModel {
    /// The pattern for model names, in which `*` matches any string.
    pub(crate) pattern: &'static str,
    /// Whether the model can call tools.
    pub(crate) tools: bool,
    /// How the model reasons.
    pub(crate) thinking: GeminiThinking,
    /// How the model supports JSON output.
    pub(crate) json: GeminiJson,
    /// Whether the model supports `systemInstruction`.
    pub(crate) system: bool,
    /// Whether the model accepts the frequency and presence penalties.
    pub(crate) penalties: bool,
    /// Whether `temperature`, `topP` and `topK` have an effect.
    pub(crate) sampling: bool,
}

impl GeminiModel {
    /// Returns whether the model is of Gemini 3 or later. These models reject calls without a
    /// signature, and accept tools together with a schema.
    pub(crate) fn is_third_generation(self) -> bool {
        let has_levels = matches!(self.thinking, GeminiThinking::Levels(_));
        has_levels && !self.pattern.starts_with("gemma")
    }
}

const ALL_LEVELS: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];
const LOW_TO_HIGH: &[&str] = &["LOW", "MEDIUM", "HIGH"];

const fn without_thinking(pattern: &'static str, json: GeminiJson, system: bool) -> GeminiModel {
    let thinking = GeminiThinking::No;
    GeminiModel { pattern, tools: true, thinking, json, system, penalties: true, sampling: true }
}

const fn with_thinking(pattern: &'static str, thinking: GeminiThinking) -> GeminiModel {
    let model = without_thinking(pattern, GeminiJson::Schema, true);
    GeminiModel { thinking, penalties: false, ..model }
}

const fn budget(pattern: &'static str, min: u64, max: u64, can_be_off: bool) -> GeminiModel {
    with_thinking(pattern, GeminiThinking::Budget { min, max, can_be_off })
}

const fn levels(pattern: &'static str, levels: &'static [&'static str]) -> GeminiModel {
    with_thinking(pattern, GeminiThinking::Levels(levels))
}

const NEWEST: GeminiModel = GeminiModel { sampling: false, ..levels("*", LOW_TO_HIGH) };

/// The capabilities of Google's models. Source: Google's model pages and thinking guide, and the
/// tables in the npm package `@ai-sdk/google` 3.0.141.
pub(crate) const GEMINI: &[GeminiModel] = &[
    without_thinking("gemini-1.0*", GeminiJson::No, false),
    without_thinking("gemini-1.5*", GeminiJson::Mode, true),
    without_thinking("gemini-2.0*", GeminiJson::Schema, true),
    budget("gemini-2.5-pro*", 128, 32_768, false),
    budget("gemini-2.5-flash-lite*", 512, 24_576, true),
    budget("gemini-2.5*", 1, 24_576, true),
    levels("gemini-3-pro*", &["LOW", "HIGH"]),
    levels("gemini-3-flash*", ALL_LEVELS),
    levels("gemini-3.1-flash-lite*", ALL_LEVELS),
    levels("gemini-3.5*", ALL_LEVELS),
    levels("gemini-3*", LOW_TO_HIGH),
    levels("gemini-flash*", LOW_TO_HIGH),
    // "Function calling is not enabled for models/gemma-3-27b-it" (BerriAI/litellm#10313).
    GeminiModel { tools: false, ..without_thinking("gemma-3*", GeminiJson::No, false) },
    levels("gemma-4*", &["MINIMAL", "HIGH"]),
    NEWEST,
];

/// Returns the table row for a Google model. A prefix such as `models/` is ignored.
pub(crate) fn find_model(model: &str) -> GeminiModel {
    let name = model.rsplit('/').next().unwrap_or(model);
    GEMINI.iter().find(|row| matches(row.pattern, name)).copied().unwrap_or(NEWEST)
}
