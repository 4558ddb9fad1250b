//! What every HTTP source has in common: routes, who may call, the body, and the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_exe::{Error, ErrorKind, json, request_schema};
use serde_json::{Map, Value, json};

use crate::admission::{Admission, EndpointAuth};
use crate::{Invocation, Outcome, Route, Settled};

/// The most bytes that a body may have after decoding: what Lambda takes in one invocation.
pub const MOST_BODY_BYTES: usize = 6 * 1024 * 1024;

/// A request as any HTTP source tells it.
pub(crate) struct Heard<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) stage: &'a str,
    /// By lower-case name.
    pub(crate) headers: Vec<(String, &'a str)>,
    /// Whether the event carries AWS's proof that it checked the caller.
    pub(crate) is_proven: bool,
}

impl Heard<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The path's last segment; a path that is just the stage is the root.
    fn segment(&self) -> &str {
        let path = self.path.trim_end_matches('/');
        if path.strip_prefix('/') == Some(self.stage) {
            return "";
        }
        path.rsplit('/').next().unwrap_or_default()
    }
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

    /// The form of function URLs, HTTP APIs and REST APIs.
    pub(crate) fn into_value(self) -> Value {
        let headers: Map<String, Value> =
            self.headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        json!({
            "statusCode": self.status,
            "headers": headers,
            "body": self.body,
            "cookies": [],
            "isBase64Encoded": false
        })
    }
}

/// What a request asks for; `None` runs it.
pub(crate) fn route(heard: &Heard<'_>, invocation: &Invocation) -> Option<Response> {
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

/// [`route`], in the form of the trait.
pub(crate) fn routed(heard: &Heard<'_>, invocation: &Invocation) -> Route {
    match route(heard, invocation) {
        Some(response) => Route::Answer(response.into_value()),
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
        EndpointAuth::ApiKey => {
            let bearer = heard.header("authorization").and_then(|value| {
                let (scheme, token) = value.trim().split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then_some(token)
            });
            match heard.header("x-api-key").or(bearer) {
                Some(key) => Admission::IfKey(key.trim().to_owned()),
                None => Admission::refused(
                    "the endpoint's key is missing; send it as x-api-key or Authorization: Bearer",
                ),
            }
        }
    }
}

/// The request in a body.
pub(crate) fn body(text: Option<&str>, is_base64: bool) -> Result<Value, Error> {
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
    let value =
        json::parse(bytes).map_err(|fault| Error::invalid("", format!("the body is {fault}")))?;
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
    failed(error, invocation).into_value()
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
