//! The S3 operation `PutObject` with an optional precondition:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;
use llm_exe_function::ports::Precondition;

use super::client::{Operation, S3, etag, version};
use crate::client::CallError;
use crate::error_response::ErrorResponse;

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// The input of `PutObject`.
#[derive(Debug, Clone)]
pub struct PutObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's key, without percent-encoding.
    pub key: &'a str,
    /// The object's content.
    pub body: Bytes,
    /// The media type of the content.
    pub content_type: &'a str,
    /// The user-defined metadata as headers. Each name begins with `x-amz-meta-`, and each value is
    /// ASCII.
    pub metadata: &'a [(&'static str, String)],
    /// The condition that must hold for S3 to write the object.
    pub precondition: Precondition,
}

/// The outcome of `PutObject`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOutcome {
    /// S3 wrote the object.
    Written {
        /// The version id, if versioning is enabled for the bucket.
        version: Option<String>,
        /// The ETag, including its quotes.
        etag: Option<String>,
    },
    /// The precondition does not hold. This client may have written the object itself: if the
    /// response to an attempt is lost, the retry returns this outcome. The caller can read the
    /// object to find out.
    PreconditionFailed,
    /// Another client wrote the object at the same time. S3 does not report which write succeeded.
    Conflict,
}

impl PutObject<'_> {
    fn operation(&self) -> Operation<'_> {
        let mut headers = vec![("content-type", self.content_type.to_owned())];
        match &self.precondition {
            Precondition::None => {}
            Precondition::Absent => headers.push(("if-none-match", "*".to_owned())),
            Precondition::Unchanged(etag) => headers.push(("if-match", etag.clone())),
        }
        headers.extend(self.metadata.iter().cloned());
        Operation {
            method: Method::PUT,
            bucket: self.bucket,
            key: self.key,
            version: None,
            headers,
            body: self.body.clone(),
            max_response_bytes: MAX_RESPONSE_BYTES,
            timeout: TIMEOUT,
        }
    }
}

impl S3 {
    /// Writes the object if the precondition holds.
    ///
    /// # Errors
    /// Returns an error if S3 does not confirm the write. S3 may have written the object anyway.
    pub async fn put_object(
        &self,
        put: &PutObject<'_>,
        deadline: Deadline,
    ) -> Result<PutOutcome, CallError> {
        match self.send(&put.operation(), deadline).await {
            Ok(reply) => Ok(PutOutcome::Written { version: version(&reply), etag: etag(&reply) }),
            Err(CallError::Rejected(ErrorResponse { status: 412, .. })) => {
                Ok(PutOutcome::PreconditionFailed)
            }
            Err(CallError::Rejected(ErrorResponse { status: 409, .. })) => Ok(PutOutcome::Conflict),
            // S3 returns 404 for `if-match` if the object does not exist. A missing object can't
            // have the expected ETag, so the precondition does not hold.
            Err(CallError::Rejected(ErrorResponse { status: 404, code, .. }))
                if code == "NoSuchKey" && put.precondition != Precondition::None =>
            {
                Ok(PutOutcome::PreconditionFailed)
            }
            Err(error) => Err(error),
        }
    }

    #[cfg(test)]
    pub(crate) fn put_object_call(
        &self,
        put: &PutObject<'_>,
    ) -> Result<crate::client::Call, CallError> {
        self.call(&put.operation())
    }
}
