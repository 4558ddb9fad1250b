//! Parses and classifies the error responses of AWS services.
//!
//! S3 returns errors as XML, and the other services return them as JSON.

use std::time::SystemTime;

use llm_exe::error::shorten;
use llm_exe::wire::WireReply;
use serde::Deserialize;

use crate::credentials::Credentials;
use crate::xml;

/// An error response from an AWS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The HTTP status code.
    pub status: u16,
    /// The AWS error code, such as `NoSuchKey`. It is empty if the response has no code.
    pub code: String,
    /// The AWS error message. It is used only to classify the error and is never shown to callers,
    /// because it can contain role names and account ids.
    pub(crate) message: String,
    /// The bucket's region, if S3 included it in the response.
    pub(crate) region: Option<String>,
    /// The time at which AWS sent the response, from the `date` header.
    pub(crate) date: Option<SystemTime>,
}

/// The error codes with which AWS services report throttling.
const THROTTLING: &str = "\
    BandwidthLimitExceeded KmsThrottled LimitExceededException PriorRequestNotComplete \
    ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled \
    RequestThrottledException SlowDown ThrottledException Throttling \
    ThrottlingException TooManyRequestsException TooManyUpdates";
/// The error codes of other errors that a retry can resolve.
const TRANSIENT: &str = "\
    InternalError InternalException InternalFailure InternalServerError RequestTimeout \
    RequestTimeoutException";
const EXPIRED_CREDENTIALS: &str = "\
    ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired";
/// The error codes that AWS returns if the time in a signature is wrong. Some of them can also have
/// other causes.
const CLOCK_SKEW: &str = "\
    AuthFailure InvalidSignature InvalidSignatureException RequestExpired \
    RequestInTheFuture RequestTimeTooSkewed SignatureDoesNotMatch";
const INVALID_CREDENTIALS: &str = "\
    AuthorizationHeaderMalformed IncompleteSignature IncompleteSignatureException \
    InvalidAccessKeyId InvalidClientTokenId InvalidToken MissingAuthenticationToken \
    MissingAuthenticationTokenException UnrecognizedClientException";

/// The body of an error response from a service with a JSON protocol.
#[derive(Deserialize)]
struct JsonError {
    #[serde(rename = "__type", default)]
    code: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl ErrorResponse {
    pub(crate) fn from_reply(reply: &WireReply) -> ErrorResponse {
        let body = std::str::from_utf8(&reply.body).unwrap_or_default();
        let (code, message) = match serde_json::from_str::<JsonError>(body) {
            Ok(error) => (error.code, error.message),
            Err(_) => (
                xml::element_text(body, "Code").unwrap_or_default(),
                xml::element_text(body, "Message").unwrap_or_default(),
            ),
        };
        let code = match code.as_str() {
            "" => reply.header("x-amzn-errortype").unwrap_or_default(),
            code => code,
        };
        let region = reply.header("x-amz-bucket-region").map(str::to_owned);
        let region = region
            .or_else(|| xml::element_text(body, "Region"))
            .or_else(|| region_in_endpoint(&xml::element_text(body, "Endpoint")?));
        ErrorResponse {
            status: reply.status,
            code: normalize_code(code),
            message: shorten(&message, 500),
            // The region becomes part of a host name, so an invalid region is dropped.
            region: region.filter(|region| llm_exe::check_region(region).is_ok()),
            date: reply.header("date").and_then(|text| httpdate::parse_http_date(text).ok()),
        }
    }

    /// Removes the code if it contains a part of the credentials, because a proxy in front of AWS
    /// may quote them. The message is never shown.
    #[must_use]
    pub(crate) fn without_credentials(mut self, credentials: &Credentials) -> ErrorResponse {
        let Credentials { access_key_id, secret_access_key, session_token } = credentials;
        let mut secrets = vec![access_key_id.expose(), secret_access_key.expose()];
        secrets.extend(session_token.as_ref().map(|token| token.expose()));
        if llm_exe::scrub(&self.code, &secrets) != self.code {
            self.code.clear();
        }
        self
    }

    /// Returns the error for an invalid bucket name or key, which is reported without sending a
    /// request.
    pub(crate) fn invalid_name() -> ErrorResponse {
        let (code, message) = ("InvalidName".to_owned(), String::new());
        ErrorResponse { status: 404, code, message, region: None, date: None }
    }

    /// Creates an error from one rejected entry of a batch. The response as a whole has status 200.
    pub(crate) fn from_failed_entry(status: u16, code: &str, message: &str) -> ErrorResponse {
        let (code, message) = (normalize_code(code), shorten(message, 500));
        ErrorResponse { status, code, message, region: None, date: None }
    }

    /// Returns whether the error has one of these codes, which are separated by white space.
    /// The codes are one text, for the reason in `word_list.rs` of `llm-exe`.
    fn has_code(&self, codes: &str) -> bool {
        codes.split_ascii_whitespace().any(|code| code == self.code)
    }

    /// Returns whether a retry can succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
            || self.has_code(THROTTLING)
            || self.has_code(TRANSIENT)
    }

    /// Returns whether the service rejected the request because there were too many.
    pub(crate) fn is_throttled(&self) -> bool {
        self.status == 429 || self.has_code(THROTTLING)
    }

    /// Returns whether the bucket must be requested from another region. S3 either redirects the
    /// request or reports that it was signed for a region other than the one that it names.
    pub(crate) fn is_wrong_region(&self) -> bool {
        matches!(self.status, 301 | 307 | 308)
            || (self.region.is_some() && self.has_code("AuthorizationHeaderMalformed"))
    }

    pub(crate) fn is_expired_credentials(&self) -> bool {
        self.has_code(EXPIRED_CREDENTIALS)
    }

    /// Returns whether clock skew may have caused the error. This includes any 403 response without
    /// an error code, because its cause is unknown.
    pub(crate) fn may_be_clock_skew(&self) -> bool {
        self.has_code(CLOCK_SKEW) || (self.status == 403 && self.code.is_empty())
    }

    /// Returns whether AWS rejected the credentials themselves, rather than denying an action.
    pub(crate) fn is_about_credentials(&self) -> bool {
        let has_code = self.has_code(EXPIRED_CREDENTIALS)
            || self.has_code(CLOCK_SKEW)
            || self.has_code(INVALID_CREDENTIALS);
        has_code && !self.is_wrong_region()
    }

    pub(crate) fn is_access_denied(&self) -> bool {
        const ACCESS_DENIED: &str = "\
            AccessDenied AccessDeniedException KmsAccessDenied \
            NotAuthorizedForDetailTypeException NotAuthorizedForSourceException";
        (self.status == 403 || self.has_code(ACCESS_DENIED)) && !self.is_wrong_region()
    }

    /// Returns whether the error comes from KMS, which AWS services call to encrypt and decrypt
    /// data.
    pub(crate) fn is_from_kms(&self) -> bool {
        self.message.contains("kms:Decrypt")
            || self.message.contains("kms:GenerateDataKey")
            || self.message.contains("ciphertext")
            || self.code.starts_with("Kms")
            || self.code.starts_with("KMS.")
    }

    /// Returns the KMS action that AWS denied.
    pub(crate) fn kms_action(&self) -> &'static str {
        match self.message.contains("kms:GenerateDataKey") {
            true => "kms:GenerateDataKey",
            false => "kms:Decrypt",
        }
    }
}

/// Formats the status and the code, for example as `503 SlowDown`.
impl std::fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        match &self.region {
            Some(region) if self.is_wrong_region() => write!(f, ", the bucket is in {region}"),
            _ => Ok(()),
        }
    }
}

/// Returns the region in the host name of an S3 endpoint, such as
/// `bucket.s3.eu-west-1.amazonaws.com` or `bucket.s3-eu-west-1.amazonaws.com`. The bucket's name
/// can have dots too.
fn region_in_endpoint(endpoint: &str) -> Option<String> {
    let labels: Vec<&str> = endpoint.split('.').collect();
    let is_region = |label: &str| {
        let mut parts = label.split('-');
        parts.clone().count() >= 3
            && parts.next_back().is_some_and(|number| number.parse::<u8>().is_ok())
    };
    labels.windows(2).rev().find_map(|pair| match pair {
        ["s3" | "dualstack", region] if is_region(region) => Some((*region).to_owned()),
        [service, _] => {
            let region = service.strip_prefix("s3-").filter(|region| is_region(region));
            region.map(str::to_owned)
        }
        _ => None,
    })
}

/// Reduces a code such as `com.amazonaws.ssm#ParameterNotFound:http://…` to `ParameterNotFound`.
/// Removes all characters that are not valid in a name, because the code is shown to callers.
fn normalize_code(code: &str) -> String {
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    code.chars().filter(|c| is_name(*c)).take(80).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use llm_exe::wire::WireReply;

    use super::ErrorResponse;
    use crate::credentials::Credentials;

    #[test]
    fn code_that_quotes_a_credential_is_removed() {
        let secret = |text: &str| llm_exe::Secret::new(text).unwrap();
        let credentials = Credentials {
            access_key_id: secret("MYACCESSKEYID0001"),
            secret_access_key: secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            session_token: Some(secret("a-session-token-of-words")),
        };
        for (code, expected) in [
            ("SlowDown", "SlowDown"),
            ("ThrottlingException", "ThrottlingException"),
            ("NoMYACCESSKEYID0001", ""),
            ("a-session-token-of-words", ""),
            ("myaccesskeyid0001", ""),
        ] {
            let error = ErrorResponse::from_failed_entry(400, code, "");
            assert_eq!(error.without_credentials(&credentials).code, expected);
        }
    }

    fn response(status: u16, headers: &[(&'static str, &str)], body: &str) -> ErrorResponse {
        let mut map = http::HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let body = Bytes::copy_from_slice(body.as_bytes());
        ErrorResponse::from_reply(&WireReply { status, headers: map, body })
    }

    #[test]
    fn code_is_read_from_xml_json_and_header() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
                   <Message>a &lt;key&gt;</Message><Key>&lt;Code>x</Key></Error>";
        let response_404 = response(404, &[], xml);
        assert_eq!(
            (response_404.code.as_str(), response_404.message.as_str()),
            ("NoSuchKey", "a <key>")
        );
        for (headers, body, code) in [
            (&[][..], r#"{"__type":"ParameterNotFound"}"#, "ParameterNotFound"),
            (
                &[],
                r#"{"__type":"com.amazonaws.ssm#ThrottlingException","Message":"x"}"#,
                "ThrottlingException",
            ),
            (
                &[("x-amzn-errortype", "AccessDeniedException:http://a.example/")],
                "{}",
                "AccessDeniedException",
            ),
            (&[], "", ""),
            (&[], "<Error><Code>unclosed", ""),
            (&[], "<html>502 Bad Gateway</html>", ""),
        ] {
            assert_eq!(response(400, headers, body).code, code, "{body}");
        }
    }

    #[test]
    fn region_is_read_only_if_valid() {
        let body =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        assert_eq!(response(400, &[], body).region.as_deref(), Some("eu-west-1"));
        let header = [("x-amz-bucket-region", "ap-south-1")];
        assert_eq!(response(301, &header, body).region.as_deref(), Some("ap-south-1"));
        for (endpoint, region) in [
            ("prompts.s3.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("a.s3.us-east-1.b.s3-eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("prompts.s3.dualstack.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("prompts.s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("prompts.s3.amazonaws.com", None),
            ("localhost:4566", None),
            ("", None),
        ] {
            let body = format!("<Error><Endpoint>{endpoint}</Endpoint></Error>");
            assert_eq!(response(301, &[], &body).region.as_deref(), region, "{endpoint}");
        }
        for invalid in ["evil.example/", "x@y", "", "EU"] {
            let body = format!("<Error><Region>{invalid}</Region></Error>");
            assert_eq!(response(400, &[], &body).region, None, "{invalid}");
        }
    }

    #[test]
    fn throttling_and_server_errors_are_transient() {
        for (status, code, expected) in [
            (503, "SlowDown", true),
            (400, "ThrottlingException", true),
            (429, "", true),
            (500, "", true),
            (400, "RequestTimeout", true),
            (400, "ValidationException", false),
            (403, "AccessDenied", false),
            (404, "NoSuchKey", false),
            (412, "PreconditionFailed", false),
        ] {
            let body = format!("<Error><Code>{code}</Code></Error>");
            assert_eq!(response(status, &[], &body).is_transient(), expected, "{status} {code}");
        }
    }
}
