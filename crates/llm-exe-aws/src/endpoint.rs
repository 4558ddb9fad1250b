//! Builds the URLs of AWS services from regional endpoints or custom base URLs.
//!
//! S3 URLs use virtual-hosted style, with the bucket name in the host name, as AWS recommends. They
//! use path style, with the bucket name in the path, if a base URL is set or if the bucket name is
//! not a valid DNS label. A name with dots is not a label, and AWS's wildcard certificates do not
//! cover it. The AWS CLI follows the same rules.

use llm_exe::aws_domain;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters to percent-encode in a query: all except the unreserved characters of RFC 3986.
pub(crate) const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The characters to percent-encode in a path: the same as in a query, except for the slash.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// Returns the base URL of a service, without a trailing slash.
pub(crate) fn service_url(endpoint: Option<&str>, service: &str, region: &str) -> String {
    match endpoint {
        Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
        None => format!("https://{service}.{region}.{}", aws_domain(region)),
    }
}

/// Returns the URL of an S3 object, or `None` if the bucket name or the key is not valid in S3.
pub(crate) fn object_url(
    endpoint: Option<&str>,
    region: &str,
    bucket: &str,
    key: &str,
) -> Option<String> {
    if !is_bucket_name(bucket) || key.is_empty() || key.len() > 1024 {
        return None;
    }
    let base = service_url(endpoint, "s3", region);
    let key = utf8_percent_encode(key, PATH);
    let (scheme, rest) = base.split_once("://")?;
    if !is_host_label(bucket) || endpoint.is_some() {
        return Some(format!("{scheme}://{rest}/{bucket}/{key}"));
    }
    Some(format!("{scheme}://{bucket}.{rest}/{key}"))
}

/// Percent-encodes the value of a query parameter.
pub(crate) fn encode_query(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// Returns whether the bucket name is valid. The check applies AWS's former, more permissive rules,
/// because old buckets may still have such names. All allowed characters are safe in URLs.
fn is_bucket_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (3..=255).contains(&name.len())
        && name.bytes().all(allowed)
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Returns whether a valid bucket name is also a valid DNS label.
fn is_host_label(bucket: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    bucket.len() <= 63 && bucket.bytes().all(allowed) && !bucket.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::object_url;

    #[test]
    fn invalid_bucket_or_key_has_no_url() {
        for (bucket, key) in [
            ("", "k"),
            ("ab", "k"),
            ("a/b/c", "k"),
            ("..x", "k"),
            ("evil.example/#", "k"),
            ("a@b.example", "k"),
            ("arn:aws:s3:us-east-1:1:accesspoint/x", "k"),
            ("bucket", ""),
            ("bucket", &"k".repeat(1025)),
        ] {
            assert_eq!(object_url(None, "us-east-1", bucket, key), None, "{bucket} {key}");
        }
    }

    #[test]
    fn bucket_is_in_host_unless_it_has_dots_or_endpoint_is_set() {
        for (endpoint, region, bucket, expected) in [
            (None, "eu-west-1", "bucket", "https://bucket.s3.eu-west-1.amazonaws.com/k"),
            (None, "eu-west-1", "a.bucket", "https://s3.eu-west-1.amazonaws.com/a.bucket/k"),
            (None, "us-east-1", "Old_Bucket", "https://s3.us-east-1.amazonaws.com/Old_Bucket/k"),
            (None, "cn-north-1", "bucket", "https://bucket.s3.cn-north-1.amazonaws.com.cn/k"),
            (None, "us-gov-west-1", "bucket", "https://bucket.s3.us-gov-west-1.amazonaws.com/k"),
            (Some("http://localhost:5000/"), "x", "bucket", "http://localhost:5000/bucket/k"),
            (Some("http://[::1]:5000"), "x", "bucket", "http://[::1]:5000/bucket/k"),
            (Some("http://127.0.0.1:1/a"), "x", "bucket", "http://127.0.0.1:1/a/bucket/k"),
            (Some("https://s3.example"), "x", "bucket", "https://s3.example/bucket/k"),
        ] {
            assert_eq!(object_url(endpoint, region, bucket, "k").as_deref(), Some(expected));
        }
    }
}
