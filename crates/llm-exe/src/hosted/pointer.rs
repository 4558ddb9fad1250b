//! Parses the pointer to a hosted config in a request. The pointer is either a `key` with an
//! optional `bucket` and `version`, or a `url`.

use serde_json::{Map, Value};

use super::access::HostedRules;
use crate::error::Problem;
use crate::json;
use crate::ports::DocumentLocation;

/// Maximum length of an S3 object key in bytes, as documented by AWS.
const MAX_KEY_BYTES: usize = 1024;
const MAX_URL_BYTES: usize = 4096;

/// Removes the pointer from a request and returns it as a location, or `None` if the request has no
/// pointer. The error contains all problems with the pointer.
pub(super) fn take_pointer(
    request: &mut Map<String, Value>,
    rules: &HostedRules,
) -> Result<Option<DocumentLocation>, Vec<Problem>> {
    // Comparing the few names of a request is faster than hashing each of these.
    if !request.keys().any(|name| ["key", "bucket", "version", "url"].contains(&name.as_str())) {
        return Ok(None);
    }
    let mut problems = Vec::new();
    let mut take_string = |name: &str| match request.shift_remove(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            let received = json::shown(&other);
            problems.push(Problem::request(name, format!("expected a string, got {received}")));
            None
        }
    };
    let (key, bucket) = (take_string("key"), take_string("bucket"));
    let (version, url) = (take_string("version"), take_string("url"));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut reject = |name: &str, message: &str| problems.push(Problem::request(name, message));
    let location = match (key, url) {
        (Some(_), Some(_)) => {
            reject(
                "url",
                "can't be combined with key, because a request can point to only one config",
            );
            None
        }
        (None, Some(url)) => {
            for (name, value) in [("bucket", &bucket), ("version", &version)] {
                if value.is_some() {
                    reject(name, "can't be combined with url, because it applies only to key");
                }
            }
            parse_url(&url).map_err(|message| reject("url", &message)).ok()
        }
        (Some(key), None) => object_location(key, bucket, version, rules, &mut reject),
        (None, None) => {
            for (name, value) in [("bucket", bucket), ("version", version)] {
                if value.is_some() {
                    reject(name, "can't be used without key, which names the object in the bucket");
                }
            }
            None
        }
    };
    if problems.is_empty() { Ok(location) } else { Err(problems) }
}

fn object_location(
    key: String,
    bucket: Option<String>,
    version: Option<String>,
    rules: &HostedRules,
    reject: &mut impl FnMut(&str, &str),
) -> Option<DocumentLocation> {
    if let Err(message) = check_key(&key) {
        reject("key", &message);
    }
    if let Some(message) = version.as_deref().and_then(|version| check_version(version).err()) {
        reject("version", &message);
    }
    match bucket.or_else(|| rules.bucket.clone()) {
        None => {
            reject("key", "needs a bucket; add the field `bucket`, or set AWS_S3_FILES_BUCKET_NAME")
        }
        Some(bucket) => match validate_bucket(&bucket) {
            Err(message) => reject("bucket", &message),
            Ok(()) => return Some(DocumentLocation::Object { bucket, key, version }),
        },
    }
    None
}

/// The reason why a bucket or a URL can't be the location of a hosted config.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidLocation(String);

/// Parses a config URL, which is `https://…`, or `s3://bucket/key` with an optional `?versionId=…`.
///
/// # Errors
/// [`InvalidLocation`] if the URL is not valid. The message does not quote the URL, because its
/// query may contain a secret.
pub fn parse_config_url(url: &str) -> Result<DocumentLocation, InvalidLocation> {
    parse_url(url).map_err(InvalidLocation)
}

/// Parses the location of an object that a setting names: `s3://bucket/key` with an optional
/// `?versionId=…`, or a key in the bucket of the rules.
///
/// # Errors
/// [`InvalidLocation`] if the location is not valid, or if the rules do not allow to read it.
pub fn parse_object(text: &str, rules: &HostedRules) -> Result<DocumentLocation, InvalidLocation> {
    let location = if text.starts_with("s3://") {
        parse_url(text).map_err(InvalidLocation)?
    } else if text.contains("://") {
        let text = "expected a key, or a URL that begins with s3://";
        return Err(InvalidLocation(text.to_owned()));
    } else {
        check_key(text).map_err(|reason| InvalidLocation(format!("the key {reason}")))?;
        let bucket = rules.bucket.clone().ok_or_else(|| {
            let text = "the key needs a bucket; use s3://bucket/key, or set \
                        AWS_S3_FILES_BUCKET_NAME";
            InvalidLocation(text.to_owned())
        })?;
        DocumentLocation::Object { bucket, key: text.to_owned(), version: None }
    };
    let allowed = rules.check_location(&location);
    allowed.map_err(|error| InvalidLocation(error.message().to_owned()))?;
    Ok(location)
}

/// Checks the name of an S3 bucket.
///
/// # Errors
/// [`InvalidLocation`] if the name is not valid. The message contains the expected form and the
/// name.
pub fn check_bucket(bucket: &str) -> Result<(), InvalidLocation> {
    validate_bucket(bucket).map_err(InvalidLocation)
}

/// Parses a config URL, which is `https://…`, or `s3://bucket/key` with an optional `?versionId=…`.
/// The object key is not percent-decoded.
///
/// # Errors
/// Fails if the URL is not valid. The message does not quote the URL, because its query may contain
/// a secret.
fn parse_url(url: &str) -> Result<DocumentLocation, String> {
    if url.chars().any(|c| c.is_control()) || url.trim() != url {
        let message = "must not contain control characters, or white space at its start or end";
        return Err(message.to_owned());
    }
    if url.len() > MAX_URL_BYTES {
        return Err(format!("has {} bytes; the maximum is {MAX_URL_BYTES}", url.len()));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("expected s3://bucket/key or https://…".to_owned());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "https" => parse_https_url(rest),
        "s3" => parse_s3_url(rest),
        // The message quotes the text only if it looks like a scheme. Any other text may be part of
        // a signed URL, which is secret.
        scheme if scheme.len() <= 20 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            let received = json::quoted(&format!("{scheme}://"));
            Err(format!("expected s3:// or https://, got {received}"))
        }
        _ => Err("expected s3://bucket/key or https://…".to_owned()),
    }
}

fn parse_https_url(rest: &str) -> Result<DocumentLocation, String> {
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if host.is_empty() {
        return Err("has no host".to_owned());
    }
    if host.contains('@') {
        return Err(
            "must not contain a user name or password; credentials are never sent".to_owned()
        );
    }
    let url = format!("https://{rest}");
    match url.parse::<http::Uri>() {
        Ok(_) => Ok(DocumentLocation::Url(url)),
        Err(_) => Err("is not a valid URL; percent-encode all special characters".to_owned()),
    }
}

fn parse_s3_url(rest: &str) -> Result<DocumentLocation, String> {
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let Some((bucket, key)) = path.split_once('/') else {
        return Err("expected s3://bucket/key, got no key".to_owned());
    };
    let version = match query.map(|query| query.split_once('=')) {
        None => None,
        Some(Some(("versionId", version))) => Some(version.to_owned()),
        Some(_) => {
            let message = "supports only the query ?versionId=…; if the object key contains \
                           ?, use the field key instead";
            return Err(message.to_owned());
        }
    };
    validate_bucket(bucket)?;
    check_key(key)?;
    version.as_deref().map_or(Ok(()), check_version)?;
    Ok(DocumentLocation::Object { bucket: bucket.to_owned(), key: key.to_owned(), version })
}

/// Checks the name of an S3 bucket. AWS documents the rules:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
///
/// # Errors
/// Fails if the name is not valid. The message contains the expected form and the name.
fn validate_bucket(bucket: &str) -> Result<(), String> {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_valid = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|byte| is_alphanumeric(byte) || matches!(byte, b'-' | b'.'))
        && bucket.bytes().next().is_some_and(is_alphanumeric)
        && bucket.bytes().last().is_some_and(is_alphanumeric)
        && !bucket.contains("..");
    if is_valid {
        return Ok(());
    }
    let received = json::quoted(bucket);
    Err(format!("expected a bucket name (3 to 63 characters: a-z, 0-9, - and .), got {received}"))
}

fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("is empty; expected an object key".to_owned());
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(format!("has {} bytes; the maximum is {MAX_KEY_BYTES}", key.len()));
    }
    if key.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    // HTTP clients and proxies resolve these segments, so they would request a different key.
    if key.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err("must not contain the path segments . or ..".to_owned());
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), String> {
    let is_valid = (1..=MAX_KEY_BYTES).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'&');
    if is_valid { Ok(()) } else { Err("expected the version id of an S3 object".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::parse_config_url;

    #[test]
    fn text_that_may_be_a_signature_is_not_quoted() {
        let error = parse_config_url("example.com/p?sig=SECRET&u=https://x").unwrap_err();
        assert!(!error.to_string().contains("SECRET"), "{error}");
        assert!(
            parse_config_url("ftp://a.example/b").unwrap_err().to_string().contains("\"ftp://\"")
        );
    }
}
