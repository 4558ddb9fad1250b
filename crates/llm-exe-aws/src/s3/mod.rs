//! Objects of S3: a file per operation, and what they share: URLs, and the region of a bucket.

mod get_object;
mod head_object;
mod put_object;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;
use llm_exe::wire::WireReply;

pub use get_object::{GetObject, Object};
pub use head_object::{Head, HeadObject};
pub use put_object::{Precondition, Put, PutObject};

use crate::call::{Aws, Call, CallError};
use crate::endpoint::{object_url, query};
use crate::refusal::Refusal;

/// How many buckets' regions are remembered.
const MOST_BUCKETS: usize = 1000;
/// What the names of an object's own metadata begin with, as headers.
const METADATA: &str = "x-amz-meta-";

/// S3 in a region, or where the operator says.
#[derive(Debug)]
pub struct S3 {
    aws: Arc<Aws>,
    region: Option<String>,
    endpoint: Option<String>,
    /// The regions of buckets that turned out to be in another.
    homes: Mutex<HashMap<String, String>>,
}

/// An operation on an object, as the files beside this one build it.
struct Operation<'a> {
    method: Method,
    bucket: &'a str,
    key: &'a str,
    version: Option<&'a str>,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    most_bytes: usize,
    patience: Duration,
}

impl S3 {
    /// S3 in this region, at this base URL if one is said.
    pub fn new(aws: Arc<Aws>, region: Option<String>, endpoint: Option<String>) -> Self {
        S3 { aws, region, endpoint, homes: Mutex::default() }
    }

    /// Sends an operation; once more, where the bucket turns out to be in another region.
    async fn send(
        &self,
        operation: &Operation<'_>,
        deadline: Deadline,
    ) -> Result<WireReply, CallError> {
        let region = self.region_of(operation.bucket)?;
        let sent = self.aws.send(&self.call(operation, &region)?, deadline).await;
        let Err(CallError::Refused(Refusal {
            status: 301 | 307 | 400 | 403, region: home, ..
        })) = &sent
        else {
            return sent;
        };
        let Some(home) = home.clone().filter(|home| *home != region) else {
            return sent;
        };
        self.remember(operation.bucket, &home);
        self.aws.send(&self.call(operation, &home)?, deadline).await
    }

    fn remember(&self, bucket: &str, home: &str) {
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        if homes.len() >= MOST_BUCKETS {
            homes.clear();
        }
        homes.insert(bucket.to_owned(), home.to_owned());
    }

    fn region_of(&self, bucket: &str) -> Result<String, CallError> {
        let homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = homes.get(bucket).or(self.region.as_ref());
        known.cloned().ok_or_else(CallError::no_region)
    }

    fn call(&self, operation: &Operation<'_>, region: &str) -> Result<Call, CallError> {
        let Operation { bucket, key, .. } = *operation;
        let url = object_url(self.endpoint.as_deref(), region, bucket, key);
        let Some(mut url) = url else {
            return Err(CallError::Refused(Refusal::no_such_name()));
        };
        if let Some(version) = operation.version {
            url.push_str(&format!("?versionId={}", query(version)));
        }
        Ok(Call {
            service: "s3",
            region: region.to_owned(),
            method: operation.method.clone(),
            url,
            headers: operation.headers.clone(),
            body: operation.body.clone(),
            most_bytes: operation.most_bytes,
            patience: operation.patience,
            hidden: |_| None,
        })
    }
}

/// An object's own metadata, names in lower case and without their prefix.
fn metadata(reply: &WireReply) -> Vec<(String, String)> {
    let own = reply.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(METADATA)?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    own.collect()
}

/// A header's text, as an operation's answer has it.
fn told(reply: &WireReply, name: &str) -> Option<String> {
    reply.header(name).map(str::to_owned)
}

/// The version's id; `null` is what S3 says of objects that are replaced in place.
fn version(reply: &WireReply) -> Option<String> {
    told(reply, "x-amz-version-id").filter(|version| version != "null")
}

#[cfg(test)]
impl S3 {
    pub(crate) fn get_object_call(&self, get: &GetObject<'_>) -> Result<Call, CallError> {
        self.call(&get.operation(), &self.region_of(get.bucket)?)
    }

    pub(crate) fn head_object_call(&self, head: &HeadObject<'_>) -> Result<Call, CallError> {
        self.call(&head.operation(), &self.region_of(head.bucket)?)
    }

    pub(crate) fn put_object_call(&self, put: &PutObject<'_>) -> Result<Call, CallError> {
        self.call(&put.operation(), &self.region_of(put.bucket)?)
    }
}
