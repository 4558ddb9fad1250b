//! `output: "listToArray"` (`list`): the lines of a list, without their markers.

use serde_json::Value;

use super::lines::items;
use super::{Context, OutputError};

/// Reads a list of strings; one line without a marker is no list.
pub(crate) fn parse(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    let items = items(text)?;
    if !items.marked && items.lines.len() == 1 {
        return Err(OutputError::new("the reply is a single line without a list marker"));
    }
    Ok(items.lines.into_iter().map(Value::from).collect())
}
