//! Reading requests: from a file, standard input or a hosted place, with `data` from the command
//! line put in.

use std::io::Read;
use std::path::Path;

use llm_exe::hosted::{Format, HostedConfig, MAX_CONFIG_BYTES, Origin, merge};
use llm_exe::{Error, json};
use serde_json::{Map, Value};

use crate::args::Source;

/// A request, and where in its file its fields are.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) request: Value,
    origin: Origin,
}

impl Input {
    /// Sets a field of the request; what is not an object is left to the request's own check.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Some(fields) = self.request.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    }

    /// An error with the file's lines at its problems.
    pub(crate) fn label(&self, error: Error) -> Error {
        self.origin.label(error)
    }
}

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
    match hosted(path) {
        // A query may hold a secret.
        Some(url) => url.split('?').next().unwrap_or(url).to_owned(),
        None if path == Path::new("-") => "standard input".to_owned(),
        None => path.display().to_string(),
    }
}

/// A URL in a file's place.
pub(crate) fn hosted(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let (scheme, _) = text.split_once("://")?;
    ["s3", "https", "http"].iter().any(|one| scheme.eq_ignore_ascii_case(one)).then_some(text)
}

/// The request in a file: JSON, YAML or Markdown by its extension; standard input and a file
/// without one that is known are JSON. A URL is the request that points to it.
pub(crate) fn read(path: &Path) -> Result<Input, Error> {
    if let Some(url) = hosted(path) {
        let request = Value::Object(Map::from_iter([("url".to_owned(), Value::from(url))]));
        return Ok(Input { request, origin: Origin::default() });
    }
    let body = bytes(path)?;
    match format(path).filter(|format| *format != Format::Json || is_config(&body)) {
        None => Ok(Input { request: parsed(path, &body)?, origin: Origin::default() }),
        Some(format) => {
            let config = HostedConfig::parse(&body, format);
            let config = config.map_err(|fault| Error::invalid(shown(path), fault.to_string()))?;
            let origin = Origin::from_file(&config);
            Ok(Input { request: Value::Object(config.fields), origin })
        }
    }
}

/// Whether a JSON file can be a hosted config; else it is a request, whose body may be larger.
fn is_config(body: &[u8]) -> bool {
    body.len() <= MAX_CONFIG_BYTES && json::parse(body).is_ok_and(|value| value.is_object())
}

/// The format of a file that is read as a hosted config is.
fn format(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let known = ["json", "yaml", "yml", "md", "markdown"];
    let name = path.file_name()?.to_str()?;
    known.contains(&extension.as_str()).then(|| Format::from_name(name))
}

/// The JSON value in a file.
fn parsed(path: &Path, body: &[u8]) -> Result<Value, Error> {
    json::parse(body).map_err(|fault| Error::invalid(shown(path), fault.to_string()))
}

/// A request with the command line's data in it.
pub(crate) fn request(source: &Source) -> Result<Input, Error> {
    let mut input = read(&source.file)?;
    let added = added_data(source)?;
    if added.is_empty() {
        return Ok(input);
    }
    match input.request {
        Value::Object(fields) => {
            let data = Map::from_iter([("data".to_owned(), Value::Object(added))]);
            // What is wrong with the file's own data is left to the request's check.
            let odd = fields.get("data").is_some_and(|data| !data.is_object() && !data.is_null());
            let layers = if odd { vec![fields] } else { vec![fields, data] };
            input.request = Value::Object(merge(layers));
        }
        other => input.request = other,
    }
    Ok(input)
}

fn added_data(source: &Source) -> Result<Map<String, Value>, Error> {
    let mut added = Map::new();
    if let Some(path) = &source.data_file {
        match parsed(path, &bytes(path)?)? {
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
    Ok(added)
}
