//! What Converse refuses in `inferenceConfig`, `outputConfig` and `additionalModelRequestFields`,
//! and, for Anthropic's models, what Anthropic refuses behind it.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>
//!
//! In: the request's body and what its model takes. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::anthropic::{refuse as anthropic, schema};
use super::super::check::{field, list, text, unknown_key};
use super::messages::{member, unknown_field};
use super::models::{Maker, Served};
use super::{constraint, extraneous, invalid, required, unsupported};
use serde_json::{Value, json};

const FIELDS: &[&str] = &["maxTokens", "temperature", "topP", "stopSequences"];
const MOST_STOPS: usize = 2500;

/// Refuses what the service would refuse.
pub(super) fn refuse(body: &Value, model: Served<'_>) -> Result<(), Refusal> {
    if let Some(config) = field(body, "inferenceConfig") {
        inference(config, model)?;
    }
    if let Some(config) = field(body, "outputConfig") {
        output(config, model)?;
    }
    if let Some(fields) = field(body, "additionalModelRequestFields") {
        additional(fields, model)?;
    }
    claude(body, model)
}

fn inference(config: &Value, model: Served<'_>) -> Result<(), Refusal> {
    if let Some(unknown) = unknown_key(config, FIELDS) {
        return Err(unknown_field("inferenceConfig", unknown));
    }
    if let Some(most) = field(config, "maxTokens")
        && most.as_i64().is_none_or(|most| most < 1)
    {
        let rule = "Member must have value greater than or equal to 1";
        return Err(constraint(&most.to_string(), "inferenceConfig.maxTokens", rule));
    }
    for name in ["temperature", "topP"] {
        if let Some(value) = field(config, name)
            && !value.as_f64().is_some_and(|value| (0.0..=1.0).contains(&value))
        {
            let rule = "Member must have value between 0 and 1";
            return Err(constraint(&value.to_string(), &format!("inferenceConfig.{name}"), rule));
        }
    }
    let stops = list(config, "stopSequences");
    if stops.len() > MOST_STOPS || stops.iter().any(|stop| stop.as_str().is_none_or(str::is_empty))
    {
        let rule = "Member must have length greater than or equal to 1";
        return Err(constraint("", "inferenceConfig.stopSequences", rule));
    }
    match model.refuses_stop() && !stops.is_empty() {
        true => Err(unsupported("stopSequences")),
        false => Ok(()),
    }
}

fn output(config: &Value, model: Served<'_>) -> Result<(), Refusal> {
    if let Some(unknown) = unknown_key(config, &["textFormat", "effort"]) {
        return Err(unknown_field("outputConfig", unknown));
    }
    let Some(format) = field(config, "textFormat") else {
        return Ok(());
    };
    let path = "outputConfig.textFormat";
    if text(format, "type") != Some("json_schema") {
        let rule = "Member must satisfy enum value set: [json_schema]";
        return Err(constraint("null", &format!("{path}.type"), rule));
    }
    let Some(structure) = field(format, "structure") else {
        return Err(required(&format!("{path}.structure")));
    };
    member(structure, &["jsonSchema"], &format!("{path}.structure"))?;
    if model.refuses_format() {
        return Err(unsupported("outputConfig.textFormat"));
    }
    match written_schema(structure) {
        Some(schema) => schema::refuse(&schema).map_err(|why| invalid(&format!("{path}: {why}"))),
        None => Err(invalid(&format!("{path}.structure.jsonSchema.schema: not JSON text"))),
    }
}

/// The schema, which is JSON in a string.
fn written_schema(structure: &Value) -> Option<Value> {
    let schema = structure.pointer("/jsonSchema/schema")?.as_str()?;
    serde_json::from_str(schema).ok().filter(Value::is_object)
}

/// The schema that a body asks for.
pub(super) fn schema_of(body: &Value) -> Option<Value> {
    written_schema(body.pointer("/outputConfig/textFormat/structure")?)
}

fn additional(fields: &Value, model: Served<'_>) -> Result<(), Refusal> {
    let known: &[&str] = match model.maker {
        Maker::Nova => &["inferenceConfig", "reasoningConfig"],
        Maker::Llama | Maker::Titan | Maker::DeepSeek | Maker::Qwen => &[],
        Maker::GptOss => &["reasoning_effort"],
        Maker::Claude => &["top_k", "thinking", "output_config", "anthropic_beta"],
        Maker::Cohere | Maker::Mistral | Maker::Ai21 | Maker::Unknown => return Ok(()),
    };
    if let Some(key) = unknown_key(fields, known) {
        return Err(extraneous("", key));
    }
    let nested = field(fields, "inferenceConfig");
    match nested.and_then(|nested| unknown_key(nested, &["topK"])) {
        Some(key) => Err(extraneous("/inferenceConfig", key)),
        None => Ok(()),
    }
}

/// What Converse makes of the body for Anthropic is refused as Anthropic refuses it.
fn claude(body: &Value, model: Served<'_>) -> Result<(), Refusal> {
    let Some(claude) = model.claude() else {
        return Ok(());
    };
    let role = |message: &Value| json!({"role": message.get("role"), "content": "x"});
    let messages: Vec<Value> = list(body, "messages").iter().map(role).collect();
    let mut asked = json!({"max_tokens": 4096, "messages": messages});
    let config = field(body, "inferenceConfig").cloned().unwrap_or_default();
    for (here, theirs) in [
        ("maxTokens", "max_tokens"),
        ("temperature", "temperature"),
        ("topP", "top_p"),
        ("stopSequences", "stop_sequences"),
    ] {
        if let Some(value) = field(&config, here) {
            asked[theirs] = value.clone();
        }
    }
    for name in ["top_k", "thinking", "output_config"] {
        let fields = field(body, "additionalModelRequestFields");
        if let Some(value) = fields.and_then(|fields| field(fields, name)) {
            asked[name] = value.clone();
        }
    }
    let choice = body.pointer("/toolConfig/toolChoice");
    if choice.is_some_and(|choice| field(choice, "auto").is_none()) {
        asked["tools"] = json!([{"name": "x", "input_schema": {"type": "object"}}]);
        asked["tool_choice"] = json!({"type": "any"});
    }
    anthropic::carried(&asked, claude).map_err(|refusal| {
        let message = refusal.body.pointer("/error/message").and_then(Value::as_str);
        let told = message.unwrap_or_default();
        invalid(&format!("The model returned the following errors: {told}"))
    })
}
