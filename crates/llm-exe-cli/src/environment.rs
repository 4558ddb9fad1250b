//! Where the command line finds settings and keys: the environment, and `.env` for keys alone.
//!
//! A stray `.env` in a folder must not be able to send a shell's real key elsewhere: base URLs
//! and other settings in it are not read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use llm_exe::hosted::{CachedDocuments, place_of_url};
use llm_exe::ports::{DocumentStore, Place};
use llm_exe::providers::{COMPATIBLE_SETTING, ProviderRow, Providers};
use llm_exe::{Executor, Keys};
use llm_exe_events::endpoint_key;
use llm_exe_function::{EnvironmentKeys, Function, Settings};
use llm_exe_simulator::Simulator;

use crate::input;

#[expect(clippy::disallowed_methods, reason = "the one place where this binary reads it")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// No provider is asked, so no key is.
    Nowhere,
    /// The simulator takes any.
    Simulator,
    /// The environment, else `.env`.
    Environment,
}

impl KeySource {
    /// The simulator's, or the user's.
    pub(crate) fn of(simulate: bool) -> Self {
        if simulate { KeySource::Simulator } else { KeySource::Environment }
    }
}

/// Settings, keys, and the simulator where one was asked for.
pub(crate) struct Environment {
    pub(crate) settings: Settings,
    pub(crate) keys: Arc<dyn Keys>,
    /// Kept for as long as it is asked.
    _simulator: Option<Simulator>,
}

impl Environment {
    /// Reads the environment, with some variables set otherwise.
    pub(crate) async fn read(
        source: KeySource,
        overrides: &[(&str, String)],
    ) -> Result<Environment, String> {
        let overrides: HashMap<String, String> =
            overrides.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut simulator = None;
        if source == KeySource::Simulator {
            let started = Simulator::start().await;
            let started = started.map_err(|error| format!("the simulator can't start: {error}"))?;
            simulator = Some(started);
        }
        let look_up = |name: &str| overrides.get(name).cloned().or_else(|| variable(name));
        let mut settings = Settings::read(&look_up).map_err(|fault| fault.to_string())?;
        let providers = settings.rules.providers;
        if let Some(simulator) = &simulator {
            for row in providers.all() {
                settings.endpoints.set(row, &simulated_url(simulator, row))?;
            }
        }
        let keys: Arc<dyn Keys> = match source {
            KeySource::Nowhere => Arc::new(EnvironmentKeys::new(|_| None)),
            KeySource::Simulator => Arc::new(EnvironmentKeys::new(simulated_key)),
            KeySource::Environment => {
                let from_file = keys_of(Path::new(".env"), providers)?;
                Arc::new(EnvironmentKeys::new(move |name| {
                    let set = variable(name).filter(|value| !value.trim().is_empty());
                    set.or_else(|| from_file.get(name).cloned())
                }))
            }
        };
        Ok(Environment { settings, keys, _simulator: simulator })
    }

    /// An executor under these settings for what is read from a file. A bucket that the command
    /// line names may be read.
    pub(crate) fn executor_for(&self, file: &Path) -> Executor {
        let Settings { endpoints, mut rules, config_cache, .. } = self.settings.clone();
        let named = input::hosted(file).and_then(|url| place_of_url(url).ok());
        if let Some(Place::Object { bucket, .. }) = named {
            let allowed = rules.hosted.bucket.iter().cloned().collect();
            rules.hosted.buckets.get_or_insert(allowed).push(bucket);
        }
        let executor = Executor::new(endpoints, Arc::clone(&self.keys), rules);
        match documents() {
            None => executor,
            Some(store) => {
                executor.with_documents(Arc::new(CachedDocuments::new(store, config_cache)))
            }
        }
    }

    /// The function under these settings.
    pub(crate) fn function(&self) -> Function {
        let function = Function::new(&self.settings, Arc::clone(&self.keys));
        match documents() {
            None => function,
            Some(store) => function.with_documents(store),
        }
    }
}

/// Where hosted configs are fetched; nowhere in this version.
fn documents() -> Option<Arc<dyn DocumentStore>> {
    None
}

/// Where the simulator stands for a provider: at the path of the provider's own base URL.
fn simulated_url(simulator: &Simulator, row: &ProviderRow) -> String {
    let path = match row.base_url_setting {
        COMPATIBLE_SETTING => "v1",
        _ => row.base_url.splitn(4, '/').nth(3).unwrap_or_default(),
    };
    format!("{}/{path}", simulator.url())
}

/// The simulator takes any key; the endpoint's own is still the user's.
fn simulated_key(name: &str) -> Option<String> {
    if endpoint_key().is_set_by(name) {
        return variable(name);
    }
    Some("simulated".to_owned())
}

/// The keys that a `.env` file sets, by their variables' names; no file, no keys.
fn keys_of(path: &Path, providers: Providers) -> Result<HashMap<String, String>, String> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let endpoint = endpoint_key();
    let is_key = |name: &str| {
        let of = |row: &ProviderRow| row.key().is_some_and(|key| key.is_set_by(name));
        providers.all().any(of) || endpoint.is_set_by(name)
    };
    // The reader's own message would quote the line, and the line may hold a key.
    let broken = |_| format!("{} can't be read: a line of it is not NAME=value", path.display());
    let text = std::fs::read(path)
        .map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    // Editors on Windows put a byte order mark in front.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut keys = HashMap::new();
    for entry in dotenvy::from_read_iter(text) {
        let (name, value) = entry.map_err(broken)?;
        if is_key(&name) {
            keys.insert(name, value);
        }
    }
    Ok(keys)
}
