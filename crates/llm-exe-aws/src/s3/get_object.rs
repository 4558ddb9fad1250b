//! `GetObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;

use super::client::{Operation, S3, etag, metadata, version};
use crate::client::CallError;

/// The timeout of one attempt. A document of 1 MiB takes far less.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A request to read an object.
#[derive(Debug, Clone)]
pub struct GetObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The key, not encoded.
    pub key: &'a str,
    /// The version id; `None` reads the current version.
    pub version: Option<&'a str>,
    /// The ETag of a copy that the caller has. If it is current, the object is not sent.
    pub known_etag: Option<&'a str>,
    /// The maximum size of the object.
    pub max_bytes: usize,
}

/// An object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The object's content.
    pub body: Bytes,
    /// The version id, if the bucket has versioning.
    pub version: Option<String>,
    /// The ETag, including its quotes.
    pub etag: Option<String>,
    /// The user-defined metadata, with names in lower case and without their prefix.
    pub metadata: Vec<(String, String)>,
}

impl GetObject<'_> {
    fn operation(&self) -> Operation<'_> {
        let known_etag = self.known_etag.filter(|etag| http::HeaderValue::from_str(etag).is_ok());
        let headers = known_etag.map(|etag| ("if-none-match", etag.to_owned()));
        Operation {
            method: Method::GET,
            bucket: self.bucket,
            key: self.key,
            version: self.version,
            headers: headers.into_iter().collect(),
            body: Bytes::new(),
            max_response_bytes: self.max_bytes,
            timeout: TIMEOUT,
        }
    }
}

impl S3 {
    /// Returns the object, or `None` if the known ETag is current.
    ///
    /// # Errors
    /// If the object does not exist or could not be read.
    pub async fn get_object(
        &self,
        get: &GetObject<'_>,
        deadline: Deadline,
    ) -> Result<Option<Object>, CallError> {
        let reply = self.send(&get.operation(), deadline).await?;
        if reply.status == 304 {
            return Ok(None);
        }
        let (version, etag, metadata) = (version(&reply), etag(&reply), metadata(&reply));
        Ok(Some(Object { body: reply.body, version, etag, metadata }))
    }

    #[cfg(test)]
    pub(crate) fn get_object_call(
        &self,
        get: &GetObject<'_>,
    ) -> Result<crate::client::Call, CallError> {
        self.call(&get.operation())
    }
}
