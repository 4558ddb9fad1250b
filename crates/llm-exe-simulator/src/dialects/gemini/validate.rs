//! Validates a Gemini request: first its types, then what they do not express.
//!
//! The service also accepts field names in snake_case. The simulator accepts only the documented
//! camelCase names.

use serde_json::json;

use super::error::{error, invalid_request, with_details};
use super::{config, contents, continuation, models, tools, types};
use crate::dialects::dialect::{ProviderRequest, Rejection};
use crate::dialects::json::field;

const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

/// Rejects a request that the real service would reject.
pub(crate) fn validate(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    validate_api_key(request)?;
    let body = request.body;
    if !request.is_json {
        return Err(invalid_request("Invalid JSON payload received. Unexpected token."));
    }
    if !body.is_object() {
        return Err(invalid_request(
            "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
        ));
    }
    let name = models::name_in_path(request.path).unwrap_or_default();
    types::validate(&continuation::without_token(body))?;
    if name.starts_with("missing-") {
        let message = format!(
            "models/{name} is not found for API version v1beta, or is not supported for \
             generateContent. Call ListModels to see the list of available models and their \
             supported methods."
        );
        return Err(Rejection::new(404, error(404, &message)));
    }
    // Without this query, the service streams the items of a JSON list.
    if request.path.ends_with(models::STREAM) && request.query != "alt=sse" {
        return Err(invalid_request("llm-exe-simulator streams only with the query alt=sse."));
    }
    continuation::validate(body, name)?;
    let model = models::model(name);
    contents::validate(body, model)?;
    if field(body, "systemInstruction").is_some() && !model.system {
        return Err(invalid_request(&format!(
            "Developer instruction is not enabled for models/{name}"
        )));
    }
    tools::validate(body, model)?;
    config::validate(body, model, name)
}

/// Checks the API key. An invalid key is rejected with 400 and a missing key with 403.
fn validate_api_key(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    match request.header("x-goog-api-key").unwrap_or_default() {
        "" => {
            let message = "Method doesn't allow unregistered callers (callers without established \
                           identity). Please use API Key or other form of API consumer identity \
                           to call this API.";
            Err(Rejection::new(403, error(403, message)))
        }
        "invalid" => {
            let message = "API key not valid. Please pass a valid API key.";
            let service = json!({"service": "generativelanguage.googleapis.com"});
            let details = json!([{
                "@type": ERROR_INFO, "reason": "API_KEY_INVALID", "domain": "googleapis.com",
                "metadata": service,
            }]);
            Err(with_details(message, details))
        }
        _ => Ok(()),
    }
}
