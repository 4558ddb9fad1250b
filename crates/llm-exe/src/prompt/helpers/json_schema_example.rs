//! Implements `jsonSchemaExample`, which creates an example value for a JSON Schema. The example is
//! one level deep.

use serde_json::{Map, Value as Json};

use super::args::Args;
use super::fallback::{at_path, key};
use super::json::{indentation, to_json_text};
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;

/// Implements `{{jsonSchemaExample "schema" "description"}}`. The first argument is the key of a
/// schema in the context, and the second is the name of a keyword. The example maps each property
/// to the value of this keyword in the property's schema. Without a keyword, the example contains
/// only the properties that have a `default`. If the third argument is `true`, the example is on
/// one line.
pub(super) fn json_schema_example<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let schema = at_path(args.this, key(args)?);
    let kind = schema.property("type");
    if !kind.is_truthy() {
        return Ok(Value::Text(""));
    }
    let keyword = args.get(1);
    if keyword.is_truthy() && keyword.as_text().is_none() {
        return Err(RenderError::helper("expects a quoted keyword as its second argument"));
    }
    let keyword = keyword.as_text().filter(|name| !name.is_empty());
    let example = if kind.as_text() == Some("array") {
        Json::Array(vec![create_element_example(&schema.property("items"), keyword, budget)?])
    } else {
        create_object_example(&schema, keyword, budget)?
    };
    to_json_text(&Value::from(&example), indentation(&args.get(2)), budget)
}

/// Creates the single element of an example array.
fn create_element_example(
    items: &Value<'_>,
    keyword: Option<&str>,
    budget: &mut Budget,
) -> Result<Json, RenderError> {
    if items.is_truthy() {
        create_object_example(items, keyword, budget)
    } else {
        Ok(Json::Object(Map::new()))
    }
}

/// Creates an example for an object schema. For any other schema, the example is empty.
fn create_object_example(
    schema: &Value<'_>,
    keyword: Option<&str>,
    budget: &mut Budget,
) -> Result<Json, RenderError> {
    let mut example = Map::new();
    let properties = schema.property("properties");
    if is_object_type(&schema.property("type")) && properties.is_truthy() {
        for name in properties.keys(budget)? {
            budget.step()?;
            let property = properties.property(&name);
            let value = match keyword {
                Some(keyword) => Some(keyword_value(&property, keyword)),
                None => default_value(&property),
            };
            if let Some(value) = value {
                example.insert(name.into_owned(), value);
            }
        }
    }
    Ok(Json::Object(example))
}

/// Returns whether a schema's `type` is "object", or an array whose first type other than "null" is
/// "object".
fn is_object_type(kind: &Value<'_>) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").is_some_and(is_object),
        kind => kind.as_text() == Some("object"),
    }
}

fn is_object(kind: &Json) -> bool {
    kind == "object"
}

fn default_value(property: &Value<'_>) -> Option<Json> {
    match property.property("default") {
        Value::Undefined => None,
        _ => Some(keyword_value(property, "default")),
    }
}

/// Returns the value of a keyword in a property's schema, or an empty string if it is missing.
fn keyword_value(property: &Value<'_>, keyword: &str) -> Json {
    match at_path(property, keyword) {
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
