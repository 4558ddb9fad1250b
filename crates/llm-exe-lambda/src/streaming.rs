//! Converts responses to the streaming mode of the Runtime API: the status and the headers as a
//! prelude, and then the body.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lambda_runtime::{FunctionResponse, MetadataPrelude, StreamResponse};
use llm_exe::{Error, json};
use llm_exe_events::StreamingEntryPoint;
use llm_exe_function::{ResponseBody, StartedResponse};
use serde_json::Value;
use serde_json::value::RawValue;

/// The response to an invocation.
pub(crate) type Response = FunctionResponse<Box<RawValue>, ResponseBody>;

/// Converts a response. All responses of an HTTP entry point that streams have a prelude.
///
/// # Errors
/// Returns the error that fails the invocation.
pub(crate) fn convert(
    started: StartedResponse<Result<Box<RawValue>, Error>>,
) -> Result<Response, Error> {
    match started {
        StartedResponse::Whole {
            output,
            entry_point: None | Some(StreamingEntryPoint::Invoke),
        } => output.map(FunctionResponse::BufferedResponse),
        StartedResponse::Whole {
            output,
            entry_point: Some(StreamingEntryPoint::Url | StreamingEntryPoint::Rest),
        } => output.and_then(|response| split(&response)),
        StartedResponse::Events { format, body, .. } => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
                (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            ];
            Ok(response(StatusCode::OK, headers.into_iter().collect(), body))
        }
    }
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
