//! Reading requests: from a file or standard input, with `data` from the command line put in.

use std::io::Read;
use std::path::Path;

use llm_exe::{Error, json};
use serde_json::{Map, Value};

use crate::args::Source;

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Error::invalid(shown(path), format!("can't be read: {error}"))),
    }
}

/// A path as messages name it.
pub(crate) fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// A JSON value of a file.
pub(crate) fn value(path: &Path) -> Result<Value, Error> {
    json::parse(&bytes(path)?).map_err(|fault| Error::invalid(shown(path), fault.to_string()))
}

/// A request with the command line's data in it. What is not an object is left to the request's
/// own check.
pub(crate) fn request(source: &Source) -> Result<Value, Error> {
    let mut request = value(&source.file)?;
    let mut added = Map::new();
    if let Some(path) = &source.data_file {
        match value(path)? {
            Value::Object(fields) => added.extend(fields),
            other => {
                let text = format!("expected a JSON object, got {}", json::shown(&other));
                return Err(Error::invalid(shown(path), text));
            }
        }
    }
    for pair in &source.data {
        let Some((name, text)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let text = format!("expected name=value, got {}", json::quoted(pair));
            return Err(Error::invalid("--data", text));
        };
        let read = json::parse(text.as_bytes());
        added.insert(name.to_owned(), read.unwrap_or_else(|_| Value::from(text)));
    }
    if added.is_empty() {
        return Ok(request);
    }
    if let Some(fields) = request.as_object_mut() {
        let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
        if data.is_null() {
            *data = Value::Object(Map::new());
        }
        if let Some(data) = data.as_object_mut() {
            data.extend(added);
        }
    }
    Ok(request)
}

/// Sets a field of a request; what is not an object is left to the request's own check.
pub(crate) fn set(request: &mut Value, name: &str, value: Value) {
    if let Some(fields) = request.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
