//! A JSON value to a [`Request`]: every misshapen field is reported at once, with its path, and
//! unknown fields become warnings that name the nearest known one.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::{Request, RequestFallback, RequestImage, RequestMessage, RequestOptions, RequestPart};
use crate::error::Problem;
use crate::json;

/// The most misshapen fields that are reported; beyond them the list is cut.
const MOST_PROBLEMS: usize = 50;

/// The most unknown fields that are named.
const MOST_WARNINGS: usize = 20;
/// The longest name for which a near one is looked for.
const LONGEST_NAME: usize = 40;

/// Fields of the request that this version refuses by name, with what they are for.
const NOT_BUILT: &[(&str, &str)] = &[
    ("tools", "tools"),
    ("toolChoice", "tools"),
    ("toolErrors", "tools"),
    ("maxTurns", "tools"),
    ("steps", "chains"),
    ("concurrency", "chains"),
    ("stream", "streaming"),
];

/// A request as read, with what was wrong with its shape.
#[derive(Debug, Clone, Default)]
pub struct ParsedRequest {
    /// What could be read; a misshapen field is absent.
    pub request: Request,
    /// The misshapen fields.
    pub problems: Vec<Problem>,
    /// Unknown fields, each with a hint where one is near.
    pub warnings: Vec<String>,
}

impl From<Request> for ParsedRequest {
    fn from(request: Request) -> Self {
        ParsedRequest { request, ..ParsedRequest::default() }
    }
}

impl ParsedRequest {
    /// Reads a request. It never fails: what is wrong stands in `problems`.
    pub fn read(mut value: Value) -> ParsedRequest {
        let mut written = ParsedRequest::default();
        let Some(fields) = value.as_object_mut() else {
            let came = json::shown(&value);
            let message = format!("expected a request, which is a JSON object, got {came}");
            written.problems.push(Problem::request("", message));
            return written;
        };
        for (name, purpose) in NOT_BUILT {
            if fields.shift_remove(*name).is_some_and(|value| !value.is_null()) {
                let message = format!("not built yet in this version ({purpose}); leave it out");
                written.problems.push(Problem::request(*name, message));
            }
        }
        written.check_shapes(&mut value);
        written.read_fields(&mut value);
        written
    }

    /// serde reads a list where an object should be, its items as the fields in order; here that
    /// is a mistake.
    fn check_shapes(&mut self, request: &mut Value) {
        let mut refuse = |path: String, place: Option<&mut Value>| {
            if let Some(place @ Value::Array(_)) = place {
                *place = Value::Null;
                self.problems.push(Problem::request(path, "expected an object, got a list"));
            }
        };
        refuse("options".to_owned(), request.get_mut("options"));
        let fallbacks = request.get_mut("fallbacks").and_then(Value::as_array_mut);
        for (index, fallback) in fallbacks.into_iter().flatten().enumerate() {
            let path = format!("fallbacks[{index}]");
            refuse(path.clone(), Some(&mut *fallback));
            refuse(format!("{path}.options"), fallback.get_mut("options"));
        }
        let messages = request.get_mut("message").and_then(Value::as_array_mut);
        for (index, message) in messages.into_iter().flatten().enumerate() {
            let path = format!("message[{index}]");
            refuse(path.clone(), Some(&mut *message));
            let parts = message.get_mut("content").and_then(Value::as_array_mut);
            for (at, part) in parts.into_iter().flatten().enumerate() {
                let path = format!("{path}.content[{at}]");
                refuse(path.clone(), Some(&mut *part));
                refuse(format!("{path}.image_url"), part.get_mut("image_url"));
            }
        }
        self.problems.truncate(MOST_PROBLEMS);
    }

    fn read_fields(&mut self, value: &mut Value) {
        let mut last: Option<String> = None;
        loop {
            let mut unknown = Vec::new();
            let mut track = serde_path_to_error::Track::new();
            let tracked = serde_path_to_error::Deserializer::new(&*value, &mut track);
            let mut note = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
            let noticing = serde_ignored::Deserializer::new(tracked, &mut note);
            let error = match Request::deserialize(noticing) {
                Ok(request) => {
                    self.request = request;
                    let told = unknown.iter().take(MOST_WARNINGS).map(|path| unknown_field(path));
                    self.warnings = told.collect();
                    if unknown.len() > MOST_WARNINGS {
                        let more = unknown.len() - MOST_WARNINGS;
                        self.warnings.push(format!("{more} more unknown fields were ignored"));
                    }
                    return;
                }
                Err(error) => error,
            };
            let path = track.path();
            let shown = path.to_string();
            let again = last.as_deref() == Some(shown.as_str());
            if !again {
                self.problems.push(misshapen(&path, value, &error.to_string()));
            }
            if self.problems.len() >= MOST_PROBLEMS {
                self.problems.push(Problem::request("", "and more: the list is cut here"));
                return;
            }
            clear(value, &path, again);
            last = Some(shown);
        }
    }
}

/// Sets the value at the path to null, or its parent where null did not do.
fn clear(root: &mut Value, path: &Path, parent: bool) {
    let segments: Vec<&Segment> = path.iter().collect();
    let depth = if parent { segments.len().saturating_sub(1) } else { segments.len() };
    let mut place = root;
    for segment in segments.iter().take(depth) {
        let next = match segment {
            Segment::Seq { index } => place.get_mut(*index),
            Segment::Map { key } => place.get_mut(key),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        match next {
            Some(inner) => place = inner,
            None => return,
        }
    }
    *place = if depth == 0 { Value::Object(serde_json::Map::new()) } else { Value::Null };
}

fn misshapen(path: &Path, root: &Value, error: &str) -> Problem {
    let mut came = Some(root);
    for segment in path {
        came = match segment {
            Segment::Seq { index } => came.and_then(|value| value.get(*index)),
            Segment::Map { key } => came.and_then(|value| value.get(key)),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
    }
    let shown = path.to_string();
    // A number that the type can't hold is told without an expectation.
    let number = if shown.ends_with("seed") { "i64" } else { "u64" };
    let expected = error.split_once(", expected ").map_or(number, |(_, what)| what);
    let expected = expectation(&shown, expected);
    let came = came.map_or_else(|| "something else".to_owned(), json::shown);
    Problem::request(shown, format!("expected {expected}, got {came}"))
}

/// What a field takes, in the words of a payload's author instead of Rust's.
fn expectation<'a>(path: &str, expected: &'a str) -> &'a str {
    if expected.contains("its long form") {
        return match path {
            "message" => "a string, a list of strings, or a list of {role, content}",
            path if path.ends_with("content") => "a string or a list of parts",
            _ => "a string or {role, content}",
        };
    }
    match expected {
        "a sequence" => "a list",
        "f64" => "a number",
        "i64" => "a whole number of at most 64 bits",
        "u64" | "u32" => "a whole number, not negative",
        expected if expected.starts_with("struct ") || expected == "a map" => "an object",
        expected => expected,
    }
}

fn unknown_field(path: &str) -> String {
    let path = path.replace(".?", "");
    let (parent, name) = match path.rsplit_once('.') {
        Some((parent, name)) => (parent, name),
        None => ("", path.as_str()),
    };
    let known: &[&str] = match parent {
        "" => field_names::<Request>(),
        "options" => field_names::<RequestOptions>(),
        _ if parent.starts_with("fallbacks") && parent.ends_with("options") => {
            field_names::<RequestOptions>()
        }
        _ if parent.starts_with("fallbacks") => field_names::<RequestFallback>(),
        _ if parent.ends_with("image_url") => field_names::<RequestImage>(),
        _ if parent.contains("content") => field_names::<RequestPart>(),
        _ => field_names::<RequestMessage>(),
    };
    let shown = crate::error::shorten(&shown_path(&path), 100);
    let mut text = format!("unknown field `{shown}` was ignored");
    if let Some(near) = nearest(name, known) {
        text.push_str(&format!(": did you mean `{near}`?"));
    } else if parent.is_empty() {
        if name == "prompt" || name == "messages" {
            text.push_str(": did you mean `message`?");
        } else if let Some(near) = nearest(name, field_names::<RequestOptions>()) {
            text.push_str(&format!(": did you mean `options.{near}`?"));
        }
    }
    text
}

/// serde_ignored writes `message.0.name`; payload paths are written `message[0].name`.
fn shown_path(path: &str) -> String {
    let mut shown = String::new();
    for piece in path.split('.') {
        if piece.bytes().all(|byte| byte.is_ascii_digit()) {
            shown.push_str(&format!("[{piece}]"));
        } else {
            if !shown.is_empty() {
                shown.push('.');
            }
            shown.push_str(piece);
        }
    }
    shown
}

/// Whether a request has a field of this name, one of later versions counted in.
pub(crate) fn is_field(name: &str) -> bool {
    field_names::<Request>().contains(&name) || NOT_BUILT.iter().any(|(later, _)| *later == name)
}

/// The request's field that is meant, if one is near.
pub(crate) fn near_field(name: &str) -> Option<&'static str> {
    nearest(name, field_names::<Request>())
}

/// The known name that is meant, if one is near: other case, underscores, or two slips.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let wanted = plain(name);
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&plain(candidate), &wanted), *candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance * 3 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The names of a serde struct's fields, asked of its `Deserialize`, so that no list of them has
/// to be kept.
pub fn field_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The error is how the asking ends: the names have been noted by then.
    let _ = T::deserialize(NameReader(&mut names));
    names
}

struct NameReader<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Asked;

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the field names were asked")
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Asked
    }
}

impl<'de> Deserializer<'de> for NameReader<'_> {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        *self.0 = fields;
        Err(Asked)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
