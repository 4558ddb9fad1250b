//! Requests from Application Load Balancers.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>

use std::borrow::Cow;

use llm_exe::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use super::http_v1;
use crate::authorization::{Authorization, EndpointAuth};
use crate::callers;
use crate::http::{self, ResponseFormat};
use crate::record::{FinishedRecord, Invocation, Record};
use crate::shapes::field;
use crate::source::{EventSource, Route};

/// Maximum size of a response in bytes, which is the load balancer's limit of 1 MB.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// Handles events with `requestContext.elb`.
pub(crate) struct Alb {
    /// Whether multi-value headers are enabled for the target group. If so, the load balancer
    /// ignores `headers` in the response.
    pub(crate) is_multi: bool,
}

impl Alb {
    fn format(&self) -> ResponseFormat {
        if self.is_multi { ResponseFormat::AlbMulti } else { ResponseFormat::Alb }
    }
}

impl EventSource for Alb {
    fn name(&self) -> &'static str {
        "alb"
    }

    fn matches(&self, event: &Value) -> bool {
        http_v1::is_v1(event)
            && field(event, "/requestContext/elb").is_some()
            && http_v1::is_multi(event) == self.is_multi
    }

    fn route(
        &self,
        event: &Value,
        invocation: &Invocation,
        schema: &dyn Fn() -> Value,
    ) -> Result<Route, Error> {
        http::route(&http_v1::unauthenticated(event), invocation, schema, self.format())
    }

    /// Ignores the headers in which a load balancer passes the caller's identity, because a caller
    /// that bypasses the load balancer could forge them.
    fn authorize(&self, event: &Value, auth: EndpointAuth) -> Authorization {
        http::authorize(&http_v1::unauthenticated(event), auth)
    }

    fn responds_with_status(&self) -> bool {
        true
    }

    fn is_behind_gateway(&self, _: &Value) -> bool {
        true
    }

    fn caller(&self, _: &Value) -> Option<Cow<'static, str>> {
        Some(callers::caller_name(None))
    }

    fn max_response_bytes(&self) -> usize {
        MAX_RESPONSE_BYTES
    }

    fn traceparent<'a>(&self, event: &'a Value) -> Option<&'a str> {
        http::traceparent(event)
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
