//! Objects of S3 that events tell of, as pointers to hosted configs.

use llm_exe::Error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use crate::shapes::{said, text};

/// What stands for itself in a part of a URL.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PLAIN_PATH: &AsciiSet = &PLAIN.remove(b'/');

/// An object, and which of its contents is meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    bucket: String,
    key: String,
    version: Option<String>,
    etag: Option<String>,
    sequencer: Option<String>,
}

impl Object {
    /// The object of a bucket's notification, whose key is encoded as HTML forms are.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
    pub(crate) fn notified(record: &Value) -> Result<Object, Error> {
        let bucket = needed(record, "/s3/bucket/name")?;
        let key = needed(record, "/s3/object/key")?.replace('+', " ");
        let Ok(key) = percent_decode_str(&key).decode_utf8() else {
            return Err(Error::invalid("s3.object.key", "is not UTF-8 after percent-decoding"));
        };
        let part = |name| said(record, name).map(str::to_owned);
        Ok(Object {
            bucket: bucket.to_owned(),
            key: key.into_owned(),
            version: part("/s3/object/versionId").filter(|version| is_version(version)),
            etag: part("/s3/object/eTag"),
            sequencer: part("/s3/object/sequencer"),
        })
    }

    /// The object of EventBridge's "Object Created", whose key is as it is.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
    pub(crate) fn created(event: &Value) -> Result<Object, Error> {
        let part = |name| said(event, name).map(str::to_owned);
        Ok(Object {
            bucket: needed(event, "/detail/bucket/name")?.to_owned(),
            key: needed(event, "/detail/object/key")?.to_owned(),
            version: part("/detail/object/version-id").filter(|version| is_version(version)),
            etag: part("/detail/object/etag"),
            sequencer: part("/detail/object/sequencer"),
        })
    }

    /// The object and its version, else its ETag and sequencer, as a URL: two objects never have
    /// the same. Where the event tells nothing of the kind, the delivery stands in.
    pub(crate) fn id(&self, delivery: &str) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let bucket = encoded(&self.bucket);
        let key = utf8_percent_encode(&self.key, PLAIN_PATH);
        let which = match (&self.version, &self.etag, &self.sequencer) {
            (Some(version), _, _) => format!("versionId={}", encoded(version)),
            (None, None, None) => format!("delivery={}", encoded(delivery)),
            (None, etag, sequencer) => {
                let etag = encoded(etag.as_deref().unwrap_or_default());
                let sequencer = encoded(sequencer.as_deref().unwrap_or_default());
                format!("etag={etag}&sequencer={sequencer}")
            }
        };
        format!("s3://{bucket}/{key}?{which}")
    }

    /// The bucket's ARN.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    /// The request that points to the object.
    pub(crate) fn request(&self) -> Value {
        let mut request = json!({ "bucket": self.bucket, "key": self.key });
        if let (Some(version), Some(fields)) = (&self.version, request.as_object_mut()) {
            fields.insert("version".to_owned(), json!(version));
        }
        request
    }
}

/// The version `null` of a bucket whose versioning is suspended is overwritten like any object
/// without one.
fn is_version(version: &str) -> bool {
    version != "null"
}

fn needed<'a>(event: &'a Value, pointer: &str) -> Result<&'a str, Error> {
    said(event, pointer).ok_or_else(|| {
        let path = pointer.trim_start_matches('/').replace('/', ".");
        let came = match text(event, pointer) {
            Some(_) => "is empty",
            None => "is missing or not a string",
        };
        Error::invalid(path, came)
    })
}
