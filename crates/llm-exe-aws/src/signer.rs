//! Signature Version 4, by AWS's own crate.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>. The crate's defaults are
//! those of every service but S3: the path, which is percent-encoded already, is encoded once more
//! in what is signed, and `x-amz-content-sha256` is not sent. S3 takes the path as it is sent, dots
//! and double slashes included, and wants the body's hash.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use http::{HeaderName, HeaderValue};
use llm_exe::ports::{PortFuture, Signer, UnsignedRequest};
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

    async fn signed(
        &self,
        request: UnsignedRequest<'_>,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let credentials = self.source.credentials().await?;
        let covered = Covered {
            method: "POST",
            url: request.url,
            headers: request.headers.to_vec(),
            body: request.body,
            service: request.service,
            region: request.region,
        };
        signature(&credentials, covered, (self.clock)())
            .map_err(|why| Error::new(ErrorKind::Internal, format!("can't sign: {why}")))
    }
}

impl Signer for SigV4Signer {
    fn sign<'a>(
        &'a self,
        request: UnsignedRequest<'a>,
    ) -> PortFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Error>> {
        Box::pin(self.signed(request))
    }
}

pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What a signature covers.
pub(crate) struct Covered<'a> {
    pub(crate) method: &'a str,
    /// The whole URL, its path and query percent-encoded.
    pub(crate) url: &'a str,
    /// The headers beside `host`.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: &'a [u8],
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
}

/// The headers that carry a signature, and what it needs beside.
pub(crate) fn signature(
    credentials: &Credentials,
    covered: Covered<'_>,
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
        .region(covered.region)
        .name(covered.service)
        .time(time)
        .settings(settings(covered.service))
        .build()?
        .into();
    let body = SignableBody::Bytes(covered.body);
    let headers = covered.headers.into_iter();
    let signable = SignableRequest::new(covered.method, covered.url, headers, body)?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let mut headers = Vec::new();
    for (name, value) in instructions.headers() {
        let mut value = HeaderValue::from_str(value)?;
        value.set_sensitive(name != "x-amz-date");
        headers.push((HeaderName::from_bytes(name.as_bytes())?, value));
    }
    Ok(headers)
}

fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}
