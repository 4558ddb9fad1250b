//! Where services of AWS are reached: in a region, or where the operator says.
//!
//! Buckets are a part of the host's name (virtual-hosted style), as AWS wants it, but for those
//! whose dots would not fit its certificates, and where the operator says the host: there the
//! bucket is the path's first part, as AWS's own command line does it.

use llm_exe::aws_domain;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a query: RFC 3986's unreserved characters.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same in a path, whose slashes stay.
const PLAIN_PATH: &AsciiSet = &PLAIN.remove(b'/');

/// The base URL of a service, without a slash at its end.
pub(crate) fn service_url(endpoint: Option<&str>, service: &str, region: &str) -> String {
    match endpoint {
        Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
        None => format!("https://{service}.{region}.{}", aws_domain(region)),
    }
}

/// The URL of an object; `None` where there can be no such bucket or key.
pub(crate) fn object_url(
    endpoint: Option<&str>,
    region: &str,
    bucket: &str,
    key: &str,
) -> Option<String> {
    if !is_bucket(bucket) || key.is_empty() || key.len() > 1024 {
        return None;
    }
    let base = service_url(endpoint, "s3", region);
    let key = utf8_percent_encode(key, PLAIN_PATH);
    let (scheme, rest) = base.split_once("://")?;
    if !is_host_label(bucket) || endpoint.is_some() {
        return Some(format!("{scheme}://{rest}/{bucket}/{key}"));
    }
    Some(format!("{scheme}://{bucket}.{rest}/{key}"))
}

/// A value in a query.
pub(crate) fn query(value: &str) -> String {
    utf8_percent_encode(value, PLAIN).to_string()
}

/// What has ever been a bucket's name; nothing in it can leave its place in a URL.
fn is_bucket(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (3..=255).contains(&name.len())
        && name.bytes().all(allowed)
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether it can be one label of a host's name.
fn is_host_label(bucket: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    bucket.len() <= 63 && bucket.bytes().all(allowed) && !bucket.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::object_url;

    #[test]
    fn what_can_be_no_object_has_no_url() {
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
    fn a_bucket_is_in_the_host_where_that_can_be() {
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
