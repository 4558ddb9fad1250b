//! TLS configuration for all clients in this crate. It uses rustls with ring and the compiled-in
//! root certificates of Mozilla.

use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Creates a TLS configuration. Each client has its own, because clients with the same
/// configuration would share TLS sessions.
pub(crate) fn client_config() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}
