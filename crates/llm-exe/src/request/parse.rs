//! Parses a JSON value into a [`Request`]. All fields of the wrong type are reported together, with
//! their paths. Each unknown field causes a warning, which suggests a similar known name if there
//! is one.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::{Map, Value};

use super::suggestion::{did_you_mean, nearest};
use super::{
    MAX_FALLBACKS, MAX_STEPS, MAX_TOOLS, Request, RequestFallback, RequestImage, RequestMessage,
    RequestOptions, RequestPart, RequestTool, RequestToolChoice, RequestToolResult, RequestToolRun,
};
use crate::error::Problem;
use crate::json::{self, Findings, LocatedValue, Segment, ValuePath, find_field_mut};

/// Maximum number of fields of the wrong type to report.
const MAX_PROBLEMS: usize = 50;

/// Maximum number of unknown fields to report by name.
const MAX_WARNINGS: usize = 20;

/// A parsed request, with the problems and warnings found during parsing.
#[derive(Debug, Clone, Default)]
pub struct ParsedRequest {
    /// The request, without the fields that have the wrong type.
    pub request: Request,
    /// One problem for each field that has the wrong type.
    pub problems: Vec<Problem>,
    /// One warning for each unknown field, which suggests a similar known name if there is one.
    pub warnings: Vec<String>,
}

impl From<Request> for ParsedRequest {
    fn from(request: Request) -> Self {
        ParsedRequest { request, ..ParsedRequest::default() }
    }
}

impl ParsedRequest {
    /// Parses a request. Instead of returning an error, records everything that is wrong with the
    /// request in `problems`.
    pub fn from_value(mut value: Value) -> ParsedRequest {
        let mut parsed = ParsedRequest::default();
        if !value.is_object() {
            let received = json::shown(&value);
            let message = format!("expected a request (a JSON object), got {received}");
            parsed.problems.push(Problem::request("", message));
            return parsed;
        }
        // These values may be large, so they are moved instead of being deserialized.
        let (data, schema) = (take_object(&mut value, "data"), take_object(&mut value, "schema"));
        parsed.limit_lists(&mut value);
        let steps = take_objects(&mut value, "steps");
        parsed.check_objects(&mut value);
        parsed.parse_fields(&mut value);
        parsed.request.data = parsed.request.data.or(data);
        parsed.request.schema = parsed.request.schema.or(schema);
        parsed.request.steps = parsed.request.steps.or(steps);
        parsed
    }

    /// Rejects lists that are too long, and shortens them so that no memory is used for the rest of
    /// their items.
    fn limit_lists(&mut self, request: &mut Value) {
        for (name, max, items) in
            [("fallbacks", MAX_FALLBACKS, "fallbacks"), ("tools", MAX_TOOLS, "tools")]
        {
            let list = find_field_mut(request, name).and_then(Value::as_array_mut);
            if let Some(list) = list.filter(|list| list.len() > max) {
                let message = too_many_items(max, items, list.len());
                self.problems.push(Problem::request(name, message));
                list.truncate(max);
            }
        }
        // The steps of nested chains count too, so the plan reports the error.
        if let Some(steps) = find_field_mut(request, "steps").and_then(Value::as_array_mut) {
            steps.truncate(MAX_STEPS + 1);
        }
    }

    /// Rejects arrays where an object is expected. serde would accept an array and read its items
    /// as the object's fields, in order.
    fn check_objects(&mut self, request: &mut Value) {
        let mut reject_list = |path: fmt::Arguments<'_>, place: Option<&mut Value>| {
            if let Some(place @ Value::Array(_)) = place {
                *place = Value::Null;
                let message = "expected an object, got a list";
                self.problems.push(Problem::request(path.to_string(), message));
            }
        };
        reject_list(format_args!("options"), find_field_mut(request, "options"));
        let fallbacks = find_field_mut(request, "fallbacks").and_then(Value::as_array_mut);
        for (index, fallback) in fallbacks.into_iter().flatten().enumerate() {
            reject_list(format_args!("fallbacks[{index}]"), Some(&mut *fallback));
            let options = fallback.get_mut("options");
            reject_list(format_args!("fallbacks[{index}].options"), options);
        }
        // Comparing the few names of a request is faster than hashing those of rare fields.
        let mut names = request.as_object().into_iter().flat_map(|fields| fields.keys());
        if names.any(|name| name.starts_with("tool")) {
            reject_list(format_args!("toolChoice"), request.get_mut("toolChoice"));
            let tools = request.get_mut("tools").and_then(Value::as_array_mut);
            for (index, tool) in tools.into_iter().flatten().enumerate() {
                reject_list(format_args!("tools[{index}]"), Some(&mut *tool));
                reject_list(format_args!("tools[{index}].run"), tool.get_mut("run"));
            }
            let results = request.get_mut("toolResults").and_then(Value::as_array_mut);
            for (index, result) in results.into_iter().flatten().enumerate() {
                reject_list(format_args!("toolResults[{index}]"), Some(&mut *result));
            }
        }
        let messages = find_field_mut(request, "message").and_then(Value::as_array_mut);
        for (index, message) in messages.into_iter().flatten().enumerate() {
            reject_list(format_args!("message[{index}]"), Some(&mut *message));
            let parts = message.get_mut("content").and_then(Value::as_array_mut);
            for (at, part) in parts.into_iter().flatten().enumerate() {
                reject_list(format_args!("message[{index}].content[{at}]"), Some(&mut *part));
                let image = part.get_mut("image_url");
                reject_list(format_args!("message[{index}].content[{at}].image_url"), image);
            }
        }
        self.problems.truncate(MAX_PROBLEMS);
    }

    /// Parses the fields. serde stops at the first field of the wrong type, so each such field is
    /// reported and cleared before the request is parsed again.
    fn parse_fields(&mut self, value: &mut Value) {
        let mut last_path = None;
        loop {
            let findings = RefCell::new(Findings::default());
            let read = Request::deserialize(LocatedValue::new(value, &findings));
            let Findings { failed, mut unknown, more_unknown } = findings.into_inner();
            let error = match read {
                Ok(request) => {
                    self.request = request;
                    // Editors read the schema of a file from this field.
                    unknown.retain(|path| path.to_string() != "$schema");
                    self.reject_unknown_targets(value, &mut unknown);
                    self.warnings = unknown_field_warnings(&unknown, more_unknown);
                    return;
                }
                Err(error) => error,
            };
            let path = failed.unwrap_or_default();
            let is_repeat = last_path.as_ref() == Some(&path);
            if !is_repeat {
                self.problems.push(type_problem(&path, value, &error.to_string()));
            }
            if self.problems.len() >= MAX_PROBLEMS {
                let message = format!("only the first {MAX_PROBLEMS} problems are listed");
                self.problems.push(Problem::request("", message));
                return;
            }
            clear(value, &path, is_repeat);
            last_path = Some(path);
        }
    }

    /// Reports those unknown fields of tools that look like a target, and removes them from the
    /// list.
    fn reject_unknown_targets(&mut self, request: &Value, unknown: &mut Vec<ValuePath>) {
        unknown.retain(|path| match unknown_target(request, path) {
            Some(problem) if self.problems.len() < MAX_PROBLEMS => {
                self.problems.push(problem);
                false
            }
            Some(_) => false,
            None => true,
        });
    }
}

/// Returns why an unknown field of a tool is an error, with the path of the field. Returns `None`
/// if the field causes a warning, or is not one of a tool.
///
/// Without its target, a tool would be handed back to the caller instead of running.
fn unknown_target(request: &Value, path: &ValuePath) -> Option<Problem> {
    let [Segment::Field(list), Segment::Item(index), inner @ ..] = path.segments() else {
        return None;
    };
    if list != "tools" {
        return None;
    }
    let (is_in_run, name) = match inner {
        [Segment::Field(name)] => match name.strip_prefix("run.") {
            Some(name) => (true, name),
            None => (false, &**name),
        },
        [Segment::Field(run), Segment::Field(name)] if run == "run" => (true, &**name),
        _ => return None,
    };
    let targets = field_names::<RequestToolRun>();
    let (text, near) = match name {
        name if is_in_run => {
            let expected = "unknown field; expected request, lambda, key or url";
            (expected, nearest(name, targets).map(str::to_owned))
        }
        // The format of OpenAI.
        "function" if request["tools"][*index]["function"].is_object() => {
            ("unknown field; name, description and parameters are fields of the tool itself", None)
        }
        name => {
            let known: Vec<&str> =
                field_names::<RequestTool>().iter().chain(targets).copied().collect();
            let near = match nearest(name, &known)? {
                "run" => "run".to_owned(),
                near if targets.contains(&near) => format!("run.{near}"),
                _ => return None,
            };
            ("unknown field; only the field run selects how a tool runs", Some(near))
        }
    };
    let hint = near.map(did_you_mean).unwrap_or_default();
    let path = crate::error::shorten(&path.to_string(), 100);
    Some(Problem::request(path, format!("{text}{hint}")))
}

/// Describes a list that is too long.
pub(crate) fn too_many_items(max: usize, items: &str, count: usize) -> String {
    format!("expected at most {max} {items}, got {count}")
}

/// Moves an object out of a field, which becomes null. A value of another type is not moved.
fn take_object(request: &mut Value, name: &str) -> Option<Map<String, Value>> {
    let place = find_field_mut(request, name)?;
    match place.take() {
        Value::Object(object) => Some(object),
        other => {
            *place = other;
            None
        }
    }
}

/// Moves a list of objects and nulls out of a field, which becomes null. A value of another type is
/// not moved.
fn take_objects(request: &mut Value, name: &str) -> Option<Vec<Option<Map<String, Value>>>> {
    let place = find_field_mut(request, name)?;
    let items = place.as_array_mut()?;
    if !items.iter().all(|item| item.is_object() || item.is_null()) {
        return None;
    }
    let objects = std::mem::take(items).into_iter().map(|item| match item {
        Value::Object(object) => Some(object),
        _ => None,
    });
    let objects = objects.collect();
    *place = Value::Null;
    Some(objects)
}

/// Sets the value at `path` to null. If `parent` is true, clears the parent of the value instead,
/// because null is not valid at `path`.
fn clear(root: &mut Value, path: &ValuePath, parent: bool) {
    let segments = path.segments();
    let depth = if parent { segments.len().saturating_sub(1) } else { segments.len() };
    let mut place = root;
    for segment in segments.iter().take(depth) {
        let next = match segment {
            Segment::Item(index) => place.get_mut(*index),
            Segment::Field(name) => place.get_mut(name),
        };
        match next {
            Some(inner) => place = inner,
            None => return,
        }
    }
    *place = if depth == 0 { Value::Object(Map::new()) } else { Value::Null };
}

/// Creates the problem for a value that serde rejected. The expected type is taken from serde's
/// message.
fn type_problem(path: &ValuePath, root: &Value, error: &str) -> Problem {
    let mut value = Some(root);
    for segment in path.segments() {
        value = match segment {
            Segment::Item(index) => value.and_then(|value| value.get(*index)),
            Segment::Field(name) => value.and_then(|value| value.get(name)),
        };
    }
    let path = path.to_string();
    // serde's message for an out-of-range number does not contain the expected type.
    let number = if path.ends_with("seed") { "i64" } else { "u64" };
    let expected = error.split_once(", expected ").map_or(number, |(_, expected)| expected);
    let expected = describe_expected(&path, expected);
    let received = value.map_or_else(|| "a value of another type".to_owned(), json::shown);
    Problem::request(path, format!("expected {expected}, got {received}"))
}

/// Translates the type names in serde's messages into JSON terms.
fn describe_expected<'a>(path: &str, expected: &'a str) -> &'a str {
    if expected.contains("a structured value") {
        return match path {
            "message" => "a string, a list of strings, or a list of {role, content}",
            "toolChoice" => "auto, none, required or {name}",
            path if path.ends_with("content") => "a string or a list of parts",
            _ => "a string or {role, content}",
        };
    }
    match expected {
        "a sequence" => "a list",
        "f64" => "a number",
        "i64" => "a whole number that fits into 64 bits",
        "u64" | "u32" => "a non-negative whole number",
        expected if expected.starts_with("struct ") || expected == "a map" => "an object",
        expected => expected,
    }
}

/// Describes the unknown fields at these paths, and `more` of them whose paths are not known.
fn unknown_field_warnings(paths: &[ValuePath], more: usize) -> Vec<String> {
    let named = paths.iter().take(MAX_WARNINGS).map(unknown_field_warning);
    let mut warnings: Vec<String> = named.collect();
    let more = more + paths.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        warnings.push(format!("{more} more unknown fields were ignored"));
    }
    warnings
}

fn unknown_field_warning(path: &ValuePath) -> String {
    let (parent, name) = path.split_name();
    let parent = parent.to_string();
    let known: &[&str] = match &*parent {
        "" => field_names::<Request>(),
        "options" => field_names::<RequestOptions>(),
        _ if parent.starts_with("fallbacks") && parent.ends_with("options") => {
            field_names::<RequestOptions>()
        }
        _ if parent.starts_with("fallbacks") => field_names::<RequestFallback>(),
        "toolChoice" => field_names::<RequestToolChoice>(),
        _ if parent.starts_with("toolResults") => field_names::<RequestToolResult>(),
        _ if parent.starts_with("tools") && parent.ends_with("run") => {
            field_names::<RequestToolRun>()
        }
        _ if parent.starts_with("tools") => field_names::<RequestTool>(),
        _ if parent.ends_with("image_url") => field_names::<RequestImage>(),
        _ if parent.contains("content") => field_names::<RequestPart>(),
        _ => field_names::<RequestMessage>(),
    };
    let hint = match nearest(name, known) {
        Some(near) => did_you_mean(near),
        None if parent.is_empty() => suggest_option(name),
        None if parent.ends_with("options") => suggest_field(name),
        None => String::new(),
    };
    let path = crate::error::shorten(&path.to_string(), 100);
    ignored_field_warning(&path, &hint)
}

/// The texts before and after the path of an unknown field in a warning.
const UNKNOWN_FIELD: [&str; 2] = ["unknown field `", "` was ignored"];

/// Returns the warning about an unknown field. `hint` follows the text.
pub(crate) fn ignored_field_warning(path: &str, hint: &str) -> String {
    let [before, after] = UNKNOWN_FIELD;
    [before, path, after, hint].concat()
}

/// Converts a warning to a problem of a strict request. An unknown field is not ignored then, and
/// the problem has its path.
pub(crate) fn problem_of_warning(warning: String) -> Problem {
    let [before, after] = UNKNOWN_FIELD;
    let field = warning.split_once(before).and_then(|(place, rest)| {
        let (path, hint) = rest.split_once(after)?;
        Some((place, path, hint))
    });
    let Some((place, path, hint)) = field else { return Problem::request("", warning) };
    // The place is that of a step, such as `steps[1]: steps[0]: `.
    let steps = place.replace(": ", ".");
    match steps.contains(' ') {
        false => Problem::request(steps + path, format!("unknown field{hint}")),
        true => Problem::request(path, format!("{place}unknown field{hint}")),
    }
}

/// Suggests `options.NAME` for an option outside of `options`.
fn suggest_option(name: &str) -> String {
    let near = nearest(name, field_names::<RequestOptions>());
    near.map_or_else(String::new, |near| did_you_mean(format!("options.{near}")))
}

/// Suggests a field of the request for one in `options`.
fn suggest_field(name: &str) -> String {
    let near = nearest(name, field_names::<Request>());
    near.map_or_else(String::new, |near| did_you_mean(format!("{near} outside of options")))
}

/// Returns whether requests have a field with this name.
pub(crate) fn is_field(name: &str) -> bool {
    field_names::<Request>().contains(&name)
}

/// Returns the field names of a struct, as declared by its `Deserialize` implementation.
pub fn field_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // `NameReader` stores the names and then always fails, so the result is ignored.
    let _ = T::deserialize(NameReader(&mut names));
    names
}

struct NameReader<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct NamesRead;

impl fmt::Display for NamesRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the field names were read")
    }
}

impl std::error::Error for NamesRead {}

impl de::Error for NamesRead {
    fn custom<M: fmt::Display>(_: M) -> Self {
        NamesRead
    }
}

impl<'de> Deserializer<'de> for NameReader<'_> {
    type Error = NamesRead;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NamesRead> {
        Err(NamesRead)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NamesRead> {
        *self.0 = fields;
        Err(NamesRead)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
