//! The TLS configuration of all clients in this crate: rustls on ring with Mozilla's root
//! certificates compiled in.

use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Creates a new configuration, so that no two clients share TLS sessions.
pub(crate) fn client_config() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}
