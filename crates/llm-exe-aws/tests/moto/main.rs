//! Tests the AWS clients against moto, an independent implementation of AWS services. In some
//! tests, a proxy in front of moto injects failures.
//!
//! `./scripts/test` runs these tests and sets `MOTO_SERVER` to the path of `moto_server`.
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
mod server;
#[path = "../support/mod.rs"]
mod support;

use llm_exe::Error;
use llm_exe::ports::{Document, DocumentLocation, DocumentStore};
use llm_exe_aws::{AwsPorts, S3Documents};

use support::{OTHER_SECRET, assert_no_secrets, deadline};

fn ports(url: &str) -> AwsPorts {
    support::ports(url, OTHER_SECRET)
}

async fn fetch(documents: &S3Documents, place: &DocumentLocation) -> Result<Document, Error> {
    let result = documents.fetch(place, None, deadline()).await;
    if let Err(error) = &result {
        assert_no_secrets(&format!("{error} {error:?}"));
    }
    result.map(Option::unwrap)
}
