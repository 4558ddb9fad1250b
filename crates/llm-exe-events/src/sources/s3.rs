//! Notifications of a bucket: each object that was created is a hosted config to run.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html>

use llm_exe::Error;
use serde_json::Value;

use crate::objects::Object;
use crate::shapes::{self, said};
use crate::wrappings::{self, Way};
use crate::{EventSource, Invocation, Record, Settled, batch};

/// `Records[].eventSource == "aws:s3"`, and the test message of a new notification.
pub(crate) struct S3;

impl EventSource for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn recognises(&self, event: &Value) -> bool {
        shapes::is_test_event(event)
            || shapes::records(event).is_some_and(|items| shapes::all_of(items, "aws:s3"))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        if shapes::is_test_event(&event) {
            let id = said(&event, "/RequestId").unwrap_or(&invocation.request_id).to_owned();
            return Ok(vec![Record { id, group: None, asks: Vec::new() }]);
        }
        let items = shapes::into_items(event).into_iter().enumerate();
        let records = items.map(|(index, item)| {
            let delivery = invocation.part(index);
            let object = Object::notified(&item);
            let id = object.map_or_else(|_| delivery.clone(), |object| object.id(&delivery));
            let asks = wrappings::record(Way::new("s3", &delivery), item);
            Record { id, group: None, asks }
        });
        Ok(batch::each_once(records.collect()))
    }

    fn respond(&self, _: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        batch::listed(settled)
    }

    fn refuse(&self, _: &Invocation, error: Error) -> Result<Value, Error> {
        Err(error)
    }
}
