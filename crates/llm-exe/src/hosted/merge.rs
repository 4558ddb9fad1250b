//! Merges the layers of a request, such as defaults, the hosted config and the caller's fields.

use serde_json::{Map, Value};

/// The fields that are merged key by key. All other fields are replaced as a whole.
pub(super) const MERGED_FIELDS: &[&str] = &["data", "options", TAGS];
/// The field whose keys are not overridden by later layers, because they determine to whom costs
/// are attributed.
const TAGS: &str = "tags";

/// Merges layers into one request. Fields of later layers override those of earlier layers.
///
/// The alias `providor` is renamed to `provider` first. `data` and `options` are merged key by key,
/// and so are `tags`, of which those of earlier layers remain. All other fields are replaced as a
/// whole. Fields that are `null` are treated as absent.
pub fn merge(layers: impl IntoIterator<Item = Map<String, Value>>) -> Map<String, Value> {
    let mut merged = Map::new();
    for mut layer in layers {
        normalize_provider(&mut layer);
        for (name, value) in layer {
            if value.is_null() {
                continue;
            }
            match (merged.get_mut(&name), value) {
                (Some(Value::Object(lower)), Value::Object(upper))
                    if MERGED_FIELDS.contains(&name.as_str()) =>
                {
                    if name == TAGS {
                        let tags = upper.into_iter().filter(|(tag, _)| !lower.contains_key(tag));
                        let tags: Vec<_> = tags.collect();
                        lower.extend(tags);
                        continue;
                    }
                    // In `data`, null is an ordinary value that overrides the earlier layer.
                    let is_set = |value: &Value| name == "data" || !value.is_null();
                    lower.extend(upper.into_iter().filter(|(_, value)| is_set(value)));
                }
                (_, value) => {
                    merged.insert(name, value);
                }
            }
        }
    }
    merged
}

/// Renames `providor` to `provider`, and splits a value such as `openai.gpt-4o-mini` into
/// `provider` and `model`, so layers can be merged field by field. Contradictory fields are left
/// unchanged, and request validation rejects them later.
pub(super) fn normalize_provider(fields: &mut Map<String, Value>) {
    rename_providor(fields);
    let provider = fields.get("provider").and_then(Value::as_str);
    let Some((provider, model)) = provider.and_then(split_model) else {
        return;
    };
    let current_model = fields.get("model").filter(|model| !model.is_null());
    if current_model.is_none_or(|current| *current == model) {
        let (provider, model) = (Value::from(provider), Value::from(model));
        fields.insert("provider".to_owned(), provider);
        fields.insert("model".to_owned(), model);
    }
}

/// Splits a value such as `openai.gpt-4o-mini` into the provider and the model. Returns `None` for
/// values such as `openai.chat.v1`, which contain no model.
fn split_model(provider: &str) -> Option<(&str, &str)> {
    let (provider, model) = provider.split_once('.')?;
    (!matches!(model, "" | "chat" | "chat.v1")).then_some((provider, model))
}

fn rename_providor(fields: &mut Map<String, Value>) {
    let Some(providor) = fields.shift_remove("providor").filter(|value| !value.is_null()) else {
        return;
    };
    match fields.get("provider") {
        Some(provider) if !provider.is_null() => {
            if *provider != providor {
                fields.insert("providor".to_owned(), providor);
            }
        }
        _ => {
            fields.insert("provider".to_owned(), providor);
        }
    }
}
