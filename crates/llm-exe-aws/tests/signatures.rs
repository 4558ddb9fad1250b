//! URLs and signatures, held against what botocore makes of the same requests:
//! `cases/sigv4.json`, made by `scripts/oracles/sigv4.py`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_exe::ports::{NoSigner, PortFuture, Signer, UnsignedRequest};
use llm_exe::providers::provider;
use llm_exe::{Deadline, Endpoints, Error, Executor, KeyName, Keys, Rules, Secret};
use llm_exe_aws::{CredentialSource, EnvironmentCredentials, SigV4Signer, VARIABLES};
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
    let Cases { time, cases } = serde_json::from_str(include_str!("cases/sigv4.json")).unwrap();
    assert_eq!(time, TIME);
    assert!(cases.len() >= 10);
    cases
}

fn then() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(TIME)
}

fn example(token: Option<String>) -> EnvironmentCredentials {
    EnvironmentCredentials::new(move |name| match name {
        "AWS_ACCESS_KEY_ID" => Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        "AWS_SESSION_TOKEN" => token.clone(),
        other => panic!("asked for {other}"),
    })
}

#[tokio::test]
async fn signatures_are_botocores() {
    for case in cases() {
        let signer = SigV4Signer::new(Arc::new(example(case.token))).with_clock(then);
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
        let signed = signer.sign(request).await.unwrap();
        let signed: BTreeMap<String, String> = signed
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        assert_eq!(signed, case.signed, "{}", case.name);
    }
}

struct NoKeys;

impl Keys for NoKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        panic!("asked for {name:?}");
    }
}

#[tokio::test]
async fn urls_are_botocores() {
    for case in cases() {
        let name = if case.operation == "invoke" { "amazon:anthropic" } else { "amazon" };
        let mut endpoints = Endpoints::new();
        endpoints.set_region(&case.region).unwrap();
        if let Some(base) = &case.base {
            endpoints.set(provider(name).unwrap(), base).unwrap();
        }
        let executor = Executor::new(endpoints, Arc::new(NoKeys), Rules::default());
        let request = json!({
            "provider": name, "model": case.model, "message": "hi", "dryRun": true,
        });
        let run = executor.run(Deadline::after(Duration::from_secs(5)), request).await;
        assert_eq!(run.outcome.unwrap()["url"], case.url, "{}", case.name);
    }
}

#[tokio::test]
async fn without_a_region_the_setting_is_named_also_when_nothing_is_sent() {
    for dry_run in [true, false] {
        let executor = Executor::new(Endpoints::new(), Arc::new(NoKeys), Rules::default())
            .with_signer(Arc::new(NoSigner));
        let request = json!({
            "provider": "amazon", "model": "x.y", "message": "hi", "dryRun": dry_run,
        });
        let run = executor.run(Deadline::after(Duration::from_secs(5)), request).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind().name(), "SecretNotFound");
        assert!(error.message().contains("AWS_REGION"), "{error}");
    }
}

#[tokio::test]
async fn missing_credentials_are_named() {
    for (set, told) in [
        (&[][..], "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"),
        (&["AWS_ACCESS_KEY_ID"], "set AWS_SECRET_ACCESS_KEY in the environment"),
        (&["AWS_SECRET_ACCESS_KEY"], "set AWS_ACCESS_KEY_ID in the environment"),
    ] {
        let source = EnvironmentCredentials::new(move |name| {
            Some(if set.contains(&name) { "set".to_owned() } else { " ".to_owned() })
        });
        let error = source.credentials().await.unwrap_err();
        assert_eq!(error.kind().name(), "SecretNotFound");
        assert!(error.message().ends_with(told), "{error}");
    }
    let source = EnvironmentCredentials::new(|_| Some("two words".to_owned()));
    let error = source.credentials().await.unwrap_err();
    assert!(error.message().contains("AWS_ACCESS_KEY_ID"), "{error}");
    assert!(!error.message().contains("two words"), "{error}");
}

#[tokio::test]
async fn the_environment_is_read_once_and_not_before_it_is_needed() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    let source = Arc::new(EnvironmentCredentials::new(|name| {
        READ.fetch_add(1, Ordering::Relaxed);
        Some(format!("secret-{name}"))
    }));
    let signer = SigV4Signer::new(Arc::clone(&source) as Arc<dyn CredentialSource>);
    assert_eq!(READ.load(Ordering::Relaxed), 0);
    for _ in 0..2 {
        let request = UnsignedRequest {
            url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/x/converse",
            headers: &[],
            body: b"{}",
            service: "bedrock",
            region: "us-east-1",
        };
        let headers = signer.sign(request).await.unwrap();
        assert!(!format!("{headers:?}").contains("secret-"), "{headers:?}");
        assert_eq!(READ.load(Ordering::Relaxed), VARIABLES.len());
    }
    let found = source.credentials().await.unwrap();
    assert!(!format!("{found:?} {source:?} {signer:?}").contains("secret-"));
}
