//! What is known of Google's models by their names: one table of what they offer.
//! <https://ai.google.dev/gemini-api/docs/thinking>
//!
//! In: a model's name. Out: `Model`. Names that no row knows are nobody's that we know, and
//! nothing is refused on their behalf.

/// How a model may be asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// In any way.
    Any,
    /// In none.
    No,
    /// With a budget from the least to the most; whether 0 turns thinking off.
    Budget(i64, i64, bool),
    /// On these levels; whether a budget is taken too, as it was before there were levels.
    Levels(&'static [&'static str], bool),
}

/// What a model offers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub(crate) thinking: Thinking,
    /// `systemInstruction`.
    pub(crate) system: bool,
    /// `responseMimeType` of JSON.
    pub(crate) json: bool,
    /// `responseJsonSchema`.
    pub(crate) schema: bool,
    /// Frequency and presence penalty.
    pub(crate) penalties: bool,
}

const OTHER: Model =
    Model { thinking: Thinking::Any, system: true, json: true, schema: true, penalties: true };
const OLD: Model = Model { thinking: Thinking::No, ..OTHER };
const BARE: Model = Model { system: false, json: false, schema: false, ..OLD };
const ALL: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];
const FROM_LOW: &[&str] = &["LOW", "MEDIUM", "HIGH"];

const fn thinks(thinking: Thinking) -> Model {
    Model { thinking, penalties: false, ..OTHER }
}

/// Name prefixes and what is behind them; the first that fits counts.
const MODELS: &[(&str, Model)] = &[
    ("gemini-1.0", BARE),
    ("gemini-1.5", Model { schema: false, ..OLD }),
    ("gemini-2.0", OLD),
    ("gemini-2.5-pro", thinks(Thinking::Budget(128, 32_768, false))),
    ("gemini-2.5-flash-lite", thinks(Thinking::Budget(512, 24_576, true))),
    ("gemini-2.5", thinks(Thinking::Budget(1, 24_576, true))),
    ("gemini-3-pro", thinks(Thinking::Levels(&["LOW", "HIGH"], true))),
    ("gemini-3.1-pro", thinks(Thinking::Levels(FROM_LOW, true))),
    ("gemini-3.7", thinks(Thinking::Levels(FROM_LOW, true))),
    ("gemini-3.8", thinks(Thinking::Levels(FROM_LOW, true))),
    ("gemini-3", thinks(Thinking::Levels(ALL, true))),
    ("gemini-4", thinks(Thinking::Levels(FROM_LOW, false))),
    ("gemma-3", BARE),
];

/// What the model of this name offers.
pub(crate) fn model(name: &str) -> Model {
    let row = MODELS.iter().find(|(prefix, _)| name.starts_with(prefix));
    row.map_or(OTHER, |(_, model)| *model)
}
