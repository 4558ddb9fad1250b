//! Tests that the URLs and signatures of requests to Amazon Bedrock match those of botocore.
//!
//! The script `scripts/oracles/sigv4.py` writes the expected values to `tests/cases/sigv4.json`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_exe::ports::{NoSigner, PortFuture, Signer, UnsignedRequest};
use llm_exe::providers::provider;
use llm_exe::{Deadline, Endpoints, Error, KeyName, Keys, Rules, Runner, Secret};
use llm_exe_aws::{EnvironmentCredentials, SigV4Signer};
use serde::Deserialize;
use serde_json::json;

const TIME: u64 = 1_772_368_496;

#[derive(Deserialize)]
struct Cases {
    time: u64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    model: String,
    operation: String,
    region: String,
    token: Option<String>,
    base: Option<String>,
    url: String,
    body: String,
    headers: BTreeMap<String, String>,
    signed: BTreeMap<String, String>,
}

fn cases() -> Vec<Case> {
    let Cases { time, cases } = serde_json::from_str(include_str!("../cases/sigv4.json")).unwrap();
    assert_eq!(time, TIME);
    assert!(cases.len() >= 10);
    cases
}

/// Returns the time at which the expected signatures were created.
fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(TIME)
}

fn example_credentials(token: Option<String>) -> EnvironmentCredentials {
    EnvironmentCredentials::new(move |name| match name {
        "AWS_ACCESS_KEY_ID" => Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        "AWS_SESSION_TOKEN" => token.clone(),
        name => panic!("unexpected variable {name}"),
    })
}

#[tokio::test]
async fn signatures_equal_those_of_botocore() {
    for case in cases() {
        let signer = SigV4Signer::new(Arc::new(example_credentials(case.token))).with_clock(clock);
        let headers: Vec<(&'static str, &'static str)> = case
            .headers
            .iter()
            .map(|(name, value)| -> (&'static str, &'static str) {
                (name.clone().leak(), value.clone().leak())
            })
            .collect();
        let request = UnsignedRequest {
            url: &case.url,
            headers: &headers,
            body: case.body.as_bytes(),
            service: "bedrock",
            region: &case.region,
        };
        let signature = signer.sign(request).await.unwrap();
        let signature: BTreeMap<String, String> = signature
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        assert_eq!(signature, case.signed, "{}", case.name);
    }
}

struct NoKeys;

impl Keys for NoKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        panic!("unexpected key {name:?}");
    }
}

#[tokio::test]
async fn urls_equal_those_of_botocore() {
    for case in cases() {
        let name = if case.operation == "invoke" { "amazon:anthropic" } else { "amazon" };
        let mut endpoints = Endpoints::new();
        endpoints.set_region(&case.region).unwrap();
        if let Some(base) = &case.base {
            endpoints.set(provider(name).unwrap(), base).unwrap();
        }
        let runner = Runner::new(endpoints, Arc::new(NoKeys), Rules::default());
        let request = json!({
            "provider": name, "model": case.model, "message": "hi", "dryRun": true,
        });
        let run = runner.run(Deadline::after(Duration::from_secs(5)), request).await;
        assert_eq!(run.outcome.unwrap()["url"], case.url, "{}", case.name);
    }
}

#[tokio::test]
async fn missing_region_is_reported_also_by_dry_run() {
    for dry_run in [true, false] {
        let runner = Runner::new(Endpoints::new(), Arc::new(NoKeys), Rules::default())
            .with_signer(Arc::new(NoSigner));
        let request = json!({
            "provider": "amazon", "model": "x.y", "message": "hi", "dryRun": dry_run,
        });
        let run = runner.run(Deadline::after(Duration::from_secs(5)), request).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind().name(), "SecretNotFound");
        assert!(error.message().contains("AWS_REGION"), "{error}");
    }
}
