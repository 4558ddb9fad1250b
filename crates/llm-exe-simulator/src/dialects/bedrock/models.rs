//! What is known of the models behind Converse by their ids.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>
//!
//! In: an id, however it is prefixed. Out: `Served`. An id that names no maker we know refuses
//! nothing.

use super::super::anthropic::models::{self, Model};

/// A model behind Converse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Claude,
    Nova,
    Titan,
    Llama,
    Mistral,
    Cohere,
    Ai21,
    DeepSeek,
    GptOss,
    Qwen,
    Unknown,
}

/// Where a maker's models begin, in ids.
const MAKERS: &[(&str, Maker)] = &[
    ("anthropic.", Maker::Claude),
    ("amazon.nova", Maker::Nova),
    ("amazon.titan", Maker::Titan),
    ("meta.llama", Maker::Llama),
    ("mistral.", Maker::Mistral),
    ("cohere.", Maker::Cohere),
    ("ai21.", Maker::Ai21),
    ("deepseek.", Maker::DeepSeek),
    ("openai.gpt-oss", Maker::GptOss),
    ("qwen.", Maker::Qwen),
];

/// What a model takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served<'a> {
    pub(super) id: &'a str,
    pub(super) maker: Maker,
}

pub(super) fn served(id: &str) -> Served<'_> {
    let of = |(beginning, _): &&(&str, Maker)| id.contains(beginning);
    let maker = MAKERS.iter().find(of).map_or(Maker::Unknown, |(_, maker)| *maker);
    Served { id, maker }
}

impl Served<'_> {
    /// What Anthropic's own rules are about.
    pub(super) fn claude(self) -> Option<Model> {
        (self.maker == Maker::Claude).then(|| models::model(self.id))
    }

    fn is(self, names: &[&str]) -> bool {
        names.iter().any(|name| self.id.contains(name))
    }

    pub(super) fn refuses_system(self) -> bool {
        self.maker == Maker::Titan
            || self.is(&["mistral.mistral-7b", "mistral.mixtral", "cohere.command-text", "ai21.j2"])
    }

    pub(super) fn refuses_stop(self) -> bool {
        matches!(self.maker, Maker::Titan | Maker::GptOss | Maker::Qwen)
    }

    pub(super) fn refuses_any(self) -> bool {
        let large = self.is(&["mistral-large", "pixtral-large"]);
        let r1 = self.is(&["deepseek.r1"]);
        match self.maker {
            Maker::Claude | Maker::Nova | Maker::Unknown => false,
            Maker::Mistral => !large,
            Maker::DeepSeek => r1,
            _ => true,
        }
    }

    /// Only Anthropic's and Amazon's own models can be forced to one tool of several.
    pub(super) fn refuses_tool(self) -> bool {
        !matches!(self.maker, Maker::Claude | Maker::Nova | Maker::Unknown)
    }

    pub(super) fn refuses_format(self) -> bool {
        match self.maker {
            Maker::Claude => !self.is(&["opus-4-5", "opus-4-6", "sonnet-4-5", "haiku-4-5"]),
            Maker::Mistral => !self.is(&["mistral-large-3"]),
            Maker::DeepSeek => self.is(&["deepseek.r1"]),
            Maker::GptOss | Maker::Qwen | Maker::Unknown => false,
            _ => true,
        }
    }
}
