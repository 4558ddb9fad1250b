//! What every HTTP source has in common: routes, who may call, the body, and the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_exe::{Error, ErrorKind, json, request_schema};
use serde_json::{Map, Value, json};

use crate::admission::{Admission, EndpointAuth};
use crate::shapes::text;
use crate::{Invocation, Outcome, Route, Settled};

/// The most bytes that a body may have after decoding: what Lambda takes in one invocation.
pub const MOST_BODY_BYTES: usize = 6 * 1024 * 1024;

/// A request as any HTTP source tells it.
pub(crate) struct Heard<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Whether the path is the API's root, though it is more than a slash.
    pub(crate) is_root: bool,
    /// By lower-case name, each value apart.
    pub(crate) headers: Vec<(String, &'a str)>,
    /// Whether the event carries AWS's proof that it checked the caller.
    pub(crate) is_proven: bool,
}

impl Heard<'_> {
    /// All values of a header, without the spaces around them.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// The path's last segment.
    fn segment(&self) -> &str {
        if self.is_root {
            return "";
        }
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

/// Whether a path is just the stage's name.
pub(crate) fn is_stage(path: &str, stage: Option<&str>) -> bool {
    stage.is_some() && path.trim_end_matches('/').strip_prefix('/') == stage
}

/// The headers of an event, in the single or the multi-value form. Where it has both, a name's
/// values are those of the multi-value form, which loses none.
pub(crate) fn headers(event: &Value) -> Vec<(String, &str)> {
    let of = |form: &str| event.get(form).and_then(Value::as_object).into_iter().flatten();
    let mut headers = Vec::new();
    for (name, values) in of("multiValueHeaders") {
        let values = values.as_array().into_iter().flatten();
        headers.extend(values.filter_map(|value| Some((name.to_lowercase(), value.as_str()?))));
    }
    let known: Vec<String> = headers.iter().map(|(name, _)| name.clone()).collect();
    for (name, value) in of("headers") {
        let name = name.to_lowercase();
        if let Some(value) = value.as_str().filter(|_| !known.contains(&name)) {
            headers.push((name, value));
        }
    }
    headers
}

/// Who takes the answer, and how it wants headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Function URLs and HTTP APIs.
    V2,
    /// REST APIs.
    Rest,
    /// REST APIs, multi-value.
    RestMulti,
    /// Load balancers.
    Alb,
    /// Load balancers, multi-value.
    AlbMulti,
}

/// A response before it takes the source's form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Response {
    fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Response { status, headers, body: body.to_string() }
    }

    fn empty(status: u16, allow: &str) -> Self {
        Response { status, headers: vec![("allow", allow.to_owned())], body: String::new() }
    }

    /// The response as its source takes it.
    pub(crate) fn into_value(self, form: Form) -> Value {
        let is_multi = matches!(form, Form::RestMulti | Form::AlbMulti);
        let headers: Map<String, Value> = self
            .headers
            .into_iter()
            .map(|(name, value)| {
                let value = if is_multi { json!([value]) } else { json!(value) };
                (name.to_owned(), value)
            })
            .collect();
        let name = if is_multi { "multiValueHeaders" } else { "headers" };
        let mut response = json!({ "statusCode": self.status, name: headers, "body": self.body });
        match form {
            Form::V2 => response["cookies"] = json!([]),
            Form::Alb | Form::AlbMulti => {
                response["statusDescription"] = json!(status_description(self.status));
            }
            Form::Rest | Form::RestMulti => {}
        }
        response["isBase64Encoded"] = json!(false);
        response
    }
}

/// A status with its phrase, as load balancers want it.
fn status_description(status: u16) -> String {
    let phrase = match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    };
    format!("{status} {phrase}")
}

/// What a request asks for; `None` runs it.
fn route(heard: &Heard<'_>, invocation: &Invocation) -> Option<Response> {
    let (reads, runs): (Option<Value>, bool) = match heard.segment() {
        "" => (Some(health(invocation)), true),
        "invoke" => (None, true),
        "health" => (Some(health(invocation)), false),
        "schema" => (Some(request_schema()), false),
        _ => {
            let text = format!("no such route: {} {}", heard.method, json::quoted(heard.path));
            let error = Error::new(ErrorKind::NotFound, text);
            return Some(failed(&error, invocation));
        }
    };
    let allow = match (reads.is_some(), runs) {
        (true, true) => "GET, HEAD, POST, OPTIONS",
        (true, false) => "GET, HEAD, OPTIONS",
        _ => "POST, OPTIONS",
    };
    match (heard.method, reads) {
        ("POST", _) if runs => None,
        ("GET", Some(body)) => Some(Response::json(200, &body)),
        ("HEAD", Some(body)) => {
            Some(Response { body: String::new(), ..Response::json(200, &body) })
        }
        ("OPTIONS", _) => Some(Response::empty(204, allow)),
        (method, _) => {
            let text = format!("{method} is not allowed here; allowed: {allow}");
            let error = Error::new(ErrorKind::MethodNotAllowed, text);
            let mut response = failed(&error, invocation);
            response.headers.push(("allow", allow.to_owned()));
            Some(response)
        }
    }
}

/// What a request asks for, in the words of the trait.
pub(crate) fn routed(heard: &Heard<'_>, invocation: &Invocation, form: Form) -> Route {
    match route(heard, invocation) {
        Some(response) => Route::Answer(response.into_value(form)),
        None => Route::Run,
    }
}

fn health(invocation: &Invocation) -> Value {
    json!({ "status": "ok", "version": invocation.version })
}

/// Whether the caller may run anything.
pub(crate) fn admit(heard: &Heard<'_>, auth: EndpointAuth) -> Admission {
    match auth {
        EndpointAuth::None => Admission::Granted,
        EndpointAuth::AwsIam if heard.is_proven => Admission::Granted,
        EndpointAuth::AwsIam => Admission::refused(
            "this endpoint takes requests that AWS has authorized (ENDPOINT_AUTH is AWS_IAM), and \
             this one is not",
        ),
        EndpointAuth::ApiKey => presented(heard),
    }
}

/// The key that a caller presents. Two that differ are refused, for who put the other one there?
fn presented(heard: &Heard<'_>) -> Admission {
    let bearer = heard.values("authorization").filter_map(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let mut keys: Vec<&str> = heard.values("x-api-key").collect();
    if keys.is_empty() {
        keys = bearer.collect();
    }
    match keys.as_slice() {
        [] => Admission::refused(
            "the endpoint's key is missing; send it as x-api-key or Authorization: Bearer",
        ),
        [key, others @ ..] if others.iter().all(|other| other == key) => {
            Admission::IfKey((*key).to_owned())
        }
        _ => Admission::refused("the endpoint's key is sent more than once, with other values"),
    }
}

/// The request in an event's body.
pub(crate) fn request(event: &Value) -> Result<Value, Error> {
    let is_base64 = event.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    body(text(event, "/body"), is_base64)
}

/// The request in a body.
fn body(text: Option<&str>, is_base64: bool) -> Result<Value, Error> {
    let text = text.unwrap_or_default();
    let decoded;
    let bytes = if is_base64 {
        decoded = STANDARD
            .decode(text)
            .map_err(|_| Error::invalid("", "the body is marked as base64 and is not"))?;
        decoded.as_slice()
    } else {
        text.as_bytes()
    };
    if bytes.len() > MOST_BODY_BYTES {
        let text = format!("the body has {} bytes; at most {MOST_BODY_BYTES}", bytes.len());
        return Err(Error::new(ErrorKind::RequestTooLarge, text));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid("", "the body is empty; expected a request as JSON"));
    }
    let value = json::parse(bytes).map_err(|fault| {
        // It tells places, not what stands there.
        let text = format!("the body is {fault}");
        Error::invalid("", text.clone()).logged_as(text)
    })?;
    if value.is_object() {
        return Ok(value);
    }
    let came = json::shown(&value);
    Err(Error::invalid("", format!("the body is {came}; expected a request, a JSON object")))
}

/// The answer to what became of the one request.
pub(crate) fn respond(settled: Vec<Settled>, invocation: &Invocation) -> Response {
    match settled.into_iter().next().map(|one| one.outcome) {
        Some(Outcome::Done(Value::String(text))) => Response {
            status: 200,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: text,
        },
        Some(Outcome::Done(value)) => Response::json(200, &value),
        Some(Outcome::Failed(error)) => failed(&error, invocation),
        Some(Outcome::Skipped) | None => {
            failed(&Error::new(ErrorKind::Internal, "no outcome"), invocation)
        }
    }
}

/// A failure in the form that a function URL answers, for whoever refuses before there is an
/// event.
pub fn http_failure(invocation: &Invocation, error: &Error) -> Value {
    failed(error, invocation).into_value(Form::V2)
}

fn failed(error: &Error, invocation: &Invocation) -> Response {
    let kind = error.kind();
    let body = json!({
        "error": {
            "type": kind.name(),
            "message": error.message(),
            "retryable": kind.retryable(),
            "requestId": invocation.request_id
        }
    });
    let mut response = Response::json(kind.http_status(), &body);
    if let Some(wait) = error.retry_after() {
        // Whole seconds, rounded up: an early retry is a wasted one.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers.push(("retry-after", seconds.to_string()));
    }
    response
}
