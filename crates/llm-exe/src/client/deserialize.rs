//! Deserializes results and the arguments of calls.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// Deserializes a value, which `name` describes.
pub(super) fn deserialize<T: DeserializeOwned>(value: Value, name: &str) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        // serde's message quotes the value, which must not be logged.
        let logged = format!("{name} can't be deserialized into the program's type");
        let message = format!("{logged}: {error}");
        Error::new(ErrorKind::OutputInvalid, message).logged_as(logged)
    })
}
