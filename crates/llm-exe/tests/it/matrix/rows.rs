//! Selects the models of the matrix from the data: the catalog, the capability tables and the wire
//! cases.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::LazyLock;

use llm_exe::providers::{MODEL_CATALOG, PROVIDERS, ProviderRow, capabilities, capability_of};
use serde_json::Value;

use crate::common::{provider_field, root, wire_cases};

static CATALOG: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(MODEL_CATALOG).unwrap());

/// The date of the newest fact about models.
pub(super) static DATE: LazyLock<String> = LazyLock::new(|| {
    let text = std::fs::read_to_string(root().join("crates/llm-exe/data/models.toml")).unwrap();
    let of_rows = text.lines().filter_map(|line| line.strip_prefix("date = "));
    let models = CATALOG["models"].as_array().unwrap().iter();
    let of_models = models.map(|model| model["date"].as_str().unwrap());
    of_rows.chain(of_models).max().unwrap().to_owned()
});

/// A model of a provider.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) provider: &'static ProviderRow,
    pub(super) model: String,
}

/// Returns the models of some providers in the order of the tables: for each row of a capability
/// table, the first model that uses it.
pub(super) fn rows(providers: &[String]) -> Vec<Row> {
    let is_selected = |row: &&ProviderRow| providers.iter().any(|name| name == row.name);
    let mut rows = Vec::new();
    for provider in PROVIDERS.iter().filter(is_selected) {
        let models = first_models(provider).into_iter();
        rows.extend(models.map(|model| Row { provider, model }));
    }
    rows
}

/// Returns a model of each row of a provider's table: the one that a pattern of the row names, or
/// else the first one.
fn first_models(provider: &ProviderRow) -> Vec<String> {
    let table = capabilities();
    let mut models: BTreeMap<usize, String> = BTreeMap::new();
    for model in names(provider) {
        let used = capability_of(provider.name, &model);
        let is_used = |(owner, patterns)| {
            table.iter().position(|row| (row.provider, row.models) == (owner, patterns))
        };
        let index = used.and_then(is_used).unwrap_or(table.len());
        let mut patterns = used.map_or("", |(_, patterns)| patterns).split(' ');
        let is_named = patterns.any(|pattern| pattern.trim_end_matches('*') == model);
        match models.entry(index) {
            Entry::Vacant(entry) => drop(entry.insert(model)),
            Entry::Occupied(mut entry) if is_named => drop(entry.insert(model)),
            Entry::Occupied(_) => {}
        }
    }
    models.into_values().collect()
}

/// Returns the names of a provider's models: those of the catalog, or else those of its wire cases,
/// beginning with its usual model and the shortest names.
fn names(provider: &ProviderRow) -> Vec<String> {
    let listed = listed_names(provider.name);
    if !listed.is_empty() {
        return listed;
    }
    let cases = wire_cases(provider.name);
    let sent = cases.values().filter(|case| case.get("wire").is_some());
    let models = sent.filter_map(|case| case["request"]["model"].as_str());
    // An ARN contains the number of an account.
    let models =
        models.filter(|model| !model.starts_with("arn:") && is_running(provider.name, model));
    let mut names: Vec<String> = models.map(str::to_owned).collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    names.insert(0, provider_field(provider.name, "model"));
    names
}

/// Returns whether a model of another provider's table is not shut down there: whether the catalog
/// lists a model of the same row.
fn is_running(provider: &str, model: &str) -> bool {
    let Some((owner, patterns)) = capability_of(provider, model) else { return true };
    let listed = if owner == provider { Vec::new() } else { listed_names(owner) };
    let has_row = |name: &String| capability_of(owner, name) == Some((owner, patterns));
    listed.is_empty() || patterns == "*" || listed.iter().any(has_row)
}

/// Returns the names of a provider's models in the catalog, except for fine-tuned ones and those
/// that are shut down. genai-prices also lists models that were shut down, without the date, so it
/// is not enough as the source of a model.
fn listed_names(provider: &str) -> Vec<String> {
    let date = &*DATE;
    let is_running = |model: &&Value| {
        let source = model["source"].as_str().unwrap();
        let ends = model["ends"].as_str();
        ends.is_none_or(|ends| ends > &**date) && !source.starts_with("genai-prices")
    };
    let listed = CATALOG["models"].as_array().unwrap().iter();
    let listed = listed.filter(|model| model["provider"] == provider).filter(is_running);
    let names = listed.map(|model| model["model"].as_str().unwrap());
    names.filter(|name| !name.starts_with("ft:")).map(str::to_owned).collect()
}
