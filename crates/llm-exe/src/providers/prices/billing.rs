//! Reads what a response states about its price, besides the token counts.
//!
//! Only results that contain a cost need this, so it is read from the response again, and for all
//! dialects in one place: the names of the fields do not conflict.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::wire::WireReply;

/// Maximum size of the token counts in bytes. Larger ones would take much memory as values.
const MAX_COUNTS_BYTES: usize = 64 * 1024;

/// What a response states about its price.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Billing {
    /// The tier of service in lower case, if the response names one.
    pub(super) tier: Option<String>,
    /// Whether the model ran only in the United States.
    pub(super) is_us_only: bool,
    /// How many of the tokens that were written to a cache stay there for an hour or longer, if the
    /// response states it.
    pub(super) long_cache_write_tokens: Option<u64>,
}

/// The fields of a response that can state the tier or the counts.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, alias = "usageMetadata")]
    usage: Option<&'a RawValue>,
    #[serde(borrow, alias = "serviceTier")]
    service_tier: Option<&'a RawValue>,
}

/// Reads what a successful response states about its price.
pub(crate) fn read_billing(response: &WireReply) -> Billing {
    let Ok(body) = serde_json::from_slice::<Body<'_>>(&response.body) else {
        return Billing::default();
    };
    let parse = |json: Option<&RawValue>| -> Value {
        let json = json.filter(|json| json.get().len() <= MAX_COUNTS_BYTES);
        json.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default()
    };
    let (usage, tier) = (parse(body.usage), parse(body.service_tier));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_ascii_lowercase);
    let header = |name| response.header(name).map(str::to_ascii_lowercase);
    // Anthropic's `speed` determines the price, also with the tier `standard`.
    let tier = text(usage.get("speed").filter(|speed| *speed == "fast"))
        .or_else(|| text(Some(&tier)))
        .or_else(|| text(tier.get("type")))
        .or_else(|| text(usage.get("service_tier").or(usage.get("serviceTier"))))
        .or_else(|| header("x-amzn-bedrock-service-tier"))
        .or_else(|| header("x-gemini-service-tier"));
    let is_us_only = usage.get("inference_geo").is_some_and(|geo| geo == "us");
    Billing { tier, is_us_only, long_cache_write_tokens: long_cache_write_tokens(&usage) }
}

fn long_cache_write_tokens(usage: &Value) -> Option<u64> {
    // Anthropic and OpenAI have an object with a count for each lifetime.
    for (pointer, long) in [
        ("/cache_creation", "ephemeral_1h_input_tokens"),
        ("/prompt_tokens_details/cache_write_tokens_details", "ttl_12h"),
        ("/input_tokens_details/cache_write_tokens_details", "ttl_12h_tokens"),
    ] {
        if let Some(counts) = usage.pointer(pointer).and_then(Value::as_object) {
            return Some(counts.get(long).and_then(Value::as_u64).unwrap_or(0));
        }
    }
    let details = usage.get("cacheDetails")?.as_array()?;
    let is_long = |detail: &&Value| detail.get("ttl").is_some_and(|ttl| ttl == "1h");
    let tokens = |detail: &Value| detail.get("inputTokens")?.as_u64();
    Some(details.iter().filter(is_long).filter_map(tokens).fold(0, u64::saturating_add))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::{Billing, read_billing};
    use crate::wire::WireReply;

    #[test]
    fn tiers_and_lifetimes_of_caches_are_read() {
        let cases = [
            (json!({ "service_tier": "flex", "usage": {} }), Some("flex"), None),
            (json!({ "service_tier": null }), None, None),
            (json!({ "serviceTier": { "type": "priority" } }), Some("priority"), None),
            (json!({ "usageMetadata": { "serviceTier": "FLEX" } }), Some("flex"), None),
            (
                json!({ "usage": {
                    "service_tier": "standard", "speed": "fast",
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2
                    }
                } }),
                Some("fast"),
                Some(2),
            ),
            (
                json!({ "usage": { "service_tier": "batch", "speed": "standard" } }),
                Some("batch"),
                None,
            ),
            (
                json!({ "usage": { "prompt_tokens_details": {
                    "cache_write_tokens_details": { "ttl_30m": 5, "ttl_12h": 7 }
                } } }),
                None,
                Some(7),
            ),
            (
                json!({ "service_tier": "priority", "usage": { "input_tokens_details": {
                    "cache_write_tokens_details": { "ttl_30m_tokens": 5, "ttl_12h_tokens": 7 }
                } } }),
                Some("priority"),
                Some(7),
            ),
            (
                json!({ "usage": { "cacheDetails": [
                    { "ttl": "1h", "inputTokens": 3 }, { "ttl": "5m", "inputTokens": 4 }
                ] } }),
                None,
                Some(3),
            ),
            (json!({ "usage": 7, "service_tier": [] }), None, None),
        ];
        for (body, tier, long_cache_write_tokens) in cases {
            let response =
                WireReply { status: 200, headers: HeaderMap::new(), body: body.to_string().into() };
            let tier = tier.map(str::to_owned);
            let expected = Billing { tier, is_us_only: false, long_cache_write_tokens };
            assert_eq!(read_billing(&response), expected, "{body}");
        }
    }

    #[test]
    fn headers_can_contain_the_tier() {
        for name in ["x-amzn-bedrock-service-tier", "x-gemini-service-tier"] {
            let mut headers = HeaderMap::new();
            headers.insert(name, "FLEX".parse().unwrap());
            let response = WireReply { status: 200, headers, body: "{}".into() };
            assert_eq!(read_billing(&response).tier.as_deref(), Some("flex"));
        }
    }
}
