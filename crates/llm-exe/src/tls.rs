//! The TLS configuration of all clients in this crate. It uses rustls with ring, and Mozilla's root
//! certificates are compiled in.

use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Creates a new configuration. Each client has its own, so that clients do not share TLS sessions.
pub(crate) fn client_config() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}
