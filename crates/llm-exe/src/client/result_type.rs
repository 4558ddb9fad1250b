//! Makes the result of a request a value of a Rust type.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use super::type_schema::{self, TypeSchema};
use crate::error::Problem;
use crate::parsers::{Parsers, ResultType};
use crate::request::Request;
use crate::schema::Schema;

/// Functions of a result type, which a request stores instead of the type.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypeFunctions {
    derive: fn() -> Map<String, Value>,
    check: fn(&Value) -> Result<(), String>,
}

impl TypeFunctions {
    pub(super) fn new<T: DeserializeOwned + JsonSchema>() -> Self {
        TypeFunctions { derive: type_schema::derive::<T>, check: check::<T> }
    }

    /// Sets the output and the schema of a request, unless it has them, and returns how its replies
    /// are read.
    ///
    /// # Errors
    /// Returns the problem if the type has no valid schema.
    pub(super) fn apply(
        self,
        request: &mut Request,
        parsers: &Parsers,
    ) -> Result<ResultType, Problem> {
        request.strict_variables.get_or_insert(true);
        let plain = ResultType { schema: None, wrapper: None, check: self.check };
        let output = request.output.as_deref();
        if request.schema.is_some() || output.is_some_and(|name| !parsers.uses_schema(name)) {
            return Ok(plain);
        }
        let own = (self.derive)();
        if output.is_none() && type_schema::is_text(&own) {
            return Ok(plain);
        }
        if output.is_some_and(|name| name != JSON) {
            // A parser of the program reads the reply, and does not know the wrapper.
            request.schema = Some(own);
            return Ok(plain);
        }
        let TypeSchema { own, sent, wrapper } = TypeSchema::new(own);
        let schema = Schema::compile(own).map_err(|error| {
            Problem::request("schema", format!("the schema of the type: {error}"))
        })?;
        (request.output, request.schema) = (Some(JSON.to_owned()), Some(sent));
        Ok(ResultType { schema: Some(schema), wrapper, ..plain })
    }
}

/// The name of the output whose schema is that of the type.
const JSON: &str = "json";

/// Deserializes a reply.
///
/// # Errors
/// Returns the reason why the reply does not deserialize, which a repair sends to the model.
fn check<T: DeserializeOwned>(reply: &Value) -> Result<(), String> {
    match find_type_error::<T>(reply) {
        None => Ok(()),
        Some(reason) => Err(format!("the reply does not fit the program's type: {reason}")),
    }
}

/// Returns the reason why a value does not deserialize, if it does not.
pub(super) fn find_type_error<T: DeserializeOwned>(value: &Value) -> Option<String> {
    let error = serde_path_to_error::deserialize::<_, T>(value).err()?;
    let mut message = error.to_string();
    // With the feature `exact-numbers`, serde_json does not quote a number of the wrong type.
    if let Some(Value::Number(number)) = value_at(value, error.path())
        && !message.contains(&number.to_string())
    {
        message.push_str(&format!(", got {}", crate::json::shown(&Value::Number(number.clone()))));
    }
    Some(message)
}

fn value_at<'a>(root: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, segment| match segment {
        Segment::Seq { index } => value.get(*index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { variant } => value.get(variant),
        Segment::Unknown => None,
    })
}
