//! Google's models.

use super::matches;

/// How a Gemini model reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeminiThinking {
    /// It doesn't, and refuses to be asked.
    No,
    /// With a budget of tokens.
    Budget {
        /// The least budget other than none.
        least: u64,
        most: u64,
        /// A budget of 0 turns it off.
        off: bool,
    },
    /// On one of these levels, the least first.
    Levels(&'static [&'static str]),
}

/// What a Gemini model does for JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeminiJson {
    /// `responseJsonSchema`.
    Schema,
    /// `responseMimeType` alone.
    Mode,
    /// Nothing.
    No,
}

/// A Gemini or Gemma model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GeminiModel {
    pub(crate) pattern: &'static str,
    pub(crate) thinking: GeminiThinking,
    pub(crate) json: GeminiJson,
    /// `systemInstruction`.
    pub(crate) system: bool,
    /// Frequency and presence penalty.
    pub(crate) penalties: bool,
    /// Temperature, top_p and top_k have an effect.
    pub(crate) sampling: bool,
}

const ALL: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];
const FROM_LOW: &[&str] = &["LOW", "MEDIUM", "HIGH"];

/// Before there was thinking.
const fn older(pattern: &'static str, json: GeminiJson, system: bool) -> GeminiModel {
    let thinking = GeminiThinking::No;
    GeminiModel { pattern, thinking, json, system, penalties: true, sampling: true }
}

const fn thinks(pattern: &'static str, thinking: GeminiThinking) -> GeminiModel {
    let json = GeminiJson::Schema;
    GeminiModel { pattern, thinking, json, system: true, penalties: false, sampling: true }
}

const fn budget(pattern: &'static str, least: u64, most: u64, off: bool) -> GeminiModel {
    thinks(pattern, GeminiThinking::Budget { least, most, off })
}

const fn levels(pattern: &'static str, levels: &'static [&'static str]) -> GeminiModel {
    thinks(pattern, GeminiThinking::Levels(levels))
}

const NEWEST: GeminiModel = GeminiModel { sampling: false, ..levels("*", FROM_LOW) };

/// From the model pages, the thinking guide, and the tables of `@ai-sdk/google` 3.0.141.
pub(crate) const GEMINI: &[GeminiModel] = &[
    older("gemini-1.0*", GeminiJson::No, false),
    older("gemini-1.5*", GeminiJson::Mode, true),
    older("gemini-2.0*", GeminiJson::Schema, true),
    budget("gemini-2.5-pro*", 128, 32_768, false),
    budget("gemini-2.5-flash-lite*", 512, 24_576, true),
    budget("gemini-2.5*", 1, 24_576, true),
    levels("gemini-3-pro*", &["LOW", "HIGH"]),
    levels("gemini-3-flash*", ALL),
    levels("gemini-3.1-flash-lite*", ALL),
    levels("gemini-3.5*", ALL),
    levels("gemini-3*", FROM_LOW),
    levels("gemini-flash*", FROM_LOW),
    older("gemma-3*", GeminiJson::No, false),
    levels("gemma-4*", &["MINIMAL", "HIGH"]),
    NEWEST,
];

/// The row for a Google model, however it is written: `models/x` is `x`.
pub(crate) fn gemini(model: &str) -> GeminiModel {
    let name = model.rsplit('/').next().unwrap_or(model);
    GEMINI.iter().find(|row| matches(row.pattern, name)).copied().unwrap_or(NEWEST)
}
