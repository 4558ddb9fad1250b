//! Parses the settings for hosted configs.

use std::time::Duration;

use llm_exe::HostedRules;
use llm_exe::hosted::check_bucket;

use super::error::SettingsError;
use super::parse::{Get, seconds};

/// Maximum value of `CONFIG_CACHE_SECONDS`: one day.
const MAX_CACHE_SECONDS: u64 = 86_400;

/// Parses the names of the S3 buckets that hosted configs may be read from.
pub(super) fn rules(get: &Get<'_>) -> Result<HostedRules, SettingsError> {
    const BUCKET: &str = "AWS_S3_FILES_BUCKET_NAME";
    const BUCKETS: &str = "CONFIG_BUCKETS";
    let parse_bucket = |setting: &str, name: &str| {
        check_bucket(name)
            .map_err(|reason| SettingsError::new(setting, reason.to_string()))
            .map(|()| name.to_owned())
    };
    let bucket = get(BUCKET).map(|text| parse_bucket(BUCKET, text.trim())).transpose()?;
    let buckets = match get(BUCKETS) {
        None => None,
        Some(text) => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            let names =
                names.map(|name| parse_bucket(BUCKETS, name)).collect::<Result<Vec<_>, _>>()?;
            if names.is_empty() {
                return Err(SettingsError::new(
                    BUCKETS,
                    format!("expected bucket names separated by commas, got {text:?}"),
                ));
            }
            Some(names)
        }
    };
    Ok(HostedRules { bucket, buckets, ..HostedRules::default() })
}

/// Parses how long a hosted config is cached before it is checked for changes.
pub(super) fn cache(get: &Get<'_>) -> Result<Duration, SettingsError> {
    seconds(get, "CONFIG_CACHE_SECONDS", 0..=MAX_CACHE_SECONDS)
}
