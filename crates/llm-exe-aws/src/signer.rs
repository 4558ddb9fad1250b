//! Signature Version 4, by AWS's own crate.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>. The crate's defaults are
//! those of every service but S3: the path, which is percent-encoded already, is encoded once more
//! in what is signed, and `x-amz-content-sha256` is not sent.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use http::{HeaderName, HeaderValue};
use llm_exe::ports::{PortFuture, Signer, Unsigned};
use llm_exe::{Error, ErrorKind};

use crate::credentials::{CredentialSource, Credentials};

/// Signs requests with credentials from a source, at the time of a clock.
pub struct SigV4Signer {
    source: Arc<dyn CredentialSource>,
    clock: fn() -> SystemTime,
}

impl std::fmt::Debug for SigV4Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigV4Signer")
    }
}

impl SigV4Signer {
    /// A signer with credentials from this source.
    pub fn new(source: Arc<dyn CredentialSource>) -> Self {
        SigV4Signer { source, clock: SystemTime::now }
    }

    /// The same by another clock.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> SystemTime) -> Self {
        SigV4Signer { clock, ..self }
    }

    async fn signed(&self, request: Unsigned<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let credentials = self.source.credentials().await?;
        headers(&credentials, request, (self.clock)())
            .map_err(|why| Error::new(ErrorKind::Internal, format!("can't sign: {why}")))
    }
}

impl Signer for SigV4Signer {
    fn sign<'a>(
        &'a self,
        request: Unsigned<'a>,
    ) -> PortFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Error>> {
        Box::pin(self.signed(request))
    }
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn headers(
    credentials: &Credentials,
    request: Unsigned<'_>,
    time: SystemTime,
) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let identity = aws_credential_types::Credentials::new(
        credentials.access_key_id.expose(),
        credentials.secret_access_key.expose(),
        credentials.session_token.as_ref().map(|token| token.expose().to_owned()),
        None,
        "llm-exe",
    )
    .into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(request.region)
        .name(request.service)
        .time(time)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let covered = request.headers.iter().copied();
    let body = SignableBody::Bytes(request.body);
    let signable = SignableRequest::new("POST", request.url, covered, body)?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let mut headers = Vec::new();
    for (name, value) in instructions.headers() {
        let mut value = HeaderValue::from_str(value)?;
        value.set_sensitive(name != "x-amz-date");
        headers.push((HeaderName::from_bytes(name.as_bytes())?, value));
    }
    Ok(headers)
}
