//! Results in S3: objects of JSON, marked as ours, written on conditions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use llm_exe::ports::PortFuture;
use llm_exe::transport::HttpError;
use llm_exe::{Deadline, Error};
use llm_exe_function::destination::ResultPlace;
use llm_exe_function::ports::{
    Precondition, RESULT_METADATA, ResultStore, StoredObject, WriteOutcome,
};

use crate::attempt::Attempt;
use crate::call::{Aws, CallError};
use crate::refusal::Refusal;
use crate::s3::{self, GetObject, Object, Put, PutObject, S3};

/// The most bytes of a result that are read: more than any event source takes as an answer.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The mark of what we wrote: [`RESULT_METADATA`] as a header, and its value.
const MARK: (&str, &str) = ("x-amz-meta-llm-exe", "result");
/// How often an object is written for which others contend at the same time.
const CONTESTS: u32 = 5;
/// The waits between these writes are spread from nothing to this.
const CONTEST_WAIT: Duration = Duration::from_millis(200);

/// Results that are objects of S3.
#[derive(Debug)]
pub struct S3Results {
    s3: S3,
}

impl S3Results {
    /// Results in S3 in this region, at this base URL if one is said. Nothing is connected or
    /// looked up before the first result is.
    pub fn new(aws: Arc<Aws>, region: Option<String>, endpoint: Option<String>) -> Self {
        S3Results { s3: S3::new(aws, region, endpoint) }
    }

    async fn stored(
        &self,
        place: &ResultPlace,
        deadline: Deadline,
    ) -> Result<Option<StoredObject>, Error> {
        let ResultPlace { bucket, key } = place;
        let get = GetObject { bucket, key, version: None, known: None, most_bytes: MOST_BYTES };
        let shown = place.to_string();
        let attempt = Attempt {
            failed: "S3 did not send",
            action: "s3:GetObject",
            resource: &shown,
            of_denials: "; without s3:ListBucket that is also said of what does not exist",
        };
        match self.s3.get_object(&get, deadline).await {
            Ok(Some(Object { body, etag: Some(etag), .. })) => {
                Ok(Some(StoredObject { body, etag }))
            }
            Ok(_) => Err(attempt.unavailable(&"the answer has no ETag")),
            Err(CallError::Failed(HttpError::TooLarge)) => {
                Err(attempt.unavailable(&"it is larger than 8 MiB"))
            }
            Err(CallError::Refused(Refusal { status: 404, code, .. })) if code == "NoSuchKey" => {
                Ok(None)
            }
            Err(fault) => Err(of_bucket(&attempt, fault, bucket)),
        }
    }

    async fn written(
        &self,
        place: &ResultPlace,
        body: Bytes,
        when: Precondition,
        deadline: Deadline,
    ) -> Result<WriteOutcome, Error> {
        let ResultPlace { bucket, key } = place;
        let shown = place.to_string();
        let attempt = Attempt {
            failed: "S3 did not keep",
            action: "s3:PutObject",
            resource: &shown,
            of_denials: "",
        };
        let put = PutObject {
            bucket,
            key,
            body,
            content_type: "application/json",
            metadata: &[(MARK.0, MARK.1.to_owned())],
            precondition: match &when {
                Precondition::Absent => s3::Precondition::Absent,
                Precondition::Unchanged(etag) => s3::Precondition::Unchanged(etag.clone()),
                Precondition::None => s3::Precondition::None,
            },
        };
        for _ in 0..CONTESTS {
            match self.s3.put_object(&put, deadline).await {
                Ok(Put::Done { etag, .. }) => return Ok(WriteOutcome::Done(etag)),
                Ok(Put::Unmet) => return Ok(WriteOutcome::Unmet),
                Ok(Put::Contested) => {}
                Err(fault) => return Err(of_bucket(&attempt, fault, bucket)),
            }
            // Only what is there now tells who was first.
            if !self.holds(place, &when, deadline).await? {
                return Ok(WriteOutcome::Unmet);
            }
            let wait = CONTEST_WAIT.mul_f64(fastrand::f64());
            tokio::time::sleep(wait.min(deadline.left())).await;
        }
        Err(attempt.unavailable(&"others write it at the same time"))
    }

    /// Whether a condition holds as far as reading tells.
    async fn holds(
        &self,
        place: &ResultPlace,
        when: &Precondition,
        deadline: Deadline,
    ) -> Result<bool, Error> {
        Ok(match when {
            Precondition::None => true,
            Precondition::Absent => self.stored(place, deadline).await?.is_none(),
            Precondition::Unchanged(etag) => {
                self.stored(place, deadline).await?.is_some_and(|stored| stored.etag == *etag)
            }
        })
    }
}

impl ResultStore for S3Results {
    fn read<'a>(
        &'a self,
        place: &'a ResultPlace,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<StoredObject>, Error>> {
        Box::pin(self.stored(place, deadline))
    }

    fn write<'a>(
        &'a self,
        place: &'a ResultPlace,
        body: Bytes,
        when: Precondition,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<WriteOutcome, Error>> {
        Box::pin(self.written(place, body, when, deadline))
    }
}

/// Whether we wrote an object: to run it would let a bucket feed itself.
pub(crate) fn is_own(object: &Object) -> bool {
    object.metadata.iter().any(|(name, value)| name == RESULT_METADATA && value == MARK.1)
}

fn of_bucket(attempt: &Attempt<'_>, fault: CallError, bucket: &str) -> Error {
    match &fault {
        CallError::Refused(refusal) if refusal.code == "NoSuchBucket" => {
            attempt.unavailable(&format!("there is no bucket {bucket} ({refusal})"))
        }
        _ => attempt.error(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::{MARK, RESULT_METADATA};

    #[test]
    fn the_mark_is_the_one_that_is_looked_for() {
        assert_eq!(MARK.0, format!("x-amz-meta-{RESULT_METADATA}"));
    }
}
