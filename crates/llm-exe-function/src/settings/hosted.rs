//! The settings of hosted configs.

use std::time::Duration;

use llm_exe::HostedRules;
use llm_exe::hosted::check_bucket;

use super::SettingsError;
use super::parse::{Get, fault, seconds};

/// The longest that a config is used without asking: a day.
const LONGEST_CACHE: u64 = 86_400;

/// Which hosted configs may be read.
pub(super) fn rules(get: &Get<'_>) -> Result<HostedRules, SettingsError> {
    const BUCKET: &str = "AWS_S3_FILES_BUCKET_NAME";
    const BUCKETS: &str = "CONFIG_BUCKETS";
    let named = |setting: &str, name: &str| {
        check_bucket(name).map_err(|why| fault(setting, why)).map(|()| name.to_owned())
    };
    let bucket = get(BUCKET).map(|text| named(BUCKET, text.trim())).transpose()?;
    let buckets = match get(BUCKETS) {
        None => None,
        Some(text) => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            let names = names.map(|name| named(BUCKETS, name)).collect::<Result<Vec<_>, _>>()?;
            if names.is_empty() {
                return Err(fault(BUCKETS, format!("{text:?} names no bucket")));
            }
            Some(names)
        }
    };
    Ok(HostedRules { bucket, buckets, ..HostedRules::default() })
}

/// How long a config is used without asking.
pub(super) fn cache(get: &Get<'_>) -> Result<Duration, SettingsError> {
    seconds(get, "CONFIG_CACHE_SECONDS", 0, 0..=LONGEST_CACHE)
}
