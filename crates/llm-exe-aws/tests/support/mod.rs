//! Helpers and contract tests for the test binaries `it` and `moto`.
#![allow(dead_code, reason = "each test binary uses only some of the helpers")]

pub(crate) mod contract;
pub(crate) mod proxy;

use std::sync::Arc;
use std::time::Duration;

use llm_exe::Deadline;
use llm_exe::ports::DocumentLocation;
use llm_exe::transport::HttpClient;
use llm_exe_aws::{AwsPorts, EnvironmentCredentials, ServiceEndpoints};

pub(crate) const REGION: &str = "us-east-1";
/// The example secret key from the AWS documentation. The simulator accepts only requests that are
/// signed with it.
pub(crate) const EXAMPLE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// Another secret key. The simulator rejects its signatures, but moto accepts any signature.
pub(crate) const OTHER_SECRET: &str = "sentinel.of.the.secret.access.key";
const TOKEN: &str = "sentinel.of.the.session.token";

pub(crate) const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
pub(crate) const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/results";

pub(crate) fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

/// Returns ports that send all requests to `url` and sign them with `secret`.
pub(crate) fn ports(url: &str, secret: &'static str) -> AwsPorts {
    let credentials = EnvironmentCredentials::new(move |name| {
        let value = match name {
            "AWS_ACCESS_KEY_ID" => "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY" => secret,
            _ => TOKEN,
        };
        Some(value.to_owned())
    });
    let url = Some(url.to_owned());
    let endpoints = ServiceEndpoints {
        s3: url.clone(),
        ssm: url.clone(),
        sqs: url.clone(),
        event_bridge: url.clone(),
        lambda: url,
    };
    let region = Some(REGION.to_owned());
    AwsPorts::new(region, endpoints, HttpClient::default(), Arc::new(credentials))
}

pub(crate) fn object(bucket: &str, key: &str, version: Option<&str>) -> DocumentLocation {
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    DocumentLocation::Object { bucket, key, version: version.map(str::to_owned) }
}

/// Panics if the text contains a secret or part of a signature.
pub(crate) fn assert_no_secrets(text: &str) {
    for secret in [EXAMPLE_SECRET, OTHER_SECRET, TOKEN, "Signature=", "AKIA"] {
        assert!(!text.contains(secret), "{text}");
    }
}
