//! The address and the authentication of Azure OpenAI's v1 API, which is otherwise that of OpenAI.
//!
//! Source: the npm package `@ai-sdk/azure` 3.0 and
//! <https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle>.

use crate::error::Error;
use crate::providers::NAMED_RESOURCE;
use crate::providers::dialect::Endpoint;
use crate::wire::{Body, WireRequest};

/// The path of the v1 API below the endpoint of a resource.
const VERSION_PATH: &str = "/openai/v1";

/// Creates the request to a path of the API.
///
/// # Errors
/// `SecretNotFound` if the endpoint of the resource is not configured.
pub(in crate::providers) fn post(
    endpoint: &Endpoint,
    path: &str,
    body: Body,
) -> Result<WireRequest, Error> {
    if endpoint.base_url.contains(NAMED_RESOURCE) {
        return Err(Error::setting_not_set(
            "the endpoint of the Azure resource is not known; set AZURE_OPENAI_ENDPOINT in the \
             environment, for example to https://NAME.openai.azure.com",
        ));
    }
    let path = [missing_path(&endpoint.base_url), path].concat();
    Ok(endpoint.post(&path, body).with_key_header("api-key"))
}

/// Returns what the base URL lacks of the path of the v1 API. The portal shows the endpoint of a
/// resource without a path. A path other than `/openai` is that of a gateway.
pub(super) fn missing_path(base_url: &str) -> &'static str {
    let (_, rest) = base_url.split_once("://").unwrap_or(("", base_url));
    match rest.split_once('/') {
        None => VERSION_PATH,
        Some((_, "openai")) => "/v1",
        Some(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use crate::chat::{Chat, Message, Role};
    use crate::error::ErrorKind;
    use crate::providers::{build_request, provider};
    use crate::wire::Auth;

    fn chat() -> Chat {
        Chat::new("gpt-4o", vec![Message::text(Role::User, "Hi")])
    }

    #[test]
    fn endpoint_may_have_the_path_of_the_api() {
        let row = provider("azure").unwrap();
        for (endpoint, expected) in [
            ("https://a.openai.azure.com", "https://a.openai.azure.com/openai/v1"),
            ("https://a.openai.azure.com/", "https://a.openai.azure.com/openai/v1"),
            ("https://a.openai.azure.com/openai", "https://a.openai.azure.com/openai/v1"),
            ("https://a.openai.azure.com/openai/v1/", "https://a.openai.azure.com/openai/v1"),
            ("https://gateway.example.com/llm", "https://gateway.example.com/llm"),
        ] {
            let endpoint = row.endpoint(Some(endpoint), None);
            let request = build_request(row.dialect, &endpoint, &chat()).unwrap().request;
            assert_eq!(request.url, format!("{expected}/chat/completions"));
            assert!(matches!(&request.auth, Auth::Header(name, _) if name == "api-key"));
        }
    }

    #[test]
    fn missing_endpoint_is_named() {
        let row = provider("azure").unwrap();
        let error = build_request(row.dialect, &row.endpoint(None, None), &chat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SecretNotFound);
        assert!(error.message().contains("set AZURE_OPENAI_ENDPOINT"), "{error}");
    }
}
