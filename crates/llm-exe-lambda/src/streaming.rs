//! Converts responses to the streaming mode of the Runtime API: the status and the headers as a
//! prelude, and then the body.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lambda_runtime::{FunctionResponse, MetadataPrelude, StreamResponse};
use llm_exe::{Error, StreamFormat, json};
use llm_exe_events::{StreamingEntryPoint, WARNINGS_HEADER};
use llm_exe_function::ResponseBody;
use serde_json::Value;
use serde_json::value::RawValue;

/// The outcome of handling an event: the response, or the error that fails the invocation.
pub(crate) type Outcome = Result<Box<RawValue>, Error>;

/// The response to an invocation.
pub(crate) type Response = FunctionResponse<Box<RawValue>, ResponseBody>;

/// Converts a response that is not a stream. All responses of an HTTP entry point that streams have
/// a prelude.
///
/// # Errors
/// Returns the error that fails the invocation.
pub(crate) fn whole_response(
    outcome: Outcome,
    entry_point: Option<StreamingEntryPoint>,
) -> Result<Response, Error> {
    match entry_point {
        None | Some(StreamingEntryPoint::Invoke) => outcome.map(FunctionResponse::BufferedResponse),
        Some(StreamingEntryPoint::Url | StreamingEntryPoint::Rest) => {
            outcome.and_then(|response| split(&response))
        }
    }
}

/// Returns the response of an HTTP entry point that is a stream.
pub(crate) fn stream_response(
    format: StreamFormat,
    warning_count: usize,
    body: ResponseBody,
) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if warning_count > 0 {
        headers.insert(WARNINGS_HEADER, HeaderValue::from(warning_count));
    }
    response(StatusCode::OK, headers, body)
}

fn response(status_code: StatusCode, headers: HeaderMap, stream: ResponseBody) -> Response {
    let metadata_prelude = MetadataPrelude { status_code, headers, cookies: Vec::new() };
    FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream })
}

/// Splits an HTTP response in JSON into the prelude and the body.
fn split(json: &RawValue) -> Result<Response, Error> {
    let parsed = json::parse(json.get().as_bytes());
    let mut parsed =
        parsed.map_err(|error| Error::invalid("", format!("the response is {error}")))?;
    let status = parsed.get("statusCode").and_then(Value::as_u64);
    let status = status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
    let mut headers = HeaderMap::new();
    for field in ["headers", "multiValueHeaders"] {
        for (name, value) in parsed.get(field).and_then(Value::as_object).into_iter().flatten() {
            let value = value.get(0).unwrap_or(value).as_str().unwrap_or_default();
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.insert(name, value);
            }
        }
    }
    let body = match parsed.get_mut("body").map(Value::take) {
        Some(Value::String(body)) => body,
        _ => String::new(),
    };
    Ok(response(status.unwrap_or_default(), headers, body.into()))
}
