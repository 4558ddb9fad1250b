//! How the requests of a conversation are sent. The messages depend on it, so a conversation that
//! another process continues is sent in the same form.

use serde::{Deserialize, Serialize};

use crate::chat::Structure;

/// The target of a conversation that has started, and how its requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestForm {
    /// The index of the target: 0 is that of the request, and its fallbacks follow.
    pub(crate) target: usize,
    pub(crate) structure: StructureMethod,
    /// Whether the requests are sent to the Responses API of a provider that also has chat
    /// completions.
    pub(crate) is_responses: bool,
}

/// The method of a [`Structure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum StructureMethod {
    Free,
    Strict,
    Loose,
    ForcedTool,
    JsonMode,
    PromptOnly,
}

impl StructureMethod {
    pub(crate) fn of(structure: &Structure) -> Self {
        match structure {
            Structure::Free => StructureMethod::Free,
            Structure::Native { strict: true, .. } => StructureMethod::Strict,
            Structure::Native { strict: false, .. } => StructureMethod::Loose,
            Structure::ForcedTool { .. } => StructureMethod::ForcedTool,
            Structure::JsonMode => StructureMethod::JsonMode,
            Structure::PromptOnly => StructureMethod::PromptOnly,
        }
    }
}
