//! The pointer in a request: `key`, `bucket` and `version`, or `url`, to a [`Place`].

use serde_json::{Map, Value};

use super::access::HostedRules;
use crate::error::Problem;
use crate::json;
use crate::ports::Place;

const LONGEST_KEY: usize = 1024;
const LONGEST_URL: usize = 4096;

/// Takes the pointer out of a request: nothing where there is none, and all that is wrong with it.
pub(super) fn take(
    request: &mut Map<String, Value>,
    rules: &HostedRules,
) -> Result<Option<Place>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut text = |name: &str| match request.shift_remove(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            let came = json::shown(&other);
            problems.push(Problem::request(name, format!("expected a string, got {came}")));
            None
        }
    };
    let (key, bucket) = (text("key"), text("bucket"));
    let (version, url) = (text("version"), text("url"));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut refuse = |name: &str, what: &str| problems.push(Problem::request(name, what));
    let place = match (key, url) {
        (Some(_), Some(_)) => {
            refuse("url", "stands beside key; a request points to one config");
            None
        }
        (None, Some(url)) => {
            for (name, said) in [("bucket", &bucket), ("version", &version)] {
                if said.is_some() {
                    refuse(name, "stands beside url; it belongs to key");
                }
            }
            place_of_url(&url).map_err(|what| refuse("url", &what)).ok()
        }
        (Some(key), None) => object(key, bucket, version, rules, &mut refuse),
        (None, None) => {
            for (name, said) in [("bucket", bucket), ("version", version)] {
                if said.is_some() {
                    refuse(name, "stands without key, which says what in the bucket is meant");
                }
            }
            None
        }
    };
    if problems.is_empty() { Ok(place) } else { Err(problems) }
}

fn object(
    key: String,
    bucket: Option<String>,
    version: Option<String>,
    rules: &HostedRules,
    refuse: &mut impl FnMut(&str, &str),
) -> Option<Place> {
    if let Err(what) = check_key(&key) {
        refuse("key", &what);
    }
    if let Some(what) = version.as_deref().and_then(|version| check_version(version).err()) {
        refuse("version", &what);
    }
    match bucket.or_else(|| rules.bucket.clone()) {
        None => refuse("key", "stands without a bucket, and AWS_S3_FILES_BUCKET_NAME is not set"),
        Some(bucket) => match check_bucket(&bucket) {
            Err(what) => refuse("bucket", &what),
            Ok(()) => return Some(Place::Object { bucket, key, version }),
        },
    }
    None
}

/// The place that a URL names: `s3://bucket/key`, with `?versionId=…` if need be, or `https://…`.
/// The key is taken as it is, not decoded.
///
/// # Errors
/// What is wrong with it. It is not quoted: a query may hold a secret.
pub fn place_of_url(url: &str) -> Result<Place, String> {
    if url.chars().any(|c| c.is_control()) || url.trim() != url {
        return Err("holds spaces around it or control characters".to_owned());
    }
    if url.len() > LONGEST_URL {
        return Err(format!("has {} bytes; at most {LONGEST_URL}", url.len()));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("expected s3://bucket/key or https://…".to_owned());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "https" => page(rest),
        "s3" => object_of(rest),
        // Anything else than a scheme may be the head of a URL with a signature in it.
        scheme if scheme.len() <= 20 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            let came = json::quoted(&format!("{scheme}://"));
            Err(format!("expected s3:// or https://, got {came}"))
        }
        _ => Err("expected s3://bucket/key or https://…".to_owned()),
    }
}

fn page(rest: &str) -> Result<Place, String> {
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if host.is_empty() {
        return Err("names no host".to_owned());
    }
    if host.contains('@') {
        return Err("holds a user name; credentials are never sent".to_owned());
    }
    let url = format!("https://{rest}");
    match url.parse::<http::Uri>() {
        Ok(_) => Ok(Place::Page(url)),
        Err(_) => Err("is no URL; are all its special characters encoded?".to_owned()),
    }
}

fn object_of(rest: &str) -> Result<Place, String> {
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
        Some(_) => return Err("takes ?versionId=… alone; a key with ? goes into key".to_owned()),
    };
    check_bucket(bucket)?;
    check_key(key)?;
    version.as_deref().map_or(Ok(()), check_version)?;
    Ok(Place::Object { bucket: bucket.to_owned(), key: key.to_owned(), version })
}

/// Whether a text can be a bucket's name.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
///
/// # Errors
/// What was expected, and what came.
pub fn check_bucket(bucket: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'.'))
        && bucket.bytes().next().is_some_and(plain)
        && bucket.bytes().last().is_some_and(plain)
        && !bucket.contains("..");
    if fits {
        return Ok(());
    }
    let came = json::quoted(bucket);
    Err(format!("expected a bucket's name (3 to 63 of a-z, 0-9, - and .), got {came}"))
}

fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("is empty; expected an object's key".to_owned());
    }
    if key.len() > LONGEST_KEY {
        return Err(format!("has {} bytes; at most {LONGEST_KEY}", key.len()));
    }
    if key.chars().any(char::is_control) {
        return Err("holds control characters".to_owned());
    }
    // Clients and proxies on the way would make another key of it.
    if key.split('/').any(|piece| matches!(piece, "." | "..")) {
        return Err("holds . or .. as a piece of its path".to_owned());
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), String> {
    let fits = (1..=LONGEST_KEY).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'&');
    if fits { Ok(()) } else { Err("expected the id of an object's version".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::place_of_url;

    #[test]
    fn what_may_be_a_signature_is_not_quoted() {
        let fault = place_of_url("example.com/p?sig=SECRET&u=https://x").unwrap_err();
        assert!(!fault.contains("SECRET"), "{fault}");
        assert!(place_of_url("ftp://a.example/b").unwrap_err().contains("\"ftp://\""));
    }
}
