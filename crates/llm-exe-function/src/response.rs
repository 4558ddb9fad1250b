//! Builds the response to an event and keeps it within the size limit of its source. A response is
//! serialized once, and its length is the size that is checked.

use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::{DIRECT, EventSource, FinishedRecord, Invocation, Outcome};
use serde_json::json;
use serde_json::value::RawValue;

use crate::batch::RecordOutcome;
use crate::log_line::LogLine;
use crate::results::Results;
use crate::streaming::ResponseSender;

/// Builds the response that the event source expects. If the response would be too large, its
/// results are stored below `RESULT_PREFIX` and replaced with their URLs.
pub(crate) async fn build(
    source: &dyn EventSource,
    records: Vec<RecordOutcome>,
    results: &Results,
    invocation: &Invocation,
    deadline: Deadline,
    line: &mut LogLine,
) -> Result<Box<RawValue>, Error> {
    let max_bytes = results.max_response_bytes(source.max_response_bytes());
    let records: Vec<FinishedRecord> = records.into_iter().map(finish).collect();
    let response = source.respond(invocation, &records)?;
    let bytes = response.get().len();
    if bytes <= max_bytes {
        return Ok(response);
    }
    drop(response);
    let error = match offload(records, results, invocation, deadline).await {
        Ok(Some(records)) => {
            let response = source.respond(invocation, &records)?;
            // Even a list of URLs may be longer than OFFLOAD_RESULTS_OVER, so only the source's own
            // limit is checked here.
            let bytes = response.get().len();
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
    let error = line.report.add_details_to(error);
    line.error = Some(error.clone());
    source.respond_with_error(invocation, error)
}

/// Builds the response of an entry point that streams its responses. If the request asks for a
/// stream, the response is the data of its last event, or the error that is its last event.
pub(crate) async fn build_streamed(
    stream: &ResponseSender,
    source: &dyn EventSource,
    records: Vec<RecordOutcome>,
    results: &Results,
    invocation: &Invocation,
    deadline: Deadline,
    line: &mut LogLine,
) -> Result<Box<RawValue>, Error> {
    let format = if stream.is_requested() { DIRECT } else { source };
    match build(format, records, results, invocation, deadline, line).await {
        Err(error) if stream.decline_stream() => source.respond_with_error(invocation, error),
        outcome => outcome,
    }
}

fn finish(record: RecordOutcome) -> FinishedRecord {
    let warning_count = record.warning_count;
    let (id, outcome) = record.into_outcome();
    FinishedRecord { id, outcome, warning_count }
}

/// Stores the results and replaces them with their URLs. Returns `None` if `RESULT_PREFIX` is not
/// set.
async fn offload(
    mut records: Vec<FinishedRecord>,
    results: &Results,
    invocation: &Invocation,
    deadline: Deadline,
) -> Result<Option<Vec<FinishedRecord>>, Error> {
    for (index, record) in records.iter_mut().enumerate() {
        if let Outcome::Done(value) = &mut record.outcome {
            let name = Results::object_name(&[&invocation.request_id, &index.to_string()]);
            let Some(place) = results.offload(&name, value, deadline).await? else {
                return Ok(None);
            };
            *value = json!({ "resultUrl": place.to_string() });
        }
    }
    Ok(Some(records))
}

fn too_large(bytes: usize, max_bytes: usize, hint: &str) -> Error {
    let message = format!("the response has {bytes} bytes, but the maximum is {max_bytes}{hint}");
    Error::new(ErrorKind::ResultTooLarge, message)
}
