//! Parses `OPENAI_COMPATIBLE_PROVIDERS`, a JSON object that maps names to OpenAI-compatible
//! servers.

use std::collections::BTreeMap;

use llm_exe::json::describe_error;
use llm_exe::providers::{InvalidProvider, Provider, Providers, StructuredOutput};
use serde::Deserialize;

/// The name of the setting.
pub(super) const SETTING: &str = "OPENAI_COMPATIBLE_PROVIDERS";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Server {
    base_url: String,
    key: Option<String>,
    key_env: Option<String>,
    #[serde(default)]
    structured_output: StructuredOutput,
}

/// Parses the value of `OPENAI_COMPATIBLE_PROVIDERS`.
pub(super) fn parse(text: &str) -> Result<Providers, String> {
    let expected = "expected JSON like {\"inhouse\": {\"baseUrl\": \"https://…/v1\", \
                    \"key\": \"KeyInhouse\", \"keyEnv\": \"INHOUSE_API_KEY\"}}";
    let servers: BTreeMap<String, Server> = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("{expected}; {} at line {line} column {column}", describe_error(&error))
    })?;
    let providers = servers.into_iter().map(|(name, server)| {
        let Server { base_url, key, key_env, structured_output } = server;
        let mut provider = Provider::openai_compatible_with(name, base_url, structured_output);
        if let Some(variable) = key_env {
            // Without `key`, no parameter is read from the secret store.
            provider = provider.key_env(variable).key_name("");
        }
        if let Some(key) = key {
            provider = provider.key_name(key);
        }
        provider
    });
    Providers::with(providers).map_err(|error| describe(&error))
}

/// Describes an invalid server with the name of its field in the setting.
fn describe(error: &InvalidProvider) -> String {
    match error {
        InvalidProvider::BaseUrl { name, reason } => format!("{name}: baseUrl: {reason}"),
        InvalidProvider::KeyVariable(name) => {
            format!("{name}: keyEnv: expected the name of an environment variable")
        }
        other => other.to_string(),
    }
}
