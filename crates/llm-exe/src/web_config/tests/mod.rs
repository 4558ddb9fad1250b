//! Tests the fetcher with hostile URLs, DNS names, servers and certificates. All checks run as in
//! production, because the fake resolver returns public addresses. Only the final connection goes
//! to a server on loopback instead.

mod properties;
mod responses;
mod server;
mod urls;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;

use super::addresses::PublicAddress;
use super::connect::Connector;
use super::{ConfigHosts, Resolver, WebConfigFetcher, tls_connector};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use crate::wire::UserAgent;

const PUBLIC_ADDRESS: &str = "93.184.215.14";

/// A DNS resolver with fixed answers. Each lookup of a name returns the next list of addresses for
/// that name. The last list is repeated.
#[derive(Default)]
struct FakeResolver {
    answers: BTreeMap<String, Vec<Vec<IpAddr>>>,
    lookups: Mutex<Vec<String>>,
}

impl FakeResolver {
    fn new(answers: &[(&str, &[&[&str]])]) -> Self {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers
            .iter()
            .map(|(name, lists)| ((*name).to_owned(), lists.iter().map(addresses).collect()));
        FakeResolver { answers: answers.collect(), lookups: Mutex::default() }
    }

    /// Returns the names that were looked up.
    fn lookups(&self) -> Vec<String> {
        self.lookups.lock().unwrap().clone()
    }
}

impl Resolver for FakeResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut lookups = self.lookups.lock().unwrap();
        let earlier = lookups.iter().filter(|lookup| *lookup == name).count();
        lookups.push(name.to_owned());
        let answers = self.answers.get(name).cloned().unwrap_or_default();
        let answer = answers.get(earlier).or(answers.last()).cloned();
        let answer = answer.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(answer))
    }
}

/// A connector that records the requested addresses and connects to a loopback server instead.
/// Without a server, all connections fail.
#[derive(Default)]
struct FakeConnector {
    server: Option<SocketAddr>,
    unreachable: Vec<IpAddr>,
    connections: Mutex<Vec<SocketAddr>>,
}

impl FakeConnector {
    /// Returns the addresses to which connections were requested.
    fn connections(&self) -> Vec<SocketAddr> {
        self.connections.lock().unwrap().clone()
    }
}

impl Connector for FakeConnector {
    fn connect(&self, address: PublicAddress) -> PortFuture<'_, io::Result<TcpStream>> {
        let address = address.socket_address();
        self.connections.lock().unwrap().push(address);
        let server = self.server.filter(|_| !self.unreachable.contains(&address.ip()));
        Box::pin(async move {
            match server {
                Some(server) => TcpStream::connect(server).await,
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

/// A fetcher with a fake resolver and a fake connector.
struct TestFetcher {
    resolver: Arc<FakeResolver>,
    connector: Arc<FakeConnector>,
    fetcher: WebConfigFetcher,
}

impl TestFetcher {
    fn new(
        hosts: ConfigHosts,
        resolver: FakeResolver,
        connector: FakeConnector,
        tls_config: Option<ClientConfig>,
    ) -> Self {
        let (resolver, connector) = (Arc::new(resolver), Arc::new(connector));
        let tls = tls_config.map(tls_connector).map_or_else(OnceLock::new, OnceLock::from);
        let fetcher = WebConfigFetcher {
            hosts,
            resolver: resolver.clone(),
            connector: connector.clone(),
            tls,
            user_agent: UserAgent::default(),
        };
        TestFetcher { resolver, connector, fetcher }
    }

    /// Creates a fetcher whose connections all fail.
    fn without_server(resolver: FakeResolver) -> Self {
        TestFetcher::new(ConfigHosts::default(), resolver, FakeConnector::default(), None)
    }

    async fn fetch(&self, url: &str) -> Result<Option<Document>, Error> {
        self.fetch_with_etag(url, None, Duration::from_secs(60)).await
    }

    async fn fetch_with_etag(
        &self,
        url: &str,
        known_etag: Option<&str>,
        time: Duration,
    ) -> Result<Option<Document>, Error> {
        let location = DocumentLocation::Url(url.to_owned());
        self.fetcher.fetch(&location, known_etag, Deadline::after(time)).await
    }
}

#[tokio::test]
async fn s3_objects_are_rejected() {
    let location =
        DocumentLocation::Object { bucket: "b".to_owned(), key: "k".to_owned(), version: None };
    let fetcher = WebConfigFetcher::new(ConfigHosts::default());
    let error = fetcher.fetch(&location, None, Deadline::after(Duration::from_secs(1))).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn tls_is_set_up_only_after_connecting() {
    let fetcher =
        TestFetcher::without_server(FakeResolver::new(&[("a.example", &[&[PUBLIC_ADDRESS]])]));
    assert!(fetcher.fetcher.tls.get().is_none());
    let error = fetcher.fetch("https://a.example/p").await.unwrap_err();
    assert_eq!(error.message(), "https://a.example/p: could not connect to the host");
    assert!(fetcher.fetcher.tls.get().is_none());
    assert_eq!(
        fetcher.connector.connections(),
        [SocketAddr::new(PUBLIC_ADDRESS.parse().unwrap(), 443)]
    );
}

/// Runs the checks with the real resolver and connector. The test needs no network access, because
/// the URLs are rejected before a connection is opened.
#[tokio::test]
async fn local_urls_are_forbidden_with_the_systems_resolver() {
    let fetcher = WebConfigFetcher::new(ConfigHosts::default());
    for url in ["https://127.0.0.1/", "https://[::1]/", "https://localhost/"] {
        let location = DocumentLocation::Url(url.to_owned());
        let result = fetcher.fetch(&location, None, Deadline::after(Duration::from_secs(5))).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ConfigForbidden, "{url}");
    }
}
