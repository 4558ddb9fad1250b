//! Texts of settings to values, each refused with its setting's name, what came and what is
//! allowed.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::SettingsError;

/// A look-up of settings by name; one that is empty is not set.
pub(super) type Get<'a> = dyn Fn(&str) -> Option<String> + 'a;

pub(super) fn fault(name: &str, message: impl Into<String>) -> SettingsError {
    SettingsError { name: name.to_owned(), message: message.into() }
}

/// One of some words.
pub(super) fn word<T: Copy>(
    get: &Get<'_>,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, SettingsError> {
    let Some(text) = get(name) else {
        return Ok(None);
    };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    match found {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let known = known.join(", ");
            Err(fault(name, format!("expected one of {known}, got {text:?}")))
        }
    }
}

/// `true` or `false`.
pub(super) fn flag(get: &Get<'_>, name: &str) -> Result<bool, SettingsError> {
    Ok(word(get, name, &[("true", true), ("false", false)])?.unwrap_or(false))
}

/// Whole seconds.
pub(super) fn seconds(
    get: &Get<'_>,
    name: &str,
    default: u64,
    allowed: RangeInclusive<u64>,
) -> Result<Duration, SettingsError> {
    let seconds = number(get, name, "seconds", allowed)?;
    Ok(Duration::from_secs(seconds.unwrap_or(default)))
}

/// A whole number, of this unit.
pub(super) fn number(
    get: &Get<'_>,
    name: &str,
    unit: &str,
    allowed: RangeInclusive<u64>,
) -> Result<Option<u64>, SettingsError> {
    let Some(text) = get(name) else {
        return Ok(None);
    };
    match text.trim().parse::<u64>() {
        Ok(number) if allowed.contains(&number) => Ok(Some(number)),
        _ => {
            let (least, most) = (allowed.start(), allowed.end());
            let expected = match *most {
                u64::MAX => format!("expected {unit} from {least}"),
                most => format!("expected {unit} from {least} to {most}"),
            };
            Err(fault(name, format!("{expected}, got {text:?}")))
        }
    }
}
