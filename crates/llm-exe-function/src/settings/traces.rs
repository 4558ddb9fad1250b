//! The settings of traces, which are OpenTelemetry's own.
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::time::Duration;

use llm_exe::http::{HeaderName, HeaderValue, Uri};
use llm_exe::providers::check_base_url;
use percent_encoding::percent_decode_str;

use super::error::SettingsError;
use super::parse::{Get, flag, number, quoted_url, word};
use crate::traces::Sampler;

/// The maximum time to send spans, which delays each response.
const MAX_TIMEOUT: Duration = Duration::from_millis(200);

const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const CAPTURE_CONTENT: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

/// Where and how spans are exported.
#[derive(Clone)]
pub struct TraceSettings {
    /// The URL to which spans are sent.
    pub endpoint: String,
    /// The headers of each request. They can be secrets.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether the headers may be in Parameter Store, because no setting contains them.
    pub may_have_stored_headers: bool,
    /// The maximum time to send spans.
    pub timeout: Duration,
    /// Which traces are exported.
    pub sampler: Sampler,
    /// The attributes of the service.
    pub resource: Vec<(String, String)>,
    /// Whether the spans contain prompts, replies, and the arguments and results of tools.
    pub has_content: bool,
    /// The region of CloudWatch's endpoint, to which requests are signed.
    pub xray_region: Option<String>,
}

impl std::fmt::Debug for TraceSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The headers can be secrets.
        f.debug_struct("TraceSettings").field("sampler", &self.sampler).finish_non_exhaustive()
    }
}

/// Parses the settings, or returns `None` if no endpoint is set. The other settings are then not
/// read.
pub(super) fn parse(get: &Get<'_>) -> Result<Option<TraceSettings>, SettingsError> {
    let set = [TRACES_ENDPOINT, ENDPOINT].into_iter().find_map(|name| Some((name, get(name)?)));
    let Some((name, url)) = set else { return Ok(None) };
    let exporters = [("otlp", true), ("none", false)];
    let exports = word(get, "OTEL_TRACES_EXPORTER", &exporters)?.unwrap_or(true);
    if flag(get, "OTEL_SDK_DISABLED")? || !exports {
        return Ok(None);
    }
    let is_base = name == ENDPOINT;
    let endpoint = endpoint(name, url.trim(), is_base)?;
    check_protocol(get)?;
    let (headers, has_content) = (headers(get)?, captures_content(get)?);
    let xray_region = xray_region(&endpoint);
    let is_secret = !headers.is_empty() || has_content || xray_region.is_some();
    if is_secret && !is_private(&endpoint) {
        let text = "expected https or a private address, because headers and prompts are secret";
        return Err(SettingsError::new(name, format!("{text}{}", quoted_url(&endpoint))));
    }
    let timeout =
        choose_setting(get, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT");
    let timeout = number(get, timeout, "a number of milliseconds", 1..=3_600_000)?;
    Ok(Some(TraceSettings {
        may_have_stored_headers: headers.is_empty()
            && xray_region.is_none()
            && endpoint.starts_with("https:"),
        endpoint,
        headers,
        timeout: timeout.map_or(MAX_TIMEOUT, Duration::from_millis).min(MAX_TIMEOUT),
        sampler: sampler(get)?,
        resource: resource(get)?,
        has_content,
        xray_region,
    }))
}

/// Returns the name of the setting for traces if it is set, or else that for all signals.
fn choose_setting(get: &Get<'_>, traces: &'static str, all: &'static str) -> &'static str {
    if get(traces).is_some() { traces } else { all }
}

/// Returns the URL for traces. A base URL is that of all signals.
fn endpoint(name: &str, url: &str, is_base: bool) -> Result<String, SettingsError> {
    let uri: Option<Uri> = url.parse().ok();
    let is_url = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && !uri.host().unwrap_or("").is_empty()
    };
    let Some(uri) = uri.filter(is_url) else {
        let text = "expected a URL that starts with http:// or https://";
        return Err(SettingsError::new(name, format!("{text}{}", quoted_url(url))));
    };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let text = "the URL must not contain a password; use OTEL_EXPORTER_OTLP_HEADERS";
        return Err(SettingsError::new(name, text));
    }
    if is_base && uri.query().is_some() {
        return Err(SettingsError::new(name, "the base URL must not have a query"));
    }
    Ok(match is_base {
        true => format!("{}/v1/traces", url.trim_end_matches('/')),
        false => url.to_owned(),
    })
}

/// Returns whether requests to a URL are encrypted or stay in a private network.
fn is_private(url: &str) -> bool {
    url.starts_with("https:") || check_base_url(url).is_ok()
}

/// Checks that the protocol is the only one that the function supports.
fn check_protocol(get: &Get<'_>) -> Result<(), SettingsError> {
    let traces = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
    let name = choose_setting(get, traces, "OTEL_EXPORTER_OTLP_PROTOCOL");
    match get(name) {
        Some(text) if text.trim() != "http/json" => {
            let text = format!("expected http/json, the only supported protocol, got {text:?}");
            Err(SettingsError::new(name, text))
        }
        _ => Ok(()),
    }
}

/// Parses `name=value` pairs, separated by commas. The values are percent-encoded.
fn parse_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let pairs = items.map(|item| {
        let (name, value) = item.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
    });
    pairs.collect()
}

/// The form of headers.
pub(crate) const EXPECTED_HEADERS: &str = "expected headers such as api-key=secret, separated by \
                                           commas, with values that are percent-encoded";

/// Parses the headers. Errors do not quote them, because they can be secrets.
fn headers(get: &Get<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
    let traces = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
    let name = choose_setting(get, traces, "OTEL_EXPORTER_OTLP_HEADERS");
    let Some(text) = get(name) else { return Ok(Vec::new()) };
    parse_headers(&text).ok_or_else(|| SettingsError::new(name, EXPECTED_HEADERS))
}

/// Parses headers in the format of the setting.
pub(crate) fn parse_headers(text: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let headers = parse_pairs(text)?.into_iter().map(|(name, value)| {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    });
    headers.collect()
}

fn sampler(get: &Get<'_>) -> Result<Sampler, SettingsError> {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
    // Whether the sampler is based on the parent, and its ratio, if it is fixed.
    let samplers = [
        ("always_on", (false, Some(1.0))),
        ("always_off", (false, Some(0.0))),
        ("traceidratio", (false, None)),
        ("parentbased_always_on", (true, Some(1.0))),
        ("parentbased_always_off", (true, Some(0.0))),
        ("parentbased_traceidratio", (true, None)),
    ];
    let Some((is_parent_based, ratio)) = word(get, NAME, &samplers)? else {
        return Ok(Sampler::default());
    };
    let ratio = match (ratio, get(ARGUMENT)) {
        (Some(ratio), _) => ratio,
        (None, None) => 1.0,
        (None, Some(text)) => match text.trim().parse() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            _ => {
                let text = format!("expected a number from 0 to 1, got {text:?}");
                return Err(SettingsError::new(ARGUMENT, text));
            }
        },
    };
    Ok(Sampler { is_parent_based, ratio })
}

/// Returns the attributes of the service. Lambda sets the variables about the function.
fn resource(get: &Get<'_>) -> Result<Vec<(String, String)>, SettingsError> {
    const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut resource = Vec::new();
    let mut add = |key: &str, value: String| {
        resource.retain(|(known, _): &(String, String)| known != key);
        resource.push((key.to_owned(), value));
    };
    add("service.name", "llm-exe".to_owned());
    if let Some(name) = get("AWS_LAMBDA_FUNCTION_NAME") {
        add("service.name", name.clone());
        add("cloud.provider", "aws".to_owned());
        add("cloud.platform", "aws_lambda".to_owned());
        add("faas.name", name);
        for (key, variable) in [
            ("faas.version", "AWS_LAMBDA_FUNCTION_VERSION"),
            ("faas.instance", "AWS_LAMBDA_LOG_STREAM_NAME"),
            ("cloud.region", "AWS_REGION"),
        ] {
            if let Some(value) = get(variable) {
                add(key, value);
            }
        }
    }
    if let Some(text) = get(ATTRIBUTES) {
        let Some(pairs) = parse_pairs(&text) else {
            let text =
                format!("expected pairs such as team=billing, separated by commas, got {text:?}");
            return Err(SettingsError::new(ATTRIBUTES, text));
        };
        for (key, value) in pairs {
            add(&key, value);
        }
    }
    if let Some(name) = get("OTEL_SERVICE_NAME") {
        add("service.name", name.trim().to_owned());
    }
    Ok(resource)
}

/// Returns whether spans have contents. The conventions define `true`, and later versions of
/// OpenTelemetry's packages define the places of contents.
fn captures_content(get: &Get<'_>) -> Result<bool, SettingsError> {
    let words = [
        ("true", true),
        ("false", false),
        ("span_only", true),
        ("span_and_event", true),
        ("event_only", false),
        ("no_content", false),
    ];
    Ok(word(get, CAPTURE_CONTENT, &words)?.unwrap_or(false))
}

/// Returns the region of CloudWatch's endpoint for traces.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html>
fn xray_region(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let region = uri.host()?.strip_prefix("xray.")?;
    let region = region.strip_suffix(".amazonaws.com").or(region.strip_suffix(".amazonaws.com.cn"));
    region.filter(|region| !region.contains('.')).map(str::to_owned)
}
