//! Reads requests from files, standard input or URLs. All text can be in UTF-8 or UTF-16.

use std::io::Read;
use std::path::Path;

use llm_exe::hosted::{Format, HostedConfig, MAX_CONFIG_BYTES, Origin, decode_text};
use llm_exe::{Error, ErrorKind, Problem, json};
use llm_exe_events::{Invocation, MAX_BODY_BYTES};
use serde_json::{Map, Value};

use crate::input_error::InputError;
use crate::input_name::hosted_url;

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

/// Reads a file, or standard input if the path is `-`, as text in UTF-8 or UTF-16. The error for an
/// empty file names what is `expected`.
pub(crate) fn read_text(path: &Path, expected: &str) -> Result<String, InputError> {
    let bytes = read_bytes(path)?;
    let text = decode_text(&bytes, MAX_BODY_BYTES)
        .map_err(|error| InputError::in_file(path, error.to_string()))?;
    if text.trim().is_empty() {
        return Err(InputError::in_file(path, format!("is empty; expected {expected}")));
    }
    Ok(text.into_owned())
}

/// Reads a file, or standard input if the path is `-`. The maximum size is that of a request to the
/// Lambda function.
fn read_bytes(path: &Path) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    let max = u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX);
    let result = if path == Path::new("-") {
        std::io::stdin().lock().take(max + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes))
    };
    match result {
        Ok(size) if size > MAX_BODY_BYTES => {
            // The size of standard input is not known, because it is not read to its end.
            let file_size = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
            let received = match file_size {
                Some(file) => format!("got {} bytes", file.len()),
                None => format!("got at least {size} bytes"),
            };
            let size = format!("is too large: expected at most {MAX_BODY_BYTES} bytes, {received}");
            Err(InputError::of_kind(ErrorKind::RequestTooLarge, path, size))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(InputError::in_file(path, format!("can't be read: {error}"))),
    }
}

/// Reads a request. The format of a file depends on its name and content, as for hosted configs,
/// and the format of standard input on its content. A URL becomes a request with only the field
/// `url`.
pub(crate) fn read(path: &Path) -> Result<Input, InputError> {
    let text = read_text_or_url(path)?;
    let has_lines = |text: &&String| text.trim().contains('\n') && is_jsonl(path, text);
    if text.as_ref().filter(has_lines).is_some() {
        let message = "this file has a request in each line; use `validate`, or pass a file with \
                       one request";
        return Err(InputError::in_file(path, message));
    }
    parse(path, text)
}

/// Reads a file or standard input as text. Returns `None` for a URL.
pub(crate) fn read_text_or_url(path: &Path) -> Result<Option<String>, InputError> {
    if hosted_url(path).is_some() { Ok(None) } else { read_text(path, "a request").map(Some) }
}

/// Parses the text of a file. Without a text, the path is a URL, and the request points to it.
pub(crate) fn parse(path: &Path, text: Option<String>) -> Result<Input, InputError> {
    let Some(text) = text else {
        let url = hosted_url(path).unwrap_or_default();
        let request = Value::Object(Map::from_iter([("url".to_owned(), Value::from(url))]));
        return Ok(Input::from(request));
    };
    let name = if path == Path::new("-") { "" } else { path.to_str().unwrap_or_default() };
    let format = Format::detect(name, &text);
    if format == Format::Json && !is_config(&text) {
        return Ok(Input::from(parse_json(path, &text)?));
    }
    let config = HostedConfig::parse_text(&text, format)
        .map_err(|error| InputError::in_file(path, error.to_string()))?;
    let is_guessed = format == Format::Markdown
        && Format::from_extension(name).is_none()
        && !config.fields.contains_key("provider");
    let guessed_format = is_guessed.then(|| {
        let message = "the text was read as a prompt in Markdown, because it is neither JSON \
                       (which begins with {\") nor YAML (which has a field `provider` and no \
                       other text)";
        Problem::request("", message)
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

fn parse_json(path: &Path, text: &str) -> Result<Value, InputError> {
    json::parse(text.as_bytes()).map_err(|error| InputError::in_file(path, error.to_string()))
}

/// Returns why a JSON document is not a request, if it is an event or another known kind of
/// document.
pub(crate) fn reason_not_a_request(document: &Value) -> Option<String> {
    let is_state_machine = ["StartAt", "States"].iter().all(|name| document.get(name).is_some());
    if is_state_machine {
        return Some("this is a state machine, not a request".to_owned());
    }
    let source = llm_exe_events::detect(document);
    match source.name() {
        "direct" => None,
        // The error names the service, or says what is missing.
        "unsupported" => {
            let reason = |document: Value| {
                let records = source.records(document, &Invocation::default());
                records.err().map(|error| error.message().to_owned())
            };
            let reason_for_document = reason(document.clone());
            // For a list that is not an event, the error names the lists that are one.
            if document.is_array() && reason_for_document == reason(Value::Array(Vec::new())) {
                return Some("expected a request (a JSON object), got a list".to_owned());
            }
            reason_for_document
        }
        name => {
            Some(format!("this is an event ({name}), not a request; use invoke --event to run it"))
        }
    }
}

/// Returns whether a text has a request in each line. Without a known extension, every line must
/// begin with `{`, and at least one line must be complete JSON.
pub(crate) fn is_jsonl(path: &Path, text: &str) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if extension == "jsonl" {
        return true;
    }
    let name = path.to_str().unwrap_or_default();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    Format::from_extension(name).is_none()
        && lines.clone().nth(1).is_some()
        && lines.clone().all(|line| line.trim_start().starts_with('{'))
        && lines.any(|line| json::parse(line.as_bytes()).is_ok())
}
