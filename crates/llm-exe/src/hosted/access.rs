//! Enforces the access rules for hosted configs: which documents may be read, which fields a config
//! may set, and which fields a caller may override.

use serde_json::{Map, Value};

use super::config::HostedConfig;
use super::merge::normalize_provider;
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::ports::DocumentLocation;

/// The fields that a config from an https URL may set. All other fields must come from an S3
/// config or from the caller.
const URL_CONFIG_FIELDS: &[&str] = &[
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

/// The fields that a caller may always set, even if `overridable` does not list them.
const NEVER_PINNED_FIELDS: &[&str] = &[
    "data",
    "return",
    "idempotencyKey",
    "continue",
    "toolResults",
    "stream",
    "streamFormat",
    "traceparent",
];

/// The fields of a call that continues a conversation, which no config may set. Callers of a pinned
/// config may never set `conversation`, because it could replace the prompt.
const CALL_FIELDS: &[&str] = &["conversation", "continue", "toolResults"];

/// The operator's rules for which S3 objects may be read as hosted configs.
#[derive(Debug, Clone, Default)]
pub struct HostedRules {
    /// The bucket to read from if a request contains a `key` but no `bucket`.
    pub bucket: Option<String>,
    /// The buckets that may be read. If this is `None`, only `bucket` may be read.
    pub buckets: Option<Vec<String>>,
    /// URL prefixes such as `s3://bucket/results/`. Objects below them are never read as configs.
    pub forbidden_prefixes: Vec<String>,
}

impl HostedRules {
    /// Returns an error if the location must not be read. This method accepts every URL, because
    /// the store that fetches the URL also resolves and checks its host.
    pub(super) fn check_location(&self, location: &DocumentLocation) -> Result<(), Error> {
        let DocumentLocation::Object { bucket, key, .. } = location else {
            return Ok(());
        };
        let allowed = match &self.buckets {
            Some(buckets) => buckets.contains(bucket),
            None => self.bucket.as_ref() == Some(bucket),
        };
        if !allowed {
            let message = format!(
                "reading configs from the bucket {} is not allowed; add it to CONFIG_BUCKETS",
                json::quoted(bucket)
            );
            return Err(Error::new(ErrorKind::ConfigForbidden, message));
        }
        let url = format!("s3://{bucket}/{key}");
        let mut prefixes = self.forbidden_prefixes.iter();
        if let Some(prefix) = prefixes.find(|prefix| url.starts_with(*prefix)) {
            let message = format!("objects under {prefix} are never read as configs");
            return Err(Error::new(ErrorKind::ConfigForbidden, message));
        }
        Ok(())
    }
}

/// Rejects a config that points to another config, or that comes from a URL and sets fields other
/// than [`URL_CONFIG_FIELDS`].
pub(super) fn check_config(
    config: &HostedConfig,
    location: &DocumentLocation,
) -> Result<(), Error> {
    let is_set = |name: &str| config.fields.get(name).is_some_and(|value| !value.is_null());
    if let Some(name) = ["key", "url"].into_iter().find(|name| is_set(name)) {
        let message = format!("{name}: a hosted config can't point to another config");
        return Err(Error::new(ErrorKind::ConfigInvalid, message));
    }
    if let Some(name) = CALL_FIELDS.iter().find(|name| is_set(name)) {
        let message = format!("{name}: belongs to a call and can't be in a hosted config");
        return Err(Error::new(ErrorKind::ConfigInvalid, message));
    }
    if let DocumentLocation::Url(_) = location {
        let forbidden = set_fields(&config.fields, |name| !URL_CONFIG_FIELDS.contains(&name));
        if !forbidden.is_empty() {
            let message = format!(
                "a config from a URL can't set {}; it can set only {}",
                join_names(&forbidden),
                URL_CONFIG_FIELDS.join(", ")
            );
            return Err(Error::new(ErrorKind::ConfigForbidden, message));
        }
    }
    Ok(())
}

/// Returns an error if the caller sets fields that the config does not allow callers to override.
pub(super) fn check_overrides(
    config: &HostedConfig,
    caller: &Map<String, Value>,
) -> Result<(), Error> {
    let Some(overridable) = &config.overridable else {
        return Ok(());
    };
    let mut caller = caller.clone();
    normalize_provider(&mut caller);
    let forbidden = set_fields(&caller, |name| {
        !NEVER_PINNED_FIELDS.contains(&name) && !overridable.iter().any(|field| field == name)
    });
    if forbidden.is_empty() {
        return Ok(());
    }
    let mut allowed: Vec<&str> = NEVER_PINNED_FIELDS.to_vec();
    allowed.extend(overridable.iter().map(String::as_str));
    let message = format!(
        "the config is pinned: the request must not override {}; it can set only {}",
        join_names(&forbidden),
        allowed.join(", ")
    );
    Err(Error::new(ErrorKind::ConfigForbidden, message))
}

/// Returns the quoted names of the fields that are not null and match the filter. Skips `$schema`,
/// which only editors read.
fn set_fields(fields: &Map<String, Value>, filter: impl Fn(&str) -> bool) -> Vec<String> {
    fields
        .iter()
        .filter(|(name, value)| filter(name) && !value.is_null() && *name != "$schema")
        .map(|(name, _)| json::quoted(name))
        .collect()
}

/// Joins names for an error message. Only the first 20 names are listed.
fn join_names(names: &[String]) -> String {
    let mut joined = names.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 20 {
        joined.push_str(&format!(" and {} more", names.len() - 20));
    }
    joined
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{NEVER_PINNED_FIELDS, URL_CONFIG_FIELDS, check_overrides};
    use crate::hosted::HostedConfig;
    use crate::request::is_field;

    #[test]
    fn schema_for_editors_is_not_an_override() {
        let config = HostedConfig { overridable: Some(Vec::new()), ..HostedConfig::default() };
        for (request, expected) in [
            (json!({ "$schema": "./request.schema.json", "data": {} }), true),
            (json!({ "schema": {} }), false),
        ] {
            let fields = request.as_object().unwrap();
            assert_eq!(check_overrides(&config, fields).is_ok(), expected, "{request}");
        }
    }

    #[test]
    fn access_lists_contain_only_request_fields() {
        for name in URL_CONFIG_FIELDS.iter().chain(NEVER_PINNED_FIELDS) {
            assert!(is_field(name), "{name}");
        }
    }
}
