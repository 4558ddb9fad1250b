//! `GetObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;

use super::{Operation, S3, metadata, told, version};
use crate::call::CallError;

/// The time for one try; a document of 1 MiB takes far less.
const PATIENCE: Duration = Duration::from_secs(5);

/// An object to be read.
#[derive(Debug, Clone)]
pub struct GetObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The key, as it is, not encoded.
    pub key: &'a str,
    /// The version, else the newest.
    pub version: Option<&'a str>,
    /// The ETag of the state that is known already.
    pub known: Option<&'a str>,
    /// The most bytes that are read.
    pub most_bytes: usize,
}

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// All of it.
    pub body: Bytes,
    /// Its version's id, in a bucket that keeps versions.
    pub version: Option<String>,
    /// What names this state of it, quotes included.
    pub etag: Option<String>,
    /// Its own metadata, names in lower case and without their prefix.
    pub metadata: Vec<(String, String)>,
}

impl GetObject<'_> {
    pub(super) fn operation(&self) -> Operation<'_> {
        let known = self.known.filter(|etag| http::HeaderValue::from_str(etag).is_ok());
        Operation {
            method: Method::GET,
            bucket: self.bucket,
            key: self.key,
            version: self.version,
            headers: known.map(|etag| ("if-none-match", etag.to_owned())).into_iter().collect(),
            body: Bytes::new(),
            most_bytes: self.most_bytes,
            patience: PATIENCE,
        }
    }
}

impl S3 {
    /// The object, or `None` where it is still what is known.
    ///
    /// # Errors
    /// Why there is no object.
    pub async fn get_object(
        &self,
        get: &GetObject<'_>,
        deadline: Deadline,
    ) -> Result<Option<Object>, CallError> {
        let reply = self.send(&get.operation(), deadline).await?;
        if reply.status == 304 {
            return Ok(None);
        }
        let (version, etag) = (version(&reply), told(&reply, "etag"));
        let metadata = metadata(&reply);
        Ok(Some(Object { body: reply.body, version, etag, metadata }))
    }
}
