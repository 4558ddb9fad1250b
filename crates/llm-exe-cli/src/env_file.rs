//! Reads provider keys and AWS credentials from a `.env` file.
//!
//! All other variables in the file are ignored, because a base URL in a stray `.env` file could
//! otherwise send the user's keys to another server.

use std::collections::HashMap;
use std::path::Path;

use llm_exe::providers::{Provider, Providers};
use llm_exe_aws::CREDENTIAL_VARIABLES;
use llm_exe_events::endpoint_key;

/// Returns the keys and credentials in the file, by variable name. Returns an empty map if the file
/// does not exist.
pub(crate) fn read_keys(
    path: &Path,
    providers: &Providers,
) -> Result<HashMap<String, String>, String> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let content =
        std::fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    // Some Windows editors write a byte order mark at the start of the file.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    let endpoint = endpoint_key();
    let is_key = |name: &str| {
        let is_set_by = |provider: Provider| provider.key().is_some_and(|key| key.is_set_by(name));
        providers.all().any(is_set_by)
            || endpoint.is_set_by(name)
            || CREDENTIAL_VARIABLES.contains(&name)
    };
    check_no_substitution(path, content, is_key)?;
    let mut keys = HashMap::new();
    for entry in dotenvy::from_read_iter(content) {
        // Replace the error from `dotenvy`, because it quotes the line, which can contain a key.
        let (name, value) = entry.map_err(|_| {
            format!("can't parse {}: a line does not have the form NAME=value", path.display())
        })?;
        if is_key(&name) {
            keys.insert(name, value);
        }
    }
    Ok(keys)
}

/// Returns an error if a key contains a `$` and is not in single quotes. `dotenvy` would replace
/// `$NAME` with the value of the variable `NAME`, which could be the key for another provider.
fn check_no_substitution(
    path: &Path,
    content: &[u8],
    is_key: impl Fn(&str) -> bool,
) -> Result<(), String> {
    for line in String::from_utf8_lossy(content).lines() {
        let line = line.trim().trim_start_matches("export ");
        if let Some((name, value)) = line.split_once('=')
            && is_key(name.trim())
            && value.contains('$')
            && !value.trim().starts_with('\'')
        {
            let (path, name) = (path.display(), name.trim());
            return Err(format!(
                "{path}: the value of {name} contains a $ and must be in single quotes"
            ));
        }
    }
    Ok(())
}
