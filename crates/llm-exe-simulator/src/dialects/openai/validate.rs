//! Validates an OpenAI request: first its types, then what they do not express. Each group of
//! fields is checked by its own module.

use super::error::{invalid_parameter, rejection};
use super::vendor::{Access, Vendor};
use super::{messages, models, parameters, response_format, tools, types, vendor};
use crate::dialects::bedrock::check_signature;
use crate::dialects::dialect::{ProviderRequest, Rejection};
use crate::dialects::json::{field, str_field};
use crate::types::{OPENAI_CHAT, Problem, Violation};

/// Parameters that only other providers have, each with the prefix of their models' names.
const EXTENSIONS: &[(&str, &str)] = &[("deepseek-", "thinking")];

/// Rejects a request that the real service would reject.
pub(crate) fn validate(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    let vendor = vendor::find(request.decoded);
    validate_api_key(request, vendor)?;
    let body = request.body;
    if !request.is_json || !body.is_object() {
        return Err(rejection(
            400,
            "We could not parse the JSON body of your request.",
            None,
            None,
        ));
    }
    let name = match str_field(body, "model") {
        Some(name) if !name.is_empty() => name,
        _ => {
            return Err(rejection(400, "you must provide a model parameter", None, None));
        }
    };
    if let Some(vendor) = vendor {
        vendor.validate_parameters(body)?;
    }
    let accepts = |violation: &Violation| accepts(violation, vendor, name);
    types::validate(&OPENAI_CHAT, body, &accepts, unknown_parameter)?;
    if name.starts_with("missing-") {
        let message = format!("The model `{name}` does not exist or you do not have access to it.");
        return Err(rejection(404, &message, None, Some("model_not_found")));
    }
    let is_streamed = field(body, "stream").is_some_and(|stream| stream == true);
    if field(body, "stream_options").is_some() && !is_streamed {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(invalid_parameter(message, "stream_options", "invalid_value"));
    }
    let model = vendor.map_or_else(|| models::model(name), |vendor| vendor.model(name));
    if model.only_responses {
        let message =
            "This model is only supported in v1/responses and not in v1/chat/completions.";
        return Err(rejection(404, message, Some("model"), None));
    }
    messages::validate(body)?;
    if let Some(vendor) = vendor {
        vendor.validate_messages(body)?;
        vendor.validate_output(body)?;
        vendor.validate_model(body, model)?;
    }
    if model.alternates {
        messages::validate_roles(body)?;
    }
    if model.needs_reasoning_turns {
        messages::validate_reasoning(body)?;
    }
    parameters::validate(body, model)?;
    tools::validate(body)?;
    response_format::validate(body, model)
}

fn unknown_parameter(name: &str) -> Rejection {
    rejection(400, &format!("Unrecognized request argument supplied: {name}"), None, None)
}

/// Returns whether a service accepts a body with this violation of OpenAI's types. Services other
/// than OpenAI's ignore unknown fields, and [`Vendor::validate_parameters`] knows their
/// parameters.
fn accepts(violation: &Violation, vendor: Option<&Vendor>, model: &str) -> bool {
    let Problem::UnknownField(field) = &violation.problem else { return false };
    if !violation.path.is_empty() {
        return !vendor.map_or(models::is_of_openai(model), Vendor::has_openai_parameters);
    }
    let is_extension = |(prefix, extra): &(&str, &str)| field == extra && model.starts_with(prefix);
    !vendor.is_none_or(Vendor::has_openai_parameters) || EXTENSIONS.iter().any(is_extension)
}

fn validate_api_key(
    request: &ProviderRequest<'_>,
    vendor: Option<&Vendor>,
) -> Result<(), Rejection> {
    match vendor.map_or(Access::Bearer, Vendor::access) {
        Access::SigV4 => return check_signature(request),
        Access::Header(name) => {
            let message = "Access denied due to invalid subscription key or wrong API endpoint.";
            let key = request.header(name).unwrap_or_default();
            let is_rejected = matches!(key, "" | "invalid");
            return match is_rejected {
                true => Err(rejection(401, message, None, Some("401"))),
                false => Ok(()),
            };
        }
        Access::Bearer => {}
    }
    let authorization = request.header("authorization").unwrap_or_default();
    let key = authorization.strip_prefix("Bearer").map(str::trim).unwrap_or_default();
    let message = match key {
        "" => {
            "You didn't provide an API key. Provide it in an Authorization header, as a Bearer \
             token (Authorization: Bearer YOUR_KEY)."
        }
        "invalid" => "Incorrect API key provided.",
        _ => return Ok(()),
    };
    Err(rejection(401, message, None, Some("invalid_api_key")))
}
