//! The error for an invalid setting.

use std::fmt;

/// The error for an invalid setting, with the name of the setting and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    name: String,
    message: String,
}

impl SettingsError {
    pub(super) fn new(name: &str, message: impl Into<String>) -> SettingsError {
        SettingsError { name: name.to_owned(), message: message.into() }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid setting {}: {}", self.name, self.message)
    }
}

impl std::error::Error for SettingsError {}
