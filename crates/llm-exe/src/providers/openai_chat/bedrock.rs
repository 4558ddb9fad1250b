//! OpenAI's models on Amazon Bedrock through chat completions: their address, signature and ids.
//!
//! Source: the npm package `openai` 7.57 (`providers/bedrock`, hosts and names of services) and
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html>.

use super::azure::missing_path;
use super::models::{BEDROCK_FAMILY, served_apis};
use super::quirks::API_PATH;
use crate::chat::Chat;
use crate::error::Error;
use crate::providers::bedrock::models::may_belong_to;
use crate::providers::bedrock::{MANTLE, SERVICE, signed_request};
use crate::providers::dialect::Endpoint;
use crate::wire::{Body, WireRequest};

/// The tags around the reasoning at the beginning of a reply from an open-weight model.
const REASONING: (&str, &str) = ("<reasoning>", "</reasoning>");

/// Creates the signed request to a path of the API.
///
/// # Errors
/// `InvalidRequest` if the model is not OpenAI's or the API does not serve it, or `SecretNotFound`
/// if no AWS region is configured.
pub(in crate::providers) fn post(
    endpoint: &Endpoint,
    path: &str,
    chat: &Chat,
    body: Body,
) -> Result<WireRequest, Error> {
    // `ALLOWED_MODELS` may allow all models of this provider, which must not give access to other
    // families.
    if !may_belong_to(&chat.model, BEDROCK_FAMILY) {
        let message = format!(
            "expected a model id that begins with {BEDROCK_FAMILY}, got {:?}; use the provider \
             amazon for other models",
            chat.model
        );
        return Err(Error::invalid("model", message));
    }
    let (service, region) = signing_scope(&endpoint.base_url);
    if service == SERVICE {
        check_model(&chat.model, path)?;
    }
    let path = [missing_path(&endpoint.base_url), path].concat();
    signed_request(endpoint, &path, body, service, region)
}

/// Checks that the Bedrock runtime serves a model through the API with a path.
///
/// # Errors
/// `InvalidRequest` if it does not.
fn check_model(id: &str, path: &str) -> Result<(), Error> {
    let is_chat = path == API_PATH;
    let (serves_chat, serves_responses) = served_apis(id);
    let is_served = if is_chat { serves_chat } else { serves_responses };
    if is_served {
        return Ok(());
    }
    let (api, other) = if is_chat {
        ("chat completions", "set OPENAI_API_MODE to auto or responses")
    } else {
        ("Responses", "set OPENAI_API_MODE to auto or chat")
    };
    let message = format!(
        "expected a model that the {api} API of the Bedrock runtime serves, got {id:?}; {other}, \
         use another model, or set AWS_BEDROCK_BASE_URL to a bedrock-mantle host"
    );
    Err(Error::invalid("model", message))
}

/// Returns the name of the AWS service that a host belongs to, and the region in the name of the
/// host. Hosts of AWS have names such as `bedrock-mantle.us-east-1.api.aws` and
/// `vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com`.
fn signing_scope(base_url: &str) -> (&'static str, Option<&str>) {
    let (_, rest) = base_url.split_once("://").unwrap_or(("", base_url));
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let mut labels = host.split('.');
    let is_service =
        |label: &&str| matches!(*label, MANTLE | "bedrock-runtime" | "bedrock-runtime-fips");
    let service = match labels.find(is_service) {
        Some(MANTLE) => MANTLE,
        Some(_) => SERVICE,
        None => return (SERVICE, None),
    };
    // The names of regions end with a digit.
    let is_region =
        |label: &&str| label.contains('-') && label.ends_with(|c: char| c.is_ascii_digit());
    (service, labels.next().filter(is_region))
}

/// Returns whether a model can be an open-weight one, whose replies contain its reasoning. The
/// name of an application inference profile does not show its model.
pub(super) fn may_be_open_weight(id: &str) -> bool {
    id.contains("gpt-oss") || id.contains("application-inference-profile")
}

/// Returns the text of a reply without the reasoning at its beginning. If the reply ends within the
/// reasoning, no text is left.
pub(super) fn without_reasoning(text: &str) -> &str {
    let (begin, end) = REASONING;
    match text.trim_start().strip_prefix(begin) {
        Some(rest) => rest.split_once(end).map_or("", |(_, text)| text.trim_start()),
        None => text,
    }
}

/// Returns the text after the reasoning at the beginning of a text that is not complete. Returns
/// `None` as long as it is not known where the reasoning ends.
pub(super) fn text_after_reasoning(text: &str) -> Option<&str> {
    let (begin, end) = REASONING;
    let start = text.trim_start();
    if start.starts_with(begin) && !start.contains(end) || begin.starts_with(start) {
        return None;
    }
    // White space before the reply is skipped.
    Some(without_reasoning(text)).filter(|visible| !visible.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{may_be_open_weight, text_after_reasoning, without_reasoning};
    use crate::chat::{Chat, Message, Role};
    use crate::providers::{build_request, provider};
    use crate::wire::Auth;

    #[test]
    fn signature_follows_the_host() {
        let row = provider("amazon:openai").unwrap();
        for (base_url, url, service, region) in [
            (None, "https://bedrock-runtime.eu-west-1.amazonaws.com", "bedrock", "eu-west-1"),
            (Some("https://bedrock-mantle.us-east-1.api.aws"), "", "bedrock-mantle", "us-east-1"),
            (Some("https://bedrock-runtime.us-west-2.amazonaws.com/"), "", "bedrock", "us-west-2"),
            (
                Some("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com:443/openai/v1"),
                "",
                "bedrock",
                "us-gov-west-1",
            ),
            (
                Some("https://vpce-1.bedrock-mantle.us-east-2.vpce.amazonaws.com"),
                "",
                "bedrock-mantle",
                "us-east-2",
            ),
            (Some("https://bedrock-mantle.example"), "", "bedrock-mantle", "eu-west-1"),
            (Some("https://gateway.example.com/llm"), "", "bedrock", "eu-west-1"),
            (Some("https://bedrock-gateway.my-team.example.com"), "", "bedrock", "eu-west-1"),
            (Some("https://bedrock-mantle.my-team.example.com"), "", "bedrock-mantle", "eu-west-1"),
            (Some("http://127.0.0.1:8089/openai/v1"), "", "bedrock", "eu-west-1"),
        ] {
            let chat = Chat::new("global.openai.gpt-6-sol", vec![Message::text(Role::User, "Hi")]);
            let endpoint = row.endpoint(base_url, Some("eu-west-1"));
            let request = build_request(row.dialect, &endpoint, &chat).unwrap().request;
            let expected = Auth::SigV4 { service, region: region.to_owned() };
            assert_eq!(request.auth, expected, "{base_url:?}");
            let base_url = base_url.unwrap_or(url).trim_end_matches('/');
            let has_path = base_url.matches('/').count() > 2;
            let path = if has_path { "" } else { "/openai/v1" };
            assert_eq!(request.url, format!("{base_url}{path}/chat/completions"));
        }
    }

    #[test]
    fn only_open_weight_models_write_their_reasoning() {
        for (id, expected) in [
            ("openai.gpt-oss-120b-1:0", true),
            ("us.openai.gpt-oss-20b-1:0", true),
            ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1", true),
            ("global.openai.gpt-6-sol", false),
        ] {
            assert_eq!(may_be_open_weight(id), expected, "{id}");
        }
    }

    #[test]
    fn only_reasoning_at_the_beginning_is_removed() {
        for (text, expected) in [
            ("<reasoning>a</reasoning>b", "b"),
            (" <reasoning>a</reasoning>\n\nb </reasoning>", "b </reasoning>"),
            ("<reasoning></reasoning>", ""),
            ("<reasoning>a", ""),
            ("b <reasoning>a</reasoning>", "b <reasoning>a</reasoning>"),
            ("  b", "  b"),
            ("", ""),
        ] {
            assert_eq!(without_reasoning(text), expected, "{text:?}");
        }
    }

    #[test]
    fn text_is_held_until_its_reasoning_ends() {
        for (text, expected) in [
            ("", None),
            (" <rea", None),
            ("<reasoning>hm</reaso", None),
            ("<reasoning>hm</reasoning>\n", None),
            ("<reasoning>hm</reasoning>\nHi", Some("Hi")),
            ("<b>", Some("<b>")),
            ("Hi", Some("Hi")),
        ] {
            assert_eq!(text_after_reasoning(text), expected, "{text}");
        }
    }
}
