//! `output: "markdownCodeBlock"`: the one fenced code block of the reply.

use serde_json::Value;

use super::fences::blocks;
use super::{Context, OutputError};

/// `{language, code}`.
pub(crate) fn parse(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    let mut blocks = blocks(text)?.into_iter();
    match (blocks.next(), blocks.len()) {
        (None, _) => Err(OutputError::new("the reply holds no fenced code block")),
        (Some(only), 0) => Ok(only.into_value()),
        (Some(_), more) => {
            let text = format!("the reply holds {} fenced code blocks, not one", more + 1);
            Err(OutputError::new(text))
        }
    }
}
