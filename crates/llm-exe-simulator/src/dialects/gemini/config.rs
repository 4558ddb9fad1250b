//! What Gemini refuses in `generationConfig`: types, ranges, and what its model lacks.
//!
//! In: the request's body and what its model offers. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, text};
use super::models::Model;
use super::refuse::{broken, invalid, unknown, wrong_type};
use super::{schema, thinking};
use serde_json::Value;

/// The fields of `GenerationConfig` that the Gemini API serves.
const FIELDS: &[&str] = &[
    "candidateCount",
    "enableEnhancedCivicAnswers",
    "frequencyPenalty",
    "imageConfig",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseFormat",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "speechConfig",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
];
/// Name, its name in messages, least and most.
const RANGES: &[(&str, &str, f64, f64)] = &[
    ("temperature", "temperature", 0.0, 2.0),
    ("topP", "top_p", 0.0, 1.0),
    ("frequencyPenalty", "frequency_penalty", -2.0, 2.0),
    ("presencePenalty", "presence_penalty", -2.0, 2.0),
];
/// Name, its name in messages, and the least.
const COUNTS: &[(&str, &str, i32)] = &[
    ("maxOutputTokens", "max_output_tokens", 1),
    ("topK", "top_k", 1),
    ("candidateCount", "candidate_count", 1),
    ("seed", "seed", i32::MIN),
];
const MOST_STOPS: usize = 5;
const MIME_TYPES: &[&str] = &["text/plain", "application/json", "text/x.enum"];

/// Refuses what the service would refuse in `generationConfig`.
pub(crate) fn refuse(body: &Value, model: Model, name: &str) -> Result<(), Refusal> {
    let Some(config) = field(body, "generationConfig") else {
        return Ok(());
    };
    if !config.is_object() {
        let kind = "type.googleapis.com/GenerationConfig";
        return Err(wrong_type("generation_config", kind, config));
    }
    unknown(config, FIELDS, "generation_config")?;
    ranges(config)?;
    counts(config)?;
    stops(config)?;
    let given = |name: &&&str| field(config, name).is_some();
    if !model.penalties && ["frequencyPenalty", "presencePenalty"].iter().any(|it| given(&it)) {
        return Err(invalid(&format!("Penalty is not enabled for models/{name}")));
    }
    thinking::refuse(config, model, name)?;
    form(config, model, name)
}

fn ranges(config: &Value) -> Result<(), Refusal> {
    for (name, shown, least, most) in RANGES {
        let Some(value) = field(config, name) else {
            continue;
        };
        let path = format!("generation_config.{shown}");
        match value.as_f64() {
            None => return Err(wrong_type(&path, "TYPE_FLOAT", value)),
            Some(amount) if !(*least..=*most).contains(&amount) => {
                let rule = format!("{shown} must be in the range [{least:.1}, {most:.1}].");
                return Err(broken(&path, &rule));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn counts(config: &Value) -> Result<(), Refusal> {
    for (name, shown, least) in COUNTS {
        let Some(value) = field(config, name) else {
            continue;
        };
        let path = format!("generation_config.{shown}");
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        match number {
            None => return Err(wrong_type(&path, "TYPE_INT32", value)),
            Some(number) if number < *least => {
                return Err(broken(&path, &format!("{shown} must be positive.")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn stops(config: &Value) -> Result<(), Refusal> {
    let path = "generation_config.stop_sequences";
    match field(config, "stopSequences") {
        None => Ok(()),
        Some(Value::Array(stops)) => {
            if let Some(other) = stops.iter().find(|stop| !stop.is_string()) {
                return Err(wrong_type(path, "TYPE_STRING", other));
            }
            if stops.iter().any(|stop| stop.as_str() == Some("")) {
                return Err(broken(path, "stop sequences must not be empty."));
            }
            match stops.len() > MOST_STOPS {
                true => Err(broken(path, &format!("at most {MOST_STOPS} stop sequences."))),
                false => Ok(()),
            }
        }
        Some(other) => Err(wrong_type(path, "TYPE_STRING", other)),
    }
}

/// `responseMimeType` and the schemas that want it.
fn form(config: &Value, model: Model, name: &str) -> Result<(), Refusal> {
    let path = "generation_config.response_mime_type";
    let media = match field(config, "responseMimeType") {
        None => "text/plain",
        Some(Value::String(media)) => media,
        Some(other) => return Err(wrong_type(path, "TYPE_STRING", other)),
    };
    if !MIME_TYPES.contains(&media) {
        let known = MIME_TYPES.join("`, `");
        return Err(broken(path, &format!("allowed mimetypes are `{known}`.")));
    }
    if media != "text/plain" && !model.json {
        return Err(invalid(&format!("JSON mode is not enabled for models/{name}")));
    }
    let (json, plain) = (field(config, "responseJsonSchema"), field(config, "responseSchema"));
    if json.is_some() && plain.is_some() {
        let message = "Only one of response_schema and response_json_schema may be set.";
        return Err(invalid(message));
    }
    if json.is_none() && plain.is_none() {
        return Ok(());
    }
    if text(config, "responseMimeType").is_none_or(|media| media == "text/plain") {
        let rule = "response_mime_type must be application/json when a schema is set.";
        return Err(broken(path, rule));
    }
    let Some(json) = json else {
        return Ok(());
    };
    let path = "generation_config.response_json_schema";
    if !model.schema {
        return Err(broken(path, "it is not supported for this model."));
    }
    schema::refuse(json).map_err(|reason| broken(path, &reason))
}
