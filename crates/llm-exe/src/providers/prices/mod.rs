//! The prices of models, and what calls cost.
//!
//! `table.rs` contains the prices, which `scripts/models` writes. Prices are integers and costs are
//! exact. Nothing is computed before a cost is needed.

mod billing;
mod book;
mod cost;
mod dates;
mod own;
mod rows;
mod table;

use self::rows::Price;
use self::table::{NAMES, PRICES};
use super::bedrock::models::foundation_model;

pub(crate) use billing::{Billing, read_billing};
pub(crate) use book::{CalledModel, PriceBook};
pub use cost::Cost;
pub(crate) use cost::{TokenPrices, amount_of_dollars, format_dollars, highest_prices};
pub(crate) use dates::today;
pub use own::{InvalidPrices, PriceList};

/// The prices of a model.
#[derive(Debug, Clone, Copy)]
struct ModelPrices {
    rows: PriceRows,
    /// Whether the price can depend on something else than the name of the model.
    is_estimate: bool,
}

/// The rows of a model, by date and by the size of the prompt.
#[derive(Debug, Clone, Copy)]
enum PriceRows {
    /// The price that the operator set.
    Own(Price),
    /// The rows of the table.
    Listed(&'static [Price]),
}

impl PriceRows {
    fn as_slice(&self) -> &[Price] {
        match self {
            PriceRows::Own(row) => std::slice::from_ref(row),
            PriceRows::Listed(rows) => rows,
        }
    }
}

/// Finds the prices of the model that replied, or of the requested one if the reply does not name
/// a model. Prices in `own` take precedence. Returns `None` if the prices are not known, or if
/// those in `own` have not been fetched.
fn find_prices(
    own: &PriceList,
    provider: &str,
    requested: &str,
    answered: Option<&str>,
) -> Option<ModelPrices> {
    if own.is_missing() {
        return None;
    }
    let names = answered.into_iter().chain([requested]);
    if let Some(price) = names.filter_map(|name| own.find(provider, name)).next() {
        return Some(ModelPrices { rows: PriceRows::Own(*price), is_estimate: false });
    }
    if provider != "amazon" && !provider.starts_with("amazon:") {
        let rows = find_rows(provider, answered.unwrap_or(requested))?;
        return Some(ModelPrices { rows, is_estimate: false });
    }
    let provider_rows = |model: &str| find_rows("amazon", model);
    // The id states more than the reply, which does not contain the region.
    let Some(name) = foundation_model(requested) else {
        let answered = answered?;
        let of_vendor = |vendor: &&str| provider_rows(&format!("{vendor}.{answered}"));
        let rows = ["anthropic", "openai"].iter().find_map(of_vendor);
        return Some(ModelPrices { rows: rows?, is_estimate: true });
    };
    match provider_rows(name) {
        // The price of an id without the prefix of a profile depends on the region.
        Some(rows) => Some(ModelPrices { rows, is_estimate: profile_model(name).is_none() }),
        None => Some(ModelPrices { rows: provider_rows(profile_model(name)?)?, is_estimate: true }),
    }
}

/// Returns the id of the model in the id of an inference profile, such as
/// `anthropic.claude-opus-5-5` for `us.anthropic.claude-opus-5-5`.
fn profile_model(id: &str) -> Option<&str> {
    let (_, model) = id.split_once('.')?;
    let (vendor, _) = model.split_once('.')?;
    vendor.bytes().all(|byte| byte.is_ascii_lowercase()).then_some(model)
}

/// Returns the provider and the name under which the catalog lists the price of a model, or `None`
/// if its price is not known.
pub(super) fn listed_name(provider: &str, model: &str) -> Option<(&'static str, &'static str)> {
    let is_bedrock = provider == "amazon" || provider.starts_with("amazon:");
    let listed = match is_bedrock {
        true => find_listed("amazon", foundation_model(model)?),
        false => find_listed(provider, model),
    };
    listed.map(|listed| (listed.provider, listed.name))
}

/// A name in the table.
struct ListedModel {
    provider: &'static str,
    name: &'static str,
    index: usize,
}

/// Returns the rows of a model.
fn find_rows(provider: &str, model: &str) -> Option<PriceRows> {
    let index = u16::try_from(find_listed(provider, model)?.index).ok()?;
    let start = PRICES.partition_point(|price| price.model < index);
    let end = PRICES.partition_point(|price| price.model <= index);
    PRICES.get(start..end).filter(|rows| !rows.is_empty()).map(PriceRows::Listed)
}

/// Finds a model by its name, or by its name without a date or version.
fn find_listed(provider: &str, model: &str) -> Option<ListedModel> {
    // A fine-tuned model has the price of its base model's fine-tuned models.
    let base = model.strip_prefix("ft:").and_then(|rest| rest.split(':').next());
    let model = match base {
        Some(base) => model.get(..base.len() + 3)?,
        None if provider == "google" => model.rsplit('/').next()?,
        None => model,
    };
    let mut first = 0;
    for line in NAMES.lines() {
        let mut names = line.split(' ');
        let line_provider = names.next()?;
        if line_provider != provider {
            first += names.count();
            continue;
        }
        let exact = names.clone().position(|name| name == model);
        let same = || names.clone().position(|name| is_same_model(provider, name, model));
        let position = exact.or_else(same)?;
        let name = names.nth(position)?;
        return Some(ListedModel { provider: line_provider, name, index: first + position });
    }
    None
}

/// Returns whether two names differ only in the date or, on Bedrock, because one of them has no
/// version.
fn is_same_model(provider: &str, name: &str, other: &str) -> bool {
    // In the names of other providers, `-v4` is a part of the name of the model.
    let split = |name| if provider == "amazon" { split_version(name) } else { (name, "") };
    let ((name, version), (other, other_version)) = (split(name), split(other));
    let is_same_version =
        version == other_version || version.is_empty() || other_version.is_empty();
    is_same_version && undated(name) == undated(other)
}

/// Splits a name from a version at its end, such as `-v1:0` or `-v1`.
fn split_version(name: &str) -> (&str, &str) {
    let is_version = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
    };
    match name.rsplit_once("-v") {
        Some((before, version)) if is_version(version) => (before, version),
        _ => (name, ""),
    }
}

/// Removes a date from the end of a name.
fn undated(name: &str) -> &str {
    let bytes = name.as_bytes();
    for pattern in [&b"-0000-00-00"[..], b"-00000000", b"@00000000"] {
        let Some(start) = bytes.len().checked_sub(pattern.len()) else { continue };
        let fits = |(byte, expected): (&u8, &u8)| {
            if *expected == b'0' { byte.is_ascii_digit() } else { byte == expected }
        };
        if bytes.iter().skip(start).zip(pattern).all(fits) {
            return name.get(..start).unwrap_or(name);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::rows::{Parts, Price};
    use super::{ModelPrices, PriceList, find_prices, listed_name, split_version, undated};

    /// The catalog from which the table is written.
    fn catalog() -> Value {
        serde_json::from_str(include_str!("../../../data/catalog.json")).unwrap()
    }

    /// Converts USD per million tokens to the unit of the table, by moving the decimal point.
    fn amount(price: Option<&Value>) -> u32 {
        let Some(text) = price.map(|price| price.as_str().unwrap()) else { return u32::MAX };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        assert!(fraction.len() <= 6, "{text}");
        format!("{whole}{fraction:0<6}").parse().unwrap()
    }

    const PARTS: [&str; 5] = ["input", "cachedInput", "cacheWrite", "cacheWriteLong", "output"];

    fn assert_parts(row: &Price, price: &Value, name: &str) {
        let Parts { input, cached_input, cache_write, cache_write_long, output } = row.parts;
        let parts = [input, cached_input, cache_write, cache_write_long, output];
        for (part, field) in parts.into_iter().zip(PARTS) {
            assert_eq!(part, amount(price.get(field)), "{name} {field}");
        }
    }

    #[test]
    fn every_model_of_the_catalog_has_its_price() {
        let catalog = catalog();
        let mut tiers = 0;
        for model in catalog["models"].as_array().unwrap() {
            let (provider, name) = (model["provider"].as_str().unwrap(), &model["model"]);
            let name = name.as_str().unwrap();
            let own = PriceList::default();
            let found = find_prices(&own, provider, name, None);
            let Some(prices) = model["prices"].as_array() else {
                assert!(found.is_none(), "{provider} {name}");
                continue;
            };
            let found = found.unwrap_or_else(|| panic!("{provider} {name} has no price"));
            let rows = found.rows.as_slice();
            for price in prices {
                let date = price["from"].as_str().unwrap_or("0").replace('-', "");
                let above = price["above"].as_array().cloned().unwrap_or_default();
                tiers += above.len();
                let mut of_date = rows.iter().filter(|row| row.from.to_string() == date);
                assert_parts(of_date.next().unwrap(), price, name);
                for (tier, row) in above.iter().zip(&mut of_date) {
                    for field in tier.as_object().unwrap().keys() {
                        let is_part = field == "tokens" || PARTS.contains(&field.as_str());
                        assert!(is_part, "{name}: {field}");
                    }
                    assert_eq!(u64::from(row.above), tier["tokens"], "{name}");
                    let mut expected = price.as_object().unwrap().clone();
                    expected.extend(tier.as_object().unwrap().clone());
                    assert_parts(row, &Value::Object(expected), name);
                }
                assert_eq!(of_date.count(), 0, "{name}");
            }
        }
        assert!(tiers > 20, "{tiers}");
    }

    #[test]
    fn prices_are_found_by_names_of_the_same_model() {
        let own = PriceList::default();
        let same = |(provider, requested, answered), (other_provider, other)| {
            let found = find_prices(&own, provider, requested, answered).unwrap();
            let expected = find_prices(&own, other_provider, other, None).unwrap();
            let message = format!("{provider} {requested} {answered:?}");
            let rows = |prices: &ModelPrices| prices.rows.as_slice().as_ptr();
            assert_eq!(rows(&found), rows(&expected), "{message}");
            found.is_estimate
        };
        for (provider, requested, answered, expected) in [
            ("openai", "gpt-6-sol", Some("gpt-6-sol-2026-09-22"), "gpt-6-sol"),
            ("openai", "chat-latest", Some("gpt-6-luna"), "gpt-6-luna"),
            ("openai", "gpt-4o-2024-11-20", None, "gpt-4o"),
            ("openai", "ft:gpt-4o-2024-08-06:me::abc", None, "ft:gpt-4o-2024-08-06"),
            ("anthropic", "claude-opus-5-5", Some("claude-opus-5-5-20260922"), "claude-opus-5-5"),
            ("google", "models/gemini-3.8-flash", None, "gemini-3.8-flash"),
        ] {
            assert!(!same((provider, requested, answered), (provider, expected)));
        }
        let arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5-5";
        let application = "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12";
        for (provider, requested, answered, expected, is_estimate) in [
            ("amazon", "us.anthropic.claude-opus-5-5", None, "us.anthropic.claude-opus-5-5", false),
            ("amazon", arn, Some("claude-opus-5-5"), "us.anthropic.claude-opus-5-5", false),
            (
                "amazon:anthropic",
                application,
                Some("claude-opus-5-5"),
                "anthropic.claude-opus-5-5",
                true,
            ),
            ("amazon:openai", "us.openai.gpt-6-sol", Some("m"), "us.openai.gpt-6-sol", false),
            ("amazon:openai", "openai.gpt-6-sol", Some("m"), "openai.gpt-6-sol", true),
            ("amazon:openai", application, Some("gpt-6-sol"), "openai.gpt-6-sol", true),
            ("amazon", "anthropic.claude-opus-5-5", None, "anthropic.claude-opus-5-5", true),
            ("amazon:nova", "ca.amazon.nova-lite-v1:0", None, "amazon.nova-lite-v1:0", true),
            (
                "amazon",
                "us.anthropic.claude-opus-4-5",
                None,
                "us.anthropic.claude-opus-4-5-20251101-v1:0",
                false,
            ),
            ("amazon", "deepseek.v3.2", None, "deepseek.v3.2", true),
        ] {
            let found = same((provider, requested, answered), ("amazon", expected));
            assert_eq!(found, is_estimate, "{requested}");
        }
    }

    #[test]
    fn models_are_listed_under_names_of_the_catalog() {
        let arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5-5";
        let profile = "us.anthropic.claude-opus-5-5";
        for (provider, model, expected) in [
            ("openai", "gpt-6-sol-2026-09-22", Some(("openai", "gpt-6-sol"))),
            ("google", "models/gemini-3.8-flash", Some(("google", "gemini-3.8-flash"))),
            ("amazon:anthropic", profile, Some(("amazon", profile))),
            ("amazon", arn, Some(("amazon", profile))),
            ("openai", "gpt-7-sol", None),
            ("azure", "gpt-6-sol", None),
        ] {
            assert_eq!(listed_name(provider, model), expected, "{provider} {model}");
        }
    }

    #[test]
    fn unknown_models_have_no_price() {
        let application = "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12";
        for (provider, requested, answered) in [
            ("openai", "gpt-7-sol", None),
            ("openai", "gpt-6-sol-mini", None),
            ("openai", "gpt-6-sol", Some("another-model")),
            ("openai", "ft:gpt-7:me", None),
            ("openai", "claude-opus-5-5", None),
            ("openai", "", None),
            ("anthropic", "claude-opus-6", None),
            ("ollama", "qwen3", None),
            ("local", "gpt-4o", None),
            ("amazon", application, None),
            ("amazon", "anthropic.claude-opus-6", None),
            ("amazon", "", None),
            ("amazon", "us.", None),
            // Other versions are other models.
            ("deepseek", "deepseek-v5", None),
            ("deepseek", "deepseek", None),
            ("anthropic", "claude-v9", None),
            ("amazon", "amazon.nova-lite-v2:0", None),
            ("amazon", "us.amazon.nova-2-lite-v2:0", None),
            ("amazon", "anthropic.claude-v3", None),
            ("amazonas", "amazon.nova-lite-v1:0", None),
        ] {
            let own = PriceList::default();
            let found = find_prices(&own, provider, requested, answered);
            assert!(found.is_none(), "{provider} {requested}");
        }
    }

    #[test]
    fn versions_are_split_from_names_on_bedrock() {
        for (name, expected) in [
            ("us.anthropic.claude-opus-4-5-v1:0", ("us.anthropic.claude-opus-4-5", "1:0")),
            ("anthropic.claude-opus-4-6-v1", ("anthropic.claude-opus-4-6", "1")),
            ("anthropic.claude-v2:1", ("anthropic.claude", "2:1")),
            ("deepseek.v3.2", ("deepseek.v3.2", "")),
            ("nvidia.nemotron-nano-9b-v2", ("nvidia.nemotron-nano-9b", "2")),
            ("mistral.voxtral-vision", ("mistral.voxtral-vision", "")),
            ("a-v", ("a-v", "")),
            ("", ("", "")),
        ] {
            assert_eq!(split_version(name), expected, "{name}");
        }
    }

    #[test]
    fn dates_are_not_a_part_of_the_name() {
        for (name, expected) in [
            ("gpt-4o-2024-11-20", "gpt-4o"),
            ("claude-opus-4-5-20251101", "claude-opus-4-5"),
            ("claude-opus-4-5@20251101", "claude-opus-4-5"),
            ("gpt-4-0613", "gpt-4-0613"),
            ("grok-4.20-0309", "grok-4.20-0309"),
            ("modèle-2024-11-20", "modèle"),
            ("-2024-11-20", ""),
            ("é", "é"),
            ("", ""),
        ] {
            assert_eq!(undated(name), expected, "{name}");
        }
    }
}
