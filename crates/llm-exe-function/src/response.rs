//! The answer to an event, in a size that its source takes.

use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::{EventSource, Invocation, Outcome, Settled};
use serde_json::{Value, json};

use crate::batch::RecordOutcome;
use crate::log_line::LogLine;
use crate::results::Results;

/// How much longer a result may become in an answer, where it is a text in JSON: six bytes of one.
const GROWTH: usize = 6;
/// The most bytes that stand around a result in an answer, ids aside.
const MOST_AROUND: usize = 2048;

/// The answer that the event's source expects. What is too large for it is put under the result
/// prefix, and its place is the answer.
pub(crate) async fn of(
    source: &dyn EventSource,
    ran: Vec<RecordOutcome>,
    results: &Results,
    invocation: &Invocation,
    deadline: Deadline,
    line: &mut LogLine,
) -> Result<Value, Error> {
    let most = results.most_bytes(source.most_answer_bytes());
    if ran.iter().map(bytes_of).sum::<usize>() < most / GROWTH {
        return source.respond(invocation, ran.into_iter().map(settled).collect());
    }
    let copies = ran.iter().cloned().map(settled).collect();
    let answer = source.respond(invocation, copies)?;
    let bytes = length(&answer);
    if bytes <= most {
        return Ok(answer);
    }
    drop(answer);
    let error = match put_aside(ran, results, invocation, deadline).await {
        Ok(Some(settled)) => {
            let answer = source.respond(invocation, settled)?;
            // What the operator wants smaller can't be; what the source takes is what counts.
            let bytes = length(&answer);
            if bytes <= source.most_answer_bytes() {
                return Ok(answer);
            }
            too_large(bytes, source.most_answer_bytes(), "even with its results put aside")
        }
        Ok(None) => too_large(bytes, most, "and there is no RESULT_PREFIX to put it under"),
        Err(error) => error,
    };
    line.error = Some(error.clone());
    source.refuse(invocation, error)
}

fn settled(one: RecordOutcome) -> Settled {
    let (id, outcome) = one.into_outcome();
    Settled { id, outcome }
}

/// The bytes of a record's results.
fn bytes_of(ran: &RecordOutcome) -> usize {
    ran.results().map(|value| length(value) + MOST_AROUND).sum()
}

/// The same with the places of results instead of them; `None` without a result prefix.
async fn put_aside(
    ran: Vec<RecordOutcome>,
    results: &Results,
    invocation: &Invocation,
    deadline: Deadline,
) -> Result<Option<Vec<Settled>>, Error> {
    let mut settled = Vec::new();
    for (at, one) in ran.into_iter().enumerate() {
        let Settled { id, outcome } = self::settled(one);
        let outcome = match outcome {
            Outcome::Done(value) => {
                let name = Results::name_of(&[&invocation.request_id, &at.to_string()]);
                match results.put_aside(&name, &value, deadline).await? {
                    Some(place) => Outcome::Done(json!({ "resultUrl": place.to_string() })),
                    None => return Ok(None),
                }
            }
            other => other,
        };
        settled.push(Settled { id, outcome });
    }
    Ok(Some(settled))
}

fn too_large(bytes: usize, most: usize, why: &str) -> Error {
    let text = format!("the answer has {bytes} bytes; at most {most}, {why}");
    Error::new(ErrorKind::ResultTooLarge, text)
}

/// The bytes of a value as JSON.
fn length(value: &Value) -> usize {
    let mut bytes = Counted(0);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => bytes.0,
        Err(_) => usize::MAX,
    }
}

/// Counts what is written to it.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
