//! S3, Parameter Store, SQS and EventBridge as others wrote them: moto, and a proxy in front of it
//! for what it can't do. `./scripts/test` runs these, and says in `MOTO_SERVER` where moto is.
//! Where our own simulator has to do the same as moto, one test is run with both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod backend;
mod buses;
mod documents;
mod faults;
mod keys;
mod objects;
mod proxy;
mod queues;
mod result_faults;
mod results;
mod server;

use std::sync::Arc;
use std::time::Duration;

use llm_exe::ports::{Document, DocumentLocation, DocumentStore};
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Error};
use llm_exe_aws::{Aws, EnvironmentCredentials, S3Documents};

const REGION: &str = "us-east-1";
const SECRET: &str = "sentinel.of.the.secret.access.key";
/// AWS's own example, which the simulator verifies.
const EXAMPLE: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "sentinel.of.the.session.token";

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn aws() -> Arc<Aws> {
    aws_by(SECRET)
}

fn aws_by(secret: &'static str) -> Arc<Aws> {
    let source = EnvironmentCredentials::new(move |name| {
        let value = match name {
            "AWS_ACCESS_KEY_ID" => "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY" => secret,
            _ => TOKEN,
        };
        Some(value.to_owned())
    });
    Arc::new(Aws::new(HttpClient::default(), Arc::new(source)))
}

fn documents(url: &str) -> S3Documents {
    S3Documents::new(aws(), Some(REGION.to_owned()), Some(url.to_owned()))
}

fn object(bucket: &str, key: &str, version: Option<&str>) -> DocumentLocation {
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    DocumentLocation::Object { bucket, key, version: version.map(str::to_owned) }
}

async fn fetch(documents: &S3Documents, place: &DocumentLocation) -> Result<Document, Error> {
    let fetched = documents.fetch(place, None, deadline()).await;
    if let Err(error) = &fetched {
        is_discreet(&format!("{error} {error:?}"));
    }
    fetched.map(Option::unwrap)
}

/// Fails where a text holds what nobody may be told.
fn is_discreet(text: &str) {
    for secret in [SECRET, EXAMPLE, TOKEN, "Signature=", "AKIA"] {
        assert!(!text.contains(secret), "{text}");
    }
}
