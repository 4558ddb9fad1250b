//! A TLS server on loopback that sends scripted responses, and the certificate authority that
//! issues its certificates.

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

/// One step of a scripted response.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Step {
    /// Sends a string.
    Text(String),
    /// Sends a string the given number of times.
    Repeat { repeat: String, times: usize },
    /// Sends a string the given number of times, pauses, and repeats this until the client
    /// disconnects.
    #[serde(rename_all = "camelCase")]
    Forever { forever: String, times: Option<usize>, pause_ms: u64 },
    /// Sends bytes, which the case contains as hexadecimal digits.
    Hex { hex: String },
    /// If `hang` is true, keeps the connection open without sending anything.
    Hang { hang: bool },
}

/// The kind of certificate that the server sends, or the way in which it fails to complete the TLS
/// handshake.
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
    /// The server sends plain HTTP without TLS.
    Plain,
    /// The server accepts the connection but sends nothing.
    Silent,
}

/// A server that records the requests that it receives.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// A client configuration that trusts the server's certificate authority.
    pub(super) client_config: ClientConfig,
    heads: Arc<Mutex<Vec<String>>>,
}

/// The steps of each response, keyed by host and path.
type Scripts = Arc<BTreeMap<String, Vec<Step>>>;

impl Server {
    pub(super) async fn start(certificate: Certificate, scripts: Scripts) -> Server {
        // Generating keys is slow, so all servers with a valid certificate share one key.
        static GOOD: OnceLock<(Arc<ServerConfig>, ClientConfig)> = OnceLock::new();
        let (config, client_config) = match certificate {
            Certificate::Good => GOOD.get_or_init(|| tls(certificate)).clone(),
            _ => tls(certificate),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let received = heads.clone();
        let acceptor = TlsAcceptor::from(config);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (scripts, received) = (scripts.clone(), received.clone());
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    serve(stream, certificate, acceptor, &scripts, &received).await;
                });
            }
        });
        Server { address, client_config, heads }
    }

    /// Returns the request lines and headers that the server received.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    certificate: Certificate,
    acceptor: TlsAcceptor,
    scripts: &BTreeMap<String, Vec<Step>>,
    received: &Mutex<Vec<String>>,
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
    let steps = scripts.get(&format!("{host}{path}")).cloned();
    received.lock().unwrap().push(head);
    let not_found = || vec![Step::Text("HTTP/1.1 404 Not Found\r\n\r\n".to_owned())];
    for step in steps.unwrap_or_else(not_found) {
        let result = match step {
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
            Step::Forever { forever, times, pause_ms } => loop {
                let text = forever.repeat(times.unwrap_or(1));
                let result = stream.write_all(text.as_bytes()).await;
                if result.and(stream.flush().await).is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            },
        };
        if result.and(stream.flush().await).is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

const NAMES: &[&str] = &["a.example", "b.example", "c.example", "xn--bcher-kva.example"];

fn tls(certificate: Certificate) -> (Arc<ServerConfig>, ClientConfig) {
    let (root, root_key) = certificate_authority();
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
            let (other, other_key) = certificate_authority();
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

fn certificate_authority() -> (CertificateParams, KeyPair) {
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (root, KeyPair::generate().unwrap())
}
