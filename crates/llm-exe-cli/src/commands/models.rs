//! The command `llm-exe models`, which lists models with their capabilities and prices.

use std::process::ExitCode;

use llm_exe::providers::{
    Capability, MODEL_CATALOG, PROVIDERS, capabilities, capability_of, catalog_name, today,
};
use llm_exe::{ErrorKind, Providers, json, matches_glob, suggestion};
use serde_json::{Map, Value, json};

use crate::args::Models;
use crate::output;

/// A model of the catalog, or a row of a table of capabilities without models in the catalog.
struct Model {
    provider: String,
    /// The name, or the patterns of the row.
    name: String,
    capability: Capability,
    /// The row of the catalog, which is empty for a model that it does not contain.
    facts: Map<String, Value>,
}

/// Runs the command and returns its exit code.
pub(crate) fn run(args: &Models) -> ExitCode {
    let catalog: Value = match serde_json::from_str(MODEL_CATALOG) {
        Ok(catalog) => catalog,
        Err(error) => {
            return output::print_startup_error(&format!("catalog.json: {error}"), args.json);
        }
    };
    let today = today();
    if let Some(warning) = age_warning(&catalog, &today) {
        output::print_warning(&warning, args.json);
    }
    let models = known_models(&catalog);
    let (selected, is_unknown) = match select(models, args.pattern.as_deref(), args.json) {
        Ok(selected) => selected,
        Err(message) => {
            let error = llm_exe::Error::new(ErrorKind::InvalidRequest, message);
            return output::print_error(&error, args.json);
        }
    };
    if args.json {
        let rows = selected.iter().map(|model| to_json(model, &today));
        return output::print(&Value::Array(rows.collect()).to_string());
    }
    match selected.as_slice() {
        [model] => output::print(&describe(model, is_unknown, &today)),
        models => output::print(&table(models, &today)),
    }
}

/// Returns a warning if the newest facts of the catalog are older than a year.
fn age_warning(catalog: &Value, today: &str) -> Option<String> {
    let packages = catalog.get("packages")?.as_object()?.values();
    let newest = packages.filter_map(|package| package.get("date")?.as_str()).max()?;
    let (year, day) = newest.split_at_checked(4)?;
    let limit = format!("{:04}{day}", year.parse::<u32>().ok()? + 1);
    (*today > *limit).then(|| {
        format!(
            "the facts about models are of {newest}; a newer version of llm-exe can have others"
        )
    })
}

/// Returns the models of the catalog, and the rows of the tables for providers without any.
fn known_models(catalog: &Value) -> Vec<Model> {
    let rows = capabilities();
    let empty = Vec::new();
    let entries = catalog.get("models").and_then(Value::as_array).unwrap_or(&empty);
    let mut models: Vec<Model> = Vec::with_capacity(entries.len());
    for entry in entries {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let (provider, name) = (text("provider"), text("model"));
        let Some(capability) = find_capability(&rows, provider, name) else { continue };
        let facts = entry.as_object().cloned().unwrap_or_default();
        models.push(Model {
            provider: provider.to_owned(),
            name: name.to_owned(),
            capability,
            facts,
        });
    }
    let has_models =
        |row: &Capability| entries.iter().any(|entry| entry["provider"] == row.provider);
    for row in rows.iter().filter(|row| !has_models(row)) {
        let (provider, name) = (row.provider.to_owned(), row.models.replace(' ', ", "));
        models.push(Model { provider, name, capability: row.clone(), facts: Map::new() });
    }
    models
}

fn find_capability(rows: &[Capability], provider: &str, model: &str) -> Option<Capability> {
    let found = capability_of(provider, model)?;
    rows.iter().find(|row| (row.provider, row.models) == found).cloned()
}

/// Selects the models with a name, or those of a provider. A model that the catalog does not
/// contain is only described if its provider is given. The second value states whether this is the
/// case.
///
/// # Errors
/// Returns a message if no model matches the pattern.
fn select(
    models: Vec<Model>,
    pattern: Option<&str>,
    as_json: bool,
) -> Result<(Vec<Model>, bool), String> {
    let Some(pattern) = pattern else { return Ok((models, false)) };
    let provider = pattern.strip_suffix(':').unwrap_or(pattern);
    if models.iter().any(|model| model.provider == provider) {
        let of_provider = models.into_iter().filter(|model| model.provider == provider);
        return Ok((of_provider.collect(), false));
    }
    let names: Vec<String> = models.iter().map(Model::full_name).collect();
    let is_selected = |model: &Model| {
        let full = model.full_name();
        matches_glob(pattern, &model.name) || matches_glob(pattern, &full)
    };
    let (selected, others): (Vec<Model>, Vec<Model>) = models.into_iter().partition(is_selected);
    if !selected.is_empty() {
        return Ok((selected, false));
    }
    let known = suggestion(pattern, &names);
    let short: Vec<&str> = others.iter().map(|model| model.name.as_str()).collect();
    let hint = if known.is_empty() { suggestion(pattern, &short) } else { known };
    let quoted = json::quoted(pattern);
    let unknown = || format!("no model is named {quoted}{hint}; llm-exe models lists all");
    if pattern.contains('*') {
        return Err(format!("no model matches {quoted}{hint}; llm-exe models lists all"));
    }
    let providers = Providers::default();
    let row = PROVIDERS
        .iter()
        .filter(|row| pattern.strip_prefix(row.name).is_some_and(|rest| rest.starts_with(':')))
        .max_by_key(|row| row.name.len());
    let Some(row) = row else {
        let names: Vec<String> = providers.all().map(|it| it.name().to_owned()).collect();
        return Err(match pattern.split_once(':') {
            Some((prefix, _)) if !suggestion(prefix, &names).is_empty() => {
                let hint = suggestion(prefix, &names);
                format!("unknown provider {}{hint}", json::quoted(prefix))
            }
            _ => unknown(),
        });
    };
    let name = pattern.get(row.name.len() + 1..).unwrap_or_default();
    if name.is_empty() {
        return Err(unknown());
    }
    let capability = find_capability(&capabilities(), row.name, name).ok_or_else(|| {
        format!("nothing is known about {quoted}; a request with any options can be sent to it")
    })?;
    let listed = catalog_name(row.name, name);
    let listed = others.iter().find(|model| listed == Some((&model.provider, &model.name)));
    let is_unknown = listed.is_none();
    if is_unknown {
        output::print_warning(&format!("{quoted} is not in the catalog{hint}"), as_json);
    }
    let model = Model {
        provider: row.name.to_owned(),
        name: name.to_owned(),
        capability,
        facts: listed.map(|model| model.facts.clone()).unwrap_or_default(),
    };
    Ok((vec![model], is_unknown))
}

impl Model {
    /// Returns the name with the provider, as `--model` accepts it.
    fn full_name(&self) -> String {
        format!("{}:{}", self.provider, self.name)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.facts.get(name)?.as_u64()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.facts.get(name)?.as_str()
    }

    fn max_output(&self) -> Option<u64> {
        self.capability.max_output.map(u64::from).or_else(|| self.number("maxOutput"))
    }

    /// Returns the price that holds on a date, and the prices that hold later.
    fn prices(&self, today: &str) -> (Option<&Value>, Vec<&Value>) {
        let prices = self.facts.get("prices").and_then(Value::as_array);
        let mut prices: Vec<&Value> = prices.map(|it| it.iter().collect()).unwrap_or_default();
        prices.sort_by_key(|price| from(price));
        let later = prices.split_off(prices.partition_point(|price| from(price) <= today));
        (prices.pop(), later)
    }
}

fn from(price: &Value) -> &str {
    price.get("from").and_then(Value::as_str).unwrap_or_default()
}

fn to_json(model: &Model, today: &str) -> Value {
    let capability = &model.capability;
    let mut row = json!({
        "provider": model.provider,
        "model": model.name,
        "row": capability.models,
        "effort": capability.effort,
        "maxOutput": model.max_output(),
        "structuredOutput": capability.structured,
        "notSupported": capability.unsupported,
    });
    let Some(fields) = row.as_object_mut() else { return row };
    for name in ["context", "minCache", "media", "apis", "defaultEffort", "ends", "successor"] {
        fields.insert(name.to_owned(), model.facts.get(name).cloned().unwrap_or_default());
    }
    let (price, later) = model.prices(today);
    fields.insert("price".to_owned(), price.cloned().unwrap_or_default());
    fields.insert("laterPrices".to_owned(), later.into_iter().cloned().collect());
    for name in ["disagrees", "source", "date"] {
        fields.insert(name.to_owned(), model.facts.get(name).cloned().unwrap_or_default());
    }
    row
}

/// Formats the models as a table with a line for each.
fn table(models: &[Model], today: &str) -> String {
    let header = [
        "model",
        "context",
        "max output",
        "effort",
        "structured output",
        "input",
        "cached",
        "output",
    ];
    let rows = models.iter().map(|model| {
        let (price, _) = model.prices(today);
        let part = |name: &str| {
            let part = price.and_then(|price| price.get(name)).and_then(Value::as_str);
            part.unwrap_or("-").to_owned()
        };
        [
            model.full_name(),
            tokens(model.number("context")),
            tokens(model.max_output()),
            model.capability.effort.clone(),
            model.capability.structured.to_owned(),
            part("input"),
            part("cachedInput"),
            part("output"),
        ]
    });
    let rows: Vec<[String; 8]> = std::iter::once(header.map(str::to_owned)).chain(rows).collect();
    output::align_columns(&rows)
}

fn tokens(number: Option<u64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

/// Describes one model with a line for each fact.
fn describe(model: &Model, is_unknown: bool, today: &str) -> String {
    let capability = &model.capability;
    let mut lines: Vec<[String; 2]> = Vec::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push([name.to_owned(), value]);
        }
    };
    add("model", model.full_name());
    add("capabilities of", capability.models.replace(' ', ", "));
    add("effort", capability.effort.clone());
    add("default effort", model.text("defaultEffort").unwrap_or_default().to_owned());
    add("context", tokens(model.number("context")));
    add("max output", tokens(model.max_output()));
    add("structured output", capability.structured.to_owned());
    add("not supported", capability.unsupported.clone());
    let media = model.facts.get("media").and_then(Value::as_array);
    let media = media.into_iter().flatten().filter_map(Value::as_str);
    add("accepts", media.collect::<Vec<_>>().join(", "));
    let apis = model.facts.get("apis").and_then(Value::as_array);
    let apis = apis.into_iter().flatten().filter_map(Value::as_str);
    add("APIs", apis.collect::<Vec<_>>().join(", "));
    add("minimum to cache", model.number("minCache").map(|it| it.to_string()).unwrap_or_default());
    let (price, later) = model.prices(today);
    match price {
        Some(price) => add_price(&mut add, "USD per million", price),
        None => add("USD per million", "not known".to_owned()),
    }
    for price in later {
        add_price(&mut add, &format!("from {}", from(price)), price);
    }
    add("another source", model.text("disagrees").unwrap_or_default().to_owned());
    let successor = model.text("successor").map(|name| format!(", use {name}")).unwrap_or_default();
    add(
        "shut down",
        model.text("ends").map(|date| format!("{date}{successor}")).unwrap_or_default(),
    );
    let source = match (model.text("source"), model.text("date")) {
        (Some(source), Some(date)) => format!("{source} ({date})"),
        _ if is_unknown => "not in the catalog".to_owned(),
        _ => "models.toml".to_owned(),
    };
    add("source", source);
    output::align_columns(&lines)
}

fn add_price(add: &mut impl FnMut(&str, String), name: &str, price: &Value) {
    let parts = |price: &Value| {
        let parts = [
            ("input", "input"),
            ("cachedInput", "cached"),
            ("cacheWrite", "cache write"),
            ("cacheWriteLong", "cache write for an hour or more"),
            ("output", "output"),
        ];
        let part =
            |(field, label): (&str, &str)| Some(format!("{label} {}", price.get(field)?.as_str()?));
        parts.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
    };
    add(name, parts(price));
    let above = price.get("above").and_then(Value::as_array);
    for tier in above.into_iter().flatten() {
        let limit = tokens(tier.get("tokens").and_then(Value::as_u64));
        add(&format!("  above {limit} tokens"), parts(tier));
    }
    let factors = price.get("factors").and_then(Value::as_object);
    let factors = factors.into_iter().flatten();
    let factors = factors.filter_map(|(tier, factor)| Some(format!("{tier} {}", factor.as_str()?)));
    add("  factors", factors.collect::<Vec<_>>().join(", "));
    if let Some(off_peak) = price.get("offPeak") {
        let hours = off_peak.get("hours").and_then(Value::as_array);
        let hours = hours.into_iter().flatten().map(Value::to_string);
        let hours = hours.collect::<Vec<_>>().join(", ");
        let factor = off_peak.get("factor").and_then(Value::as_str).unwrap_or_default();
        add("  off-peak", format!("{factor} at weekends and at the hours {hours} (UTC)"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::age_warning;

    #[test]
    fn facts_older_than_a_year_are_reported() {
        let catalog =
            json!({ "packages": { "a": { "date": "2026-11-20" }, "b": { "date": "2026-11-10" } } });
        assert_eq!(age_warning(&catalog, "2026-12-01"), None);
        assert_eq!(age_warning(&catalog, "2027-11-20"), None);
        let warning = age_warning(&catalog, "2027-11-21").unwrap();
        assert!(warning.contains("2026-11-20"), "{warning}");
        assert_eq!(age_warning(&json!({}), "2027-11-21"), None);
    }
}
