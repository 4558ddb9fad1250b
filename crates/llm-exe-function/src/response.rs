//! Builds the response to an event and keeps it within the size limit of its source.

use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::{EventSource, FinishedRecord, Invocation, Outcome};
use serde_json::{Value, json};

use crate::batch::RecordOutcome;
use crate::log_line::LogLine;
use crate::results::Results;

/// Maximum factor by which a result grows when it is embedded in a JSON string, where escaping
/// turns one byte into up to six.
const MAX_ESCAPE_GROWTH: usize = 6;

/// Maximum size in bytes of the JSON around a result, not counting the record id.
const MAX_ENVELOPE_BYTES: usize = 2048;

/// Builds the response that the event source expects. If the response would be too large, its
/// results are stored below `RESULT_PREFIX` and replaced with their URLs.
pub(crate) async fn build(
    source: &dyn EventSource,
    records: Vec<RecordOutcome>,
    results: &Results,
    invocation: &Invocation,
    deadline: Deadline,
    line: &mut LogLine,
) -> Result<Value, Error> {
    let max_bytes = results.max_response_bytes(source.max_response_bytes());
    if records.iter().map(result_bytes).sum::<usize>() < max_bytes / MAX_ESCAPE_GROWTH {
        return source.respond(invocation, records.into_iter().map(finish).collect());
    }
    let copies = records.iter().cloned().map(finish).collect();
    let response = source.respond(invocation, copies)?;
    let bytes = json_bytes(&response);
    if bytes <= max_bytes {
        return Ok(response);
    }
    drop(response);
    let error = match offload(records, results, invocation, deadline).await {
        Ok(Some(finished)) => {
            let response = source.respond(invocation, finished)?;
            // Even a list of URLs may be longer than OFFLOAD_RESULTS_OVER, so only the source's own
            // limit is checked here.
            let bytes = json_bytes(&response);
            if bytes <= source.max_response_bytes() {
                return Ok(response);
            }
            too_large(
                bytes,
                source.max_response_bytes(),
                "; its results are already stored in S3, so reduce the batch size",
            )
        }
        Ok(None) => too_large(bytes, max_bytes, "; set RESULT_PREFIX to store large results in S3"),
        Err(error) => error,
    };
    line.error = Some(error.clone());
    source.respond_with_error(invocation, error)
}

fn finish(record: RecordOutcome) -> FinishedRecord {
    let (id, outcome) = record.into_outcome();
    FinishedRecord { id, outcome }
}

/// Returns an upper bound for the size of a record's results in bytes, including the JSON around
/// them but before escaping.
fn result_bytes(record: &RecordOutcome) -> usize {
    record.results().map(|value| json_bytes(value) + MAX_ENVELOPE_BYTES).sum()
}

/// Stores the results and replaces them with their URLs. Returns `None` if `RESULT_PREFIX` is not
/// set.
async fn offload(
    records: Vec<RecordOutcome>,
    results: &Results,
    invocation: &Invocation,
    deadline: Deadline,
) -> Result<Option<Vec<FinishedRecord>>, Error> {
    let mut finished = Vec::new();
    for (index, record) in records.into_iter().enumerate() {
        let FinishedRecord { id, outcome } = finish(record);
        let outcome = match outcome {
            Outcome::Done(value) => {
                let name = Results::object_name(&[&invocation.request_id, &index.to_string()]);
                match results.offload(&name, &value, deadline).await? {
                    Some(place) => Outcome::Done(json!({ "resultUrl": place.to_string() })),
                    None => return Ok(None),
                }
            }
            other => other,
        };
        finished.push(FinishedRecord { id, outcome });
    }
    Ok(Some(finished))
}

fn too_large(bytes: usize, max_bytes: usize, hint: &str) -> Error {
    let message = format!("the response has {bytes} bytes, but the maximum is {max_bytes}{hint}");
    Error::new(ErrorKind::ResultTooLarge, message)
}

/// Returns the size in bytes of a value that is serialized as JSON.
fn json_bytes(value: &Value) -> usize {
    let mut counter = ByteCounter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

/// A writer that counts the bytes and discards them.
struct ByteCounter(usize);

impl std::io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
