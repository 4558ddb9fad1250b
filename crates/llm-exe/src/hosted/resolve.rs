//! Resolves the pointer to a hosted config in a request: fetches the config, parses and checks it,
//! and merges it with the caller's fields.

use std::time::Duration;

use serde_json::{Map, Value};

use super::access::{self, HostedRules};
use super::config::{HostedConfig, MAX_CONFIG_BYTES};
use super::error::ConfigError;
use super::format::Format;
use super::merge::merge;
use super::origin::{ConfigSource, Origin};
use super::pointer;
use super::text::decode_text;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentLocation, DocumentStore};

/// Maximum time to fetch a hosted config.
pub const MAX_FETCH_TIME: Duration = Duration::from_millis(7500);

/// A request in which the pointer has been replaced by the fields of the hosted config.
pub(crate) struct Resolved {
    pub(crate) request: Value,
    /// The hosted config, if the request pointed to one.
    pub(crate) hosted: Option<(ConfigSource, Origin)>,
    /// Whether the hosted config lists the fields that the caller may override.
    pub(crate) is_pinned: bool,
    pub(crate) warnings: Vec<String>,
}

impl Resolved {
    /// Creates the result for a request that points to no config.
    fn without_config(request: Value) -> Self {
        Resolved { request, hosted: None, is_pinned: false, warnings: Vec::new() }
    }
}

/// Resolves the pointer of a request. The merged request is validated later. The location of the
/// config is written to `tried` before the fetch, so it is known even if the fetch fails.
pub(crate) async fn resolve(
    request: Value,
    store: Option<&dyn DocumentStore>,
    rules: &HostedRules,
    deadline: Deadline,
    tried: &mut Option<String>,
) -> Result<Resolved, Error> {
    let Value::Object(mut caller) = request else {
        return Ok(Resolved::without_config(request));
    };
    let pointer = pointer::take_pointer(&mut caller, rules).map_err(Error::from_problems)?;
    let Some(location) = pointer else {
        return Ok(Resolved::without_config(Value::Object(caller)));
    };
    // The future is boxed, because most requests have no hosted config.
    Box::pin(resolve_location(caller, location, store, rules, deadline, tried)).await
}

/// Fetches the config at a location, and merges the fields of the caller into it.
async fn resolve_location(
    caller: Map<String, Value>,
    location: DocumentLocation,
    store: Option<&dyn DocumentStore>,
    rules: &HostedRules,
    deadline: Deadline,
    tried: &mut Option<String>,
) -> Result<Resolved, Error> {
    let shown = shown_location(&location);
    *tried = Some(shown.clone());
    let in_context = |error: Error| error.in_context(&format!("the hosted config {shown}"));
    rules.check_location(&location).map_err(in_context)?;
    let Some(store) = store else {
        let field = match location {
            DocumentLocation::Object { .. } => "key",
            DocumentLocation::Url(_) => "url",
        };
        let message = "hosted configs can't be fetched: no document store is configured";
        return Err(Error::invalid(field, message));
    };
    let document = fetch(store, &location, deadline).await;
    // The errors of most stores name the location already.
    let document = document.map_err(|error| match error.message().contains(&*shown) {
        true => error,
        false => in_context(error),
    })?;
    let config = parse(&document, &location).map_err(in_context)?;
    access::check_config(&config, &location).map_err(in_context)?;
    access::check_overrides(&config, &caller).map_err(in_context)?;
    let is_pinned = config.overridable.is_some();
    let origin = Origin::new(shown.clone(), &config, &caller);
    let Document { version, etag, .. } = document;
    let (request, warnings) = merge_config(config, caller, &shown);
    let source = ConfigSource { location: shown, version, etag };
    Ok(Resolved { request, hosted: Some((source, origin)), is_pinned, warnings })
}

fn merge_config(
    mut config: HostedConfig,
    caller: Map<String, Value>,
    location: &str,
) -> (Value, Vec<String>) {
    let in_config = |text: &String| format!("the hosted config {location}: {text}");
    let mut warnings: Vec<String> = config.warnings.iter().map(in_config).collect();
    // These fields have no meaning in a config, but authors may have added them as notes.
    for name in ["bucket", "version"] {
        if config.fields.shift_remove(name).is_some_and(|value| !value.is_null()) {
            warnings.push(format!("`{name}` in the hosted config {location} was ignored"));
        }
    }
    (Value::Object(merge([config.fields, caller])), warnings)
}

async fn fetch(
    store: &dyn DocumentStore,
    location: &DocumentLocation,
    deadline: Deadline,
) -> Result<Document, Error> {
    let time_left = deadline.left();
    let fetch_deadline = deadline.within(Some(MAX_FETCH_TIME));
    let fetching = store.fetch(location, None, fetch_deadline);
    match tokio::time::timeout(fetch_deadline.left(), fetching).await {
        Ok(Ok(Some(document))) => Ok(document),
        Ok(Ok(None)) => Err(unexpected_not_modified()),
        Ok(Err(error)) => Err(error),
        Err(_) if time_left < MAX_FETCH_TIME => {
            let message = "the time limit passed while the config was fetched";
            Err(Error::new(ErrorKind::Timeout, message))
        }
        Err(_) => {
            let seconds = MAX_FETCH_TIME.as_secs_f64();
            let message =
                format!("the config was not received within {seconds} s, which is the limit");
            Err(Error::new(ErrorKind::ConfigUnavailable, message))
        }
    }
}

/// Creates the error for a store that returns "not modified" although no ETag was sent.
pub(super) fn unexpected_not_modified() -> Error {
    let message = "the store returned \"not modified\" although no ETag was sent";
    Error::new(ErrorKind::ConfigUnavailable, message)
}

fn parse(document: &Document, location: &DocumentLocation) -> Result<HostedConfig, Error> {
    let parse = || {
        let text = decode_text(&document.body, MAX_CONFIG_BYTES)?;
        HostedConfig::parse_text(&text, Format::of_document(location, &text))
    };
    parse().map_err(|error: ConfigError| {
        let logged = match error.position {
            Some(position) => position.to_string(),
            None => "the document is not a valid config".to_owned(),
        };
        Error::new(ErrorKind::ConfigInvalid, error.to_string()).logged_as(logged)
    })
}

/// Formats a location for messages, logs and results. The query of a URL is removed, because it may
/// contain a secret.
fn shown_location(location: &DocumentLocation) -> String {
    match location {
        DocumentLocation::Object { bucket, key, .. } => format!("s3://{bucket}/{key}"),
        DocumentLocation::Url(url) => {
            let without_query = url.split(['?', '#']).next().unwrap_or(url);
            crate::error::shorten(without_query, 500)
        }
    }
}
