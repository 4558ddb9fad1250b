//! Results of individual records, for programs that print results that the response does not
//! contain.

use llm_exe_events::Outcome;

use crate::batch::RecordOutcome;
use crate::outcome::RequestOutcome;

/// The result of one request of a record.
#[derive(Debug, Clone)]
pub struct RecordResult {
    /// The id that identifies the record in the response.
    pub record_id: String,
    /// The outcome of the request.
    pub outcome: Outcome,
    /// Whether the request is a dry run. Its result is the request that would have been sent to the
    /// provider.
    pub is_dry_run: bool,
    /// The `s3://` URL of the stored result, if the result was stored.
    pub stored_at: Option<String>,
    /// The destination that the result was sent to, if it was sent.
    pub sent_to: Option<String>,
}

impl RecordResult {
    /// Lists the results of all requests in order. A record without requests is listed once as
    /// skipped.
    pub(crate) fn list(records: &[RecordOutcome]) -> Vec<RecordResult> {
        let mut results = Vec::new();
        for RecordOutcome { id, requests, .. } in records {
            results.extend(requests.iter().map(|request| RecordResult::new(id, request)));
            if requests.is_empty() {
                results.push(RecordResult::new(id, &RequestOutcome::skipped()));
            }
        }
        results
    }

    fn new(record_id: &str, request: &RequestOutcome) -> RecordResult {
        let is_dry_run = request.report.dry_run;
        // `place` is set even if no result was written to it.
        let is_stored = matches!(request.outcome, Outcome::Done(_)) && !is_dry_run;
        RecordResult {
            record_id: record_id.to_owned(),
            outcome: request.outcome.clone(),
            is_dry_run,
            stored_at: request.place.as_ref().filter(|_| is_stored).map(ToString::to_string),
            sent_to: request.sent_to.as_ref().map(ToString::to_string),
        }
    }
}
