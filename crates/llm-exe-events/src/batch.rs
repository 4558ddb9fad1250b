//! What sources of many records have in common: ids that name one record each, and answers that
//! tell of all.

use std::collections::HashMap;

use llm_exe::Error;
use llm_exe::error::shorten;
use serde_json::{Value, json};

use crate::{Outcome, Record, RecordRequest, Settled};

/// The most failed records that an error names, and the most characters that it quotes of each.
const MOST_NAMED: usize = 10;
const LONGEST_NAMED: usize = 200;

/// The records, each id once: a copy is dropped, and another request under a known id fails with
/// that record, for an answer could not tell them apart.
pub(crate) fn each_once(records: Vec<Record>) -> Vec<Record> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Record> = Vec::new();
    for mut record in records {
        record.asks = each_ask_once(record.asks);
        match places.get(&record.id).and_then(|place| kept.get_mut(*place)) {
            Some(first) => {
                let asks = std::mem::take(&mut first.asks).into_iter().chain(record.asks);
                first.asks = each_ask_once(asks.collect());
            }
            None => {
                places.insert(record.id.clone(), kept.len());
                kept.push(record);
            }
        }
    }
    kept
}

fn each_ask_once(asks: Vec<RecordRequest>) -> Vec<RecordRequest> {
    let mut places: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut kept: Vec<RecordRequest> = Vec::new();
    for ask in asks {
        let name = (ask.source, ask.id.clone());
        match places.get(&name).and_then(|place| kept.get_mut(*place)) {
            Some(first) => {
                let is_copy = first.body.as_ref().ok() == ask.body.as_ref().ok();
                if !is_copy {
                    first.body = Err(Error::invalid("", "two different requests have one id"));
                }
            }
            None => {
                places.insert(name, kept.len());
                kept.push(ask);
            }
        }
    }
    kept
}

/// The failed records, as Lambda's partial batch responses name them.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
pub(crate) fn item_failures(settled: Vec<Settled>) -> Value {
    let failed = settled.into_iter().filter(|one| matches!(one.outcome, Outcome::Failed(_)));
    let failures: Vec<Value> = failed.map(|one| json!({ "itemIdentifier": one.id })).collect();
    json!({ "batchItemFailures": failures })
}

/// A line for each record; the invocation fails if any record did.
pub(crate) fn listed(settled: Vec<Settled>) -> Result<Value, Error> {
    if let Some(error) = failure(&settled) {
        return Err(error);
    }
    let lines = settled.into_iter().filter_map(|one| match one.outcome {
        Outcome::Done(result) => Some(json!({ "id": one.id, "status": "ok", "result": result })),
        Outcome::Skipped => Some(json!({ "id": one.id, "status": "skipped" })),
        // There is none by now.
        Outcome::Failed(_) => None,
    });
    Ok(lines.collect())
}

/// The first failure, naming all records that failed.
fn failure(settled: &[Settled]) -> Option<Error> {
    let failed: Vec<(&str, &Error)> = settled
        .iter()
        .filter_map(|one| match &one.outcome {
            Outcome::Failed(error) => Some((one.id.as_str(), error)),
            _ => None,
        })
        .collect();
    let (_, first) = failed.first()?;
    let summed = |said: &dyn Fn(&Error) -> String| {
        let mut named: Vec<String> = failed
            .iter()
            .take(MOST_NAMED)
            .map(|(id, error)| {
                let said = shorten(&said(error), LONGEST_NAMED);
                format!("{}: {}: {said}", shorten(id, LONGEST_NAMED), error.kind())
            })
            .collect();
        if failed.len() > MOST_NAMED {
            named.push(format!("and {} more", failed.len() - MOST_NAMED));
        }
        format!("{} of {} records failed: {}", failed.len(), settled.len(), named.join("; "))
    };
    let message = summed(&|error| error.message().to_owned());
    let logged = summed(&Error::for_log);
    let error = Error::new(first.kind(), message).logged_as(logged);
    Some(error.with_retry_after(first.retry_after()).with_provider_status(first.provider_status()))
}
