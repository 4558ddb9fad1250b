//! The types of request bodies, as the vendors' own packages define them.
//!
//! `scripts/vendor-types` writes the JSON Schemas in `data/` from the packages. Each file says
//! which package it is from. A dialect checks a body with one of the constants below and turns the
//! [`Violation`] into the vendor's error. Its other checks may rely on the types.

mod reader;
mod union;
mod violation;

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

pub(crate) use violation::{Accepts, Expected, Limit, Path, Problem, Segment, Violation};

/// OpenAI's Chat Completions.
pub(crate) static OPENAI_CHAT: BodyType =
    BodyType::new(include_str!("../../data/openai-chat.json"));

/// OpenAI's Responses API.
pub(crate) static OPENAI_RESPONSES: BodyType =
    BodyType::new(include_str!("../../data/openai-responses.json"));

/// Anthropic's Messages API.
pub(crate) static ANTHROPIC_MESSAGES: BodyType =
    BodyType::new(include_str!("../../data/anthropic-messages.json"));

/// `generateContent` of the Gemini API.
pub(crate) static GEMINI_GENERATE_CONTENT: BodyType =
    BodyType::new(include_str!("../../data/gemini-generate-content.json"));

/// Ollama's chat API.
pub(crate) static OLLAMA_CHAT: BodyType =
    BodyType::new(include_str!("../../data/ollama-chat.json"));

/// The Converse operation of Amazon Bedrock.
pub(crate) static BEDROCK_CONVERSE: BodyType =
    BodyType::new(include_str!("../../data/bedrock-converse.json"));

/// A type of request bodies. It is compiled when the first body is checked.
pub(crate) struct BodyType {
    json: &'static str,
    compiled: OnceLock<Option<Compiled>>,
}

struct Compiled {
    schema: Value,
    validator: Validator,
}

impl BodyType {
    const fn new(json: &'static str) -> Self {
        Self { json, compiled: OnceLock::new() }
    }

    /// Rejects a body that does not have this type, unless the vendor accepts each violation. The
    /// types have no open objects, but most vendors ignore unknown fields somewhere.
    pub(crate) fn check(&self, body: &Value, accepts: Accepts<'_>) -> Result<(), Box<Violation>> {
        // A test checks that the schemas can be compiled.
        let Some(compiled) = self.compiled() else { return Ok(()) };
        if compiled.validator.is_valid(body) { Ok(()) } else { compiled.explain(body, accepts) }
    }

    /// Checks a body for a vendor to whom a null is the same as no value.
    pub(crate) fn check_without_nulls(
        &self,
        body: &Value,
        accepts: Accepts<'_>,
    ) -> Result<(), Box<Violation>> {
        let Some(compiled) = self.compiled() else { return Ok(()) };
        if compiled.validator.is_valid(body) {
            return Ok(());
        }
        compiled.explain(&without_nulls(body), accepts)
    }

    fn compiled(&self) -> Option<&Compiled> {
        let compile = || {
            let schema: Value = serde_json::from_str(self.json).ok()?;
            let validator = jsonschema::validator_for(&schema).ok()?;
            Some(Compiled { schema, validator })
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

impl Compiled {
    fn explain(&self, body: &Value, accepts: Accepts<'_>) -> Result<(), Box<Violation>> {
        let reader = reader::Reader { schema: &self.schema, body, accepts };
        let violations = reader.read_all(self.validator.iter_errors(body));
        violations.into_iter().min().map_or(Ok(()), |violation| Err(Box::new(violation)))
    }
}

/// Returns a value without the fields that are null.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests;
