//! `jsonSchemaExample`: what an answer to a JSON Schema could look like, one level deep.

use serde_json::{Map, Value as Json};

use super::Args;
use super::fallback::{at_path, key};
use super::json::{text, width};
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::value::Value;

/// `{{jsonSchemaExample "schema" "description"}}`: the properties of the schema at that key of
/// the context, each with what the schema says under the second name; without one, those that
/// have a default, with it. A third argument, `true`, puts all on one line.
pub(super) fn json_schema_example<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, Fault> {
    let schema = at_path(args.this, key(args)?);
    let kind = schema.property("type");
    if !kind.is_truthy() {
        return Ok(Value::Text(""));
    }
    let named = args.get(1);
    if named.is_truthy() && named.as_text().is_none() {
        return Err(Fault::failed("takes the name of a key as its second argument"));
    }
    let named = named.as_text().filter(|name| !name.is_empty());
    let example = if kind.as_text() == Some("array") {
        Json::Array(vec![list_element(&schema.property("items"), named, budget)?])
    } else {
        object(&schema, named, budget)?
    };
    text(&Value::from(&example), width(&args.get(2)), budget)
}

/// The element of an example list.
fn list_element(
    items: &Value<'_>,
    named: Option<&str>,
    budget: &mut Budget,
) -> Result<Json, Fault> {
    if items.is_truthy() { object(items, named, budget) } else { Ok(Json::Object(Map::new())) }
}

/// An example of what the schema of an object describes; of another schema, an empty object.
fn object(schema: &Value<'_>, named: Option<&str>, budget: &mut Budget) -> Result<Json, Fault> {
    let mut example = Map::new();
    let properties = schema.property("properties");
    if is_object_type(&schema.property("type")) && properties.is_truthy() {
        for name in properties.keys(budget)? {
            budget.step()?;
            let property = properties.property(&name);
            let value = match named {
                Some(named) => Some(said(&property, named)),
                None => default(&property),
            };
            if let Some(value) = value {
                example.insert(name.into_owned(), value);
            }
        }
    }
    Ok(Json::Object(example))
}

/// Whether a schema's `type` says object: alone, or first in a list apart from null.
fn is_object_type(kind: &Value<'_>) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").is_some_and(is_object),
        kind => kind.as_text() == Some("object"),
    }
}

fn is_object(kind: &Json) -> bool {
    kind == "object"
}

fn default(property: &Value<'_>) -> Option<Json> {
    match property.property("default") {
        Value::Undefined => None,
        _ => Some(said(property, "default")),
    }
}

/// What a property's schema says under a name; nothing is an empty text.
fn said(property: &Value<'_>, name: &str) -> Json {
    match at_path(property, name) {
        Value::Undefined => Json::String(String::new()),
        value => to_json(&value),
    }
}

fn to_json(value: &Value<'_>) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => number.to_json(),
        Value::Array(items) => Json::Array((*items).clone()),
        Value::Object(map) => Json::Object((*map).clone()),
        value => value.as_text().map_or(Json::Null, Json::from),
    }
}
