//! Hosted documents from S3.

use std::sync::Arc;

use llm_exe::hosted::MAX_CONFIG_BYTES;
use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::transport::HttpError;
use llm_exe::{Deadline, Error, ErrorKind};

use crate::call::{Aws, CallError};
use crate::refusal::Refusal;
use crate::results::is_own;
use crate::s3::{GetObject, S3};

/// A store of documents that are S3 objects. Configs at https URLs are fetched by `WebConfigFetcher`.
#[derive(Debug)]
pub struct S3Documents {
    s3: S3,
}

impl S3Documents {
    /// Documents of S3 in this region, at this base URL if one is said. Nothing is connected or
    /// looked up before the first document is asked for.
    pub fn new(aws: Arc<Aws>, region: Option<String>, endpoint: Option<String>) -> Self {
        S3Documents { s3: S3::new(aws, region, endpoint) }
    }

    async fn object(
        &self,
        place: &DocumentLocation,
        known: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<Document>, Error> {
        let DocumentLocation::Object { bucket, key, version } = place else {
            let text = "a page was asked of the store of objects";
            return Err(Error::new(ErrorKind::Internal, text));
        };
        let version = version.as_deref();
        let get = GetObject { bucket, key, version, known, most_bytes: MAX_CONFIG_BYTES };
        match self.s3.get_object(&get, deadline).await {
            Ok(Some(object)) if is_own(&object) => {
                Err(Error::own_result(&format!("s3://{bucket}/{key}")))
            }
            Ok(Some(object)) => {
                let (version, etag) = (object.version, object.etag);
                Ok(Some(Document { body: object.body, version, etag }))
            }
            Ok(None) => Ok(None),
            Err(fault) => Err(error(fault, bucket, key, version)),
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
        Box::pin(self.object(place, known, deadline))
    }
}

fn error(fault: CallError, bucket: &str, key: &str, version: Option<&str>) -> Error {
    let shown = match version {
        Some(version) => format!("s3://{bucket}/{key}, version {version}"),
        None => format!("s3://{bucket}/{key}"),
    };
    let (kind, text) = match fault {
        CallError::NotSigned(error) => return error,
        CallError::Failed(HttpError::TooLarge) => {
            (ErrorKind::ConfigInvalid, format!("{shown} is larger than 1 MiB"))
        }
        CallError::Failed(fault) => {
            (ErrorKind::ConfigUnavailable, format!("S3 did not send {shown}: {fault}"))
        }
        CallError::Unreadable(why) => {
            (ErrorKind::ConfigUnavailable, format!("S3 did not send {shown}: {why}"))
        }
        CallError::Refused(refusal) => refused(&refusal, &shown, bucket, version),
    };
    Error::new(kind, text)
}

fn refused(
    refusal: &Refusal,
    shown: &str,
    bucket: &str,
    version: Option<&str>,
) -> (ErrorKind, String) {
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    match (refusal.status, refusal.code.as_str()) {
        (_, "NoSuchBucket") => {
            (ErrorKind::ConfigNotFound, format!("there is no bucket {bucket} ({shown})"))
        }
        (404, "NoSuchVersion") => {
            (ErrorKind::ConfigNotFound, format!("there is no such version: {shown}"))
        }
        // What is said of versions' ids that can be none.
        (400, "InvalidArgument") if version.is_some() => {
            (ErrorKind::ConfigNotFound, format!("there is no such version: {shown}"))
        }
        (405, _) => (ErrorKind::ConfigNotFound, format!("this version marks a deletion: {shown}")),
        (404, _) | (_, "KeyTooLongError" | "InvalidBucketName") => {
            (ErrorKind::ConfigNotFound, format!("there is no object {shown}"))
        }
        (403, "InvalidObjectState") => {
            (ErrorKind::ConfigInvalid, format!("{shown} is archived and can't be read"))
        }
        _ if refusal.is_of_credentials() => {
            (ErrorKind::AccessDenied, format!("AWS did not accept the credentials ({refusal})"))
        }
        _ if refusal.is_denial() && refusal.is_of_kms() => (
            ErrorKind::AccessDenied,
            format!(
                "AWS does not allow its caller kms:Decrypt with the key of {shown} ({refusal})"
            ),
        ),
        _ if refusal.is_denial() => (
            ErrorKind::AccessDenied,
            format!(
                "AWS does not allow its caller {action} on {shown} ({refusal}); without \
                 s3:ListBucket that is also said of what does not exist"
            ),
        ),
        _ => (ErrorKind::ConfigUnavailable, format!("S3 did not send {shown} ({refusal})")),
    }
}
