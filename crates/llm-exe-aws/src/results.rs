//! Stores results as JSON objects in S3. Metadata marks each object as a result, and preconditions
//! prevent concurrent writers from overwriting each other's results.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use llm_exe::ports::PortFuture;
use llm_exe::transport::HttpError;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_function::destination::ResultPlace;
use llm_exe_function::ports::{
    MAX_OBJECT_BYTES, Precondition, RESULT_METADATA, ResultStore, StoredObject, WriteOutcome,
};

use crate::client::{AwsClient, CallError};
use crate::error_context::{ErrorContext, MISSING_OBJECT_HINT};
use crate::error_response::ErrorResponse;
use crate::s3::{GetObject, Object, PutObject, PutOutcome, S3};

/// The name and value of the header that marks an object as a stored result. S3 stores the header
/// as the metadata entry [`RESULT_METADATA`].
const MARK: (&str, &str) = ("x-amz-meta-llm-exe", "result");
/// The maximum number of attempts to write an object while S3 reports conflicting writes.
const MAX_CONFLICTS: u32 = 5;
/// The maximum wait after a write conflict. The actual wait is random.
const MAX_CONFLICT_WAIT: Duration = Duration::from_millis(200);

/// A [`ResultStore`] that stores results in S3.
#[derive(Debug)]
pub struct S3Results {
    s3: S3,
}

impl S3Results {
    /// Creates a store for the given region. If `endpoint` is set, requests go to that base URL
    /// instead of the regional endpoint. The store neither reads credentials nor connects to S3
    /// until the first read or write.
    pub fn new(client: Arc<AwsClient>, region: Option<String>, endpoint: Option<String>) -> Self {
        S3Results { s3: S3::new(client, region, endpoint) }
    }

    async fn read_object(
        &self,
        place: &ResultPlace,
        deadline: Deadline,
    ) -> Result<Option<StoredObject>, Error> {
        let ResultPlace { bucket, key } = place;
        let max_bytes = MAX_OBJECT_BYTES;
        let get = GetObject { bucket, key, version: None, known_etag: None, max_bytes };
        let resource = place.to_string();
        let context = ErrorContext {
            unavailable: ErrorKind::ResultUnavailable,
            failed: "can't read",
            resource: &resource,
            action: "s3:GetObject",
            denial_hint: MISSING_OBJECT_HINT,
        };
        match self.s3.get_object(&get, deadline).await {
            Ok(Some(Object { body, etag: Some(etag), .. })) => {
                Ok(Some(StoredObject { body, etag }))
            }
            Ok(_) => Err(context.unavailable(&"the response from S3 has no ETag")),
            Err(CallError::Failed(HttpError::TooLarge)) => {
                Err(context.unavailable(&"the object is larger than 8 MiB"))
            }
            Err(CallError::Rejected(ErrorResponse { status: 404, code, .. }))
                if code == "NoSuchKey" =>
            {
                Ok(None)
            }
            Err(error) => Err(convert_error(&context, error)),
        }
    }

    async fn write_object(
        &self,
        place: &ResultPlace,
        body: Bytes,
        when: Precondition,
        deadline: Deadline,
    ) -> Result<WriteOutcome, Error> {
        let ResultPlace { bucket, key } = place;
        let resource = place.to_string();
        let context = ErrorContext {
            unavailable: ErrorKind::ResultUnavailable,
            failed: "can't store",
            resource: &resource,
            action: "s3:PutObject",
            denial_hint: "",
        };
        let put = PutObject {
            bucket,
            key,
            body,
            content_type: "application/json",
            metadata: &[(MARK.0, MARK.1.to_owned())],
            precondition: when.clone(),
        };
        for _ in 0..MAX_CONFLICTS {
            match self.s3.put_object(&put, deadline).await {
                Ok(PutOutcome::Written { etag, .. }) => return Ok(WriteOutcome::Done(etag)),
                Ok(PutOutcome::PreconditionFailed) => return Ok(WriteOutcome::Unmet),
                Ok(PutOutcome::Conflict) => {}
                Err(error) => return Err(convert_error(&context, error)),
            }
            // S3 does not report which of the concurrent writes succeeded, so read the object to
            // find out.
            if !self.is_met(place, &when, deadline).await? {
                return Ok(WriteOutcome::Unmet);
            }
            let wait = MAX_CONFLICT_WAIT.mul_f64(fastrand::f64());
            tokio::time::sleep(wait.min(deadline.left())).await;
        }
        Err(context.unavailable(&"other writers keep changing the object at the same time"))
    }

    /// Returns whether the precondition holds for the current object.
    async fn is_met(
        &self,
        place: &ResultPlace,
        when: &Precondition,
        deadline: Deadline,
    ) -> Result<bool, Error> {
        Ok(match when {
            Precondition::None => true,
            Precondition::Absent => self.read_object(place, deadline).await?.is_none(),
            Precondition::Unchanged(etag) => {
                let stored = self.read_object(place, deadline).await?;
                stored.is_some_and(|stored| stored.etag == *etag)
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
        Box::pin(self.read_object(place, deadline))
    }

    fn write<'a>(
        &'a self,
        place: &'a ResultPlace,
        body: Bytes,
        when: Precondition,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<WriteOutcome, Error>> {
        Box::pin(self.write_object(place, body, when, deadline))
    }
}

/// Returns whether llm-exe wrote the object as a result. Results are never run as requests, because
/// each run would store another result and could trigger itself in an endless loop.
pub(crate) fn is_stored_result(object: &Object) -> bool {
    object.metadata.iter().any(|(name, value)| name == RESULT_METADATA && value == MARK.1)
}

fn convert_error(context: &ErrorContext<'_>, error: CallError) -> Error {
    match &error {
        CallError::Rejected(response) if response.code == "NoSuchBucket" => {
            context.unavailable(&format!("the bucket does not exist ({response})"))
        }
        _ => context.error(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{MARK, RESULT_METADATA};

    #[test]
    fn mark_is_the_header_of_the_metadata() {
        assert_eq!(MARK.0, format!("x-amz-meta-{RESULT_METADATA}"));
    }
}
