//! The S3 operation `GetObject`:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;

use super::client::{Operation, S3, encoding, etag, metadata, version};
use crate::client::CallError;

/// The timeout for each attempt. The objects are small, so reading one takes far less time.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The input of `GetObject`.
#[derive(Debug, Clone)]
pub struct GetObject<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The object's key, without percent-encoding.
    pub key: &'a str,
    /// The version id, or `None` to read the current version.
    pub version: Option<&'a str>,
    /// The ETag of the caller's cached copy. If it still matches, S3 does not send the object
    /// again.
    pub known_etag: Option<&'a str>,
    /// The maximum size of the object in bytes.
    pub max_bytes: usize,
}

/// The output of `GetObject`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The object's content.
    pub body: Bytes,
    /// The version id, if versioning is enabled for the bucket.
    pub version: Option<String>,
    /// The ETag, including its quotes.
    pub etag: Option<String>,
    /// The user-defined metadata. The names are lowercase and do not include the prefix
    /// `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
    /// The encoding of the content, such as `gzip`, if the object was stored with one.
    pub encoding: Option<String>,
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
    /// Reads the object. Returns `None` if its ETag still equals `known_etag`.
    ///
    /// # Errors
    /// Returns an error if the object does not exist or can't be read.
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
        let encoding = encoding(&reply);
        Ok(Some(Object { body: reply.body, version, etag, metadata, encoding }))
    }

    #[cfg(test)]
    pub(crate) fn get_object_call(
        &self,
        get: &GetObject<'_>,
    ) -> Result<crate::client::Call, CallError> {
        self.call(&get.operation())
    }
}
