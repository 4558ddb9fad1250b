//! S3 notifications. The function reads a request from each created object and runs it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html>

use llm_exe::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::batch;
use crate::envelopes::{self, Provenance};
use crate::record::{FinishedRecord, Invocation, Record};
use crate::s3_object::S3Object;
use crate::shapes::{self, non_empty_string};
use crate::source::EventSource;

/// Handles events with `Records[].eventSource == "aws:s3"`, and the test event that S3 sends when a
/// notification is configured.
pub(crate) struct S3;

impl EventSource for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn matches(&self, event: &Value) -> bool {
        shapes::is_test_event(event)
            || shapes::records(event).is_some_and(|items| shapes::all_from(items, "aws:s3"))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        if shapes::is_test_event(&event) {
            let id =
                non_empty_string(&event, "/RequestId").unwrap_or(&invocation.request_id).to_owned();
            return Ok(vec![Record { id, group: None, requests: Vec::new() }]);
        }
        let items = shapes::into_items(event).into_iter().enumerate();
        let records = items.map(|(index, item)| {
            let delivery = invocation.part_id(index);
            let object = S3Object::from_notification(&item);
            let id = object.map_or_else(|_| delivery.clone(), |object| object.id(&delivery));
            let requests = envelopes::requests_in_record(Provenance::new("s3", &delivery), item);
            Record { id, group: None, requests }
        });
        Ok(batch::deduplicate_records(records.collect()))
    }

    fn respond(&self, _: &Invocation, records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
        batch::status_list(records)
    }

    fn respond_with_error(&self, _: &Invocation, error: Error) -> Result<Box<RawValue>, Error> {
        Err(error)
    }
}
