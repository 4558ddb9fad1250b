//! TLS as every client of ours speaks it: rustls on ring, with Mozilla's certificates compiled in.
//! A configuration is made when it is asked for, not at the start of the process.

use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A configuration of its own, so that no two clients share sessions.
pub(crate) fn client_config() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}
