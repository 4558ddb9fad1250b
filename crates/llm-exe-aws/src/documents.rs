//! Fetches documents, such as hosted prompts, from S3.

use std::sync::Arc;

use llm_exe::error::shorten;
use llm_exe::hosted::{MAX_CONFIG_BYTES, is_gzip, is_gzip_encoding};
use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::transport::HttpError;
use llm_exe::{Deadline, Error, ErrorKind};

use crate::client::{AwsClient, CallError};
use crate::error_context::{ErrorContext, MISSING_OBJECT_HINT};
use crate::error_response::ErrorResponse;
use crate::results::is_stored_result;
use crate::s3::{GetObject, Object, S3};

/// A [`DocumentStore`] that reads S3 objects. It does not support web URLs.
#[derive(Debug)]
pub struct S3Documents {
    s3: S3,
}

impl S3Documents {
    /// Creates a store for the given region. If `endpoint` is set, requests go to that base URL
    /// instead of the regional endpoint. The store neither reads credentials nor connects to S3
    /// until the first fetch.
    pub fn new(client: Arc<AwsClient>, region: Option<String>, endpoint: Option<String>) -> Self {
        S3Documents { s3: S3::new(client, region, endpoint) }
    }

    async fn fetch_object(
        &self,
        place: &DocumentLocation,
        known_etag: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<Document>, Error> {
        let DocumentLocation::Object { bucket, key, version } = place else {
            let message =
                "the S3 document store was called with a web URL instead of an S3 location";
            return Err(Error::new(ErrorKind::Internal, message));
        };
        let version = version.as_deref();
        let get = GetObject { bucket, key, version, known_etag, max_bytes: MAX_CONFIG_BYTES };
        match self.s3.get_object(&get, deadline).await {
            Ok(Some(object)) if is_stored_result(&object) => {
                Err(Error::own_result(&format!("s3://{bucket}/{key}")))
            }
            Ok(Some(Object { encoding: Some(encoding), body, .. }))
                if !is_gzip_encoding(&encoding) || !is_gzip(&body) =>
            {
                let problem =
                    if is_gzip_encoding(&encoding) { ", but its content is not gzip" } else { "" };
                let message = format!(
                    "the object is stored with the encoding {}{problem}; store it uncompressed: \
                     s3://{bucket}/{key}",
                    shorten(&encoding, 40)
                );
                Err(Error::new(ErrorKind::ConfigInvalid, message))
            }
            Ok(Some(object)) => {
                let (version, etag) = (object.version, object.etag);
                Ok(Some(Document { body: object.body, version, etag }))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(convert_error(error, &get, self.s3.region())),
        }
    }
}

impl DocumentStore for S3Documents {
    fn fetch<'a>(
        &'a self,
        place: &'a DocumentLocation,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        Box::pin(self.fetch_object(place, known, deadline))
    }
}

/// Converts an error. `region` is the region from which the object was requested.
fn convert_error(error: CallError, get: &GetObject<'_>, region: Option<&str>) -> Error {
    let GetObject { bucket, key, version, .. } = *get;
    let (resource, action) = match version {
        Some(version) => (format!("s3://{bucket}/{key}, version {version}"), "s3:GetObjectVersion"),
        None => (format!("s3://{bucket}/{key}"), "s3:GetObject"),
    };
    match &error {
        CallError::Failed(HttpError::TooLarge) => {
            let message = format!("{resource} is larger than 1 MiB, the maximum size of a config");
            return Error::new(ErrorKind::ConfigInvalid, message);
        }
        CallError::Rejected(response) if response.is_wrong_region() => {
            let place = response.region.as_deref().unwrap_or("another region");
            let from = region.unwrap_or("another endpoint");
            let message = format!("the bucket {bucket} is in {place}; requests go to {from}");
            return Error::new(ErrorKind::ConfigInvalid, format!("{message}: {resource}"));
        }
        CallError::Rejected(response) => {
            if let Some((kind, problem)) = object_problem(response, version.is_some()) {
                return Error::new(kind, format!("{problem}: {resource}"));
            }
        }
        _ => {}
    }
    let context = ErrorContext {
        unavailable: ErrorKind::ConfigUnavailable,
        failed: "can't read",
        resource: &resource,
        action,
        denial_hint: MISSING_OBJECT_HINT,
    };
    context.error(error)
}

/// Returns the kind and the description of an error that concerns the object, or `None` for any
/// other error.
fn object_problem(
    response: &ErrorResponse,
    has_version: bool,
) -> Option<(ErrorKind, &'static str)> {
    Some(match (response.status, response.code.as_str()) {
        (_, "NoSuchBucket") => (ErrorKind::ConfigNotFound, "the bucket does not exist"),
        (404, "NoSuchVersion") => (ErrorKind::ConfigNotFound, "the version does not exist"),
        // S3 returns this error for a malformed version id.
        (400, "InvalidArgument") if has_version => {
            (ErrorKind::ConfigNotFound, "the version does not exist")
        }
        (405, _) => {
            (ErrorKind::ConfigNotFound, "the object version is a delete marker and has no content")
        }
        (404, _) | (_, "KeyTooLongError" | "InvalidBucketName") => {
            (ErrorKind::ConfigNotFound, "the object does not exist")
        }
        (403, "InvalidObjectState") => {
            (ErrorKind::ConfigInvalid, "the object is archived and must be restored first")
        }
        _ => return None,
    })
}
