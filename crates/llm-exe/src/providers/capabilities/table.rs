//! The capability tables of the dialects.

use super::describe::{
    Capability, describe_claude, describe_converse, describe_gemini, describe_ollama,
    describe_openai,
};
use super::models::{CLAUDE, CONVERSE, GEMINI, OLLAMA};
use super::rows::OpenAiModel;
use crate::providers::anthropic::models as anthropic;
use crate::providers::bedrock::models::{self as bedrock, Family};
use crate::providers::gemini::models as gemini;
use crate::providers::ollama::models as ollama;
use crate::providers::openai_chat::models as openai_chat;

/// The table with the capabilities of a dialect's models.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelTable(pub(crate) Table);

/// The tables by the type of their rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Table {
    /// No table, because the capabilities are not known.
    #[default]
    Unknown,
    /// A provider's own table of models with an OpenAI-compatible API.
    OpenAi(&'static [OpenAiModel]),
    /// Anthropic's models.
    Claude,
    /// Anthropic's models on Bedrock, which are rows of `Claude`.
    BedrockClaude,
    /// Google's models.
    Gemini,
    /// Ollama's models.
    Ollama,
    /// All models on Bedrock. Anthropic's models are rows of `Claude`.
    Converse,
    /// One family of models on Bedrock, which are rows of `Converse`.
    ConverseFamily,
}

impl ModelTable {
    /// Returns the rows of the table, or no rows if the table of another provider contains them.
    pub(crate) fn rows(self, provider: &'static str) -> Vec<Capability> {
        match self.0 {
            Table::OpenAi(table) => {
                table.iter().map(|row| describe_openai(provider, row)).collect()
            }
            Table::Claude => CLAUDE.iter().map(|row| describe_claude(provider, row)).collect(),
            Table::Gemini => GEMINI.iter().map(|row| describe_gemini(provider, row)).collect(),
            Table::Ollama => OLLAMA.iter().map(|row| describe_ollama(provider, row)).collect(),
            Table::Converse => {
                CONVERSE.iter().map(|row| describe_converse(provider, row)).collect()
            }
            Table::Unknown | Table::BedrockClaude | Table::ConverseFamily => Vec::new(),
        }
    }

    /// Returns the provider whose table contains a model, and the patterns of the matching row.
    pub(crate) fn find_row(
        self,
        provider: &'static str,
        model: &str,
    ) -> (&'static str, &'static str) {
        match self.0 {
            Table::Unknown => (provider, "*"),
            Table::OpenAi(table) => (provider, openai_chat::find_model(table, model).models),
            Table::Claude => (provider, anthropic::find_model(model).models),
            Table::BedrockClaude => ("anthropic", bedrock::find_claude(model).models),
            Table::Gemini => (provider, gemini::find_model(model).models),
            Table::Ollama => (provider, ollama::find_model(model).models),
            Table::Converse | Table::ConverseFamily => match bedrock::find_model(model, "") {
                Family::Claude(row) => ("anthropic", row.models),
                Family::Other(row) => ("amazon", row.models),
            },
        }
    }
}
