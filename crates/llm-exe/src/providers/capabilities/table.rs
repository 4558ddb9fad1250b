//! The capability tables of the dialects.

use super::describe::{
    Capability, describe_claude, describe_converse, describe_gemini, describe_ollama,
    describe_openai,
};
use super::model_rows::ModelRows;
use super::models::{CLAUDE, CONVERSE, GEMINI, OLLAMA, OPENAI};
use super::rows::OpenAiModel;
use crate::providers::bedrock::models as bedrock;
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
    OpenAi(&'static ModelRows<[OpenAiModel]>),
    /// Deployments with the names of OpenAI's models, which are rows of its table. Other names can
    /// be any model.
    OpenAiDeployments(&'static ModelRows<[OpenAiModel]>),
    /// OpenAI's models on Bedrock, which are rows of OpenAI's table.
    BedrockOpenAi,
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
            Table::OpenAi(table) => describe_rows(provider, table, describe_openai),
            Table::Claude => describe_rows(provider, CLAUDE, describe_claude),
            Table::Gemini => describe_rows(provider, GEMINI, describe_gemini),
            Table::Ollama => describe_rows(provider, OLLAMA, describe_ollama),
            Table::Converse => describe_rows(provider, CONVERSE, describe_converse),
            Table::Unknown
            | Table::OpenAiDeployments(_)
            | Table::BedrockOpenAi
            | Table::BedrockClaude
            | Table::ConverseFamily => Vec::new(),
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
            Table::OpenAi(table) => {
                (provider, table.patterns_of(table.index(openai_chat::base_model(model))))
            }
            Table::OpenAiDeployments(table) => {
                match table.patterns_of(table.index(openai_chat::base_model(model))) {
                    "*" => (provider, "*"),
                    patterns => ("openai", patterns),
                }
            }
            Table::BedrockOpenAi => {
                ("openai", OPENAI.patterns_of(OPENAI.index(openai_chat::bedrock_name(model))))
            }
            Table::Claude => (provider, CLAUDE.patterns_of(CLAUDE.index(model))),
            Table::Gemini => (provider, GEMINI.patterns_of(GEMINI.index(gemini::base_name(model)))),
            Table::Ollama => (provider, ollama::find_patterns(model)),
            Table::BedrockClaude => bedrock::find_patterns(model, "anthropic."),
            Table::Converse | Table::ConverseFamily => bedrock::find_patterns(model, ""),
        }
    }
}

/// Describes the rows of a table.
fn describe_rows<R: Copy>(
    provider: &'static str,
    table: &ModelRows<[R]>,
    describe: fn(&'static str, &'static str, &R) -> Capability,
) -> Vec<Capability> {
    table.iter().map(|(patterns, row)| describe(provider, patterns, row)).collect()
}
