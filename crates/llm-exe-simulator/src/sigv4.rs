//! Checks that a request has a well-formed and recent AWS Signature Version 4.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! The signature itself is verified only for AWS's example credentials, because the simulator does
//! not know any other secret. The error messages are AWS's. Each service adds its own error name.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// The example access key id in AWS's documentation.
const EXAMPLE_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const EXAMPLE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The maximum difference between the time of a request and the current time, in seconds.
const MAX_CLOCK_SKEW: u64 = 300;
/// The characters that are percent-encoded in the path of a canonical request.
const ENCODED_IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The parts of a request that its signature covers.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The name of the service in the credential scope.
    pub service: &'static str,
    /// The HTTP method.
    pub method: &'a str,
    /// The path as received, percent-encoded.
    pub path: &'a str,
    /// The query as received, without the question mark.
    pub query: &'a str,
    /// The request headers.
    pub headers: &'a HeaderMap,
    /// The request body.
    pub body: &'a [u8],
}

/// An error that describes why AWS would reject a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureError {
    /// The kind of error. Each service has its own name for each kind.
    pub kind: SignatureErrorKind,
    /// The message that AWS returns.
    pub message: String,
}

/// The kind of a [`SignatureError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureErrorKind {
    /// The request has no signature.
    Missing,
    /// The signature or its date is malformed.
    Incomplete,
    /// The access key id is unknown. The simulator treats an id as unknown if it contains `invalid`
    /// in any letter case.
    UnknownKey,
    /// The time of the request differs too much from the current time.
    Expired,
    /// The signature does not match the request.
    Mismatch,
}

impl SignedRequest<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// A parsed `Authorization` header.
struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

/// Checks the signature of a request.
///
/// # Errors
/// Returns an error if AWS would reject the signature.
pub fn check(request: &SignedRequest<'_>) -> Result<(), SignatureError> {
    let Some(authorization) = request.header("authorization").filter(|text| !text.is_empty())
    else {
        return Err(error(SignatureErrorKind::Missing, "Missing Authentication Token"));
    };
    let authorization = parse_authorization(authorization, request.service)?;
    let Some(time) = request.header("x-amz-date") else {
        return Err(incomplete("requires existence of either a 'X-Amz-Date' or a 'Date' header."));
    };
    let Some(seconds) = parse_time(time) else {
        return Err(incomplete("has a date that is not in ISO8601 basic format."));
    };
    if !time.starts_with(authorization.date) {
        return Err(mismatch(": Date in Credential scope does not match"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now.abs_diff(seconds) > MAX_CLOCK_SKEW {
        let message = format!("Signature expired: {time} is not within 5 minutes of now");
        return Err(error(SignatureErrorKind::Expired, &message));
    }
    for name in ["host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
        let must_be_signed =
            matches!(name, "host" | "x-amz-date") || request.header(name).is_some();
        if must_be_signed && !authorization.signed_headers.contains(&name) {
            return Err(mismatch(&format!(": '{name}' must be a 'SignedHeader'")));
        }
    }
    if authorization.access_key_id.to_lowercase().contains("invalid") {
        let message = "The security token included in the request is invalid.";
        return Err(error(SignatureErrorKind::UnknownKey, message));
    }
    let is_verified = authorization.access_key_id != EXAMPLE_ID
        || calculate_signature(request, &authorization, time)
            .is_some_and(|signature| signature == authorization.signature);
    if is_verified { Ok(()) } else { Err(mismatch(" the signature you provided.")) }
}

fn error(kind: SignatureErrorKind, message: &str) -> SignatureError {
    SignatureError { kind, message: message.to_owned() }
}

fn incomplete(reason: &str) -> SignatureError {
    error(SignatureErrorKind::Incomplete, &format!("Authorization header {reason}"))
}

fn mismatch(reason: &str) -> SignatureError {
    let message = format!("The request signature we calculated does not match{reason}");
    error(SignatureErrorKind::Mismatch, &message)
}

fn parse_authorization<'a>(
    authorization: &'a str,
    expected_service: &str,
) -> Result<Authorization<'a>, SignatureError> {
    let Some(fields) = authorization.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Err(incomplete("must use the algorithm AWS4-HMAC-SHA256."));
    };
    let field = |name: &str| {
        let mut pairs = fields.split(',').filter_map(|field| field.trim().split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    };
    let (Some(credential), Some(signed_headers), Some(signature)) =
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    else {
        return Err(incomplete("requires 'Credential', 'SignedHeaders' and 'Signature'."));
    };
    let scope: Vec<&str> = credential.split('/').collect();
    let [access_key_id, date, region, service, "aws4_request"] = scope.as_slice() else {
        return Err(incomplete(
            "has a credential that is not ID/DATE/REGION/SERVICE/aws4_request.",
        ));
    };
    if access_key_id.is_empty() || region.is_empty() || date.len() != 8 {
        return Err(incomplete("has a credential with an empty part or an invalid date."));
    }
    if *service != expected_service {
        return Err(mismatch(&format!(
            ": Credential should be scoped to correct service: '{expected_service}'."
        )));
    }
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if signature.len() != 64 || !signature.bytes().all(is_hex) {
        return Err(incomplete("has a signature that is not 64 hexadecimal digits."));
    }
    let signed_headers = signed_headers.split(';').collect();
    Ok(Authorization { access_key_id, date, region, signed_headers, signature })
}

/// Calculates the signature of the request with the example credentials. Returns `None` if a signed
/// header is missing.
fn calculate_signature(
    request: &SignedRequest<'_>,
    authorization: &Authorization<'_>,
    time: &str,
) -> Option<String> {
    let service = request.service;
    // S3 signs the path as sent. All other services percent-encode it a second time.
    let path = if service == "s3" {
        request.path.to_owned()
    } else {
        utf8_percent_encode(request.path, ENCODED_IN_PATH).to_string()
    };
    let query = canonical_query(request.query);
    let mut canonical = format!("{}\n{path}\n{query}\n", request.method);
    for name in &authorization.signed_headers {
        let value = request.header(name)?.split_whitespace().collect::<Vec<_>>().join(" ");
        canonical.push_str(&format!("{name}:{value}\n"));
    }
    let hash = match request.header("x-amz-content-sha256") {
        Some(hash) if service == "s3" => hash.to_owned(),
        _ => hex(&Sha256::digest(request.body)),
    };
    canonical.push_str(&format!("\n{}\n{hash}", authorization.signed_headers.join(";")));
    let Authorization { date, region, .. } = authorization;
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let canonical_hash = hex(&Sha256::digest(canonical.as_bytes()));
    let string_to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical_hash}");
    let mut key = format!("AWS4{EXAMPLE_SECRET}").into_bytes();
    for part in [date, region, service, "aws4_request", &string_to_sign] {
        key = hmac_sha256(&key, part)?;
    }
    Some(hex(&key))
}

/// Formats the query for the canonical request: parameters are sorted, and each has an equals sign.
fn canonical_query(query: &str) -> String {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let mut parameters: Vec<String> =
        parameters
            .map(|parameter| {
                if parameter.contains('=') { parameter.to_owned() } else { format!("{parameter}=") }
            })
            .collect();
    parameters.sort();
    parameters.join("&")
}

fn hmac_sha256(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

/// Formats bytes as lowercase hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Parses a time such as `20260301T123456Z` into seconds since the Unix epoch.
fn parse_time(time: &str) -> Option<u64> {
    let part = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
    if time.len() != 16 || time.get(8..9) != Some("T") || !time.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Counting years from March puts the leap day at the end of the year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let clock = part(9, 11)? * 3600 + part(11, 13)? * 60 + part(13, 15)?;
    Some(days.checked_sub(719_468)? * 86_400 + clock)
}

#[cfg(test)]
mod tests {
    use super::parse_time;

    #[test]
    fn times_are_parsed() {
        assert_eq!(parse_time("19700101T000000Z"), Some(0));
        assert_eq!(parse_time("20260301T123456Z"), Some(1_772_368_496));
        assert_eq!(parse_time("20240229T235959Z"), Some(1_709_251_199));
        assert_eq!(parse_time("2026-03-01T12:34Z"), None);
    }
}
