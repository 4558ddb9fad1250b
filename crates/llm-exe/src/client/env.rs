//! Reads base URLs and the AWS region from environment variables, with the feature `env`.

/// Returns the value of a variable, or `None` if it is not set or blank.
#[expect(clippy::disallowed_methods, reason = "the caller asks for the environment")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
