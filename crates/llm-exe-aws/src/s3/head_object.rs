//! `HeadObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;

use super::{Operation, S3, metadata, told, version};
use crate::call::CallError;

const PATIENCE: Duration = Duration::from_secs(5);

/// An object to be asked about.
#[derive(Debug, Clone)]
pub struct HeadObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The key, as it is, not encoded.
    pub key: &'a str,
    /// The version, else the newest.
    pub version: Option<&'a str>,
}

/// What is told of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its version's id, in a bucket that keeps versions.
    pub version: Option<String>,
    /// What names this state of it, quotes included.
    pub etag: Option<String>,
    /// Its length in bytes.
    pub length: Option<u64>,
    /// Its content's type.
    pub content_type: Option<String>,
    /// Its own metadata, names in lower case and without their prefix.
    pub metadata: Vec<(String, String)>,
}

impl HeadObject<'_> {
    pub(super) fn operation(&self) -> Operation<'_> {
        Operation {
            method: Method::HEAD,
            bucket: self.bucket,
            key: self.key,
            version: self.version,
            headers: Vec::new(),
            body: Bytes::new(),
            most_bytes: 0,
            patience: PATIENCE,
        }
    }
}

impl S3 {
    /// What S3 tells of the object without sending it.
    ///
    /// # Errors
    /// Why it tells nothing; of `HEAD` that is a status without a code.
    pub async fn head_object(
        &self,
        head: &HeadObject<'_>,
        deadline: Deadline,
    ) -> Result<Head, CallError> {
        let reply = self.send(&head.operation(), deadline).await?;
        Ok(Head {
            version: version(&reply),
            etag: told(&reply, "etag"),
            length: reply.header("content-length").and_then(|text| text.parse().ok()),
            content_type: told(&reply, "content-type"),
            metadata: metadata(&reply),
        })
    }
}
