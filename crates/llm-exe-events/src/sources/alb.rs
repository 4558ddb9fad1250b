//! An Application Load Balancer.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>

use llm_exe::Error;
use serde_json::Value;

use super::http_v1;
use crate::admission::{Admission, EndpointAuth};
use crate::callers;
use crate::http::{self, Form};
use crate::{EventSource, Invocation, Record, Route, Settled};

/// The most bytes of an answer: 1 MB in the load balancer's count.
const MOST_ANSWER_BYTES: usize = 1024 * 1024;

/// `requestContext.elb`.
pub(crate) struct Alb {
    /// Whether the target group has multi-value headers on, and reads none but those.
    pub(crate) is_multi: bool,
}

impl Alb {
    fn form(&self) -> Form {
        if self.is_multi { Form::AlbMulti } else { Form::Alb }
    }
}

impl EventSource for Alb {
    fn name(&self) -> &'static str {
        "alb"
    }

    fn recognises(&self, event: &Value) -> bool {
        http_v1::is_v1(event)
            && event.pointer("/requestContext/elb").is_some()
            && http_v1::is_multi(event) == self.is_multi
    }

    fn route(&self, event: &Value, invocation: &Invocation) -> Route {
        http::routed(&http_v1::unproven(event), invocation, self.form())
    }

    /// A load balancer's word on its callers is in headers, which anybody can write who reaches
    /// the function past it: it proves nothing.
    fn admit(&self, event: &Value, auth: EndpointAuth) -> Admission {
        http::admit(&http_v1::unproven(event), auth)
    }

    fn is_behind_gateway(&self, _: &Value) -> bool {
        true
    }

    fn caller(&self, _: &Value) -> Option<String> {
        Some(callers::name(None))
    }

    fn most_answer_bytes(&self) -> usize {
        MOST_ANSWER_BYTES
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        Ok(vec![Record::sent(self.name(), invocation, http::request(&event)?)])
    }

    fn respond(&self, invocation: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        Ok(http::respond(settled, invocation).into_value(self.form()))
    }
}
