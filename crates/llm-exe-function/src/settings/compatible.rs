//! Parses `OPENAI_COMPATIBLE_PROVIDERS`, a JSON object that maps names to OpenAI-compatible
//! servers.

use std::collections::BTreeMap;

use llm_exe::providers::{CompatibleServer, Providers, StructuredOutput};
use serde::Deserialize;

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
    let expected = "expected JSON like {\"together\": {\"baseUrl\": \"https://…/v1\", \
                    \"key\": \"KeyTogether\", \"keyEnv\": \"TOGETHER_API_KEY\"}}";
    let servers: BTreeMap<String, Server> =
        serde_json::from_str(text).map_err(|error| format!("{expected}; {error}"))?;
    let servers = servers.into_iter().map(|(name, server)| CompatibleServer {
        name,
        base_url: server.base_url,
        key: server.key,
        key_env: server.key_env,
        structured_output: server.structured_output,
    });
    Providers::with_servers(servers.collect())
}
