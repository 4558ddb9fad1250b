//! Sends S3 requests to the region of their bucket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;
use llm_exe::wire::WireReply;

use crate::client::{AwsClient, Call, CallError};
use crate::endpoint::{encode_query, object_url};
use crate::error_response::ErrorResponse;

/// The maximum number of buckets whose regions the client remembers.
const MAX_KNOWN_BUCKETS: usize = 1000;
/// The prefix of headers that contain user-defined metadata.
const METADATA_PREFIX: &str = "x-amz-meta-";

/// An S3 client. Requests go to the region of the bucket, or to a custom base URL if one is set.
#[derive(Debug)]
pub struct S3 {
    client: Arc<AwsClient>,
    region: Option<String>,
    endpoint: Option<String>,
    /// The regions of buckets that are not in `region`. The client learns them from S3 error
    /// responses.
    bucket_regions: Mutex<HashMap<String, String>>,
}

/// An operation on an S3 object, which can be sent to any region.
pub(super) struct Operation<'a> {
    pub(super) method: Method,
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    pub(super) max_response_bytes: usize,
    pub(super) timeout: Duration,
}

impl S3 {
    /// Creates a client that sends requests to `region` first. If `endpoint` is set, requests go to
    /// that base URL instead of the regional endpoint.
    pub fn new(client: Arc<AwsClient>, region: Option<String>, endpoint: Option<String>) -> Self {
        S3 { client, region, endpoint, bucket_regions: Mutex::default() }
    }

    /// Sends an operation. If S3 responds that the bucket is in another region, sends the operation
    /// again to that region.
    pub(super) async fn send(
        &self,
        operation: &Operation<'_>,
        deadline: Deadline,
    ) -> Result<WireReply, CallError> {
        let region = self.region_of(operation.bucket)?;
        let result = self.client.send(&self.call_in(operation, &region)?, deadline).await;
        let Err(CallError::Rejected(ErrorResponse { region: Some(bucket_region), .. })) = &result
        else {
            return result;
        };
        if *bucket_region == region {
            return result;
        }
        self.remember_region(operation.bucket, bucket_region);
        self.client.send(&self.call_in(operation, bucket_region)?, deadline).await
    }

    /// Returns the unsigned request for an operation, so that tests can inspect it.
    #[cfg(test)]
    pub(super) fn call(&self, operation: &Operation<'_>) -> Result<Call, CallError> {
        self.call_in(operation, &self.region_of(operation.bucket)?)
    }

    fn remember_region(&self, bucket: &str, region: &str) {
        let mut regions = self.bucket_regions.lock().unwrap_or_else(PoisonError::into_inner);
        if regions.len() >= MAX_KNOWN_BUCKETS {
            regions.clear();
        }
        regions.insert(bucket.to_owned(), region.to_owned());
    }

    /// Returns the region that the client is configured to use.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    fn region_of(&self, bucket: &str) -> Result<String, CallError> {
        let regions = self.bucket_regions.lock().unwrap_or_else(PoisonError::into_inner);
        let region = regions.get(bucket).or(self.region.as_ref());
        region.cloned().ok_or_else(CallError::no_region)
    }

    fn call_in(&self, operation: &Operation<'_>, region: &str) -> Result<Call, CallError> {
        let Operation { bucket, key, .. } = *operation;
        let url = object_url(self.endpoint.as_deref(), region, bucket, key);
        let Some(mut url) = url else {
            return Err(CallError::Rejected(ErrorResponse::invalid_name()));
        };
        if let Some(version) = operation.version {
            url.push_str(&format!("?versionId={}", encode_query(version)));
        }
        Ok(Call {
            service: "s3",
            region: region.to_owned(),
            method: operation.method.clone(),
            url,
            headers: operation.headers.clone(),
            body: operation.body.clone(),
            max_response_bytes: operation.max_response_bytes,
            timeout: operation.timeout,
            is_repeatable: true,
            error_in_success: |_| None,
        })
    }
}

/// Returns an object's user-defined metadata. The names are lowercase and do not include
/// [`METADATA_PREFIX`].
pub(super) fn metadata(reply: &WireReply) -> Vec<(String, String)> {
    let metadata = reply.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(METADATA_PREFIX)?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    metadata.collect()
}

pub(super) fn etag(reply: &WireReply) -> Option<String> {
    reply.header("etag").map(str::to_owned)
}

/// Returns the encoding of the content. Some clients store `aws-chunked` with an object, which is
/// an encoding of their upload only.
pub(super) fn encoding(reply: &WireReply) -> Option<String> {
    let names = reply.header("content-encoding")?.split(',').map(str::trim);
    let names: Vec<&str> =
        names.filter(|name| !matches!(*name, "" | "aws-chunked" | "identity")).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Returns the version id. S3 sends the id `null` for objects without versioning, so `null` counts
/// as missing.
pub(super) fn version(reply: &WireReply) -> Option<String> {
    reply.header("x-amz-version-id").filter(|version| *version != "null").map(str::to_owned)
}
