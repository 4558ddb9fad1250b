//! Messages of a topic.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use llm_exe::Error;
use serde_json::Value;

use crate::shapes::{self, said};
use crate::wrappings::{self, Way};
use crate::{EventSource, Invocation, Record, Settled, batch};

/// `Records[].EventSource == "aws:sns"`.
pub(crate) struct Sns;

impl EventSource for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn recognises(&self, event: &Value) -> bool {
        shapes::records(event).is_some_and(|items| shapes::all_of(items, "aws:sns"))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        let items = shapes::into_items(event).into_iter().enumerate();
        let records = items.map(|(index, item)| {
            let delivery = invocation.part(index);
            let id = said(&item, "/Sns/MessageId").unwrap_or(&delivery).to_owned();
            let asks = wrappings::record(Way::new("sns", &delivery), item);
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
