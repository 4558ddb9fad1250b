//! What servers answer, as data: redirects, statuses, bodies and headers without end,
//! certificates.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::super::{ConfigHosts, Resolver, WebConfigs};
use super::server::{Certificate, Server, Step};
use super::{Dialed, Names, PUBLIC, World};
use crate::deadline::Deadline;
use crate::error::ErrorKind;
use crate::ports::{DocumentStore, Place, PortFuture};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "usual_url")]
    url: String,
    /// `CONFIG_URL_HOSTS`.
    hosts: Option<String>,
    /// What names resolve to beside the public address, look-up by look-up.
    #[serde(default)]
    names: BTreeMap<String, Vec<Vec<String>>>,
    #[serde(default)]
    certificate: Certificate,
    known: Option<String>,
    #[serde(default)]
    dead: Vec<IpAddr>,
    #[serde(default)]
    replies: BTreeMap<String, Vec<Step>>,
    /// The time there is, for servers that are slow.
    millis: Option<u64>,
    // What comes of it.
    kind: Option<String>,
    #[serde(default)]
    told: Vec<String>,
    body: Option<String>,
    bytes: Option<usize>,
    etag: Option<String>,
    #[serde(default)]
    unchanged: bool,
    dialed: Option<Vec<SocketAddr>>,
    asked: Option<Vec<String>>,
    #[serde(default)]
    sent: Vec<String>,
}

fn usual_url() -> String {
    "https://a.example/p".to_owned()
}

/// What no request and no message may hold.
const NEVER_SENT: &[&str] = &["cookie", "authorization", "referer", "api-key", "range:", "origin"];

async fn problem_with(case: Case) -> Option<String> {
    let server = Server::start(case.certificate, Arc::new(case.replies)).await;
    let mut names = Names::new(&[
        ("a.example", &[&[PUBLIC]]),
        ("b.example", &[&["8.8.4.4"]]),
        ("c.example", &[&["1.1.1.1"]]),
        ("private.example", &[&["10.0.0.1"]]),
    ]);
    for (name, answers) in case.names {
        let parsed = |texts: Vec<String>| texts.iter().map(|text| text.parse().unwrap()).collect();
        names.known.insert(name, answers.into_iter().map(parsed).collect());
    }
    let hosts =
        case.hosts.map_or_else(ConfigHosts::default, |list| ConfigHosts::read(&list).unwrap());
    let dialed = Dialed { server: Some(server.address), dead: case.dead, ..Dialed::default() };
    let world = World::new(hosts, names, dialed, Some(server.trust.clone()));
    let time = Duration::from_millis(case.millis.unwrap_or(20_000));
    let began = Instant::now();
    let fetched = world.fetch_known(&case.url, case.known.as_deref(), time).await;
    if began.elapsed() > time + Duration::from_secs(3) {
        return Some(format!("took {:?}", began.elapsed()));
    }
    let outcome = match &fetched {
        Err(error) => {
            let right = case.kind.as_deref() == Some(error.kind().name());
            let told = case.told.iter().all(|told| error.message().contains(told));
            right && told && !error.message().contains("secret-word")
        }
        Ok(None) => case.unchanged,
        Ok(Some(document)) => {
            let body = case.body.is_none_or(|body| body.as_bytes() == document.body);
            let bytes = case.bytes.is_none_or(|bytes| bytes == document.body.len());
            let wanted = case.kind.is_none() && !case.unchanged && document.version.is_none();
            wanted && body && bytes && case.etag == document.etag
        }
    };
    if !outcome {
        return Some(format!("{fetched:?}"));
    }
    let heads = server.heads();
    let leaky = |head: &String| {
        let head = head.to_lowercase();
        NEVER_SENT.iter().any(|word| head.contains(word)) || !head.starts_with("get /")
    };
    if let Some(head) = heads.iter().find(|head| leaky(head)) {
        return Some(format!("sent {head}"));
    }
    let all = heads.concat();
    if let Some(missing) = case.sent.iter().find(|text| !all.contains(*text)) {
        return Some(format!("did not send {missing:?} but {all}"));
    }
    let (dialed, asked) = (world.dialed.asked(), world.names.asked());
    let way = case.dialed.is_none_or(|expected| expected == dialed)
        && case.asked.is_none_or(|expected| expected == asked);
    (!way).then(|| format!("dialed {dialed:?}, asked {asked:?}"))
}

#[tokio::test]
async fn servers_are_held_to_the_rules() {
    let cases = include_str!("../../../tests/cases/pages/answers.json");
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 80, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let name = case.name.clone();
        if let Some(problem) = problem_with(case).await {
            wrong.push(format!("{name}: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_refused_by_the_built_in_ones() {
    let server = Server::start(Certificate::Good, Arc::default()).await;
    let names = Names::new(&[("a.example", &[&[PUBLIC]])]);
    let dialed = Dialed { server: Some(server.address), ..Dialed::default() };
    let world = World::new(ConfigHosts::default(), names, dialed, None);
    let error = world.fetch("https://a.example/").await.unwrap_err();
    assert_eq!(error.message(), "https://a.example/: its certificate is not valid for it");
    assert!(server.heads().is_empty());
}

struct NeverAnswers;

impl Resolver for NeverAnswers {
    fn resolve<'a>(&'a self, _: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn seven_and_a_half_seconds_are_all_even_for_a_look_up() {
    let dialer = Arc::new(Dialed::default());
    let pages = WebConfigs {
        hosts: ConfigHosts::default(),
        resolver: Arc::new(NeverAnswers),
        dialer,
        tls: OnceLock::new(),
    };
    let place = Place::Page("https://a.example/p?sig=secret-word".to_owned());
    let began = tokio::time::Instant::now();
    let fetched = pages.fetch(&place, None, Deadline::after(Duration::from_secs(60))).await;
    let error = fetched.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigUnavailable);
    assert_eq!(error.message(), "https://a.example/p: it was not there within 7.5 s");
    let took = began.elapsed().as_millis();
    assert!((7400..7600).contains(&took), "{took} ms");
}
