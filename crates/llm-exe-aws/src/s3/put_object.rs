//! `PutObject`, on a condition:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;

use super::{Operation, S3, told, version};
use crate::call::CallError;
use crate::refusal::Refusal;

const PATIENCE: Duration = Duration::from_secs(30);

/// When an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever there is.
    None,
    /// If there is none yet.
    Absent,
    /// If it is still what this ETag names.
    Unchanged(String),
}

/// An object to be written.
#[derive(Debug, Clone)]
pub struct PutObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The key, as it is, not encoded.
    pub key: &'a str,
    /// All of it.
    pub body: Bytes,
    /// Its content's type.
    pub content_type: &'a str,
    /// Its own metadata: header names from `x-amz-meta-` on, and values of ASCII.
    pub metadata: &'a [(&'static str, String)],
    /// When it is written.
    pub precondition: Precondition,
}

/// What came of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is written.
    Done {
        /// Its version's id, in a bucket that keeps versions.
        version: Option<String>,
        /// What names this state of it, quotes included.
        etag: Option<String>,
    },
    /// The condition does not hold. After a connection broke that may be our own first try: who
    /// must know reads the object.
    Unmet,
    /// Another writer was at it at the same time, and nothing is known of what came of that.
    Contested,
}

impl PutObject<'_> {
    pub(super) fn operation(&self) -> Operation<'_> {
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
            most_bytes: 64 * 1024,
            patience: PATIENCE,
        }
    }
}

impl S3 {
    /// Writes the object, if the condition holds.
    ///
    /// # Errors
    /// Why it is not known to be written.
    pub async fn put_object(
        &self,
        put: &PutObject<'_>,
        deadline: Deadline,
    ) -> Result<Put, CallError> {
        match self.send(&put.operation(), deadline).await {
            Ok(reply) => Ok(Put::Done { version: version(&reply), etag: told(&reply, "etag") }),
            Err(CallError::Refused(Refusal { status: 412, .. })) => Ok(Put::Unmet),
            Err(CallError::Refused(Refusal { status: 409, .. })) => Ok(Put::Contested),
            // An object to be replaced that is gone is changed, too.
            Err(CallError::Refused(Refusal { status: 404, code, .. }))
                if code == "NoSuchKey" && put.precondition != Precondition::None =>
            {
                Ok(Put::Unmet)
            }
            Err(fault) => Err(fault),
        }
    }
}
