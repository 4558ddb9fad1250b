//! The capabilities of Google's models, which are looked up by name prefix.
//! <https://ai.google.dev/gemini-api/docs/thinking>
//!
//! A model whose name matches no prefix accepts all parameters.

use crate::dialects::alias::without_alias;

/// The thinking configuration that a model supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// Every thinking configuration is supported.
    Any,
    /// Thinking is not supported.
    No,
    /// A token budget is supported.
    Budget {
        /// The minimum budget.
        min: i64,
        /// The maximum budget.
        max: i64,
        /// Whether a budget of 0 turns thinking off.
        can_be_off: bool,
    },
    /// A thinking level is supported.
    Levels {
        /// The supported levels.
        levels: &'static [&'static str],
        /// Whether a budget, the predecessor of levels, is also supported.
        accepts_budget: bool,
    },
}

/// The capabilities of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub(crate) thinking: Thinking,
    /// Whether `systemInstruction` is supported.
    pub(crate) system: bool,
    /// Whether replies in JSON are supported (`responseMimeType`).
    pub(crate) json: bool,
    /// Whether `responseJsonSchema` is supported.
    pub(crate) schema: bool,
    /// Whether frequency and presence penalties are supported.
    pub(crate) penalties: bool,
    /// Whether function declarations and replies in JSON are supported in one request.
    pub(crate) json_with_tools: bool,
    /// Whether function declarations are supported.
    pub(crate) tools: bool,
    /// Whether function calls of the current turn must have a signature.
    pub(crate) needs_signatures: bool,
    /// The maximum of `maxOutputTokens`.
    pub(crate) max_output: i64,
    /// Whether a request can continue the reply to another one.
    pub(crate) continues: bool,
}

const OTHER: Model = Model {
    thinking: Thinking::Any,
    system: true,
    json: true,
    schema: true,
    penalties: true,
    json_with_tools: true,
    tools: true,
    needs_signatures: false,
    max_output: 1_048_576,
    continues: true,
};
const OLD: Model = Model {
    thinking: Thinking::No,
    json_with_tools: false,
    max_output: 8192,
    continues: false,
    ..OTHER
};
const BASIC: Model = Model { system: false, json: false, schema: false, ..OLD };
const ALL_LEVELS: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];
const LOW_TO_HIGH: &[&str] = &["LOW", "MEDIUM", "HIGH"];

const fn with_thinking(thinking: Thinking) -> Model {
    Model { thinking, penalties: false, ..OTHER }
}

const fn budget(min: i64, max: i64, can_be_off: bool) -> Model {
    let model = with_thinking(Thinking::Budget { min, max, can_be_off });
    Model { json_with_tools: false, max_output: 65_536, continues: false, ..model }
}

const fn levels(levels: &'static [&'static str], accepts_budget: bool) -> Model {
    let model = with_thinking(Thinking::Levels { levels, accepts_budget });
    // Gemini 4 accepts no budget. Its maximum is that of all continuations together.
    let max_output = if accepts_budget { 65_536 } else { OTHER.max_output };
    Model { needs_signatures: true, max_output, continues: !accepts_budget, ..model }
}

/// Name prefixes, each with the capabilities of the models. The first matching prefix is used.
const MODELS: &[(&str, Model)] = &[
    ("gemini-1.0", BASIC),
    ("gemini-1.5", Model { schema: false, ..OLD }),
    ("gemini-2.0", OLD),
    ("gemini-2.5-pro", budget(128, 32_768, false)),
    ("gemini-2.5-flash-lite", budget(512, 24_576, true)),
    ("gemini-2.5", budget(1, 24_576, true)),
    ("gemini-3-pro", levels(&["LOW", "HIGH"], true)),
    ("gemini-3.1-pro", levels(LOW_TO_HIGH, true)),
    ("gemini-3.7", levels(LOW_TO_HIGH, true)),
    ("gemini-3.8", levels(LOW_TO_HIGH, true)),
    ("gemini-3", levels(ALL_LEVELS, true)),
    ("gemini-4-hydrogen", levels(&["LOW", "MEDIUM", "HIGH", "XHIGH"], false)),
    ("gemini-4", levels(LOW_TO_HIGH, false)),
    ("gemini-flash", levels(LOW_TO_HIGH, true)),
    ("gemma-3", Model { tools: false, ..BASIC }),
];

/// The end of a path that asks for a stream.
pub(crate) const STREAM: &str = ":streamGenerateContent";

/// Returns the model name in a request path, or `None` if the dialect does not serve the path.
pub(crate) fn name_in_path(path: &str) -> Option<&str> {
    let resource = path.strip_prefix("/v1beta/")?;
    let resource = resource.strip_suffix(":generateContent").or(resource.strip_suffix(STREAM))?;
    let name = resource.strip_prefix("models/").or(resource.strip_prefix("tunedModels/"))?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Returns the capabilities of the model with this name.
pub(crate) fn model(name: &str) -> Model {
    let name = without_alias(name);
    let row = MODELS.iter().find(|(prefix, _)| name.starts_with(prefix));
    row.map_or(OTHER, |(_, model)| *model)
}
