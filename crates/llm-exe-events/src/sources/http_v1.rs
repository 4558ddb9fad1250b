//! An API Gateway REST API, or an HTTP API with payload format 1.0.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use llm_exe::Error;
use serde_json::Value;

use crate::admission::{Admission, EndpointAuth};
use crate::callers::{self, Proof};
use crate::http::{self, Form, Heard};
use crate::shapes::{self, text};
use crate::{EventSource, Invocation, Record, Route, Settled};

/// `httpMethod` and `path`.
pub(crate) struct HttpV1 {
    /// Whether the event tells headers in the multi-value form alone.
    pub(crate) is_multi: bool,
}

impl HttpV1 {
    fn form(&self) -> Form {
        if self.is_multi { Form::RestMulti } else { Form::Rest }
    }
}

impl EventSource for HttpV1 {
    fn name(&self) -> &'static str {
        "rest"
    }

    fn recognises(&self, event: &Value) -> bool {
        is_v1(event) && is_multi(event) == self.is_multi
    }

    fn route(&self, event: &Value, invocation: &Invocation) -> Route {
        http::routed(&heard(event), invocation, self.form())
    }

    fn admit(&self, event: &Value, auth: EndpointAuth) -> Admission {
        http::admit(&heard(event), auth)
    }

    fn is_behind_gateway(&self, _: &Value) -> bool {
        true
    }

    fn caller(&self, event: &Value) -> Option<String> {
        Some(callers::name(proof(event).as_ref()))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        Ok(vec![Record::sent(self.name(), invocation, http::request(&event)?)])
    }

    fn respond(&self, invocation: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        Ok(http::respond(settled, invocation).into_value(self.form()))
    }
}

/// Whether an event is of this payload format, from whomever.
pub(super) fn is_v1(event: &Value) -> bool {
    let has_context = event.get("requestContext").is_some_and(Value::is_object);
    text(event, "/httpMethod").is_some()
        && text(event, "/path").is_some()
        && (has_context || !shapes::is_request(event))
}

/// Whether an event tells headers in the multi-value form and not in the other.
pub(super) fn is_multi(event: &Value) -> bool {
    let has = |name| event.get(name).is_some_and(Value::is_object);
    has("multiValueHeaders") && !has("headers")
}

/// The request of an event whose caller AWS has not checked.
pub(super) fn unproven(event: &Value) -> Heard<'_> {
    Heard {
        method: text(event, "/httpMethod").unwrap_or_default(),
        path: text(event, "/path").unwrap_or("/"),
        is_root: false,
        headers: http::headers(event),
        is_proven: false,
    }
}

fn heard(event: &Value) -> Heard<'_> {
    let path = text(event, "/path").unwrap_or("/");
    // A base path stands before the resource; the stage does in HTTP APIs alone.
    let stage = text(event, "/requestContext/stage").filter(|_| event.get("version").is_some());
    let is_root = text(event, "/resource") == Some("/") || http::is_stage(path, stage);
    Heard { is_root, is_proven: proof(event).is_some(), ..unproven(event) }
}

fn proof(event: &Value) -> Option<Proof<'_>> {
    callers::identity(event.pointer("/requestContext/identity"))
        .or_else(|| callers::authorizer(event.pointer("/requestContext/authorizer")))
}
