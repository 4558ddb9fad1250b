//! What may be read, and what a config may say: the operator's word, and where it came from.

use serde_json::{Map, Value};

use super::config::HostedConfig;
use super::merge::respell;
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::ports::Place;

/// What a page's config may say; the rest comes from a bucket or from a trusted caller.
const OF_A_PAGE: &[&str] = &[
    "provider",
    "providor",
    "model",
    "message",
    "output",
    "outputOptions",
    "schema",
    "data",
    "options",
];

/// What a caller may always say, however much a config pins.
const ALWAYS: &[&str] = &["data", "return", "idempotencyKey"];

/// What the operator lays down about hosted configs.
#[derive(Debug, Clone, Default)]
pub struct HostedRules {
    /// The bucket of a `key` that comes without one.
    pub bucket: Option<String>,
    /// The buckets that may be read; `None`: that bucket alone.
    pub buckets: Option<Vec<String>>,
    /// What is never read, as `s3://bucket/prefix`: where results are put, say.
    pub forbidden_prefixes: Vec<String>,
}

impl HostedRules {
    /// Whether a place may be read. Of pages the store decides, which resolves their hosts.
    pub(super) fn allow(&self, place: &Place) -> Result<(), Error> {
        let Place::Object { bucket, key, .. } = place else {
            return Ok(());
        };
        let of_default = || self.bucket.as_ref() == Some(bucket);
        let allowed = match &self.buckets {
            Some(buckets) => buckets.contains(bucket),
            None => of_default(),
        };
        if !allowed {
            let text = format!(
                "the bucket {} may not be read: it is not in CONFIG_BUCKETS",
                json::quoted(bucket)
            );
            return Err(Error::new(ErrorKind::ConfigForbidden, text));
        }
        let shown = format!("s3://{bucket}/{key}");
        if let Some(prefix) = self.forbidden_prefixes.iter().find(|one| shown.starts_with(*one)) {
            let text = format!("what is under {prefix} is never read as a config");
            return Err(Error::new(ErrorKind::ConfigForbidden, text));
        }
        Ok(())
    }
}

/// Refuses a config that is a pointer itself, and a page's that says what only others may.
pub(super) fn check_config(config: &HostedConfig, place: &Place) -> Result<(), Error> {
    let said = |name: &str| config.fields.get(name).is_some_and(|value| !value.is_null());
    if let Some(name) = ["key", "url"].into_iter().find(|name| said(name)) {
        let text = format!("{name}: a hosted config can't point to another one");
        return Err(Error::new(ErrorKind::ConfigInvalid, text));
    }
    if let Place::Page(_) = place {
        let odd: Vec<String> = config
            .fields
            .iter()
            .filter(|(name, value)| !OF_A_PAGE.contains(&name.as_str()) && !value.is_null())
            .map(|(name, _)| json::quoted(name))
            .collect();
        if !odd.is_empty() {
            let text = format!(
                "a config from a URL can't say {}; only {}",
                listed(&odd),
                OF_A_PAGE.join(", ")
            );
            return Err(Error::new(ErrorKind::ConfigForbidden, text));
        }
    }
    Ok(())
}

/// Refuses what a caller says beyond what the config leaves open.
pub(super) fn check_overrides(
    config: &HostedConfig,
    caller: &Map<String, Value>,
) -> Result<(), Error> {
    let Some(overridable) = &config.overridable else {
        return Ok(());
    };
    let mut caller = caller.clone();
    respell(&mut caller);
    let open = |name: &str| ALWAYS.contains(&name) || overridable.iter().any(|one| one == name);
    let odd: Vec<String> = caller
        .iter()
        .filter(|(name, value)| !open(name) && !value.is_null())
        .map(|(name, _)| json::quoted(name))
        .collect();
    if odd.is_empty() {
        return Ok(());
    }
    let mut known: Vec<&str> = ALWAYS.to_vec();
    known.extend(overridable.iter().map(String::as_str));
    let text = format!(
        "it is pinned: {} can't be said beside it; only {}",
        listed(&odd),
        known.join(", ")
    );
    Err(Error::new(ErrorKind::ConfigForbidden, text))
}

/// Some names as a message lists them.
fn listed(names: &[String]) -> String {
    let mut shown = names.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 20 {
        shown.push_str(&format!(" and {} more", names.len() - 20));
    }
    shown
}
