//! Function URLs and API Gateway HTTP APIs with payload format 2.0.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use std::borrow::Cow;

use llm_exe::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::authorization::{Authorization, EndpointAuth};
use crate::callers::{self, CallerIdentity};
use crate::entry_point::StreamingEntryPoint;
use crate::foreign;
use crate::http::{self, HttpRequest, ResponseFormat};
use crate::record::{FinishedRecord, Invocation, Record};
use crate::shapes::{field, string};
use crate::source::{EventSource, Route};

/// Handles events with `version: "2.0"` and `requestContext.http`.
pub(crate) struct HttpV2;

impl EventSource for HttpV2 {
    fn name(&self) -> &'static str {
        "http"
    }

    fn matches(&self, event: &Value) -> bool {
        string(event, "/version") == Some("2.0")
            && field(event, "/requestContext/http").is_some_and(Value::is_object)
            && !foreign::is_authorizer_event(event)
    }

    fn route(
        &self,
        event: &Value,
        invocation: &Invocation,
        schema: &dyn Fn() -> Value,
    ) -> Result<Route, Error> {
        http::route(&http_request(event), invocation, schema, ResponseFormat::V2)
    }

    fn authorize(&self, event: &Value, auth: EndpointAuth) -> Authorization {
        http::authorize(&http_request(event), auth)
    }

    fn responds_with_status(&self) -> bool {
        true
    }

    /// Returns true for HTTP APIs, which time out before the function does. A function URL waits
    /// for as long as the function runs.
    fn is_behind_gateway(&self, event: &Value) -> bool {
        !is_function_url(event)
    }

    fn streaming_entry_point(&self, event: &Value) -> Option<StreamingEntryPoint> {
        is_function_url(event).then_some(StreamingEntryPoint::Url)
    }

    fn traceparent<'a>(&self, event: &'a Value) -> Option<&'a str> {
        http::traceparent(event)
    }

    fn caller(&self, event: &Value) -> Option<Cow<'static, str>> {
        Some(callers::caller_name(identity(event).as_ref()))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        Ok(vec![Record::from_request(self.name(), invocation, http::request(event)?)])
    }

    fn respond(
        &self,
        invocation: &Invocation,
        records: &[FinishedRecord],
    ) -> Result<Box<RawValue>, Error> {
        http::respond(records, invocation).to_json(ResponseFormat::V2)
    }
}

fn is_function_url(event: &Value) -> bool {
    string(event, "/requestContext/domainName").is_some_and(|name| name.contains(".lambda-url."))
}

fn http_request(event: &Value) -> HttpRequest<'_> {
    let path = string(event, "/rawPath")
        .or_else(|| string(event, "/requestContext/http/path"))
        .unwrap_or("/");
    // The path may begin with the base path of a custom domain, but the route key never does.
    let is_root_route = string(event, "/routeKey").is_some_and(|key| key.ends_with(" /"));
    HttpRequest {
        method: string(event, "/requestContext/http/method").unwrap_or_default(),
        path,
        is_root: is_root_route || http::is_stage(path, string(event, "/requestContext/stage")),
        headers: http::headers(event),
        is_authenticated: identity(event).is_some(),
    }
}

fn identity(event: &Value) -> Option<CallerIdentity<'_>> {
    callers::from_authorizer(field(event, "/requestContext/authorizer"))
}
