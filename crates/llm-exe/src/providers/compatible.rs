//! Providers beside the table: servers that speak OpenAI's dialect, named by the operator.

use super::{Access, Dialect, PROVIDERS, ProviderRow, check_base_url, openai, row_named};

/// The setting that names them.
pub const COMPATIBLE_SETTING: &str = "OPENAI_COMPATIBLE_PROVIDERS";

/// How a server is held to a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StructuredOutput {
    /// By `response_format` of type `json_schema`.
    #[default]
    JsonSchema,
    /// By `response_format` of type `json_object`; the prompt tells the schema.
    JsonObject,
    /// By the prompt alone.
    Prompt,
}

/// A server that speaks OpenAI's dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compatible {
    /// The name that requests use: lower case letters, digits, `-` and `_`.
    pub name: String,
    /// Where it is, up to `/chat/completions`.
    pub base_url: String,
    /// The key's name in the store of secrets. With neither this nor `key_env` it gets no key.
    pub key: Option<String>,
    /// The environment variable that may hold the key.
    pub key_env: Option<String>,
    /// How it is held to a schema.
    pub structured_output: StructuredOutput,
}

/// The table's providers and the operator's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Providers {
    added: &'static [ProviderRow],
}

impl Providers {
    /// The table's providers and these. They are settings, read once: their rows live for as
    /// long as the process.
    ///
    /// # Errors
    /// Which of them can't be used, and why.
    pub fn with(servers: Vec<Compatible>) -> Result<Providers, String> {
        let mut rows: Vec<ProviderRow> = Vec::new();
        for server in servers {
            let name = server.name.clone();
            let row = row(server).map_err(|why| format!("{name}: {why}"))?;
            if rows.iter().chain(PROVIDERS).any(|known| known.name == row.name) {
                return Err(format!("{name}: there is a provider of this name already"));
            }
            rows.push(row);
        }
        Ok(Providers { added: rows.leak() })
    }

    /// Every provider, the table's first.
    pub fn all(self) -> impl Iterator<Item = &'static ProviderRow> {
        PROVIDERS.iter().chain(self.added)
    }

    /// A `provider` as written: a row, and the model where the field names one too.
    ///
    /// llm-exe's keys are read: `openai.chat.v1` is `openai`, `openai.gpt-4o-mini` is both in one.
    pub fn named(self, written: &str) -> Option<(&'static ProviderRow, Option<&str>)> {
        row_named(|name| self.all().find(|row| row.name == name), written)
    }
}

fn row(server: Compatible) -> Result<ProviderRow, String> {
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let plain = |text: &str, also: &[u8]| {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || also.contains(&byte);
        !text.is_empty() && text.len() <= 64 && text.bytes().all(fine)
    };
    let first = server.name.bytes().next();
    let rest = |byte: u8| of_name(byte) || byte == b'-' || byte == b'_';
    if !first.is_some_and(of_name) || server.name.len() > 64 || !server.name.bytes().all(rest) {
        return Err("expected a name of lower case letters, digits, - and _".to_owned());
    }
    check_base_url(&server.base_url).map_err(|why| format!("baseUrl: {why}"))?;
    if server.key.as_deref().is_some_and(|key| !plain(key, b"_.-")) {
        return Err("key: expected a name of letters, digits, _ . and -".to_owned());
    }
    if server.key_env.as_deref().is_some_and(|name| !plain(name, b"_")) {
        return Err("keyEnv: expected the name of an environment variable".to_owned());
    }
    let dialect: &'static dyn Dialect = match server.structured_output {
        StructuredOutput::JsonSchema => &openai::WITH_SCHEMA,
        StructuredOutput::JsonObject => &openai::WITH_JSON,
        StructuredOutput::Prompt => &openai::WITH_TEXT,
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

#[cfg(test)]
mod tests {
    use super::{Compatible, Providers};

    #[test]
    fn what_can_not_be_used_is_told() {
        let one = |name: &str, base_url: &str, key: &str| Compatible {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            key: Some(key.to_owned()),
            ..Compatible::default()
        };
        let fine = "https://api.example.com/v1";
        for (server, told) in [
            (one("openai", fine, "Key"), "already"),
            (one("Together", fine, "Key"), "lower case"),
            (one("a.b", fine, "Key"), "lower case"),
            (one("", fine, "Key"), "lower case"),
            (one("a", "http://api.example.com", "Key"), "baseUrl: http is allowed"),
            (one("a", fine, "../Key"), "key: expected"),
        ] {
            let told_is = Providers::with(vec![server]).unwrap_err();
            assert!(told_is.contains(told), "{told_is}");
        }
        let twice = vec![one("a", fine, "Key"), one("a", fine, "Key")];
        assert!(Providers::with(twice).unwrap_err().contains("already"));
        let providers = Providers::with(vec![one("a", fine, "Key")]).unwrap();
        let (row, model) = providers.named("a.gpt-oss").unwrap();
        assert_eq!((row.name, model), ("a", Some("gpt-oss")));
        assert!(providers.named("b").is_none());
        assert!(Providers::default().named("a").is_none());
    }
}
