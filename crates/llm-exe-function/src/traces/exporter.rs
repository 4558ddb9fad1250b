//! Sends spans to a collector or to CloudWatch by OTLP over HTTP.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use llm_exe::bytes::Bytes;
use llm_exe::http::{HeaderName, HeaderValue, Method, Request, header};
use llm_exe::ports::{NoSigner, Signer, UnsignedRequest};
use llm_exe::transport::{HttpClient, HttpError};
use llm_exe::{Deadline, Error, ErrorKind, KeyName, Keys};
use tokio::sync::OnceCell;

use super::otlp::{TracedSpan, to_json};
use crate::settings::{EXPECTED_HEADERS, TraceSettings, parse_headers};

/// Maximum size of a response in bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// How long nothing is exported after a collector did not respond in time, so that it does not
/// delay each response.
const PAUSE: Duration = Duration::from_secs(30);

/// How long after the deadline of an event its spans may be sent. The deadline is 500 ms before
/// that of Lambda.
const DEADLINE_EXTENSION: Duration = Duration::from_millis(300);

const JSON: &str = "application/json";

/// The name of the parameter with the headers.
const STORED_HEADERS: &str = "KeyTraceHeaders";

/// The name of X-Ray in signatures.
const XRAY: &str = "xray";

/// Spans that were not received.
#[derive(Debug)]
pub(super) struct ExportError {
    pub(super) reason: String,
    pub(super) dropped: usize,
}

/// Exports spans.
pub(super) struct Exporter {
    settings: TraceSettings,
    http: HttpClient,
    signer: Arc<dyn Signer>,
    keys: Arc<dyn Keys>,
    /// The headers from Parameter Store, which are read once.
    stored_headers: Arc<OnceCell<Headers>>,
    /// When exports start again after a collector did not respond.
    paused_until: Mutex<Option<Instant>>,
}

impl Exporter {
    pub(super) fn new(settings: TraceSettings, keys: Arc<dyn Keys>) -> Self {
        let (http, signer) = (HttpClient::default(), Arc::new(NoSigner));
        let (stored_headers, paused_until) = (Arc::default(), Mutex::default());
        Exporter { settings, http, signer, keys, stored_headers, paused_until }
    }

    /// Connects to the collector and fetches the headers in the background, unless this was done
    /// before.
    pub(super) fn prepare(&self) {
        self.http.preconnect(&self.settings.endpoint);
        if self.settings.may_have_stored_headers && !self.stored_headers.initialized() {
            let (cell, keys) = (Arc::clone(&self.stored_headers), Arc::clone(&self.keys));
            tokio::spawn(async move { drop(read_headers(&cell, &*keys).await) });
        }
    }

    pub(super) fn set_http(&mut self, http: HttpClient) {
        self.http = http;
    }

    pub(super) fn set_signer(&mut self, signer: Arc<dyn Signer>) {
        self.signer = signer;
    }

    pub(super) fn settings(&self) -> &TraceSettings {
        &self.settings
    }

    /// Returns whether the spans are sent to X-Ray.
    pub(super) fn is_xray(&self) -> bool {
        self.settings.xray_region.is_some()
    }

    /// Sends spans, and waits at most for the timeout of the settings, and until shortly after the
    /// deadline of the event.
    ///
    /// # Errors
    /// Why the spans were not received, without parts of the request.
    pub(super) async fn export(
        &self,
        spans: &[TracedSpan],
        deadline: Deadline,
    ) -> Result<(), ExportError> {
        let all = |reason: String| ExportError { reason, dropped: spans.len() };
        if self.is_paused() {
            let reason = "skipped, because the collector did not respond before";
            return Err(all(reason.to_owned()));
        }
        // The spans of a run that timed out are sent too.
        let latest = Deadline::at(deadline.instant() + DEADLINE_EXTENSION);
        let is_short = latest.left() < self.settings.timeout;
        let deadline = latest.within(Some(self.settings.timeout));
        let sent = tokio::time::timeout_at(deadline.instant().into(), self.send(spans, deadline));
        match sent.await {
            Ok(Ok(0)) => Ok(()),
            Ok(Ok(rejected)) => {
                let reason = format!("the collector rejected spans: {rejected}");
                Err(ExportError { reason, dropped: rejected })
            }
            Ok(Err(Some(reason))) => Err(all(reason)),
            Ok(Err(None)) | Err(_) if is_short => Err(all("no time was left".to_owned())),
            Ok(Err(None)) | Err(_) => Err(all(self.pause())),
        }
    }

    fn is_paused(&self) -> bool {
        let paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused.is_some_and(|until| Instant::now() < until)
    }

    /// Skips the exports of the next [`PAUSE`], and returns the reason.
    fn pause(&self) -> String {
        let until = Instant::now() + PAUSE;
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        let millis = self.settings.timeout.as_millis();
        format!("the collector did not respond within {millis} ms")
    }

    /// Sends spans. Returns the number of those that were rejected. An error without a reason is a
    /// timeout.
    async fn send(
        &self,
        spans: &[TracedSpan],
        deadline: Deadline,
    ) -> Result<usize, Option<String>> {
        let TraceSettings { endpoint, headers, resource, xray_region, .. } = &self.settings;
        let body = to_json(resource, spans);
        let mut request = Request::builder().method(Method::POST).uri(endpoint);
        request = request.header(header::CONTENT_TYPE, JSON);
        let stored = match self.settings.may_have_stored_headers {
            true => read_headers(&self.stored_headers, &*self.keys).await.map_err(Some)?,
            false => &[],
        };
        for (name, value) in headers.iter().chain(stored) {
            request = request.header(name, value);
        }
        if let Some(region) = xray_region {
            let signed = [("content-type", JSON)];
            let unsigned = UnsignedRequest {
                url: endpoint,
                headers: &signed,
                body: &body,
                service: XRAY,
                region,
            };
            let signature = self.signer.sign(unsigned).await;
            let signature = signature.map_err(|error: Error| Some(error.message().to_owned()))?;
            for (name, value) in signature {
                request = request.header(name, value);
            }
        }
        let invalid = |_| Some("the request is not valid".to_owned());
        let request = request.body(Bytes::from(body)).map_err(invalid)?;
        // A repeated export would only duplicate spans, which collectors accept.
        match self.http.exchange(request, MAX_RESPONSE_BYTES, deadline).await {
            Ok(reply) if (200..300).contains(&reply.status) => Ok(count_rejected(&reply.body)),
            Ok(reply) => Err(Some(format!("the collector responded with status {}", reply.status))),
            Err(HttpError::TimedOut) => Err(None),
            Err(error) => Err(Some(error.to_string())),
        }
    }
}

/// The headers of exports, which can be secrets.
type Headers = Vec<(HeaderName, HeaderValue)>;

/// Returns the headers that are in Parameter Store. If there are none, none are sent.
async fn read_headers<'a>(
    cell: &'a OnceCell<Headers>,
    keys: &dyn Keys,
) -> Result<&'a [(HeaderName, HeaderValue)], String> {
    let read = async || match keys.get(&KeyName::new(STORED_HEADERS, &[])).await {
        Ok(headers) => parse_headers(headers.expose())
            .ok_or_else(|| format!("{STORED_HEADERS}: {EXPECTED_HEADERS}")),
        Err(error) if error.kind() == ErrorKind::SecretNotFound => Ok(Vec::new()),
        Err(error) => Err(error.message().to_owned()),
    };
    cell.get_or_try_init(read).await.map(Vec::as_slice)
}

/// Returns the number of spans that the collector rejected.
fn count_rejected(body: &[u8]) -> usize {
    #[derive(Default, serde::Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Response {
        partial_success: Option<PartialSuccess>,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct PartialSuccess {
        rejected_spans: serde_json::Value,
    }
    let response: Response = serde_json::from_slice(body).unwrap_or_default();
    // Protobuf's JSON writes 64-bit integers as strings, but numbers are also allowed.
    let rejected = response.partial_success.map(|partial| partial.rejected_spans);
    let text = rejected.map(|count| count.as_str().map_or(count.to_string(), str::to_owned));
    text.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use llm_exe::ports::PortFuture;
    use llm_exe::{Error, ErrorKind, KeyName, Keys, Secret};
    use tokio::sync::OnceCell;

    use super::read_headers;

    /// Returns these outcomes, the last one first.
    struct Store(Mutex<Vec<Result<&'static str, ErrorKind>>>);

    impl Keys for Store {
        fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
            assert_eq!(name.store, "KeyTraceHeaders");
            let outcome = self.0.lock().unwrap().pop().expect("the headers are read once");
            let secret = outcome.map(|text| Secret::new(text).unwrap());
            Box::pin(std::future::ready(secret.map_err(|kind| Error::new(kind, "no key"))))
        }
    }

    #[tokio::test]
    async fn stored_headers_are_read_once_and_may_be_missing() {
        let unavailable = Err(ErrorKind::SecretUnavailable);
        for (outcomes, expected) in [
            (vec![Ok("authorization=Bearer%20a")], Ok(vec![("authorization", "Bearer a")])),
            (vec![Err(ErrorKind::SecretNotFound)], Ok(Vec::new())),
            (vec![Ok("a=b"), unavailable], Err("no key")),
            (vec![Ok("sk-secret"), Ok("sk-secret")], Err("KeyTraceHeaders: expected headers")),
        ] {
            let (store, cell) = (Store(Mutex::new(outcomes)), OnceCell::new());
            for attempt in 0..2 {
                let headers = read_headers(&cell, &store).await;
                let headers = headers.map(|headers| {
                    let text = |(name, value): &(_, llm_exe::http::HeaderValue)| {
                        let name: &llm_exe::http::HeaderName = name;
                        (name.as_str().to_owned(), value.to_str().unwrap().to_owned())
                    };
                    headers.iter().map(text).collect::<Vec<_>>()
                });
                match (&expected, headers) {
                    (Ok(expected), Ok(headers)) => {
                        let expected = expected.iter().map(|(a, b)| (a.to_string(), b.to_string()));
                        assert_eq!(headers, expected.collect::<Vec<_>>());
                    }
                    (Err(expected), Err(error)) => {
                        assert!(error.contains(expected) && !error.contains("sk-"), "{error}");
                    }
                    // After a failure, the headers are read again.
                    (Err(_), Ok(headers)) if attempt == 1 => assert_eq!(headers.len(), 1),
                    (expected, headers) => panic!("{expected:?} {headers:?}"),
                }
            }
        }
    }
}
