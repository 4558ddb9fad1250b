//! Parsers for setting values. Their errors contain the name of the setting, its value and the
//! allowed values.

use std::ops::RangeInclusive;
use std::time::Duration;

use llm_exe::suggestion;

use super::error::SettingsError;
use super::rows::default_of;

/// A function that returns the value of a setting, or `None` if the setting is empty or not set.
pub(super) type Get<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Returns the value of a setting, or its default if the setting is not set.
pub(super) fn text(get: &Get<'_>, name: &str) -> Option<String> {
    get(name).or_else(|| default_of(name).map(str::to_owned))
}

/// Parses a setting whose value is one of `words`, ignoring case.
pub(super) fn word<T: Copy>(
    get: &Get<'_>,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, SettingsError> {
    let Some(text) = text(get, name) else {
        return Ok(None);
    };
    let matched = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    match matched {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let known = known.join(", ");
            Err(SettingsError::new(name, format!("expected one of {known}, got {text:?}")))
        }
    }
}

/// Parses a setting whose value is a list of `words`, separated by commas or spaces.
pub(super) fn words<T: Copy>(
    get: &Get<'_>,
    name: &str,
    words: &[(&str, T)],
) -> Result<Vec<T>, SettingsError> {
    let text = text(get, name).unwrap_or_default();
    let items = text.split([',', ' ']).map(str::trim).filter(|item| !item.is_empty());
    let items = items.map(|item| match words.iter().find(|(word, _)| *word == item) {
        Some((_, value)) => Ok(*value),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let (list, suggestion) = (known.join(", "), suggestion(item, &known));
            let text = format!("expected a list of {list}, got {item:?}{suggestion}");
            Err(SettingsError::new(name, text))
        }
    });
    items.collect()
}

/// Parses a setting whose value is `true` or `false`.
pub(super) fn flag(get: &Get<'_>, name: &str) -> Result<bool, SettingsError> {
    Ok(word(get, name, &[("true", true), ("false", false)])?.unwrap_or(false))
}

/// Parses a whole number of seconds. The setting must have a default.
pub(super) fn seconds(
    get: &Get<'_>,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<Duration, SettingsError> {
    let seconds = number(get, name, "a whole number of seconds", range)?;
    Ok(Duration::from_secs(seconds.unwrap_or_default()))
}

/// Parses a whole number. `unit` describes the expected value in the error message, for example `a
/// number of bytes`.
pub(super) fn number(
    get: &Get<'_>,
    name: &str,
    unit: &str,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, SettingsError> {
    let Some(text) = text(get, name) else {
        return Ok(None);
    };
    match text.trim().parse::<u64>() {
        Ok(number) if range.contains(&number) => Ok(Some(number)),
        _ => {
            let min = range.start();
            let expected = match *range.end() {
                u64::MAX => format!("expected {unit} from {min}"),
                max => format!("expected {unit} from {min} to {max}"),
            };
            Err(SettingsError::new(name, format!("{expected}, got {text:?}")))
        }
    }
}

/// Quotes a URL for an error message. Returns an empty string if the URL has a password or a query,
/// because these may contain a secret.
pub(super) fn quoted_url(url: &str) -> String {
    if url.contains(['@', '?']) { String::new() } else { format!("; got {url:?}") }
}
