//! Reads what a response states about its price, besides the token counts.
//!
//! It is read for all dialects in one place, because the names of the fields do not conflict. Most
//! responses state only what is the default, which a search for the names finds out.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chat::Usage;
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

/// The headers that can contain the tier.
const TIER_HEADERS: [&str; 2] = ["x-amzn-bedrock-service-tier", "x-gemini-service-tier"];

/// Returns whether a response can state something that changes the price of tokens that are not
/// written to a cache.
fn may_change_price(provider: &str, response: &WireReply) -> bool {
    let body = &response.body;
    // Anthropic states more than the tier.
    let is_anthropic = provider == "anthropic" || provider.starts_with("amazon");
    (is_anthropic && states_speed_or_place(body))
        || states_other_tier(body)
        || TIER_HEADERS.iter().any(|name| response.headers.contains_key(*name))
}

/// Returns whether a body contains the names `speed` or `inference_geo`. A quote inside of a string
/// is escaped, so a name between two quotes is the name of a field or a whole string.
fn states_speed_or_place(body: &[u8]) -> bool {
    let mut start = 0;
    memchr::memchr_iter(b'"', body).any(|end| {
        let part = body.get(std::mem::replace(&mut start, end + 1)..end);
        matches!(part, Some(b"speed" | b"inference_geo"))
    })
}

/// Returns whether a body contains the name of the tier with another value than the default. The
/// names are found by their only `v`, because bodies contain far more quotes.
fn states_other_tier(body: &[u8]) -> bool {
    memchr::memchr_iter(b'v', body).any(|at| {
        let Some((b"\"ser", rest)) =
            body.get(at.wrapping_sub(4)..).and_then(|it| it.split_at_checked(4))
        else {
            return false;
        };
        let Some(rest) = rest.strip_prefix(b"vice") else { return false };
        let name = [&b"_tier\""[..], b"Tier\""];
        let Some(rest) = name.iter().find_map(|name| rest.strip_prefix(*name)) else {
            return false;
        };
        let value = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        let is_default =
            |value: &[u8]| value.starts_with(b"\"default\"") || value.starts_with(b"\"standard\"");
        // Without a colon, it is the end of a string and not a name.
        value.is_some_and(|value| !is_default(value))
    })
}

/// Reads what a successful response of a provider with these token counts states about its price.
pub(crate) fn read_billing(provider: &str, response: &WireReply, usage: Usage) -> Billing {
    if usage.cache_write_tokens == 0 && !may_change_price(provider, response) {
        return Billing::default();
    }
    parse_billing(response)
}

fn parse_billing(response: &WireReply) -> Billing {
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
        .or_else(|| TIER_HEADERS.into_iter().find_map(header));
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

    use super::{Billing, may_change_price, parse_billing, read_billing};
    use crate::chat::Usage;
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
            assert_eq!(parse_billing(&response), expected, "{body}");
            let is_default = expected.tier.is_none() || long_cache_write_tokens.is_some();
            assert!(may_change_price("anthropic", &response) || is_default, "{body}");
        }
    }

    #[test]
    fn headers_can_contain_the_tier() {
        for name in ["x-amzn-bedrock-service-tier", "x-gemini-service-tier"] {
            let mut headers = HeaderMap::new();
            headers.insert(name, "FLEX".parse().unwrap());
            let response = WireReply { status: 200, headers, body: "{}".into() };
            let billing = read_billing("google", &response, Usage::default());
            assert_eq!(billing.tier.as_deref(), Some("flex"));
        }
    }

    #[test]
    fn responses_without_a_special_price_are_not_parsed_again() {
        for (body, expected) in [
            (r#"{"service_tier": "default", "x": "\"speed\""}"#, false),
            (r#"{"service_tier":"standard"}"#, false),
            (r#"{"x": "the \"service_tier\" is flex"}"#, false),
            (r#"{"service_tier":"flex"}"#, true),
            (r#"{"service_tier":null}"#, true),
            (r#"{"serviceTier":{"type":"default"}}"#, true),
            (r#"{"usage":{"speed":"fast"}}"#, true),
            (r#"{"service_tier":"default","usage":{"inference_geo":"us"}}"#, true),
            (r#"{"x": "service_tier", "service_tier" : "default"}"#, false),
            (r#"{"service_tier"  :  "default_2"}"#, true),
            (r#"{"service_tier""#, false),
            (r#"{"service_tier":"#, true),
            ("vice_tier\":1", false),
            ("v", false),
            ("", false),
        ] {
            let headers = HeaderMap::new();
            let response = WireReply { status: 200, headers, body: body.into() };
            assert_eq!(may_change_price("anthropic", &response), expected, "{body}");
            let is_of_anthropic = body.contains("speed\":\"") || body.contains("inference_geo");
            let expected = expected && !is_of_anthropic;
            assert_eq!(may_change_price("openai", &response), expected, "{body}");
        }
    }
}
