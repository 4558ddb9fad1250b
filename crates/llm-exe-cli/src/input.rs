//! Reads requests from files, standard input or URLs.

use std::io::Read;
use std::path::Path;

use llm_exe::hosted::{Format, HostedConfig, MAX_CONFIG_BYTES, Origin};
use llm_exe::{Error, ErrorKind, json};
use llm_exe_events::MAX_BODY_BYTES;
use serde_json::{Map, Value};

/// A request together with the line numbers of its fields in the source file.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) request: Value,
    origin: Origin,
}

impl Input {
    /// Creates the input for a request whose line numbers are not known.
    pub(crate) fn from_value(request: Value) -> Input {
        Input { request, origin: Origin::default() }
    }

    /// Sets a field of the request. Does nothing if the request is not an object, because
    /// validation reports that problem later.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Some(fields) = self.request.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    }

    /// Takes the request, which can be too large for a copy.
    pub(crate) fn take_request(&mut self) -> Value {
        std::mem::take(&mut self.request)
    }

    /// Adds the line numbers of the affected fields to the problems of an error.
    pub(crate) fn label(&self, error: Error) -> Error {
        self.origin.label(error)
    }
}

/// Reads a file, or standard input if the path is `-`. The maximum size is that of a request to the
/// Lambda function.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let max = u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX);
    let result = if path == Path::new("-") {
        std::io::stdin().lock().take(max + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes))
    };
    match result {
        Ok(size) if size > MAX_BODY_BYTES => {
            let name = display_name(path);
            // The size of standard input is not known, because it is not read to its end.
            let file_size = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
            let received = match file_size {
                Some(file) => format!("got {} bytes", file.len()),
                None => format!("got at least {size} bytes"),
            };
            let message =
                format!("{name} is too large: expected at most {MAX_BODY_BYTES} bytes, {received}");
            Err(Error::new(ErrorKind::RequestTooLarge, message))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(Error::invalid(display_name(path), format!("can't be read: {error}"))),
    }
}

/// Returns the name of an input for use in messages.
pub(crate) fn display_name(path: &Path) -> String {
    match hosted_url(path) {
        // Remove the query of the URL, because it can contain a secret.
        Some(url) => url.split('?').next().unwrap_or(url).to_owned(),
        None if path == Path::new("-") => "standard input".to_owned(),
        None => path.display().to_string(),
    }
}

/// Returns the argument if it is a URL, or `None` if it is a file path.
pub(crate) fn hosted_url(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let (scheme, _) = text.split_once("://")?;
    let is_url = ["s3", "https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_url.then_some(text)
}

/// Reads a request. The file extension selects JSON, YAML or Markdown. Standard input and files
/// with an unknown extension are parsed as JSON. A URL becomes a request with only the field `url`.
pub(crate) fn read(path: &Path) -> Result<Input, Error> {
    if let Some(url) = hosted_url(path) {
        let request = Value::Object(Map::from_iter([("url".to_owned(), Value::from(url))]));
        return Ok(Input { request, origin: Origin::default() });
    }
    let body = read_bytes(path)?;
    match config_format(path).filter(|format| *format != Format::Json || is_config(&body)) {
        None => Ok(Input { request: parse_json(path, &body)?, origin: Origin::default() }),
        Some(format) => {
            let config = HostedConfig::parse(&body, format);
            let config =
                config.map_err(|error| Error::invalid(display_name(path), error.to_string()))?;
            let origin = Origin::from_file(&config);
            Ok(Input { request: Value::Object(config.fields), origin })
        }
    }
}

/// Returns whether a JSON file meets the requirements for hosted configs: a JSON object with a
/// limited size. Any other JSON file is parsed as a plain request.
fn is_config(body: &[u8]) -> bool {
    body.len() <= MAX_CONFIG_BYTES && json::parse(body).is_ok_and(|value| value.is_object())
}

/// Returns the format that a file's extension stands for, or `None` if it is not a format of hosted
/// configs.
fn config_format(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let known = ["json", "yaml", "yml", "md", "markdown"];
    let name = path.file_name()?.to_str()?;
    known.contains(&extension.as_str()).then(|| Format::from_name(name))
}

fn parse_json(path: &Path, body: &[u8]) -> Result<Value, Error> {
    json::parse(body).map_err(|error| Error::invalid(display_name(path), error.to_string()))
}
