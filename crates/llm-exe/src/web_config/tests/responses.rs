//! Tests how the fetcher handles server responses such as redirects, error statuses, endless bodies
//! and invalid certificates. The cases are in `cases/web_config/responses.json`.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::super::{ConfigHosts, Resolver, WebConfigFetcher};
use super::server::{Certificate, Server, Step};
use super::{FakeConnector, FakeResolver, PUBLIC_ADDRESS, TestFetcher};
use crate::deadline::Deadline;
use crate::error::ErrorKind;
use crate::ports::{DocumentLocation, DocumentStore, PortFuture};
use crate::wire::UserAgent;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "default_url")]
    url: String,
    /// The value of the setting `CONFIG_URL_HOSTS`.
    hosts: Option<String>,
    /// Additional host names and their DNS answers. Each lookup of a name returns the next list of
    /// addresses.
    #[serde(default)]
    names: BTreeMap<String, Vec<Vec<String>>>,
    #[serde(default)]
    certificate: Certificate,
    known_etag: Option<String>,
    #[serde(default)]
    unreachable: Vec<IpAddr>,
    #[serde(default)]
    responses: BTreeMap<String, Vec<Step>>,
    /// The time until the deadline in milliseconds, for cases with slow servers.
    time_left_ms: Option<u64>,
    /// The kind of the expected error, or `None` if the fetch must succeed.
    kind: Option<String>,
    /// Strings that the error message must contain.
    #[serde(default)]
    messages: Vec<String>,
    body: Option<String>,
    bytes: Option<usize>,
    etag: Option<String>,
    #[serde(default)]
    not_modified: bool,
    /// The addresses to which the fetcher must connect.
    connected: Option<Vec<SocketAddr>>,
    /// The host names that the fetcher must look up.
    resolved: Option<Vec<String>>,
    /// Strings that the request headers must contain.
    #[serde(default)]
    sent_headers: Vec<String>,
}

fn default_url() -> String {
    "https://a.example/p".to_owned()
}

/// Strings that no request may contain.
const NEVER_SENT: &[&str] = &["cookie", "authorization", "referer", "api-key", "range:", "origin"];

async fn failure_of(case: Case) -> Option<String> {
    let server = Server::start(case.certificate, Arc::new(case.responses)).await;
    let mut resolver = FakeResolver::new(&[
        ("a.example", &[&[PUBLIC_ADDRESS]]),
        ("b.example", &[&["8.8.4.4"]]),
        ("c.example", &[&["1.1.1.1"]]),
        ("private.example", &[&["10.0.0.1"]]),
    ]);
    for (name, answers) in case.names {
        let parsed = |texts: Vec<String>| texts.iter().map(|text| text.parse().unwrap()).collect();
        resolver.answers.insert(name, answers.into_iter().map(parsed).collect());
    }
    let hosts =
        case.hosts.map_or_else(ConfigHosts::default, |list| ConfigHosts::parse(&list).unwrap());
    let connector = FakeConnector {
        server: Some(server.address),
        unreachable: case.unreachable,
        ..FakeConnector::default()
    };
    let client_config = Some(server.client_config.clone());
    let fetcher = TestFetcher::new(hosts, resolver, connector, client_config);
    let time = Duration::from_millis(case.time_left_ms.unwrap_or(20_000));
    let start = Instant::now();
    let result = fetcher.fetch_with_etag(&case.url, case.known_etag.as_deref(), time).await;
    if start.elapsed() > time + Duration::from_secs(3) {
        return Some(format!("took {:?}", start.elapsed()));
    }
    let is_expected = match &result {
        Err(error) => {
            let same_kind = case.kind.as_deref() == Some(error.kind().name());
            let same_message = case.messages.iter().all(|text| error.message().contains(text));
            same_kind && same_message && !error.message().contains("secret-word")
        }
        Ok(None) => case.not_modified,
        Ok(Some(document)) => {
            let same_body = case.body.is_none_or(|body| body.as_bytes() == document.body);
            let same_size = case.bytes.is_none_or(|bytes| bytes == document.body.len());
            let expects_document = case.kind.is_none() && !case.not_modified;
            expects_document
                && same_body
                && same_size
                && document.version.is_none()
                && case.etag == document.etag
        }
    };
    if !is_expected {
        return Some(format!("{result:?}"));
    }
    let heads = server.heads();
    let has_forbidden_text = |head: &String| {
        let head = head.to_lowercase();
        NEVER_SENT.iter().any(|word| head.contains(word)) || !head.starts_with("get /")
    };
    if let Some(head) = heads.iter().find(|head| has_forbidden_text(head)) {
        return Some(format!("sent {head}"));
    }
    let heads = heads.concat();
    if let Some(missing) = case.sent_headers.iter().find(|text| !heads.contains(*text)) {
        return Some(format!("sent {heads} without {missing:?}"));
    }
    let (connected, resolved) = (fetcher.connector.connections(), fetcher.resolver.lookups());
    let is_expected = case.connected.is_none_or(|expected| expected == connected)
        && case.resolved.is_none_or(|expected| expected == resolved);
    (!is_expected).then(|| format!("connected to {connected:?}, resolved {resolved:?}"))
}

#[tokio::test]
async fn responses_have_the_expected_outcome() {
    let cases = include_str!("../../../tests/cases/web_config/responses.json");
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 80, "{}", cases.len());
    let mut failures = Vec::new();
    for case in cases {
        let name = case.name.clone();
        if let Some(failure) = failure_of(case).await {
            failures.push(format!("{name}: {failure}"));
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn a_private_certificate_authority_is_not_trusted() {
    let server = Server::start(Certificate::Good, Arc::default()).await;
    let resolver = FakeResolver::new(&[("a.example", &[&[PUBLIC_ADDRESS]])]);
    let connector = FakeConnector { server: Some(server.address), ..FakeConnector::default() };
    let fetcher = TestFetcher::new(ConfigHosts::default(), resolver, connector, None);
    let error = fetcher.fetch("https://a.example/").await.unwrap_err();
    let expected = "https://a.example/: the server's certificate is not valid for this host";
    assert_eq!(error.message(), expected);
    assert!(server.heads().is_empty());
}

struct HangingResolver;

impl Resolver for HangingResolver {
    fn resolve<'a>(&'a self, _: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_includes_dns_lookups() {
    let fetcher = WebConfigFetcher {
        hosts: ConfigHosts::default(),
        resolver: Arc::new(HangingResolver),
        connector: Arc::new(FakeConnector::default()),
        tls: OnceLock::new(),
        user_agent: UserAgent::default(),
    };
    let location = DocumentLocation::Url("https://a.example/p?sig=secret-word".to_owned());
    let start = tokio::time::Instant::now();
    let result = fetcher.fetch(&location, None, Deadline::after(Duration::from_secs(60))).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigUnavailable);
    assert_eq!(error.message(), "https://a.example/p: no complete response within 7.5 s");
    let millis = start.elapsed().as_millis();
    assert!((7400..7600).contains(&millis), "{millis} ms");
}
