//! Additional providers, which the operator configures in the settings. Each of them is a server
//! that implements OpenAI's chat completions API.

use serde::Deserialize;

use super::openai_chat::quirks;
use super::{Access, Dialect, PROVIDERS, ProviderRow, check_base_url};

/// The setting that lists the additional providers.
pub const COMPATIBLE_SETTING: &str = "OPENAI_COMPATIBLE_PROVIDERS";

/// How a server is asked for a reply that matches a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// The request has a `response_format` of type `json_schema`.
    #[default]
    JsonSchema,
    /// The request has a `response_format` of type `json_object`, and the prompt contains the
    /// schema.
    JsonObject,
    /// Only the prompt contains the schema.
    Prompt,
}

/// The settings of a server that implements OpenAI's chat completions API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompatibleServer {
    /// The value of `provider` in requests. It consists of lowercase letters, digits, `-` and `_`.
    pub name: String,
    /// The base URL, without `/chat/completions`.
    pub base_url: String,
    /// The name of the API key in the secret store. If neither this nor `key_env` is set, requests
    /// are sent without a key.
    pub key: Option<String>,
    /// The environment variable that may contain the API key.
    pub key_env: Option<String>,
    /// How the server is asked for a reply that matches a schema.
    pub structured_output: StructuredOutput,
}

/// The built-in providers and the additional providers from the settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Providers {
    added: &'static [ProviderRow],
}

impl Providers {
    /// Adds servers to the built-in providers. The new rows are leaked to give them a `'static`
    /// lifetime, which is acceptable because the settings are read only once.
    ///
    /// # Errors
    /// Returns a message that names the first invalid server.
    pub fn with_servers(servers: Vec<CompatibleServer>) -> Result<Providers, String> {
        let mut rows: Vec<ProviderRow> = Vec::new();
        for server in servers {
            let name = server.name.clone();
            let row = new_row(server).map_err(|reason| format!("{name}: {reason}"))?;
            if rows.iter().chain(PROVIDERS).any(|known| known.name == row.name) {
                return Err(format!("{name}: a provider with this name already exists"));
            }
            rows.push(row);
        }
        Ok(Providers { added: rows.leak() })
    }

    /// Returns all providers, the built-in ones first.
    pub fn all(self) -> impl Iterator<Item = &'static ProviderRow> {
        PROVIDERS.iter().chain(self.added)
    }

    /// Looks up the value of a request's `provider` field. Returns the provider, and also the model
    /// if the value contains one.
    ///
    /// The provider keys of the npm package llm-exe are accepted too: `openai.chat.v1` means the
    /// provider `openai`, and `openai.gpt-4o-mini` names both a provider and a model.
    pub fn named(self, value: &str) -> Option<(&'static ProviderRow, Option<&str>)> {
        let find = |name: &str| self.all().find(|row| row.name == name);
        if let Some(row) = find(value) {
            return Some((row, None));
        }
        let (name, rest) = value.split_once('.')?;
        let row = find(name)?;
        match rest {
            "" => None,
            "chat" | "chat.v1" => Some((row, None)),
            model => Some((row, Some(model))),
        }
    }
}

fn new_row(server: CompatibleServer) -> Result<ProviderRow, String> {
    check_names(&server)?;
    check_base_url(&server.base_url).map_err(|reason| format!("baseUrl: {reason}"))?;
    let dialect: &'static dyn Dialect = match server.structured_output {
        StructuredOutput::JsonSchema => &quirks::WITH_JSON_SCHEMA,
        StructuredOutput::JsonObject => &quirks::WITH_JSON_MODE,
        StructuredOutput::Prompt => &quirks::WITH_PROMPT_ONLY,
    };
    let access = match (server.key, server.key_env) {
        (None, None) => Access::Open,
        (key, variable) => Access::Key {
            store: key.unwrap_or_default().leak(),
            environment: variable.map(|name| &*name.leak()).into_iter().collect::<Vec<_>>().leak(),
        },
    };
    Ok(ProviderRow {
        name: server.name.leak(),
        dialect,
        base_url_setting: COMPATIBLE_SETTING,
        base_url: server.base_url.leak(),
        access,
    })
}

fn check_names(server: &CompatibleServer) -> Result<(), String> {
    let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_name = |byte: u8| is_lower(byte) || byte == b'-' || byte == b'_';
    let first = server.name.bytes().next();
    if !first.is_some_and(is_lower) || server.name.len() > 64 || !server.name.bytes().all(is_name) {
        return Err("expected a name of lower case letters, digits, - and _".to_owned());
    }
    let consists_of = |text: &str, punctuation: &[u8]| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || punctuation.contains(&byte);
        !text.is_empty() && text.len() <= 64 && text.bytes().all(allowed)
    };
    if server.key.as_deref().is_some_and(|key| !consists_of(key, b"_.-")) {
        return Err("key: expected a name of letters, digits, _ . and -".to_owned());
    }
    if server.key_env.as_deref().is_some_and(|name| !consists_of(name, b"_")) {
        return Err("keyEnv: expected the name of an environment variable".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{CompatibleServer, Providers};

    fn server(name: &str, base_url: &str, key: &str) -> CompatibleServer {
        CompatibleServer {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            key: Some(key.to_owned()),
            ..CompatibleServer::default()
        }
    }

    const URL: &str = "https://api.example.com/v1";

    #[test]
    fn invalid_servers_are_rejected() {
        for (server, expected) in [
            (server("openai", URL, "Key"), "already exists"),
            (server("Together", URL, "Key"), "lower case"),
            (server("a.b", URL, "Key"), "lower case"),
            (server("", URL, "Key"), "lower case"),
            (server("a", "http://api.example.com", "Key"), "baseUrl: http is allowed"),
            (server("a", URL, "../Key"), "key: expected"),
        ] {
            let message = Providers::with_servers(vec![server]).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
        let duplicates = vec![server("a", URL, "Key"), server("a", URL, "Key")];
        assert!(Providers::with_servers(duplicates).unwrap_err().contains("already exists"));
    }

    #[test]
    fn added_servers_are_found_by_name() {
        let providers = Providers::with_servers(vec![server("a", URL, "Key")]).unwrap();
        let (row, model) = providers.named("a.gpt-oss").unwrap();
        assert_eq!((row.name, model), ("a", Some("gpt-oss")));
        assert!(providers.named("b").is_none());
        assert!(Providers::default().named("a").is_none());
    }
}
