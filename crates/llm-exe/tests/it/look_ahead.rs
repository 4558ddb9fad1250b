//! Tests that the executor fetches the key and connects to the provider while it fetches a hosted
//! config.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::transport::{HttpError, HttpTransport};
use llm_exe::{Deadline, Endpoints, Error, KeyName, Keys, Rules, Runner, Secret};
use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::common::endpoints;

const WAIT: Duration = Duration::from_millis(300);

/// A slow document store and key store. Like the real key stores, it fetches the key once and
/// caches it.
#[derive(Default)]
struct SlowStore {
    key: tokio::sync::OnceCell<Secret>,
    fetched: AtomicUsize,
}

impl DocumentStore for SlowStore {
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

impl Keys for SlowStore {
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

/// Runs a request with a hosted config. Returns how long the run waited for the key, and how often
/// the key was fetched.
async fn run(fields: Value) -> (Duration, usize) {
    let simulator = Simulator::start().await.unwrap();
    let store = Arc::new(SlowStore::default());
    let mut rules = Rules::default();
    rules.hosted.bucket = Some("prompts".to_owned());
    let keys = Arc::clone(&store) as Arc<dyn Keys>;
    let runner = Runner::new(endpoints(&simulator), keys, rules)
        .with_documents(Arc::clone(&store) as Arc<dyn DocumentStore>);
    let mut request = json!({"key": "a.json", "provider": "openai"});
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
    run.outcome.unwrap();
    (run.report.durations.secrets, store.fetched.load(Ordering::Relaxed))
}

#[tokio::test]
async fn key_and_config_are_fetched_at_the_same_time() {
    let (waited, fetched) = run(json!({})).await;
    assert!(waited < WAIT / 2, "{waited:?}");
    assert_eq!(fetched, 1);
}

/// Runs a request and returns the time until it opens a connection to the provider.
async fn time_to_connect(request: Value) -> Duration {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut endpoints = Endpoints::new();
    let openai = llm_exe::providers::provider("openai").unwrap();
    endpoints.set(openai, &format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    let store = Arc::new(SlowStore::default());
    let mut rules = Rules::default();
    rules.hosted.bucket = Some("prompts".to_owned());
    let runner = Runner::new(endpoints, Arc::clone(&store) as Arc<dyn Keys>, rules)
        .with_documents(store as Arc<dyn DocumentStore>);
    let started = Instant::now();
    let running =
        tokio::spawn(
            async move { runner.run(Deadline::after(Duration::from_secs(10)), request).await },
        );
    let (connection, _) = listener.accept().await.unwrap();
    let elapsed = started.elapsed();
    drop((connection, listener));
    // The request fails because the connection and the listener were closed.
    let error = running.await.unwrap().outcome.unwrap_err();
    assert_eq!(error.kind().name(), "ProviderUnavailable", "{error}");
    elapsed
}

#[tokio::test]
async fn connection_opens_while_config_and_key_are_fetched() {
    let options = json!({"numOfAttempts": 1});
    let hosted = json!({"key": "a.json", "provider": "openai", "options": options});
    let direct = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "hi", "options": options,
    });
    for request in [hosted, direct] {
        let elapsed = time_to_connect(request).await;
        assert!(elapsed < WAIT / 2, "{elapsed:?}");
    }
}

#[tokio::test]
async fn dry_run_does_not_fetch_the_key() {
    let (_, fetched) = run(json!({"dryRun": true})).await;
    assert_eq!(fetched, 0);
}

/// A transport that records the URLs that it is asked to connect to, and sends nothing.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl HttpTransport for Recorder {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<http::Response<bytes::Bytes>, HttpError>> {
        Box::pin(async { Err(HttpError::NotConnected("not sent".to_owned())) })
    }

    fn preconnect(&self, url: &str) {
        self.0.lock().unwrap().push(url.to_owned());
    }
}

#[tokio::test]
async fn unknown_resource_of_azure_is_not_connected_to() {
    let resource = "https://mine.openai.azure.com";
    for (endpoint, expected) in [(None, &[][..]), (Some(resource), &[resource])] {
        let mut endpoints = Endpoints::new();
        if let Some(url) = endpoint {
            endpoints.set(llm_exe::providers::provider("azure").unwrap(), url).unwrap();
        }
        let store = Arc::new(SlowStore::default());
        let mut rules = Rules::default();
        rules.hosted.bucket = Some("prompts".to_owned());
        let recorder = Arc::new(Recorder::default());
        let runner = Runner::new(endpoints, Arc::clone(&store) as Arc<dyn Keys>, rules)
            .with_documents(store as Arc<dyn DocumentStore>)
            .with_http_transport(Arc::clone(&recorder) as Arc<dyn HttpTransport>);
        let request = json!({"key": "a.json", "provider": "azure"});
        let run = runner.run(Deadline::after(Duration::from_secs(2)), request).await;
        assert!(run.outcome.is_err());
        let connected = recorder.0.lock().unwrap();
        assert_eq!(connected.get(..1).unwrap_or_default(), expected, "{connected:?}");
    }
}
