//! S3 objects that events refer to. The function fetches the request from the object and runs it.

use llm_exe::Error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use crate::shapes::{non_empty_string, string};

/// The characters that are percent-encoded: all except the unreserved characters of RFC 3986.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The characters of [`COMPONENT`] except `/`, which separates path segments.
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// An S3 object that an event refers to, with the version of its content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct S3Object {
    bucket: String,
    key: String,
    version: Option<String>,
    etag: Option<String>,
    sequencer: Option<String>,
}

impl S3Object {
    /// Parses the bucket and the form-encoded key in a record of an S3 notification.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
    pub(crate) fn from_notification(record: &Value) -> Result<S3Object, Error> {
        let bucket = required_string(record, "/s3/bucket/name")?;
        let key = required_string(record, "/s3/object/key")?.replace('+', " ");
        let Ok(key) = percent_decode_str(&key).decode_utf8() else {
            return Err(Error::invalid("s3.object.key", "is not UTF-8 after percent-decoding"));
        };
        let field = |pointer| non_empty_string(record, pointer).map(str::to_owned);
        Ok(S3Object {
            bucket: bucket.to_owned(),
            key: key.into_owned(),
            version: field("/s3/object/versionId").filter(|version| is_version(version)),
            etag: field("/s3/object/eTag"),
            sequencer: field("/s3/object/sequencer"),
        })
    }

    /// Parses the object in an EventBridge "Object Created" event, where the key is not encoded.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
    pub(crate) fn from_bus_event(event: &Value) -> Result<S3Object, Error> {
        let field = |pointer| non_empty_string(event, pointer).map(str::to_owned);
        Ok(S3Object {
            bucket: required_string(event, "/detail/bucket/name")?.to_owned(),
            key: required_string(event, "/detail/object/key")?.to_owned(),
            version: field("/detail/object/version-id").filter(|version| is_version(version)),
            etag: field("/detail/object/etag"),
            sequencer: field("/detail/object/sequencer"),
        })
    }

    /// Returns a unique id for this version of the object. The id is a URL with the version id, or
    /// else the ETag and sequencer, or else the id of the delivery.
    pub(crate) fn id(&self, delivery: &str) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, COMPONENT).to_string();
        let bucket = encoded(&self.bucket);
        let key = utf8_percent_encode(&self.key, PATH);
        let query = match (&self.version, &self.etag, &self.sequencer) {
            (Some(version), _, _) => format!("versionId={}", encoded(version)),
            (None, None, None) => format!("delivery={}", encoded(delivery)),
            (None, etag, sequencer) => {
                let etag = encoded(etag.as_deref().unwrap_or_default());
                let sequencer = encoded(sequencer.as_deref().unwrap_or_default());
                format!("etag={etag}&sequencer={sequencer}")
            }
        };
        format!("s3://{bucket}/{key}?{query}")
    }

    /// Returns the ARN of the bucket.
    pub(crate) fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    /// Creates a request whose content is read from the object.
    pub(crate) fn to_request(&self) -> Value {
        let mut request = json!({ "bucket": self.bucket, "key": self.key });
        if let (Some(version), Some(fields)) = (&self.version, request.as_object_mut()) {
            fields.insert("version".to_owned(), json!(version));
        }
        request
    }
}

/// Returns true if the version id identifies content that never changes. The version `null` is
/// overwritten by the next write while versioning is suspended.
fn is_version(version: &str) -> bool {
    version != "null"
}

fn required_string<'a>(event: &'a Value, pointer: &str) -> Result<&'a str, Error> {
    non_empty_string(event, pointer).ok_or_else(|| {
        let path = pointer.trim_start_matches('/').replace('/', ".");
        let problem = match string(event, pointer) {
            Some(_) => "is empty",
            None => "is missing or not a string",
        };
        Error::invalid(path, problem)
    })
}
