//! The result of each record of an event, for a program that shows results which the response to
//! the event does not contain.

use llm_exe_events::Outcome;

use crate::batch::RecordOutcome;
use crate::outcome::RequestOutcome;

/// The result of one request of a record.
#[derive(Debug, Clone)]
pub struct RecordResult {
    /// The record's id, which the response names it by.
    pub record_id: String,
    /// The result or the error.
    pub outcome: Outcome,
    /// Whether no provider was called on purpose: the result is the rendered request.
    pub is_dry_run: bool,
    /// The URL of the object that stores the result.
    pub stored_at: Option<String>,
    /// The destination that the result was sent to.
    pub sent_to: Option<String>,
}

impl RecordResult {
    /// The results of all requests, in their order. A record that asked for nothing has one.
    pub(crate) fn list(ran: &[RecordOutcome]) -> Vec<RecordResult> {
        let mut results = Vec::new();
        for RecordOutcome { id, asks } in ran {
            results.extend(asks.iter().map(|ended| RecordResult::of(id, ended)));
            if asks.is_empty() {
                results.push(RecordResult::of(id, &RequestOutcome::skipped()));
            }
        }
        results
    }

    fn of(record_id: &str, ended: &RequestOutcome) -> RecordResult {
        let is_dry_run = ended.report.dry_run;
        // The place of a record is known even if nothing is written to it.
        let is_stored = matches!(ended.outcome, Outcome::Done(_)) && !is_dry_run;
        RecordResult {
            record_id: record_id.to_owned(),
            outcome: ended.outcome.clone(),
            is_dry_run,
            stored_at: ended.place.as_ref().filter(|_| is_stored).map(ToString::to_string),
            sent_to: ended.sent_to.as_ref().map(ToString::to_string),
        }
    }
}
