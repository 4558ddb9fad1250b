//! Code shared by all HTTP sources: routing, authorization, and the bodies of requests and
//! responses.

use std::borrow::Cow;

use ::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_exe::{Error, ErrorKind, Problem, json};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::authorization::{Authorization, EndpointAuth};
use crate::record::{FinishedRecord, Invocation, Outcome};
use crate::source::{self, Route};

/// Maximum size of a decoded request body in bytes, which is Lambda's payload limit of 6 MB.
pub const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;

/// The header with the number of warnings about a request. It is absent if there are none.
pub const WARNINGS_HEADER: &str = "x-llm-exe-warnings";

/// An HTTP request, independent of the format of the event that contains it.
pub(crate) struct HttpRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Whether the path is the root of the API despite being longer than `/`, because it includes a
    /// stage name or the base path of a custom domain.
    pub(crate) is_root: bool,
    /// The headers as pairs of a lower-case name and a value. A header with several values occurs
    /// several times.
    pub(crate) headers: Vec<(String, &'a str)>,
    /// Whether the event contains an identity that AWS or an authorizer verified.
    pub(crate) is_authenticated: bool,
}

impl HttpRequest<'_> {
    /// Returns all values of a header without surrounding whitespace.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Returns the last segment of the path, which selects the route.
    fn last_segment(&self) -> &str {
        if self.is_root {
            return "";
        }
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

/// Returns true if the path consists only of the API's stage name.
pub(crate) fn is_stage(path: &str, stage: Option<&str>) -> bool {
    stage.is_some() && path.trim_end_matches('/').strip_prefix('/') == stage
}

/// Returns the headers of an event. If a header is in both `headers` and `multiValueHeaders`, its
/// values are read from `multiValueHeaders`, which contains all of them.
pub(crate) fn headers(event: &Value) -> Vec<(String, &str)> {
    let entries = |field: &str| event.get(field).and_then(Value::as_object).into_iter().flatten();
    let mut headers = Vec::new();
    for (name, values) in entries("multiValueHeaders") {
        let values = values.as_array().into_iter().flatten();
        headers.extend(values.filter_map(|value| Some((name.to_lowercase(), value.as_str()?))));
    }
    let known: Vec<String> = headers.iter().map(|(name, _)| name.clone()).collect();
    for (name, value) in entries("headers") {
        let name = name.to_lowercase();
        if let Some(value) = value.as_str().filter(|_| !known.contains(&name)) {
            headers.push((name, value));
        }
    }
    headers
}

/// Returns the value of the header `traceparent`, unless the event has several.
pub(crate) fn traceparent(event: &Value) -> Option<&str> {
    let mut values = headers(event).into_iter().filter(|(name, _)| name == "traceparent");
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

/// The format of an HTTP response, which depends on the event source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseFormat {
    /// The format of function URLs and HTTP APIs.
    V2,
    /// The format of REST APIs.
    Rest,
    /// The format of REST APIs with multi-value headers.
    RestMulti,
    /// The format of load balancers.
    Alb,
    /// The format of load balancers with multi-value headers.
    AlbMulti,
}

/// An HTTP response, independent of the format that the event source expects.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HttpResponse<'a> {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(crate) body: Cow<'a, str>,
}

impl HttpResponse<'_> {
    fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", Cow::Borrowed("application/json"))];
        HttpResponse { status, headers, body: Cow::Owned(body.to_string()) }
    }

    fn empty(status: u16, allow: &'static str) -> Self {
        let headers = vec![("allow", Cow::Borrowed(allow))];
        HttpResponse { status, headers, body: Cow::Borrowed("") }
    }

    /// Serializes the response in the format that the event source expects.
    pub(crate) fn to_json(&self, format: ResponseFormat) -> Result<Box<RawValue>, Error> {
        let headers = self.headers.iter().map(|(name, value)| (*name, value));
        let (headers, multi_value_headers) = match format {
            ResponseFormat::RestMulti | ResponseFormat::AlbMulti => {
                let headers = headers.map(|(name, value)| (name.to_owned(), json!([value])));
                (None, Some(headers.collect()))
            }
            ResponseFormat::V2 | ResponseFormat::Rest | ResponseFormat::Alb => {
                let headers = headers.map(|(name, value)| (name.to_owned(), json!(value)));
                (Some(headers.collect()), None)
            }
        };
        let status_description = match format {
            ResponseFormat::Alb | ResponseFormat::AlbMulti => Some(status_description(self.status)),
            ResponseFormat::V2 | ResponseFormat::Rest | ResponseFormat::RestMulti => None,
        };
        source::to_json(&FormattedResponse {
            status_code: self.status,
            headers,
            multi_value_headers,
            body: &self.body,
            cookies: (format == ResponseFormat::V2).then_some([]),
            status_description,
            is_base64_encoded: false,
        })
    }
}

/// An HTTP response in the format that an event source expects.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FormattedResponse<'a> {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<Map<String, Value>>,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<[&'a str; 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    is_base64_encoded: bool,
}

/// Returns the status code with its reason phrase, which load balancers require.
fn status_description(status: u16) -> String {
    let phrase = match status {
        // The `http` crate still uses the names that these statuses had before RFC 9110.
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        _ => StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Internal Server Error"),
    };
    format!("{status} {phrase}")
}

/// Returns the response to an HTTP request that runs nothing, such as `GET /health`. Returns `None`
/// if the request must be run.
fn respond_without_run(
    request: &HttpRequest<'_>,
    invocation: &Invocation,
    schema: &dyn Fn() -> Value,
) -> Option<HttpResponse<'static>> {
    let (readable, can_run): (Option<Value>, bool) = match request.last_segment() {
        "" => (Some(health(invocation)), true),
        "invoke" => (None, true),
        "health" => (Some(health(invocation)), false),
        "schema" => (Some(schema()), false),
        _ => {
            let path = json::quoted(request.path);
            let error = Error::new(
                ErrorKind::NotFound,
                format!("no such route: {} {path}", request.method),
            );
            return Some(error_response(&error, invocation));
        }
    };
    let allow = match (readable.is_some(), can_run) {
        (true, true) => "GET, HEAD, POST, OPTIONS",
        (true, false) => "GET, HEAD, OPTIONS",
        _ => "POST, OPTIONS",
    };
    match (request.method, readable) {
        ("POST", _) if can_run => None,
        ("GET", Some(body)) => Some(HttpResponse::json(200, &body)),
        ("HEAD", Some(body)) => {
            Some(HttpResponse { body: Cow::Borrowed(""), ..HttpResponse::json(200, &body) })
        }
        ("OPTIONS", _) => Some(HttpResponse::empty(204, allow)),
        (method, _) => {
            let message = format!(
                "the method {method} is not allowed for this path; allowed methods: {allow}"
            );
            let error = Error::new(ErrorKind::MethodNotAllowed, message);
            let mut response = error_response(&error, invocation);
            response.headers.push(("allow", Cow::Borrowed(allow)));
            Some(response)
        }
    }
}

/// Decides whether to run a request or to return a response immediately.
pub(crate) fn route(
    request: &HttpRequest<'_>,
    invocation: &Invocation,
    schema: &dyn Fn() -> Value,
    format: ResponseFormat,
) -> Result<Route, Error> {
    let Some(response) = respond_without_run(request, invocation, schema) else {
        return Ok(Route::Run);
    };
    Ok(Route::Respond { status: response.status, response: response.to_json(format)? })
}

fn health(invocation: &Invocation) -> Value {
    json!({ "status": "ok", "version": invocation.version })
}

/// Decides whether the caller may run requests.
pub(crate) fn authorize(request: &HttpRequest<'_>, auth: EndpointAuth) -> Authorization {
    match auth {
        EndpointAuth::None => Authorization::Granted,
        EndpointAuth::AwsIam if request.is_authenticated => Authorization::Granted,
        EndpointAuth::AwsIam => Authorization::denied(
            "AWS has not authorized this request, but ENDPOINT_AUTH is AWS_IAM; use IAM \
             credentials, an authorizer, or ENDPOINT_AUTH=API_KEY",
        ),
        EndpointAuth::ApiKey => presented_key(request),
    }
}

/// Reads the endpoint key that the caller sent. Different keys in one request are rejected, because
/// an intermediary may have added one of them.
fn presented_key(request: &HttpRequest<'_>) -> Authorization {
    let bearer = request.values("authorization").filter_map(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let mut keys: Vec<&str> = request.values("x-api-key").collect();
    if keys.is_empty() {
        keys = bearer.collect();
    }
    match keys.as_slice() {
        [] => Authorization::denied(
            "the endpoint key is missing; send it in the header x-api-key or as a bearer token",
        ),
        [key, rest @ ..] if rest.iter().all(|other| other == key) => {
            Authorization::RequiresKey((*key).to_owned())
        }
        _ => Authorization::denied("the request contains different endpoint keys; send only one"),
    }
}

/// Parses the request in the body of an HTTP event. AWS sends the body as a string. In test
/// events that are written by hand, it is often an object, which is accepted as the request.
pub(crate) fn request(mut event: Value) -> Result<Value, Error> {
    let is_base64 = event.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    match event.get_mut("body").map(Value::take).unwrap_or_default() {
        Value::String(text) => parse_body(&text, is_base64),
        Value::Null => parse_body("", is_base64),
        body @ Value::Object(_) if !is_base64 => {
            check_size(serde_json::to_vec(&body).map_or(usize::MAX, |bytes| bytes.len()))?;
            Ok(body)
        }
        other => {
            let received = json::shown(&other);
            Err(Error::invalid("body", format!("expected a string, got {received}")))
        }
    }
}

fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes <= MAX_BODY_BYTES {
        return Ok(());
    }
    let message = format!("the body has {bytes} bytes; at most {MAX_BODY_BYTES} are allowed");
    Err(Error::new(ErrorKind::RequestTooLarge, message))
}

fn parse_body(text: &str, is_base64: bool) -> Result<Value, Error> {
    let decoded;
    let bytes = if is_base64 {
        decoded = STANDARD.decode(text).map_err(|_| {
            Error::invalid("", "the body is not valid base64, but isBase64Encoded is true")
        })?;
        decoded.as_slice()
    } else {
        text.as_bytes()
    };
    check_size(bytes.len())?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid("", "the body is empty; expected a request (a JSON object)"));
    }
    let value = json::parse(bytes).map_err(|error| {
        // The parser's message gives a position but quotes no content, so it may be logged.
        let message = format!("the body is {error}");
        Error::invalid("", message.clone()).logged_as(message)
    })?;
    if value.is_object() {
        return Ok(value);
    }
    let received = json::shown(&value);
    let message = format!("the body is {received}; expected a request (a JSON object)");
    Err(Error::invalid("", message))
}

/// Builds the response from the outcome of the event's only record. The body of a plain result has
/// no place for warnings, so a header contains their number.
pub(crate) fn respond<'a>(
    records: &'a [FinishedRecord],
    invocation: &Invocation,
) -> HttpResponse<'a> {
    let record = records.first();
    let mut response = match record.map(|record| &record.outcome) {
        Some(Outcome::Done(Value::String(text))) => HttpResponse {
            status: 200,
            headers: vec![("content-type", Cow::Borrowed("text/plain; charset=utf-8"))],
            body: Cow::Borrowed(text),
        },
        Some(Outcome::Done(value)) => HttpResponse::json(200, value),
        Some(Outcome::Failed(error)) => error_response(error, invocation),
        Some(Outcome::Skipped) | None => error_response(
            &Error::new(ErrorKind::Internal, "the request has no outcome"),
            invocation,
        ),
    };
    let warning_count = record.map_or(0, |record| record.warning_count);
    if warning_count > 0 {
        response.headers.push((WARNINGS_HEADER, Cow::Owned(warning_count.to_string())));
    }
    response
}

/// Builds an error response in the format of function URLs, for servers that reject a request
/// before they convert it to an event.
///
/// # Errors
/// Returns the same errors as [`EventSource::respond`](crate::EventSource::respond).
pub fn http_failure(invocation: &Invocation, error: &Error) -> Result<Box<RawValue>, Error> {
    error_response(error, invocation).to_json(ResponseFormat::V2)
}

/// Returns the object that describes an error in a response.
pub fn error_object(error: &Error, request_id: &str) -> Value {
    let kind = error.kind();
    let problem = |problem: &Problem| json!({ "path": problem.path, "message": problem.message });
    let mut object = json!({
        "type": kind.name(),
        "message": error.message(),
        "retryable": kind.retryable(),
        "problems": error.problems().iter().map(problem).collect::<Vec<Value>>(),
        "requestId": request_id
    });
    if let (Some(fields), Some(details)) = (object.as_object_mut(), error.run_details()) {
        fields.extend(details.clone());
    }
    object
}

fn error_response(error: &Error, invocation: &Invocation) -> HttpResponse<'static> {
    let body = json!({ "error": error_object(error, &invocation.request_id) });
    let mut response = HttpResponse::json(error.kind().http_status(), &body);
    if let Some(wait) = error.retry_after() {
        // Round up to whole seconds, so that the caller does not retry too early.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers.push(("retry-after", Cow::Owned(seconds.to_string())));
    }
    response
}
