//! Reads base URLs and the AWS region from environment variables, with the feature `env`.

use crate::providers::{Access, PROVIDERS};

/// The base URL of all AWS services without their own setting.
const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Returns the value of a variable, or `None` if it is not set or blank.
#[expect(clippy::disallowed_methods, reason = "the caller asks for the environment")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Returns the names of the built-in providers whose base URL is set, and the URLs. As in the AWS
/// SDKs, the URL of a service takes precedence over that of all services.
pub(super) fn base_urls(look_up: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let base_url = |row: &crate::providers::ProviderRow| {
        let own = look_up(row.base_url_setting);
        own.or_else(|| look_up(AWS_ENDPOINT_URL).filter(|_| row.access == Access::Aws))
    };
    PROVIDERS.iter().filter_map(|row| Some((row.name.to_owned(), base_url(row)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::base_urls;

    #[test]
    fn aws_endpoint_url_is_the_base_url_of_bedrock_only() {
        let set = |variables: &'static [(&str, &str)]| {
            let look_up = move |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            base_urls(look_up)
        };
        const ALL: (&str, &str) = ("AWS_ENDPOINT_URL", "http://localhost:4566");
        const ONE: (&str, &str) = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://vpce.example");
        let urls = set(&[ALL]);
        assert_eq!(urls.len(), 5);
        assert!(urls.iter().all(|(name, url)| name.starts_with("amazon") && url == ALL.1));
        let urls = set(&[ALL, ONE, ("OPENAI_BASE_URL", "https://proxy.example")]);
        assert_eq!(urls[0], ("openai".to_owned(), "https://proxy.example".to_owned()));
        let is_runtime = |name: &str| name != "amazon:openai";
        assert!(urls[1..].iter().all(|(name, url)| (url == ONE.1) == is_runtime(name)));
    }
}
