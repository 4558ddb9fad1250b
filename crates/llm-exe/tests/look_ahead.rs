//! A hosted config and the key that its caller's provider needs are fetched side by side.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::{Deadline, Endpoints, Error, Executor, KeyName, Keys, Rules, Secret};
use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

const WAIT: Duration = Duration::from_millis(300);

/// A store and keys that take their time. As the real ones, the keys are fetched once.
#[derive(Default)]
struct Slow {
    key: tokio::sync::OnceCell<Secret>,
    fetched: AtomicUsize,
}

impl DocumentStore for Slow {
    fn fetch<'a>(
        &'a self,
        _: &'a DocumentLocation,
        _: Option<&'a str>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        Box::pin(async {
            tokio::time::sleep(WAIT).await;
            let body = r#"{"model": "gpt-4o-mini", "message": "hi"}"#.into();
            Ok(Some(Document { body, version: None, etag: None }))
        })
    }
}

impl Keys for Slow {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(async {
            let fetch = async {
                self.fetched.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(WAIT).await;
                Secret::new("test-key").unwrap()
            };
            Ok(self.key.get_or_init(|| fetch).await.clone())
        })
    }
}

async fn run(more: Value) -> (Duration, usize) {
    let simulator = Simulator::start().await.unwrap();
    let mut endpoints = Endpoints::new();
    let openai = llm_exe::providers::provider("openai").unwrap();
    endpoints.set(openai, &simulator.openai_base_url()).unwrap();
    let slow = Arc::new(Slow::default());
    let mut rules = Rules::default();
    rules.hosted.bucket = Some("prompts".to_owned());
    let executor = Executor::new(endpoints, Arc::clone(&slow) as Arc<dyn Keys>, rules)
        .with_documents(Arc::clone(&slow) as Arc<dyn DocumentStore>);
    let mut request = json!({"key": "a.json", "provider": "openai"});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let run = executor.run(request, Deadline::after(Duration::from_secs(10))).await;
    run.outcome.unwrap();
    (run.report.durations.secrets, slow.fetched.load(Ordering::Relaxed))
}

#[tokio::test]
async fn the_key_is_fetched_while_the_config_is() {
    let (waited, fetched) = run(json!({})).await;
    assert!(waited < WAIT / 2, "{waited:?}");
    assert_eq!(fetched, 1);
}

/// How long it takes until the provider is dialed.
async fn dialed_after(request: Value) -> Duration {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut endpoints = Endpoints::new();
    let openai = llm_exe::providers::provider("openai").unwrap();
    endpoints.set(openai, &format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    let slow = Arc::new(Slow::default());
    let mut rules = Rules::default();
    rules.hosted.bucket = Some("prompts".to_owned());
    let executor = Executor::new(endpoints, Arc::clone(&slow) as Arc<dyn Keys>, rules)
        .with_documents(slow as Arc<dyn DocumentStore>);
    let started = Instant::now();
    let running = tokio::spawn(async move {
        executor.run(request, Deadline::after(Duration::from_secs(10))).await
    });
    let (connection, _) = listener.accept().await.unwrap();
    let after = started.elapsed();
    drop((connection, listener));
    // The connection that was opened ahead is closed by now, and so is whoever would open another.
    let error = running.await.unwrap().outcome.unwrap_err();
    assert_eq!(error.kind().name(), "ProviderUnavailable", "{error}");
    after
}

#[tokio::test]
async fn the_provider_is_dialed_while_config_and_key_are_fetched() {
    let options = json!({"numOfAttempts": 1});
    let hosted = json!({"key": "a.json", "provider": "openai", "options": options});
    let written = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "hi", "options": options,
    });
    for request in [hosted, written] {
        let after = dialed_after(request).await;
        assert!(after < WAIT / 2, "{after:?}");
    }
}

#[tokio::test]
async fn a_dry_run_fetches_no_key() {
    let (_, fetched) = run(json!({"dryRun": true})).await;
    assert_eq!(fetched, 0);
}
