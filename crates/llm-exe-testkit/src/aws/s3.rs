//! The S3 operations `GetObject`, `HeadObject` and `PutObject` on `/{bucket}/{key}`, with
//! conditional requests.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use bytes::Bytes;
use http::Method;
use llm_exe_simulator::response::PlannedResponse;
use llm_exe_simulator::sigv4::{SignatureErrorKind, hex};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use super::fault::Operation;
use super::service::{Rejection, Service, ServiceRequest};
use super::store::{Object, Store};

const METADATA: &str = "x-amz-meta-";
const MAX_KEY_LENGTH: usize = 1024;

pub(super) struct S3;

impl Service for S3 {
    fn signing_name(&self) -> &'static str {
        "s3"
    }

    fn serves(&self, _: &ServiceRequest<'_>) -> bool {
        true
    }

    fn operation(&self, request: &ServiceRequest<'_>) -> Option<(Operation, String)> {
        let operation = match request.head.method {
            Method::GET => Operation::GetObject,
            Method::HEAD => Operation::HeadObject,
            Method::PUT => Operation::PutObject,
            _ => return None,
        };
        let (bucket, key) = bucket_and_key(request)?;
        Some((operation, format!("{bucket}/{key}")))
    }

    fn execute(
        &self,
        request: &ServiceRequest<'_>,
        store: &mut Store,
    ) -> Result<PlannedResponse, Rejection> {
        let (bucket, key) = bucket_and_key(request).unwrap_or_default();
        if bucket.starts_with("missing-") {
            return Err(Rejection::new(404, "NoSuchBucket", "The specified bucket does not exist"));
        }
        if key.len() > MAX_KEY_LENGTH {
            return Err(Rejection::new(400, "KeyTooLongError", "Your key is too long"));
        }
        match request.head.method {
            Method::PUT => put_object(request, store, bucket, key),
            _ => get_object(request, store, bucket, key),
        }
    }

    fn error_response(
        &self,
        request: &ServiceRequest<'_>,
        rejection: &Rejection,
    ) -> PlannedResponse {
        let Rejection { status, code, message } = rejection;
        let body = match request.head.method {
            Method::HEAD => String::new(),
            _ => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code>\
                 <Message>{}</Message><Resource>{}</Resource></Error>",
                escape_xml(code),
                escape_xml(message),
                escape_xml(&request.path)
            ),
        };
        PlannedResponse::bytes(*status, "application/xml", Bytes::from(body))
    }

    fn signature_error(&self, kind: SignatureErrorKind) -> (u16, &'static str) {
        match kind {
            SignatureErrorKind::Missing => (403, "AccessDenied"),
            SignatureErrorKind::Incomplete => (400, "AuthorizationHeaderMalformed"),
            SignatureErrorKind::UnknownKey => (403, "InvalidAccessKeyId"),
            SignatureErrorKind::Expired => (403, "RequestTimeTooSkewed"),
            SignatureErrorKind::Mismatch => (403, "SignatureDoesNotMatch"),
        }
    }

    fn request_id_header(&self) -> &'static str {
        "x-amz-request-id"
    }
}

/// Returns the bucket and key from the path, or `None` if one of them is empty.
fn bucket_and_key<'a>(request: &'a ServiceRequest<'_>) -> Option<(&'a str, &'a str)> {
    let (bucket, key) = request.path.strip_prefix('/')?.split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}

fn get_object(
    request: &ServiceRequest<'_>,
    store: &Store,
    bucket: &str,
    key: &str,
) -> Result<PlannedResponse, Rejection> {
    let version = request.head.uri.query().unwrap_or_default().split('&').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name == "versionId").then(|| percent_decode_str(value).decode_utf8_lossy())
    });
    let object = match &version {
        Some(version) => store.version(bucket, key, version),
        None => store.object(bucket, key),
    };
    let Some(object) = object else {
        return Err(match version {
            Some(_) => {
                Rejection::new(404, "NoSuchVersion", "The specified version does not exist.")
            }
            None => Rejection::new(404, "NoSuchKey", "The specified key does not exist."),
        });
    };
    if request.header("if-none-match").is_some_and(|etag| matches_etag(etag, object)) {
        let response = PlannedResponse::bytes(304, &object.content_type, Bytes::new());
        return Ok(with_object_headers(response, object));
    }
    if request.header("if-match").is_some_and(|etag| !matches_etag(etag, object)) {
        return Err(precondition_failed());
    }
    let response = PlannedResponse::bytes(200, &object.content_type, object.body.clone());
    let mut response = with_object_headers(response, object);
    for (name, value) in &object.metadata {
        response = response.with_header(&format!("{METADATA}{name}"), value);
    }
    Ok(response)
}

fn put_object(
    request: &ServiceRequest<'_>,
    store: &mut Store,
    bucket: &str,
    key: &str,
) -> Result<PlannedResponse, Rejection> {
    check_body_hash(request)?;
    let existing = store.object(bucket, key);
    match request.header("if-none-match") {
        Some("*") if existing.is_some() => return Err(precondition_failed()),
        Some("*") | None => {}
        Some(_) => {
            let message = "A header you provided implies functionality that is not implemented";
            return Err(Rejection::new(501, "NotImplemented", message));
        }
    }
    if let Some(etag) = request.header("if-match") {
        match existing {
            None => {
                return Err(Rejection::new(404, "NoSuchKey", "The specified key does not exist."));
            }
            Some(object) if !matches_etag(etag, object) => return Err(precondition_failed()),
            Some(_) => {}
        }
    }
    let mut object = Object::new(request.body.clone());
    if let Some(content_type) = request.header("content-type") {
        content_type.clone_into(&mut object.content_type);
    }
    for name in request.head.headers.keys() {
        if let (Some(metadata_name), Some(value)) =
            (name.as_str().strip_prefix(METADATA), request.header(name.as_str()))
        {
            object.metadata.insert(metadata_name.to_owned(), value.to_owned());
        }
    }
    let object = store.put(bucket, key, object);
    let response = PlannedResponse::bytes(200, "application/xml", Bytes::new());
    Ok(with_object_headers(response, &object))
}

/// Checks the header `x-amz-content-sha256`, which is the body hash that the signature covers.
fn check_body_hash(request: &ServiceRequest<'_>) -> Result<(), Rejection> {
    match request.header("x-amz-content-sha256") {
        None => {
            let message = "Missing required header for this request: x-amz-content-sha256";
            Err(Rejection::new(400, "MissingSecurityHeader", message))
        }
        Some("UNSIGNED-PAYLOAD") => Ok(()),
        Some(hash) if hash == hex(&Sha256::digest(request.body)) => Ok(()),
        Some(_) => {
            let message = "The provided 'x-amz-content-sha256' header does not match what was \
                        computed.";
            Err(Rejection::new(400, "XAmzContentSHA256Mismatch", message))
        }
    }
}

fn precondition_failed() -> Rejection {
    let message = "At least one of the pre-conditions you specified did not hold";
    Rejection::new(412, "PreconditionFailed", message)
}

/// Whether the ETag in a condition matches the object. S3 also accepts ETags without quotes.
fn matches_etag(etag: &str, object: &Object) -> bool {
    etag == "*" || etag.trim_matches('"') == object.etag.trim_matches('"')
}

fn with_object_headers(response: PlannedResponse, object: &Object) -> PlannedResponse {
    let response = response.with_header("etag", &object.etag);
    match &object.version {
        Some(version) => response.with_header("x-amz-version-id", version),
        None => response,
    }
}

fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
