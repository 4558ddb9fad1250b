//! Hostile URLs, names, servers and certificates. Every check of production runs here: names
//! resolve to public addresses, and only what is dialed at last is a server on loopback instead.

mod answers;
mod properties;
mod server;
mod urls;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;

use super::addresses::Checked;
use super::network::Dialer;
use super::{ConfigHosts, Resolver, WebConfigs, connector};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentStore, Place, PortFuture};

/// A page of the public internet.
const PUBLIC: &str = "93.184.215.14";

/// Names and what they resolve to: each look-up's answer in turn, the last one from then on.
#[derive(Default)]
struct Names {
    known: BTreeMap<String, Vec<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(known: &[(&str, &[&[&str]])]) -> Self {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let known = known
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.iter().map(addresses).collect()));
        Names { known: known.collect(), asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut asked = self.asked.lock().unwrap();
        let times = asked.iter().filter(|before| *before == name).count();
        asked.push(name.to_owned());
        let answers = self.known.get(name).cloned().unwrap_or_default();
        let answer = answers.get(times).or(answers.last()).cloned();
        let answer = answer.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(answer))
    }
}

/// Dials a server on loopback, or nobody, and notes what it was to dial.
#[derive(Default)]
struct Dialed {
    server: Option<SocketAddr>,
    dead: Vec<IpAddr>,
    asked: Mutex<Vec<SocketAddr>>,
}

impl Dialed {
    fn asked(&self) -> Vec<SocketAddr> {
        self.asked.lock().unwrap().clone()
    }
}

impl Dialer for Dialed {
    fn dial(&self, address: Checked) -> PortFuture<'_, io::Result<TcpStream>> {
        let address = address.socket_address();
        self.asked.lock().unwrap().push(address);
        let server = self.server.filter(|_| !self.dead.contains(&address.ip()));
        Box::pin(async move {
            match server {
                Some(server) => TcpStream::connect(server).await,
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

/// A store of pages with all that it knows of the outside.
struct World {
    names: Arc<Names>,
    dialed: Arc<Dialed>,
    pages: WebConfigs,
}

impl World {
    fn new(hosts: ConfigHosts, names: Names, dialed: Dialed, config: Option<ClientConfig>) -> Self {
        let (names, dialed) = (Arc::new(names), Arc::new(dialed));
        let tls = config.map_or_else(OnceLock::new, |config| OnceLock::from(connector(config)));
        let pages = WebConfigs { hosts, resolver: names.clone(), dialer: dialed.clone(), tls };
        World { names, dialed, pages }
    }

    /// One in which nobody answers.
    fn of(names: Names) -> Self {
        World::new(ConfigHosts::default(), names, Dialed::default(), None)
    }

    async fn fetch(&self, url: &str) -> Result<Option<Document>, Error> {
        self.fetch_known(url, None, Duration::from_secs(60)).await
    }

    async fn fetch_known(
        &self,
        url: &str,
        known: Option<&str>,
        time: Duration,
    ) -> Result<Option<Document>, Error> {
        self.pages.fetch(&Place::Page(url.to_owned()), known, Deadline::after(time)).await
    }
}

#[tokio::test]
async fn an_object_is_not_a_page() {
    let place = Place::Object { bucket: "b".to_owned(), key: "k".to_owned(), version: None };
    let pages = WebConfigs::new(ConfigHosts::default());
    let error = pages.fetch(&place, None, Deadline::after(Duration::from_secs(1))).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn nothing_is_set_up_before_a_host_is_reached() {
    let world = World::of(Names::new(&[("a.example", &[&[PUBLIC]])]));
    assert!(world.pages.tls.get().is_none());
    let error = world.fetch("https://a.example/p").await.unwrap_err();
    assert_eq!(error.message(), "https://a.example/p: could not connect");
    assert!(world.pages.tls.get().is_none());
    assert_eq!(world.dialed.asked(), [SocketAddr::new(PUBLIC.parse().unwrap(), 443)]);
}

/// The system's own resolver and dialer, held to the same checks, without any network.
#[tokio::test]
async fn the_systems_resolver_is_checked_too() {
    let pages = WebConfigs::new(ConfigHosts::default());
    for url in ["https://127.0.0.1/", "https://[::1]/", "https://localhost/"] {
        let place = Place::Page(url.to_owned());
        let fetched = pages.fetch(&place, None, Deadline::after(Duration::from_secs(5))).await;
        assert_eq!(fetched.unwrap_err().kind(), ErrorKind::ConfigForbidden, "{url}");
    }
}
