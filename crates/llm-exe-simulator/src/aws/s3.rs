//! Objects of S3, by `GetObject`, `HeadObject` and `PutObject`, with the conditions that S3 has.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>
//!
//! In: `/{bucket}/{key}`. Out: the object, what was written, or S3's error as XML.

use super::fault::Operation;
use super::object_store::{Kept, Object};
use super::server::{Ask, Refusal, Service, refusal};
use crate::action::Decided;
use crate::dialects::decoded;
use crate::sigv4::{Kind, hex};
use bytes::Bytes;
use http::Method;
use sha2::{Digest, Sha256};

const METADATA: &str = "x-amz-meta-";
const LONGEST_KEY: usize = 1024;

pub(super) struct S3;

impl Service for S3 {
    fn signs_as(&self) -> &'static str {
        "s3"
    }

    fn serves(&self, _: &Ask<'_>) -> bool {
        true
    }

    fn asked(&self, ask: &Ask<'_>) -> Option<(Operation, String)> {
        let operation = match ask.head.method {
            Method::GET => Operation::GetObject,
            Method::HEAD => Operation::HeadObject,
            Method::PUT => Operation::PutObject,
            _ => return None,
        };
        let (bucket, key) = place(ask)?;
        Some((operation, format!("{bucket}/{key}")))
    }

    fn act(&self, ask: &Ask<'_>, kept: &mut Kept) -> Result<Decided, Refusal> {
        let (bucket, key) = place(ask).unwrap_or_default();
        if bucket.starts_with("missing-") {
            return Err(refusal(404, "NoSuchBucket", "The specified bucket does not exist"));
        }
        if key.len() > LONGEST_KEY {
            return Err(refusal(400, "KeyTooLongError", "Your key is too long"));
        }
        match ask.head.method {
            Method::PUT => write(ask, kept, bucket, key),
            _ => read(ask, kept, bucket, key),
        }
    }

    fn refused(&self, ask: &Ask<'_>, refusal: &Refusal) -> Decided {
        let Refusal { status, code, message } = refusal;
        let body = match ask.head.method {
            Method::HEAD => String::new(),
            _ => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code>\
                 <Message>{}</Message><Resource>{}</Resource></Error>",
                escaped(code),
                escaped(message),
                escaped(&ask.path)
            ),
        };
        Decided::bytes(*status, "application/xml", Bytes::from(body))
    }

    fn unsigned(&self, kind: Kind) -> (u16, &'static str) {
        match kind {
            Kind::Missing => (403, "AccessDenied"),
            Kind::Incomplete => (400, "AuthorizationHeaderMalformed"),
            Kind::Unknown => (403, "InvalidAccessKeyId"),
            Kind::Late => (403, "RequestTimeTooSkewed"),
            Kind::Wrong => (403, "SignatureDoesNotMatch"),
        }
    }

    fn request_id_header(&self) -> &'static str {
        "x-amz-request-id"
    }
}

/// The bucket and the key; neither may be empty.
fn place<'a>(ask: &'a Ask<'_>) -> Option<(&'a str, &'a str)> {
    let (bucket, key) = ask.path.strip_prefix('/')?.split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}

fn read(ask: &Ask<'_>, kept: &Kept, bucket: &str, key: &str) -> Result<Decided, Refusal> {
    let version = ask.head.uri.query().unwrap_or_default().split('&').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name == "versionId").then(|| decoded(value))
    });
    let found = match &version {
        Some(version) => kept.version(bucket, key, version),
        None => kept.object(bucket, key),
    };
    let Some(object) = found else {
        return Err(match version {
            Some(_) => refusal(404, "NoSuchVersion", "The specified version does not exist."),
            None => refusal(404, "NoSuchKey", "The specified key does not exist."),
        });
    };
    if ask.header("if-none-match").is_some_and(|known| matches(known, object)) {
        let decided = Decided::bytes(304, &object.content_type, Bytes::new());
        return Ok(described(decided, object));
    }
    if ask.header("if-match").is_some_and(|known| !matches(known, object)) {
        return Err(unmet());
    }
    let decided = Decided::bytes(200, &object.content_type, object.body.clone());
    let mut decided = described(decided, object);
    for (name, value) in &object.metadata {
        decided = decided.header(&format!("{METADATA}{name}"), value);
    }
    Ok(decided)
}

fn write(ask: &Ask<'_>, kept: &mut Kept, bucket: &str, key: &str) -> Result<Decided, Refusal> {
    check_body(ask)?;
    let there = kept.object(bucket, key);
    match ask.header("if-none-match") {
        Some("*") if there.is_some() => return Err(unmet()),
        Some("*") | None => {}
        Some(_) => {
            let what = "A header you provided implies functionality that is not implemented";
            return Err(refusal(501, "NotImplemented", what));
        }
    }
    if let Some(known) = ask.header("if-match") {
        match there {
            None => return Err(refusal(404, "NoSuchKey", "The specified key does not exist.")),
            Some(object) if !matches(known, object) => return Err(unmet()),
            Some(_) => {}
        }
    }
    let mut object = Object::new(ask.body.clone());
    if let Some(content_type) = ask.header("content-type") {
        content_type.clone_into(&mut object.content_type);
    }
    for name in ask.head.headers.keys() {
        if let (Some(own), Some(value)) =
            (name.as_str().strip_prefix(METADATA), ask.header(name.as_str()))
        {
            object.metadata.insert(own.to_owned(), value.to_owned());
        }
    }
    let object = kept.put(bucket, key, object);
    Ok(described(Decided::bytes(200, "application/xml", Bytes::new()), &object))
}

/// The hash that the signature covers in the body's place has to be the body's.
fn check_body(ask: &Ask<'_>) -> Result<(), Refusal> {
    match ask.header("x-amz-content-sha256") {
        None => {
            let what = "Missing required header for this request: x-amz-content-sha256";
            Err(refusal(400, "MissingSecurityHeader", what))
        }
        Some("UNSIGNED-PAYLOAD") => Ok(()),
        Some(told) if told == hex(&Sha256::digest(ask.body)) => Ok(()),
        Some(_) => {
            let what = "The provided 'x-amz-content-sha256' header does not match what was \
                        computed.";
            Err(refusal(400, "XAmzContentSHA256Mismatch", what))
        }
    }
}

fn unmet() -> Refusal {
    let what = "At least one of the pre-conditions you specified did not hold";
    refusal(412, "PreconditionFailed", what)
}

/// Whether a condition names this state of the object; S3 takes ETags without their quotes, too.
fn matches(known: &str, object: &Object) -> bool {
    known == "*" || known.trim_matches('"') == object.etag.trim_matches('"')
}

fn described(decided: Decided, object: &Object) -> Decided {
    let decided = decided.header("etag", &object.etag);
    match &object.version {
        Some(version) => decided.header("x-amz-version-id", version),
        None => decided,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
