//! The event sources: a file and a row each. The first row that recognises an event has it; what
//! no row recognises is a direct request.

mod direct;
mod http_v2;
mod not_built;

use serde_json::Value;

use crate::EventSource;

/// Every source, in the order in which they are asked. The last one takes anything.
pub const SOURCES: &[&dyn EventSource] = &[&http_v2::HttpV2, &not_built::NotBuilt, &direct::Direct];

/// The source of an event.
pub fn detect(event: &Value) -> &'static dyn EventSource {
    SOURCES.iter().copied().find(|source| source.recognises(event)).unwrap_or(&direct::Direct)
}
