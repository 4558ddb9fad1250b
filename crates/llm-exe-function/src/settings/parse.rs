//! Parsers for the values of settings. Errors contain the setting, the value and what is allowed.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::SettingsError;
use super::rows::default_of;

/// Returns the value of a setting; `None` if it is not set or empty.
pub(super) type Get<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The value of a setting, or else its default.
pub(super) fn text(get: &Get<'_>, name: &str) -> Option<String> {
    get(name).or_else(|| default_of(name).map(str::to_owned))
}

/// Parses one of a list of words, ignoring case.
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

/// Parses `true` or `false`.
pub(super) fn flag(get: &Get<'_>, name: &str) -> Result<bool, SettingsError> {
    Ok(word(get, name, &[("true", true), ("false", false)])?.unwrap_or(false))
}

/// Parses a whole number of seconds. The setting must have a default.
pub(super) fn seconds(
    get: &Get<'_>,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<Duration, SettingsError> {
    let seconds = number(get, name, "seconds", range)?;
    Ok(Duration::from_secs(seconds.unwrap_or_default()))
}

/// Parses a whole number. `unit` describes it in the error.
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
