//! Signature Version 4: refused where it is missing, malformed, old, or, for the credentials whose
//! secret is known here, wrong.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! In: a request. Out: nothing, or the refusal in AWS's words; each service wraps them in its own.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// AWS's own example of credentials; signatures with others are not verified.
const EXAMPLE_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const EXAMPLE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// How far a request's clock may be off, in seconds.
const LEEWAY: u64 = 300;

/// A request as its signature covers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) service: &'static str,
    pub(crate) method: &'a str,
    /// The path as it came, percent-encoded.
    pub(crate) path: &'a str,
    /// The query as it came, without its question mark.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// In AWS's words.
    pub(crate) message: String,
}

/// What is wrong; services have names of their own for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Missing,
    Incomplete,
    Unknown,
    Late,
    Wrong,
}

const MISSING: &str = "Missing Authentication Token";
const INCOMPLETE: &str = "Authorization header";
const UNKNOWN: &str = "The security token included in the request is invalid";
const LATE: &str = "Signature expired";
const WRONG: &str = "The request signature we calculated does not match";

impl Kind {
    /// What a message of ours says is wrong.
    pub(crate) fn told_by(message: &str) -> Option<Kind> {
        let all = [
            (Kind::Missing, MISSING),
            (Kind::Incomplete, INCOMPLETE),
            (Kind::Unknown, UNKNOWN),
            (Kind::Late, LATE),
            (Kind::Wrong, WRONG),
        ];
        let found = all.into_iter().find(|(_, words)| message.starts_with(words));
        found.map(|(kind, _)| kind)
    }
}

impl Signed<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// What an authorization header says.
struct Signature<'a> {
    id: &'a str,
    date: &'a str,
    region: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

/// Refuses what AWS would refuse.
pub(crate) fn check(request: &Signed<'_>) -> Result<(), Fault> {
    let Some(authorization) = request.header("authorization").filter(|text| !text.is_empty())
    else {
        return Err(fault(Kind::Missing, MISSING));
    };
    let signature = read(authorization, request.service)?;
    let Some(time) = request.header("x-amz-date") else {
        return Err(incomplete("requires existence of either a 'X-Amz-Date' or a 'Date' header."));
    };
    let Some(seconds) = seconds(time) else {
        return Err(incomplete("has a date that is not in ISO8601 basic format."));
    };
    if !time.starts_with(signature.date) {
        return Err(wrong(": Date in Credential scope does not match"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now.abs_diff(seconds) > LEEWAY {
        let what = format!("{LATE}: {time} is not within 5 minutes of now");
        return Err(fault(Kind::Late, &what));
    }
    for needed in ["host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
        let there = matches!(needed, "host" | "x-amz-date") || request.header(needed).is_some();
        if there && !signature.headers.contains(&needed) {
            return Err(wrong(&format!(": '{needed}' must be a 'SignedHeader'")));
        }
    }
    if signature.id.to_lowercase().contains("invalid") {
        return Err(fault(Kind::Unknown, &format!("{UNKNOWN}.")));
    }
    let verified = signature.id != EXAMPLE_ID
        || calculated(request, &signature, time).is_some_and(|it| it == signature.signature);
    match verified {
        true => Ok(()),
        false => Err(wrong(" the signature you provided.")),
    }
}

fn fault(kind: Kind, message: &str) -> Fault {
    Fault { kind, message: message.to_owned() }
}

fn incomplete(what: &str) -> Fault {
    fault(Kind::Incomplete, &format!("{INCOMPLETE} {what}"))
}

fn wrong(what: &str) -> Fault {
    fault(Kind::Wrong, &format!("{WRONG}{what}"))
}

fn read<'a>(authorization: &'a str, ours: &str) -> Result<Signature<'a>, Fault> {
    let Some(fields) = authorization.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Err(incomplete("is of an unsupported algorithm."));
    };
    let named = |name: &str| {
        let of_name = |field: &'_ str| -> Option<usize> { field.find('=') };
        fields.split(',').map(str::trim).find_map(|field| {
            let at = of_name(field)?;
            (field.get(..at)? == name).then(|| field.get(at + 1..)).flatten()
        })
    };
    let (Some(credential), Some(headers), Some(signature)) =
        (named("Credential"), named("SignedHeaders"), named("Signature"))
    else {
        return Err(incomplete("requires 'Credential', 'SignedHeaders' and 'Signature'."));
    };
    let scope: Vec<&str> = credential.split('/').collect();
    let [id, date, region, service, "aws4_request"] = scope.as_slice() else {
        return Err(incomplete(
            "has a credential that is not ID/DATE/REGION/SERVICE/aws4_request.",
        ));
    };
    if id.is_empty() || region.is_empty() || date.len() != 8 {
        return Err(incomplete("has a credential with an empty part."));
    }
    if *service != ours {
        let what = format!(": Credential should be scoped to correct service: '{ours}'.");
        return Err(wrong(&what));
    }
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if signature.len() != 64 || !signature.bytes().all(hex) {
        return Err(incomplete("has a signature that is not 64 hexadecimal digits."));
    }
    Ok(Signature { id, date, region, headers: headers.split(';').collect(), signature })
}

fn calculated(request: &Signed<'_>, told: &Signature<'_>, time: &str) -> Option<String> {
    let service = request.service;
    // S3 signs the path as it is sent; all others encode it once more.
    let path = match service {
        "s3" => request.path.to_owned(),
        _ => encoded_again(request.path),
    };
    let mut canonical = format!("{}\n{path}\n{}\n", request.method, sorted(request.query));
    for name in &told.headers {
        let value = request.header(name)?.split_whitespace().collect::<Vec<_>>().join(" ");
        canonical.push_str(&format!("{name}:{value}\n"));
    }
    let hash = match request.header("x-amz-content-sha256") {
        Some(hash) if service == "s3" => hash.to_owned(),
        _ => hex(&Sha256::digest(request.body)),
    };
    canonical.push_str(&format!("\n{}\n{hash}", told.headers.join(";")));
    let scope = format!("{}/{}/{service}/aws4_request", told.date, told.region);
    let hashed = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
    let mut key = format!("AWS4{EXAMPLE_SECRET}").into_bytes();
    for part in [told.date, told.region, service, "aws4_request", &to_sign] {
        key = signed(&key, part)?;
    }
    Some(hex(&key))
}

/// A query's parameters as signatures have them: sorted, each with its equals sign.
fn sorted(query: &str) -> String {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let mut parameters: Vec<String> = parameters
        .map(|parameter| match parameter.contains('=') {
            true => parameter.to_owned(),
            false => format!("{parameter}="),
        })
        .collect();
    parameters.sort();
    parameters.join("&")
}

fn signed(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

/// The path is encoded once more for the signature, by all services but S3.
fn encoded_again(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20260301T123456Z` as seconds since 1970.
fn seconds(time: &str) -> Option<u64> {
    let part = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
    if time.len() != 16 || time.get(8..9) != Some("T") || !time.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let clock = part(9, 11)? * 3600 + part(11, 13)? * 60 + part(13, 15)?;
    Some(days.checked_sub(719_468)? * 86_400 + clock)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("19700101T000000Z"), Some(0));
        assert_eq!(seconds("20260301T123456Z"), Some(1_772_368_496));
        assert_eq!(seconds("20240229T235959Z"), Some(1_709_251_199));
        assert_eq!(seconds("2026-03-01T12:34Z"), None);
    }
}
