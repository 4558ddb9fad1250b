//! Reads requests from files, standard input or URLs. All text can be in UTF-8 or UTF-16.

use std::io::Read;
use std::path::Path;

use llm_exe::hosted::{Format, HostedConfig, MAX_CONFIG_BYTES, Origin, decode_text};
use llm_exe::{Error, ErrorKind, Problem, json};
use llm_exe_events::MAX_BODY_BYTES;
use serde_json::{Map, Value};

/// A request together with the line numbers of its fields in the source file.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) request: Value,
    /// Warnings about the file.
    pub(crate) warnings: Vec<String>,
    origin: Origin,
    /// A problem that explains errors about missing fields, if the format of the input was guessed.
    guessed_format: Option<Problem>,
}

impl Input {
    /// Sets a field of the request. Does nothing if the request is not an object, because
    /// validation reports that problem later.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Some(fields) = self.request.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
        if matches!(name, "provider" | "model") {
            self.guessed_format = None;
        }
    }

    /// Takes the request, which can be too large for a copy.
    pub(crate) fn take_request(&mut self) -> Value {
        std::mem::take(&mut self.request)
    }

    /// Adds the line numbers of the affected fields to the problems of an error. If the format of
    /// the input was guessed and a request needs more fields, adds the formats as another problem.
    pub(crate) fn label(&self, error: Error) -> Error {
        let error = self.origin.label(error);
        let is_named = |problem: &Problem| matches!(problem.path.as_str(), "provider" | "model");
        match &self.guessed_format {
            Some(problem) if error.problems().iter().any(is_named) => {
                let problems = [std::slice::from_ref(problem), error.problems()].concat();
                Error::from_problems(problems)
            }
            _ => error,
        }
    }
}

impl From<Value> for Input {
    fn from(request: Value) -> Input {
        let origin = Origin::default();
        Input { request, warnings: Vec::new(), origin, guessed_format: None }
    }
}

/// Reads a file, or standard input if the path is `-`, as text in UTF-8 or UTF-16.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = read_bytes(path)?;
    let text = decode_text(&bytes, MAX_BODY_BYTES)
        .map_err(|error| Error::invalid(display_name(path), error.to_string()))?;
    if text.trim().is_empty() {
        let name = display_name(path);
        return Err(Error::invalid("", format!("{name} is empty; expected a request")));
    }
    Ok(text.into_owned())
}

/// Reads a file, or standard input if the path is `-`. The maximum size is that of a request to the
/// Lambda function.
fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
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

/// Reads a request. The format of a file depends on its name and content, as for hosted configs,
/// and the format of standard input on its content. A URL becomes a request with only the field
/// `url`.
pub(crate) fn read(path: &Path) -> Result<Input, Error> {
    if let Some(url) = hosted_url(path) {
        let request = Value::Object(Map::from_iter([("url".to_owned(), Value::from(url))]));
        return Ok(Input::from(request));
    }
    let text = read_text(path)?;
    let name = if path == Path::new("-") { "" } else { path.to_str().unwrap_or_default() };
    let format = Format::detect(name, &text);
    if format == Format::Json && !is_config(&text) {
        return Ok(Input::from(parse_json(path, &text)?));
    }
    let config = HostedConfig::parse_text(&text, format)
        .map_err(|error| Error::invalid(display_name(path), error.to_string()))?;
    let is_guessed = format == Format::Markdown
        && Format::from_extension(name).is_none()
        && !config.fields.contains_key("provider");
    let guessed_format = is_guessed.then(|| {
        let message = "read as a prompt in Markdown, because it is neither JSON (which begins with \
                       {\") nor YAML (which has a field `provider` and no other text)";
        Problem::request(display_name(path), message)
    });
    let origin = Origin::from_file(&config);
    let HostedConfig { fields, warnings, .. } = config;
    Ok(Input { request: Value::Object(fields), warnings, origin, guessed_format })
}

/// Returns whether a JSON file meets the requirements for hosted configs: a JSON object with a
/// limited size. Any other JSON file is parsed as a plain request.
fn is_config(text: &str) -> bool {
    text.len() <= MAX_CONFIG_BYTES
        && json::parse(text.as_bytes()).is_ok_and(|value| value.is_object())
}

fn parse_json(path: &Path, text: &str) -> Result<Value, Error> {
    json::parse(text.as_bytes())
        .map_err(|error| Error::invalid(display_name(path), error.to_string()))
}
