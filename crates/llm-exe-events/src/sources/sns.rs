//! Messages from an SNS topic.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use llm_exe::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::batch;
use crate::envelopes::{self, Provenance};
use crate::record::{FinishedRecord, Invocation, Record};
use crate::shapes::{self, non_empty_string};
use crate::source::EventSource;

/// Handles events with `Records[].EventSource == "aws:sns"`.
pub(crate) struct Sns;

impl EventSource for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn matches(&self, event: &Value) -> bool {
        shapes::records(event).is_some_and(|items| shapes::all_from(items, "aws:sns"))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        let items = shapes::into_items(event).into_iter().enumerate();
        let records = items.map(|(index, item)| {
            let delivery = invocation.part_id(index);
            let id = non_empty_string(&item, "/Sns/MessageId").unwrap_or(&delivery).to_owned();
            let requests = envelopes::requests_in_record(Provenance::new("sns", &delivery), item);
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
