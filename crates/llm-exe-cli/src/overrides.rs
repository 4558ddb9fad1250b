//! Applies the arguments that change a request: the model, the output, fields and template data.

use std::path::Path;
use std::sync::Arc;

use llm_exe::hosted::{Format, HostedConfig, merge};
use llm_exe::{Plan, Providers, json, prompt::Limits, suggestion};
use serde_json::{Map, Value};

use crate::args::Source;
use crate::input::{self, Input};
use crate::input_error::InputError;

/// Maximum number of names whose use is checked. Each check renders the prompt twice.
const MAX_CHECKED_NAMES: usize = 20;

/// A text that no template expects, as the value of a variable whose use is checked.
const PROBE: &str = "7d1f0c9a";

/// Reads a request and applies the arguments to it.
pub(crate) fn read_request(source: &Source, providers: &Providers) -> Result<Input, InputError> {
    check_standard_input(source)?;
    let mut input = input::read(&source.file)?;
    if let Some(reason) = input::reason_not_a_request(&input.request) {
        return Err(InputError::in_file(&source.file, reason));
    }
    let Value::Object(mut fields) = input.request else {
        return Ok(input);
    };
    let layer = replaced_fields(source, fields.get("provider"), providers)?;
    if !layer.is_empty() {
        fields = merge([fields, layer]);
    }
    input.request = Value::Object(fields);
    for argument in &source.set {
        let (name, value) = parse_assignment("--set", argument)?;
        set_path(&mut input.request, "--set", name, value)?;
    }
    add_data(&mut input.request, source)?;
    Ok(input)
}

/// Returns the fields that `--model` and `--output` replace in a request with this provider.
///
/// # Errors
/// `InvalidRequest` if the part of `--model` before a colon is similar to the name of a provider.
fn replaced_fields(
    source: &Source,
    current: Option<&Value>,
    providers: &Providers,
) -> Result<Map<String, Value>, InputError> {
    let mut layer = Map::new();
    if let Some(name) = &source.model {
        let names: Vec<String> =
            providers.all().map(|provider| provider.name().to_owned()).collect();
        let matching = names.iter().filter(|provider| {
            name.strip_prefix(provider.as_str()).is_some_and(|rest| rest.starts_with(':'))
        });
        // The name of a provider can begin with that of another one: amazon, amazon:nova.
        let provider = matching.max_by_key(|provider| provider.len());
        // Models can have a colon in their names, such as `ft:gpt-4o:acme` and `deepseek-r1:7b`.
        // Ollama's models have tags, such as `gemma:2b` and `mistral:instruct`.
        let has_digit = |prefix: &str| prefix.contains(|c: char| c.is_ascii_digit());
        let is_tag =
            |rest: &str| rest == "latest" || rest.starts_with(|c: char| c.is_ascii_digit());
        let is_model = |(prefix, rest): &(&str, &str)| has_digit(prefix) || is_tag(rest);
        let has_tags = current.and_then(Value::as_str) == Some("ollama");
        let unknown = name.split_once(':').filter(|_| provider.is_none() && !has_tags);
        if let Some((prefix, _)) = unknown.filter(|parts| !is_model(parts)) {
            let hint = suggestion(prefix, &names);
            if !hint.is_empty() {
                let message = format!("unknown provider {}{hint}", json::quoted(prefix));
                return Err(InputError::in_argument("--model", message));
            }
        }
        let prefix = provider.as_ref().map_or(0, |provider| provider.len() + 1);
        if let Some(provider) = provider {
            layer.insert("provider".to_owned(), Value::from(provider.as_str()));
        }
        let model = name.get(prefix..).unwrap_or_default();
        layer.insert("model".to_owned(), Value::from(model));
    }
    if let Some(output) = &source.output {
        layer.insert("output".to_owned(), Value::from(output.as_str()));
    }
    Ok(layer)
}

/// Merges the data files, and then the names of `--data`, into the request's `data`.
fn add_data(request: &mut Value, source: &Source) -> Result<(), InputError> {
    let mut data = Map::new();
    for path in &source.data_file {
        data.extend(read_object(path)?);
    }
    if data.is_empty() && source.data.is_empty() {
        return Ok(());
    }
    let Some(fields) = request.as_object_mut() else { return Ok(()) };
    let own = fields.entry("data").or_insert(Value::Null);
    match own {
        Value::Object(own) => own.extend(data),
        Value::Null => *own = Value::Object(data),
        // Do not replace a `data` field of the wrong type, so that validation reports it.
        _ => return Ok(()),
    }
    for argument in &source.data {
        let (name, value) = parse_assignment("--data", argument)?;
        set_path(own, "--data", name, value)?;
    }
    Ok(())
}

/// Rejects arguments that read standard input more than once.
fn check_standard_input(source: &Source) -> Result<(), InputError> {
    let is_stdin = |path: &Path| path == Path::new("-");
    let mut users = Vec::new();
    if is_stdin(&source.file) {
        users.push("FILE".to_owned());
    }
    let data_files = source.data_file.iter().filter(|path| is_stdin(path));
    users.extend(data_files.map(|_| "--data-file".to_owned()));
    for (option, assignments) in [("--set", &source.set), ("--data", &source.data)] {
        let names = assignments.iter().filter_map(|text| text.strip_suffix("=@-"));
        users.extend(names.map(|name| format!("{option} {name}")));
    }
    match users.as_slice() {
        [] | [_] => Ok(()),
        [first, second, ..] => {
            let message = format!("standard input can be read only once, but {first} reads it too");
            Err(InputError::in_argument(second.as_str(), message))
        }
    }
}

/// Splits `NAME=VALUE` and parses the value.
fn parse_assignment<'a>(option: &str, text: &'a str) -> Result<(&'a str, Value), InputError> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        let message = format!("expected NAME=VALUE, got {}", json::quoted(text));
        return Err(InputError::in_argument(option, message));
    };
    let value = match value.strip_prefix('@') {
        Some(path) => read_value(Path::new(path)).map_err(|error| {
            let hint = format!("; for text that begins with @, use {option} '{name}=\"@…\"'");
            let error = error.with_argument(format!("{option} {name}"));
            InputError { error: Box::new(error.error.with_suffix(&hint)), ..error }
        })?,
        None => json::parse(value.as_bytes()).unwrap_or_else(|_| Value::from(value)),
    };
    Ok((name, value))
}

/// Reads the value of `@FILE`: the value in a JSON or YAML file, or the text of any other file.
fn read_value(path: &Path) -> Result<Value, InputError> {
    if let Some(format) = data_format(path) {
        return parse_file(path, format, "a value");
    }
    input::read_text(path, "a text").map(Value::String)
}

/// Returns the format of a data file, or `None` if the extension is not one of JSON or YAML.
fn data_format(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "yaml" | "yml" => Some(Format::Yaml),
        _ => None,
    }
}

fn parse_file(path: &Path, format: Format, expected: &str) -> Result<Value, InputError> {
    let text = input::read_text(path, expected)?;
    let invalid = |message: String| InputError::in_file(path, message);
    if format != Format::Yaml {
        return json::parse(text.as_bytes()).map_err(|error| invalid(error.to_string()));
    }
    let config = HostedConfig::parse_text(&text, Format::Yaml);
    let HostedConfig { mut fields, overridable, .. } =
        config.map_err(|error| invalid(error.to_string()))?;
    // In data, this is a name like any other.
    if let Some(names) = overridable {
        fields.insert("overridable".to_owned(), Value::from(names));
    }
    Ok(Value::Object(fields))
}

fn read_object(path: &Path) -> Result<Map<String, Value>, InputError> {
    let format = data_format(path).unwrap_or(Format::Json);
    match parse_file(path, format, "an object")? {
        Value::Object(fields) => Ok(fields),
        other => {
            let message = format!("expected an object, got {}", json::shown(&other));
            Err(InputError::in_file(path, message))
        }
    }
}

/// Sets the value at a path such as `options.temperature`. Objects that are missing are created,
/// and a number selects an item of a list.
fn set_path(root: &mut Value, option: &str, path: &str, value: Value) -> Result<(), InputError> {
    let mut place = root;
    let mut parent = "the request";
    for name in path.split('.') {
        if name.is_empty() {
            let message = format!("expected names that are separated by dots, got {path}");
            return Err(InputError::in_argument(option, message));
        }
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let received = json::shown(place);
        let next = match place {
            Value::Object(fields) => Some(fields.entry(name).or_insert(Value::Null)),
            Value::Array(items) => name.parse().ok().and_then(|index: usize| items.get_mut(index)),
            _ => None,
        };
        place = next.ok_or_else(|| {
            InputError::in_argument(format!("{option} {path}"), format!("{parent} is {received}"))
        })?;
        parent = name;
    }
    *place = value;
    Ok(())
}

/// Returns a warning for each name of `--data` that has no effect on the prompt.
pub(crate) fn unused_data_warnings(plan: &Plan, source: &Source) -> Vec<String> {
    // This output uses the data in the reply.
    if plan.output.parser.name() == "replaceStringTemplate" {
        return Vec::new();
    }
    let limits = Limits::default();
    let Ok(rendered) = plan.render(&limits) else { return Vec::new() };
    let mut plan = plan.clone();
    let mut is_unused = |name: &&str| {
        let data = plan.data.clone();
        let mut has_no_effect = |value: Option<Value>| {
            replace(Arc::make_mut(&mut plan.data), name, value);
            let chat = plan.render(&limits);
            plan.data.clone_from(&data);
            // The texts of warnings can suggest the name.
            let warnings = rendered.warnings.len();
            chat.is_ok_and(|chat| {
                chat.messages == rendered.messages && chat.warnings.len() == warnings
            })
        };
        has_no_effect(None) && has_no_effect(Some(Value::from(PROBE)))
    };
    let names = source.data.iter().filter_map(|text| Some(text.split_once('=')?.0));
    let unused = names.take(MAX_CHECKED_NAMES).filter(|name| is_unused(name));
    unused.map(|name| format!("--data {name} has no effect, because no template uses it")).collect()
}

/// Replaces or removes the value at a path in `data`.
fn replace(data: &mut Map<String, Value>, path: &str, value: Option<Value>) {
    let (parents, name) = path.rsplit_once('.').map_or((None, path), |(p, name)| (Some(p), name));
    let mut fields = Some(data);
    for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
        fields = fields.and_then(|fields| fields.get_mut(parent)).and_then(Value::as_object_mut);
    }
    let Some(fields) = fields else { return };
    match value {
        Some(value) => {
            fields.insert(name.to_owned(), value);
        }
        None => {
            fields.shift_remove(name);
        }
    }
}
