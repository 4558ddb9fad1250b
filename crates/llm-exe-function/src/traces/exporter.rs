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

const JSON: &str = "application/json";

/// The name of the parameter with the headers.
const STORED_HEADERS: &str = "KeyTraceHeaders";

/// The name of X-Ray in signatures.
const XRAY: &str = "xray";

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

    /// Fetches the headers in the background, unless they are known.
    pub(super) fn preload_headers(&self) {
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

    /// Sends spans, and waits at most for the timeout of the settings.
    ///
    /// # Errors
    /// Why the spans were not received, without parts of the request.
    pub(super) async fn export(
        &self,
        spans: &[TracedSpan],
        deadline: Deadline,
    ) -> Result<(), String> {
        if self.is_paused() {
            return Err("skipped, because the collector did not respond before".to_owned());
        }
        let deadline = deadline.within(Some(self.settings.timeout));
        let sent = tokio::time::timeout_at(deadline.instant().into(), self.send(spans, deadline));
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self.pause()),
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

    async fn send(&self, spans: &[TracedSpan], deadline: Deadline) -> Result<(), String> {
        let TraceSettings { endpoint, headers, resource, xray_region, .. } = &self.settings;
        let body = to_json(resource, spans);
        let mut request = Request::builder().method(Method::POST).uri(endpoint);
        request = request.header(header::CONTENT_TYPE, JSON);
        let stored = match self.settings.may_have_stored_headers {
            true => read_headers(&self.stored_headers, &*self.keys).await?,
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
            for (name, value) in signature.map_err(|error: Error| error.message().to_owned())? {
                request = request.header(name, value);
            }
        }
        let request = request.body(Bytes::from(body)).map_err(|_| "the request is not valid")?;
        // A repeated export would only duplicate spans, which collectors accept.
        match self.http.exchange(request, MAX_RESPONSE_BYTES, deadline).await {
            Ok(reply) if (200..300).contains(&reply.status) => check_response(&reply.body),
            Ok(reply) => Err(format!("the collector responded with status {}", reply.status)),
            Err(HttpError::TimedOut) => Err(self.pause()),
            Err(error) => Err(error.to_string()),
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

/// Returns an error if the collector rejected some of the spans.
fn check_response(body: &[u8]) -> Result<(), String> {
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
    match text.as_deref() {
        None | Some("0" | "null" | "") => Ok(()),
        Some(count) => {
            let count: String = count.chars().filter(char::is_ascii_digit).take(20).collect();
            Err(format!("the collector rejected {count} spans"))
        }
    }
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
