//! A request with a pointer to a request without: find, fetch, read, check, merge.

use serde_json::{Map, Value};

use super::access::{self, HostedRules};
use super::config::HostedConfig;
use super::format::Format;
use super::merge::merge;
use super::origin::{ConfigSource, Origin};
use super::{MOST_FETCH_TIME, pointer};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentStore, Place};

/// A request in which no pointer is left.
pub(crate) struct Resolved {
    pub(crate) request: Value,
    /// Where the hosted config was, if the request pointed to one.
    pub(crate) hosted: Option<(ConfigSource, Origin)>,
    pub(crate) warnings: Vec<String>,
}

/// Resolves a request. What is wrong with it beside its pointer is left to its own check. The
/// place is noted in `tried` before anything is fetched.
pub(crate) async fn resolve(
    request: Value,
    store: Option<&dyn DocumentStore>,
    rules: &HostedRules,
    deadline: Deadline,
    tried: &mut Option<String>,
) -> Result<Resolved, Error> {
    let Value::Object(mut caller) = request else {
        return Ok(Resolved { request, hosted: None, warnings: Vec::new() });
    };
    let named = if caller.get("key").is_some_and(|key| !key.is_null()) { "key" } else { "url" };
    let Some(place) = pointer::take(&mut caller, rules).map_err(Error::from_problems)? else {
        let request = Value::Object(caller);
        return Ok(Resolved { request, hosted: None, warnings: Vec::new() });
    };
    let told = shown(&place);
    *tried = Some(told.clone());
    let in_context = |error: Error| error.in_context(&format!("the hosted config {told}"));
    rules.allow(&place).map_err(in_context)?;
    let Some(store) = store else {
        let text = "hosted configs can't be fetched here: no store of documents is set up";
        return Err(Error::invalid(named, text));
    };
    let document = fetch(store, &place, deadline).await.map_err(in_context)?;
    let config = read(&document, &place).map_err(in_context)?;
    access::check_config(&config, &place).map_err(in_context)?;
    access::check_overrides(&config, &caller).map_err(in_context)?;
    let origin = Origin::new(told.clone(), &config, &caller);
    let Document { version, etag, .. } = document;
    let (request, warnings) = merged(config, caller, &told);
    let source = ConfigSource { place: told, version, etag };
    Ok(Resolved { request, hosted: Some((source, origin)), warnings })
}

fn merged(
    mut config: HostedConfig,
    caller: Map<String, Value>,
    told: &str,
) -> (Value, Vec<String>) {
    let mut warnings = Vec::new();
    // Notes of the author's, it seems: they mean nothing without a key.
    for name in ["bucket", "version"] {
        if config.fields.shift_remove(name).is_some_and(|value| !value.is_null()) {
            warnings.push(format!("`{name}` of the hosted config {told} was ignored"));
        }
    }
    (Value::Object(merge([config.fields, caller])), warnings)
}

async fn fetch(
    store: &dyn DocumentStore,
    place: &Place,
    deadline: Deadline,
) -> Result<Document, Error> {
    let left = deadline.left();
    let within = deadline.within(Some(MOST_FETCH_TIME));
    let fetched = store.fetch(place, None, within);
    match tokio::time::timeout(within.left(), fetched).await {
        Ok(Ok(Some(document))) => Ok(document),
        Ok(Ok(None)) => {
            let text = "the store answered that nothing has changed, to nobody who knew it";
            Err(Error::new(ErrorKind::ConfigUnavailable, text))
        }
        Ok(Err(error)) => Err(error),
        Err(_) if left < MOST_FETCH_TIME => {
            let text = "the function's time ran out while it was fetched";
            Err(Error::new(ErrorKind::Timeout, text))
        }
        Err(_) => {
            let seconds = MOST_FETCH_TIME.as_secs_f64();
            let text = format!("was not there within {seconds} s, which is the limit");
            Err(Error::new(ErrorKind::ConfigUnavailable, text))
        }
    }
}

fn read(document: &Document, place: &Place) -> Result<HostedConfig, Error> {
    let format = Format::of(place, &document.body);
    HostedConfig::read(&document.body, format).map_err(|fault| {
        let logged = match fault.place {
            Some((line, column)) => format!("line {line}, column {column}"),
            None => "can't be read".to_owned(),
        };
        Error::new(ErrorKind::ConfigInvalid, fault.to_string()).logged_as(logged)
    })
}

/// A place as messages, logs and results name it: without a query, which may hold a secret.
fn shown(place: &Place) -> String {
    match place {
        Place::Object { bucket, key, .. } => format!("s3://{bucket}/{key}"),
        Place::Page(url) => {
            let plain = url.split(['?', '#']).next().unwrap_or(url);
            crate::error::shorten(plain, 500)
        }
    }
}
