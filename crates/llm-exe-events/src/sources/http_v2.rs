//! A function URL or an API Gateway HTTP API: payload format 2.0.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use llm_exe::Error;
use serde_json::Value;

use crate::admission::{Admission, EndpointAuth};
use crate::callers::{self, Proof};
use crate::http::{self, Form, Heard};
use crate::shapes::text;
use crate::{EventSource, Invocation, Record, Route, Settled};

/// `version: "2.0"` and `requestContext.http`.
pub(crate) struct HttpV2;

impl EventSource for HttpV2 {
    fn name(&self) -> &'static str {
        "http"
    }

    fn recognises(&self, event: &Value) -> bool {
        text(event, "/version") == Some("2.0")
            && event.pointer("/requestContext/http").is_some_and(Value::is_object)
    }

    fn route(&self, event: &Value, invocation: &Invocation) -> Route {
        http::routed(&heard(event), invocation, Form::V2)
    }

    fn admit(&self, event: &Value, auth: EndpointAuth) -> Admission {
        http::admit(&heard(event), auth)
    }

    /// A function URL waits as long as the function; an HTTP API does not.
    fn is_behind_gateway(&self, event: &Value) -> bool {
        !text(event, "/requestContext/domainName").is_some_and(|name| name.contains(".lambda-url."))
    }

    fn caller(&self, event: &Value) -> Option<String> {
        Some(callers::name(proof(event).as_ref()))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        Ok(vec![Record::sent(self.name(), invocation, http::request(&event)?)])
    }

    fn respond(&self, invocation: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        Ok(http::respond(settled, invocation).into_value(Form::V2))
    }
}

fn heard(event: &Value) -> Heard<'_> {
    let path =
        text(event, "/rawPath").or_else(|| text(event, "/requestContext/http/path")).unwrap_or("/");
    // Behind a base path the route's key tells where the API's own path begins.
    let is_root_route = text(event, "/routeKey").is_some_and(|key| key.ends_with(" /"));
    Heard {
        method: text(event, "/requestContext/http/method").unwrap_or_default(),
        path,
        is_root: is_root_route || http::is_stage(path, text(event, "/requestContext/stage")),
        headers: http::headers(event),
        is_proven: proof(event).is_some(),
    }
}

fn proof(event: &Value) -> Option<Proof<'_>> {
    callers::authorizer(event.pointer("/requestContext/authorizer"))
}
