//! Helpers that the test modules share: case files, key stores and the endpoints of a simulator.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use llm_exe::ports::{PortFuture, Signer};
use llm_exe::providers::{Dialect, PROVIDERS, ProviderRow, build_request};
use llm_exe::transport::{Policy, RetryAdvice, Transport};
use llm_exe::wire::{WireReply, WireRequest};
use llm_exe::{Chat, Deadline, Endpoints, Error, KeyName, Keys, Secret};
use llm_exe_aws::{EnvironmentCredentials, SigV4Signer};
use llm_exe_simulator::Simulator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Returns whether the tests rewrite their expected files (`UPDATE=1 cargo test …`).
pub(crate) fn update() -> bool {
    #[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
    std::env::var_os("UPDATE").is_some()
}

/// Returns the root folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the folder that contains the test cases.
pub(crate) fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Parses a case file, whose path is relative to the folder of the test cases.
pub(crate) fn read_cases<T: DeserializeOwned>(path: &str) -> T {
    let text = std::fs::read_to_string(cases().join(path));
    let text = text.unwrap_or_else(|error| panic!("crates/llm-exe/tests/cases/{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns whether a case is skipped because it requires the feature `exact-numbers`. Such cases
/// have the field `exactNumbers`.
pub(crate) fn needs_exact_numbers(case: &Value) -> bool {
    !cfg!(feature = "exact-numbers") && case["exactNumbers"] == true
}

/// Parses the cases in a file and skips those that require the feature `exact-numbers` if it is
/// off.
pub(crate) fn read_supported_cases<T: DeserializeOwned>(path: &str) -> Vec<T> {
    let mut cases: Vec<Value> = read_cases(path);
    cases.retain(|case| !needs_exact_numbers(case));
    let cases = serde_json::from_value(Value::Array(cases));
    cases.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the names of all built-in providers.
pub(crate) fn provider_names() -> Vec<String> {
    PROVIDERS.iter().map(|row| row.name.to_owned()).collect()
}

/// Returns the path of a provider's data file. Colons in the name are replaced, because some
/// systems do not allow them in file names.
pub(crate) fn wire_file(provider: &str) -> PathBuf {
    cases().join("wire").join(format!("{}.json", provider.replace(':', "-")))
}

/// Returns the contents of a provider's data file, which CONTRIBUTING.md describes.
pub(crate) fn provider_data(provider: &str) -> Map<String, Value> {
    let path = wire_file(provider);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; add the data file of {provider}", path.display());
    });
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a text field of a provider's data file.
pub(crate) fn provider_field(provider: &str, field: &str) -> String {
    let data = provider_data(provider);
    let text = data.get(field).and_then(Value::as_str);
    let missing = || panic!("{}: the field {field} is missing", wire_file(provider).display());
    text.unwrap_or_else(missing).to_owned()
}

/// Returns a provider's wire cases by name. Each case contains a request and the wire request or
/// error that results from it.
pub(crate) fn wire_cases(provider: &str) -> Map<String, Value> {
    let cases = provider_data(provider).shift_remove("cases");
    let missing = || panic!("{}: the field cases is missing", wire_file(provider).display());
    cases.unwrap_or_else(missing).as_object().unwrap().clone()
}

/// A key store that returns the same key for every provider.
pub(crate) struct FixedKey;

impl Keys for FixedKey {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(std::future::ready(Ok(Secret::new("test-key").unwrap())))
    }
}

/// A key store for runs that must not fetch a key. Fetching one fails the test.
pub(crate) struct NoKeys;

impl Keys for NoKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        panic!("unexpected request for the key {name:?}");
    }
}

/// Returns a signer with the example credentials from the AWS documentation. The simulator knows
/// them, so it can verify the signatures of requests.
pub(crate) fn signer() -> Arc<dyn Signer> {
    Arc::new(SigV4Signer::new(Arc::new(EnvironmentCredentials::new(|name| match name {
        "AWS_ACCESS_KEY_ID" => Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        _ => None,
    }))))
}

/// Returns the dialect of a provider's API: that of its Responses API if `api` is `responses` and
/// the provider has it.
pub(crate) fn dialect(row: &'static ProviderRow, api: Option<&str>) -> &'static dyn Dialect {
    match api {
        None => row.dialect,
        Some("responses") => row.responses().unwrap_or(row.dialect),
        Some(other) => panic!("unknown API {other}"),
    }
}

/// Sends the request for a chat in one of a provider's dialects to a simulator and returns the
/// response.
pub(crate) async fn send(
    simulator: &Simulator,
    row: &'static ProviderRow,
    dialect: &dyn Dialect,
    chat: &Chat,
) -> WireReply {
    let endpoint = endpoints(simulator).resolve(&row.into());
    send_request(&build_request(dialect, &endpoint, chat).unwrap().request).await
}

/// Sends a request once and returns the response.
pub(crate) async fn send_request(request: &WireRequest) -> WireReply {
    let secret = Secret::new("test-key").unwrap();
    let policy = Policy { attempts: 1, ..Policy::default() };
    let deadline = Deadline::after(Duration::from_secs(30));
    let transport = Transport::new(signer());
    let mut read = |_: &WireReply| RetryAdvice::default();
    let sent = transport.send(request, Some(&secret), &policy, deadline, &mut read);
    sent.await.outcome.unwrap()
}

/// Returns the base URL of a provider that a simulator replaces.
pub(crate) fn simulator_url(simulator: &Simulator, row: &ProviderRow) -> String {
    // The simulator serves the same path as the provider's own base URL, unless it has a path with
    // the rules of this provider.
    let path = row.base_url.splitn(4, '/').nth(3).unwrap_or_default();
    let same_path = || format!("{}/{path}", simulator.url());
    simulator.compatible_base_url(row.name).unwrap_or_else(same_path)
}

/// Returns endpoints that send the requests of all providers to a simulator.
pub(crate) fn endpoints(simulator: &Simulator) -> Endpoints {
    let mut endpoints = Endpoints::new();
    for row in PROVIDERS {
        let url = simulator_url(simulator, row);
        endpoints.set(row, &url).unwrap();
    }
    endpoints.set_region("eu-central-1").unwrap();
    endpoints
}
