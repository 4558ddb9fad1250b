//! The JSON Schemas of requests and hosted configs, with the providers that a program registers.

use serde_json::Value;

use crate::providers::Providers;
use crate::request::{into_config_schema, request_schema_for};

/// Returns the JSON Schema of a request to one of these providers.
pub fn request_schema_with(providers: &Providers) -> Value {
    let registered = providers.all().filter(|provider| provider.built_in().is_none());
    let names: Vec<String> = registered.map(|provider| provider.name().to_owned()).collect();
    request_schema_for(&names)
}

/// Returns the JSON Schema of a hosted config, and of the front matter of a prompt in Markdown.
pub fn config_schema(providers: &Providers) -> Value {
    into_config_schema(request_schema_with(providers))
}
