//! A TLS server on loopback that answers what a script says, and certificates of a trust of its
//! own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

/// One thing that a server does.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Step {
    /// Sends a text.
    Text(String),
    /// Sends a text so many times.
    Repeat { repeat: String, times: usize },
    /// Sends a text so many times, again and again, with a pause between, until nobody listens.
    Forever { forever: String, times: Option<usize>, every: u64 },
    /// Sends bytes, as hexadecimal digits.
    Hex { hex: String },
    /// Says nothing more and keeps the connection.
    Hang { hang: bool },
}

/// What the server's certificate is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Certificate {
    #[default]
    Good,
    OtherName,
    Expired,
    NotYet,
    SelfSigned,
    UnknownIssuer,
    /// No TLS at all.
    Plain,
    /// A connection that is taken, and nothing.
    Silent,
}

/// What is sent for a host and path, and what came.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) trust: ClientConfig,
    heads: Arc<Mutex<Vec<String>>>,
}

type Scripts = Arc<BTreeMap<String, Vec<Step>>>;

impl Server {
    pub(super) async fn start(certificate: Certificate, scripts: Scripts) -> Server {
        // Keys take a while to make: most servers share theirs.
        static GOOD: OnceLock<(Arc<ServerConfig>, ClientConfig)> = OnceLock::new();
        let (config, trust) = match certificate {
            Certificate::Good => GOOD.get_or_init(|| tls(certificate)).clone(),
            _ => tls(certificate),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let noted = heads.clone();
        let acceptor = TlsAcceptor::from(config);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (scripts, noted) = (scripts.clone(), noted.clone());
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    serve(stream, certificate, acceptor, &scripts, &noted).await;
                });
            }
        });
        Server { address, trust, heads }
    }

    /// The heads of the requests that came.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    certificate: Certificate,
    acceptor: TlsAcceptor,
    scripts: &BTreeMap<String, Vec<Step>>,
    noted: &Mutex<Vec<String>>,
) {
    match certificate {
        Certificate::Silent => std::future::pending().await,
        Certificate::Plain => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            return;
        }
        _ => {}
    }
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let whole = format!("{host}{path}");
    let steps = scripts.get(&whole).cloned();
    noted.lock().unwrap().push(head);
    let missing = || vec![Step::Text("HTTP/1.1 404 Not Found\r\n\r\n".to_owned())];
    for step in steps.unwrap_or_else(missing) {
        let sent = match step {
            Step::Text(text) => stream.write_all(text.as_bytes()).await,
            Step::Repeat { repeat, times } => {
                stream.write_all(repeat.repeat(times).as_bytes()).await
            }
            Step::Hex { hex } => {
                let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
                let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap());
                stream.write_all(&bytes.collect::<Vec<u8>>()).await
            }
            Step::Hang { hang: true } => std::future::pending().await,
            Step::Hang { hang: false } => Ok(()),
            Step::Forever { forever, times, every } => loop {
                let text = forever.repeat(times.unwrap_or(1));
                let sent = stream.write_all(text.as_bytes()).await;
                if sent.and(stream.flush().await).is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(every)).await;
            },
        };
        if sent.and(stream.flush().await).is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

const NAMES: &[&str] = &["a.example", "b.example", "c.example", "xn--bcher-kva.example"];

fn tls(certificate: Certificate) -> (Arc<ServerConfig>, ClientConfig) {
    let (root, root_key) = authority();
    let mut roots = RootCertStore::empty();
    roots.add(root.self_signed(&root_key).unwrap().der().clone()).unwrap();
    let names = match certificate {
        Certificate::OtherName => vec!["other.example".to_owned()],
        _ => NAMES.iter().map(|name| (*name).to_owned()).chain(["8.8.8.8".to_owned()]).collect(),
    };
    let mut leaf = CertificateParams::new(names).unwrap();
    match certificate {
        Certificate::Expired => leaf.not_after = date_time_ymd(2020, 1, 1),
        Certificate::NotYet => leaf.not_before = date_time_ymd(2999, 1, 1),
        _ => {}
    }
    let key = KeyPair::generate().unwrap();
    let leaf = match certificate {
        Certificate::SelfSigned => leaf.self_signed(&key).unwrap(),
        Certificate::UnknownIssuer => {
            let (other, other_key) = authority();
            leaf.signed_by(&key, &Issuer::new(other, other_key)).unwrap()
        }
        _ => leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap(),
    };
    let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut server =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server), client)
}

fn authority() -> (CertificateParams, KeyPair) {
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (root, KeyPair::generate().unwrap())
}
