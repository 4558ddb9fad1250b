//! A function URL or an API Gateway HTTP API: payload format 2.0.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use llm_exe::Error;
use serde_json::Value;

use crate::admission::{Admission, EndpointAuth};
use crate::http::{self, Heard};
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
        http::routed(&heard(event), invocation)
    }

    fn admit(&self, event: &Value, auth: EndpointAuth) -> Admission {
        http::admit(&heard(event), auth)
    }

    /// A function URL waits as long as the function; an HTTP API does not.
    fn is_behind_gateway(&self, event: &Value) -> bool {
        !text(event, "/requestContext/domainName").is_some_and(|name| name.contains(".lambda-url."))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        let is_base64 = event.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
        let body = http::body(text(&event, "/body"), is_base64)?;
        Ok(vec![Record::sent(self.name(), invocation, body)])
    }

    fn respond(&self, invocation: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        Ok(http::respond(settled, invocation).into_value())
    }
}

fn text<'a>(event: &'a Value, pointer: &str) -> Option<&'a str> {
    event.pointer(pointer).and_then(Value::as_str)
}

fn heard(event: &Value) -> Heard<'_> {
    let headers = event.get("headers").and_then(Value::as_object);
    let authorizer = event.pointer("/requestContext/authorizer").and_then(Value::as_object);
    Heard {
        method: text(event, "/requestContext/http/method").unwrap_or_default(),
        path: text(event, "/rawPath")
            .or_else(|| text(event, "/requestContext/http/path"))
            .unwrap_or("/"),
        stage: text(event, "/requestContext/stage").unwrap_or_default(),
        headers: headers
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?)))
            .collect(),
        is_proven: authorizer.is_some_and(|context| context.values().any(is_said)),
    }
}

/// An authorizer that said nothing leaves an empty context or null behind.
fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}
