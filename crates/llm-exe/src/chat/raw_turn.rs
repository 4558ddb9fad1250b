//! An assistant turn in the format of the provider that sent it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::json::describe_error;

/// An assistant turn exactly as its dialect will send it back: reasoning, signatures and unknown
/// fields, all in order and byte for byte.
///
/// It is sent back only if the request has the same dialect and model. Any other request is built
/// from the parts of the message.
///
/// In JSON, `json` is a string, so that no JSON writer on the way can change it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RawTurn {
    /// The name of the dialect.
    pub dialect: String,
    /// The model name of the request, which may be an alias of the model that replied.
    pub model: String,
    /// A JSON object, as an item of the list of messages in the body of a request.
    #[serde(serialize_with = "serialize_text", deserialize_with = "deserialize_text")]
    pub json: Box<RawValue>,
}

impl RawTurn {
    /// Creates a turn from its JSON object.
    pub fn new(dialect: &str, model: &str, json: Box<RawValue>) -> Self {
        RawTurn { dialect: dialect.to_owned(), model: model.to_owned(), json }
    }

    /// Returns whether the turn may be sent to this model in this dialect.
    pub fn fits(&self, dialect: &str, model: &str) -> bool {
        self.dialect == dialect && self.model == model
    }
}

impl PartialEq for RawTurn {
    fn eq(&self, other: &Self) -> bool {
        self.fits(&other.dialect, &other.model) && self.json.get() == other.json.get()
    }
}

impl Eq for RawTurn {}

fn serialize_text<S: Serializer>(json: &RawValue, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(json.get())
}

fn deserialize_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<RawValue>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !text.trim_start().starts_with('{') {
        return Err(de::Error::custom("json: expected the text of a JSON object"));
    }
    RawValue::from_string(text)
        .map_err(|error| de::Error::custom(format!("json: {}", describe_error(&error))))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::RawTurn;

    #[test]
    fn every_byte_survives_another_json_writer() {
        let json = r#"{ "b":1.0,"a" : 1e2, "text":"caf\u00e9 \/", "big":12345678901234567890123 }"#;
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        let turn = RawTurn::new("anthropic", "claude", raw);
        let written = serde_json::to_value(&turn).unwrap();
        assert_eq!(written["json"], json);
        let read: RawTurn = serde_json::from_str(&written.to_string()).unwrap();
        assert_eq!((read.json.get(), &read), (json, &turn));
    }

    #[test]
    fn text_that_is_not_a_json_object_is_rejected() {
        for (json, expected) in [
            (r#""{}} ""#, "json: unexpected text after the value"),
            (r#""[]""#, "json: expected the text of a JSON object"),
            (r#""""#, "json: expected the text of a JSON object"),
            ("{}", "expected a string"),
        ] {
            let text = format!(r#"{{"dialect":"a","model":"b","json":{json}}}"#);
            let error = serde_json::from_str::<RawTurn>(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn turn_fits_only_its_dialect_and_model() {
        let turn = RawTurn::new("openai", "gpt-4o", RawValue::from_string("{}".into()).unwrap());
        assert!(turn.fits("openai", "gpt-4o"));
        assert!(!turn.fits("openai", "gpt-4o-mini"));
        assert!(!turn.fits("anthropic", "gpt-4o"));
    }
}
