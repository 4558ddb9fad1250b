//! What AWS says instead of a success, whichever of its two ways of saying it a service has: XML
//! for S3, JSON for the others; of `HEAD` there are only the status and the headers.

use std::time::SystemTime;

use llm_exe::error::shorten;
use llm_exe::wire::WireReply;
use serde::Deserialize;

use crate::xml;

/// A refusal or a failure, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// AWS's name for it, like `NoSuchKey`; empty where none was told.
    pub code: String,
    /// AWS's words. They may name roles and accounts: for telling what is meant, not for callers.
    pub(crate) message: String,
    /// The region that the bucket is in, where the answer says so.
    pub(crate) region: Option<String>,
    /// When it was said, by AWS's clock.
    pub(crate) date: Option<SystemTime>,
}

/// As SDKs have it, for any service.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "KmsThrottled",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TooManyUpdates",
];
const TRANSIENT: &[&str] = &[
    "InternalError",
    "InternalException",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
];
const EXPIRED: &[&str] =
    &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];
/// What is said of signatures that are of another time, among other reasons.
const UNTIMELY: &[&str] = &[
    "AuthFailure",
    "InvalidSignature",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];
/// What is said of credentials that are no good.
const UNKNOWN: &[&str] = &[
    "AuthorizationHeaderMalformed",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// An error of the services that speak JSON.
#[derive(Deserialize)]
struct JsonError {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Refusal {
    pub(crate) fn of(reply: &WireReply) -> Refusal {
        let body = std::str::from_utf8(&reply.body).unwrap_or_default();
        let (code, message) = match serde_json::from_str::<JsonError>(body) {
            Ok(error) => (error.kind, error.message),
            Err(_) => (
                xml::text(body, "Code").unwrap_or_default(),
                xml::text(body, "Message").unwrap_or_default(),
            ),
        };
        let code = match code.as_str() {
            "" => reply.header("x-amzn-errortype").unwrap_or_default(),
            code => code,
        };
        let region = reply.header("x-amz-bucket-region").map(str::to_owned);
        Refusal {
            status: reply.status,
            code: bare(code),
            message: shorten(&message, 500),
            region: region.or_else(|| xml::text(body, "Region")).filter(|text| is_region(text)),
            date: reply.header("date").and_then(|text| httpdate::parse_http_date(text).ok()),
        }
    }

    /// What is said of a name that no bucket or key can have, without asking.
    pub(crate) fn no_such_name() -> Refusal {
        let (code, message) = ("InvalidName".to_owned(), String::new());
        Refusal { status: 404, code, message, region: None, date: None }
    }

    /// What the answer of a success says of a part that failed.
    pub(crate) fn of_a_part(status: u16, code: &str, message: &str) -> Refusal {
        let (code, message) = (bare(code), shorten(message, 500));
        Refusal { status, code, message, region: None, date: None }
    }

    fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// Whether another try may fare better.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
            || self.is(THROTTLED)
            || self.is(TRANSIENT)
    }

    pub(crate) fn is_of_expired_credentials(&self) -> bool {
        self.is(EXPIRED)
    }

    /// Whether a clock that is off may be the reason. `HEAD` has no code.
    pub(crate) fn may_be_of_the_clock(&self) -> bool {
        self.is(UNTIMELY) || (self.status == 403 && self.code.is_empty())
    }

    /// Whether it is about who asks, not about what they may do.
    pub(crate) fn is_of_credentials(&self) -> bool {
        self.is(EXPIRED) || self.is(UNTIMELY) || self.is(UNKNOWN)
    }

    pub(crate) fn is_denial(&self) -> bool {
        const DENIED: &[&str] = &[
            "AccessDenied",
            "AccessDeniedException",
            "KmsAccessDenied",
            "NotAuthorizedForDetailTypeException",
            "NotAuthorizedForSourceException",
        ];
        self.status == 403 || self.is(DENIED)
    }

    /// Whether it is the key management that refused.
    pub(crate) fn is_of_kms(&self) -> bool {
        self.message.contains("kms:Decrypt")
            || self.message.contains("kms:GenerateDataKey")
            || self.message.contains("ciphertext")
            || self.code.starts_with("Kms")
            || self.code.starts_with("KMS.")
    }

    /// What of the key management was refused.
    pub(crate) fn kms_action(&self) -> &'static str {
        match self.message.contains("kms:GenerateDataKey") {
            true => "kms:GenerateDataKey",
            false => "kms:Decrypt",
        }
    }
}

/// `503 SlowDown`, for messages.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)?;
        if self.code.is_empty() { Ok(()) } else { write!(f, " {}", self.code) }
    }
}

/// `com.amazonaws.ssm#ParameterNotFound:http://…` less what surrounds the name. It is told to
/// callers, so nothing but a name passes.
fn bare(code: &str) -> String {
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    code.chars().filter(|c| is_name(*c)).take(80).collect()
}

/// It becomes a part of host names.
fn is_region(text: &str) -> bool {
    llm_exe::check_region(text).is_ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use llm_exe::wire::WireReply;

    use super::Refusal;

    fn refusal(status: u16, headers: &[(&'static str, &str)], body: &str) -> Refusal {
        let mut all = http::HeaderMap::new();
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        let body = Bytes::copy_from_slice(body.as_bytes());
        Refusal::of(&WireReply { status, headers: all, body })
    }

    #[test]
    fn codes_are_read_however_a_service_says_them() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
                   <Message>a &lt;key&gt;</Message><Key>&lt;Code>x</Key></Error>";
        let told = refusal(404, &[], xml);
        assert_eq!((told.code.as_str(), told.message.as_str()), ("NoSuchKey", "a <key>"));
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
            (&[], "<Error><Code>no end", ""),
            (&[], "<html>502 Bad Gateway</html>", ""),
        ] {
            assert_eq!(refusal(400, headers, body).code, code, "{body}");
        }
    }

    #[test]
    fn a_region_is_a_region_or_nothing() {
        let body =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        assert_eq!(refusal(400, &[], body).region.as_deref(), Some("eu-west-1"));
        let header = [("x-amz-bucket-region", "ap-south-1")];
        assert_eq!(refusal(301, &header, body).region.as_deref(), Some("ap-south-1"));
        for evil in ["evil.example/", "x@y", "", "EU"] {
            let body = format!("<Error><Region>{evil}</Region></Error>");
            assert_eq!(refusal(400, &[], &body).region, None, "{evil}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again() {
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
            assert_eq!(refusal(status, &[], &body).may_pass(), expected, "{status} {code}");
        }
    }
}
