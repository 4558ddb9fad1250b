//! API Gateway REST APIs, and HTTP APIs with payload format 1.0.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

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
use crate::shapes::{self, field, string};
use crate::source::{EventSource, Route};

/// Handles events with `httpMethod` and `path`.
pub(crate) struct HttpV1 {
    /// Whether the event has `multiValueHeaders` but no `headers`.
    pub(crate) is_multi: bool,
}

impl HttpV1 {
    fn format(&self) -> ResponseFormat {
        if self.is_multi { ResponseFormat::RestMulti } else { ResponseFormat::Rest }
    }
}

impl EventSource for HttpV1 {
    fn name(&self) -> &'static str {
        "rest"
    }

    fn matches(&self, event: &Value) -> bool {
        is_v1(event) && is_multi(event) == self.is_multi
    }

    fn route(
        &self,
        event: &Value,
        invocation: &Invocation,
        schema: &dyn Fn() -> Value,
    ) -> Result<Route, Error> {
        http::route(&http_request(event), invocation, schema, self.format())
    }

    fn authorize(&self, event: &Value, auth: EndpointAuth) -> Authorization {
        http::authorize(&http_request(event), auth)
    }

    fn responds_with_status(&self) -> bool {
        true
    }

    fn is_behind_gateway(&self, _: &Value) -> bool {
        true
    }

    /// HTTP APIs, whose events have a `version`, can't stream.
    fn streaming_entry_point(&self, event: &Value) -> Option<StreamingEntryPoint> {
        event.get("version").is_none().then_some(StreamingEntryPoint::Rest)
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
        http::respond(records, invocation).to_json(self.format())
    }
}

/// Returns true if the event has payload format 1.0, which load balancers also use.
pub(super) fn is_v1(event: &Value) -> bool {
    let has_context = || event.get("requestContext").is_some_and(Value::is_object);
    string(event, "/httpMethod").is_some()
        && string(event, "/path").is_some()
        && (has_context() || !shapes::is_request(event))
        && !foreign::is_authorizer_event(event)
}

/// Returns true if the event has `multiValueHeaders` but no `headers`.
pub(super) fn is_multi(event: &Value) -> bool {
    let has = |name| event.get(name).is_some_and(Value::is_object);
    has("multiValueHeaders") && !has("headers")
}

/// Returns the HTTP request in an event without reading the caller's identity.
pub(super) fn unauthenticated(event: &Value) -> HttpRequest<'_> {
    HttpRequest {
        method: string(event, "/httpMethod").unwrap_or_default(),
        path: string(event, "/path").unwrap_or("/"),
        is_root: false,
        headers: http::headers(event),
        is_authenticated: false,
    }
}

fn http_request(event: &Value) -> HttpRequest<'_> {
    let path = string(event, "/path").unwrap_or("/");
    // The path may begin with the base path of a custom domain, but `resource` never does. The
    // stage is part of the path only in events from HTTP APIs, which have a `version`.
    let stage = string(event, "/requestContext/stage").filter(|_| event.get("version").is_some());
    let is_root = string(event, "/resource") == Some("/") || http::is_stage(path, stage);
    HttpRequest { is_root, is_authenticated: identity(event).is_some(), ..unauthenticated(event) }
}

fn identity(event: &Value) -> Option<CallerIdentity<'_>> {
    callers::from_identity(field(event, "/requestContext/identity"))
        .or_else(|| callers::from_authorizer(field(event, "/requestContext/authorizer")))
}
