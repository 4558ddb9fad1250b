//! Signs requests with AWS Signature Version 4, using AWS's `aws-sigv4` crate.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
//!
//! The crate's defaults suit every service except S3. S3 requires the header `x-amz-content-sha256`
//! and expects the signed path to be identical to the path in the request: not percent-encoded a
//! second time, and with dots and double slashes preserved.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use http::{HeaderName, HeaderValue};
use llm_exe::ports::{PortFuture, Signer, UnsignedRequest};
use llm_exe::{Error, ErrorKind, Secret, hex};
use ring::digest;

use crate::credentials::{CredentialSource, Credentials};

/// A [`Signer`] for requests to Amazon Bedrock.
pub struct SigV4Signer {
    credentials: Arc<dyn CredentialSource>,
    clock: fn() -> SystemTime,
}

impl std::fmt::Debug for SigV4Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigV4Signer")
    }
}

impl SigV4Signer {
    /// Creates a signer that uses these credentials.
    pub fn new(credentials: Arc<dyn CredentialSource>) -> Self {
        SigV4Signer { credentials, clock: SystemTime::now }
    }

    /// Replaces the system clock. Tests use this to sign requests for a fixed time.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> SystemTime) -> Self {
        SigV4Signer { clock, ..self }
    }

    async fn signature(
        &self,
        request: UnsignedRequest<'_>,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let credentials = self.credentials.credentials().await?;
        let input = SignatureInput {
            method: "POST",
            url: request.url,
            headers: request.headers.to_vec(),
            body: request.body,
            service: request.service,
            region: request.region,
        };
        signature_headers(&credentials, input, (self.clock)()).map_err(|error| {
            let message = format!("can't sign the {} request: {error}", request.service);
            Error::new(ErrorKind::Internal, message)
        })
    }
}

impl Signer for SigV4Signer {
    fn sign<'a>(
        &'a self,
        request: UnsignedRequest<'a>,
    ) -> PortFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Error>> {
        Box::pin(self.signature(request))
    }

    fn secrets(&self) -> PortFuture<'_, Vec<Secret>> {
        Box::pin(secrets_of(&*self.credentials))
    }
}

/// Returns the parts of the credentials of a source, or none if it fails.
pub(crate) async fn secrets_of(source: &dyn CredentialSource) -> Vec<Secret> {
    let Ok(credentials) = source.credentials().await else { return Vec::new() };
    let Credentials { access_key_id, secret_access_key, session_token } = credentials;
    [access_key_id, secret_access_key].into_iter().chain(session_token).collect()
}

/// An error from `aws-sigv4`, or from a header that is not valid in HTTP.
pub(crate) type SigningError = Box<dyn std::error::Error + Send + Sync>;

/// The parts of a request that its signature covers.
pub(crate) struct SignatureInput<'a> {
    pub(crate) method: &'a str,
    /// The full URL. Its path and query are percent-encoded.
    pub(crate) url: &'a str,
    /// The headers to sign, except `host`, which `aws-sigv4` takes from the URL.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: &'a [u8],
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
}

/// Computes the signature and returns the headers to add to the request.
pub(crate) fn signature_headers(
    credentials: &Credentials,
    input: SignatureInput<'_>,
    time: SystemTime,
) -> Result<Vec<(HeaderName, HeaderValue)>, SigningError> {
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
        .region(input.region)
        .name(input.service)
        .time(time)
        .settings(settings(input.service))
        .build()?
        .into();
    // `ring` hashes large bodies faster than the crate that `aws-sigv4` uses.
    let hash = digest::digest(&digest::SHA256, input.body);
    let body = SignableBody::Precomputed(hex(hash.as_ref()));
    let headers = input.headers.into_iter();
    let signable = SignableRequest::new(input.method, input.url, headers, body)?;
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
