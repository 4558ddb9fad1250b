//! What wins: the one function in which the precedence of a request's parts exists.

use serde_json::{Map, Value};

/// Fields that are merged key by key; the others are replaced whole.
pub(super) const MERGED: &[&str] = &["data", "options"];

/// The request that layers make, the weakest first: defaults, then the hosted config, then what
/// the caller wrote. `providor` is made `provider` before; `data` and `options` merge key by key,
/// the rest is replaced whole; `null` is the same as leaving a field out.
pub fn merge(layers: impl IntoIterator<Item = Map<String, Value>>) -> Map<String, Value> {
    let mut merged = Map::new();
    for mut layer in layers {
        respell(&mut layer);
        for (name, value) in layer {
            if value.is_null() {
                continue;
            }
            match (merged.get_mut(&name), value) {
                (Some(Value::Object(below)), Value::Object(above))
                    if MERGED.contains(&name.as_str()) =>
                {
                    // In `data`, null is a value like any other.
                    let stays = |value: &Value| name == "data" || !value.is_null();
                    below.extend(above.into_iter().filter(|(_, value)| stays(value)));
                }
                (_, value) => {
                    merged.insert(name, value);
                }
            }
        }
    }
    merged
}

/// Makes `providor` `provider`, and two fields of a provider and a model in one, so that each layer
/// says for itself what it means. Where they contradict each other, they are left to the request's
/// own check, which refuses them.
pub(super) fn respell(fields: &mut Map<String, Value>) {
    rename(fields);
    let Some((provider, model)) = fields.get("provider").and_then(Value::as_str).and_then(in_one)
    else {
        return;
    };
    let known = fields.get("model").filter(|known| !known.is_null());
    if known.is_none_or(|known| *known == model) {
        let (provider, model) = (Value::from(provider), Value::from(model));
        fields.insert("provider".to_owned(), provider);
        fields.insert("model".to_owned(), model);
    }
}

/// The provider and the model of `openai.gpt-4o-mini`; `openai.chat.v1` names no model.
fn in_one(written: &str) -> Option<(&str, &str)> {
    let (provider, model) = written.split_once('.')?;
    (!matches!(model, "" | "chat" | "chat.v1")).then_some((provider, model))
}

fn rename(fields: &mut Map<String, Value>) {
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
