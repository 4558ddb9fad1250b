//! `output: "markdownCodeBlocks"`: the fenced code blocks of the reply, in order; none is fine.

use serde_json::Value;

use super::fences::{Block, blocks};
use super::{Context, OutputError};

/// A list of `{language, code}`.
pub(crate) fn parse(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    Ok(blocks(text)?.into_iter().map(Block::into_value).collect())
}
