//! The catalog of models, which programs can show. Requests do not need it: their tables are made
//! from it.

use super::prices;

/// Facts about single models as JSON, with the source and the date of each row. `models` is a list
/// of `{provider, model, source, date}` and, if they are known, `context`, `maxOutput` and
/// `minCache` in tokens, `media`, `defaultEffort`, `ends`, `successor` and `prices`. Prices are in
/// US dollars per million tokens, by the date `from` which they hold. `disagrees` contains the
/// parts of a price that another source states differently.
///
/// ```
/// let catalog: serde_json::Value = serde_json::from_str(llm_exe::providers::MODEL_CATALOG)?;
/// let models = catalog["models"].as_array().expect("it is a list");
/// let model = models.iter().find(|model| model["model"] == "claude-opus-5-5");
/// assert_eq!(model.expect("it is known")["context"], 1_000_000);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub const MODEL_CATALOG: &str = include_str!("../../data/catalog.json");

/// Returns the date in UTC in the form that the catalog uses, such as `2026-12-01`.
pub fn today() -> String {
    prices::today()
}

/// Returns the provider and the name under which [`MODEL_CATALOG`] lists a model with its price.
/// The model can have another name in requests, for example with a date, or the ARN of an inference
/// profile.
///
/// ```
/// use llm_exe::providers::catalog_name;
///
/// let listed = catalog_name("openai", "gpt-6-sol-2026-09-22");
/// assert_eq!(listed, Some(("openai", "gpt-6-sol")));
/// assert_eq!(catalog_name("openai", "gpt-99"), None);
/// ```
pub fn catalog_name(provider: &str, model: &str) -> Option<(&'static str, &'static str)> {
    prices::listed_name(provider, model)
}
