//! Sends the requests of the matrix to the providers, and compares what happens with the matrix.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use llm_exe::providers::{Access, ApiMode, PROVIDERS, ProviderRow};
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Endpoints, EnvironmentKeys, Error, ErrorKind, Rules, Runner, scrub};
use llm_exe_aws::{EnvironmentCredentials, SigV4Signer};
use serde_json::Value;

use super::cell::{Cell, FEATURES, Feature, TOOL, compute};
use super::rows::{Row, rows};

/// Maximum duration of a call with its retries.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The variables of AWS credentials.
const AWS_KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// A source of settings, such as the environment.
pub(super) type LookUp = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Compares the providers with the matrix.
pub(super) struct Live {
    look_up: LookUp,
    endpoints: Endpoints,
    http: HttpClient,
    /// The keys, which must not be printed.
    secrets: Vec<String>,
}

/// A call that the matrix expects to succeed.
struct LiveCall {
    row: Row,
    column: &'static str,
    feature: Feature,
    expected: String,
}

impl Live {
    /// Reads base URLs, the region and the keys.
    pub(super) fn new(look_up: LookUp) -> Live {
        let look_up: LookUp =
            Arc::new(move |name| look_up(name).filter(|value| !value.trim().is_empty()));
        let mut endpoints = Endpoints::new();
        let mut secrets: BTreeSet<String> =
            AWS_KEYS.iter().filter_map(|name| look_up(name)).collect();
        for row in PROVIDERS {
            let all_services = || look_up("AWS_ENDPOINT_URL").filter(|_| row.access == Access::Aws);
            if let Some(url) = look_up(row.base_url_setting).or_else(all_services) {
                endpoints.set(row, url.trim()).unwrap();
            }
            let variables = row.key().into_iter().flat_map(|key| key.environment.into_owned());
            secrets.extend(variables.filter_map(|name| look_up(&name)));
        }
        if let Some(region) = look_up("AWS_REGION").or_else(|| look_up("AWS_DEFAULT_REGION")) {
            endpoints.set_region(&region).unwrap();
        }
        if let Some(mode) = look_up("OPENAI_API_MODE") {
            let mode = ApiMode::from_name(mode.trim());
            endpoints.set_api_mode(mode.expect("OPENAI_API_MODE is auto, chat or responses"));
        }
        let secrets = secrets.into_iter().collect();
        Live { look_up, endpoints, http: HttpClient::default(), secrets }
    }

    /// States that the base URLs are those of a simulator, which has all APIs of the providers.
    pub(super) fn assume_all_apis(&mut self) {
        self.endpoints.assume_all_apis();
    }

    /// Compares providers with the matrix and prints the differences. Returns their number, or
    /// `None` if no provider was called.
    pub(super) async fn compare(
        &self,
        providers: &[String],
        print: &mut dyn FnMut(&str),
    ) -> Option<usize> {
        let (mut ready, mut skipped) = (Vec::new(), Vec::new());
        for row in PROVIDERS.iter().filter(|row| providers.iter().any(|name| name == row.name)) {
            match self.missing_settings(row) {
                None => ready.push(row.name.to_owned()),
                Some(missing) => skipped.push(format!("{}: skipped; set {missing}", row.name)),
            }
        }
        skipped.iter().for_each(|line| print(line));
        let calls = self.calls(&ready).await;
        let tokens: u64 = calls.iter().map(|call| call.feature.max_tokens()).sum();
        print(&format!(
            "{} calls to {}, with at most {tokens} output tokens in total",
            calls.len(),
            if ready.is_empty() { "no provider".to_owned() } else { ready.join(", ") },
        ));
        let mut differences = 0;
        for call in &calls {
            for received in self.differences(call).await {
                if differences == 0 {
                    print("| provider | model | feature | expected | received |");
                    print("|---|---|---|---|---|");
                }
                differences += 1;
                let received =
                    scrub(&received, &self.secrets()).replace('|', "/").replace(['\r', '\n'], " ");
                let LiveCall { row, column, expected, .. } = call;
                let (provider, model) = (row.provider.name, &row.model);
                print(&format!("| {provider} | `{model}` | {column} | {expected} | {received} |"));
            }
        }
        match (calls.len(), differences) {
            (0, _) => print("nothing was compared"),
            (_, 0) => print("no differences"),
            _ => {}
        }
        (!calls.is_empty()).then_some(differences)
    }

    fn secrets(&self) -> Vec<&str> {
        self.secrets.iter().map(String::as_str).collect()
    }

    /// Returns the settings that calls to a provider need and that are not set.
    fn missing_settings(&self, row: &'static ProviderRow) -> Option<String> {
        let is_set = |name: &str| (self.look_up)(name).is_some();
        let mut missing = Vec::new();
        match &row.access {
            Access::Key { environment, .. } if !environment.iter().any(|name| is_set(name)) => {
                missing.push(environment.join(" or "));
            }
            Access::Aws => {
                let keys = AWS_KEYS[..2].iter().filter(|name| !is_set(name));
                missing.extend(keys.map(|name| (*name).to_owned()));
                if self.endpoints.resolve(&row.into()).region.is_none() {
                    missing.push("AWS_REGION".to_owned());
                }
            }
            Access::Open if !is_set(row.base_url_setting) => {
                missing.push(row.base_url_setting.to_owned());
            }
            Access::Key { .. } | Access::Open => {}
        }
        if row.base_url.contains("RESOURCE") && !is_set(row.base_url_setting) {
            missing.push(row.base_url_setting.to_owned());
        }
        (!missing.is_empty()).then(|| missing.join(" and "))
    }

    /// Returns the calls to some providers: the cells that are not rejected before a call.
    async fn calls(&self, providers: &[String]) -> Vec<LiveCall> {
        let mut calls = Vec::new();
        for row in rows(providers) {
            for (feature, column) in FEATURES {
                let cell = compute(&self.endpoints, &row, *feature).await;
                let Cell::Sent { api, method, .. } = cell else { continue };
                let expected = method.map_or_else(|| api.to_owned(), |it| format!("{api}, {it}"));
                calls.push(LiveCall { row: row.clone(), column, feature: *feature, expected });
            }
        }
        calls
    }

    /// Makes a call and returns how it differs from the matrix.
    async fn differences(&self, call: &LiveCall) -> Vec<String> {
        let look_up = Arc::clone(&self.look_up);
        let keys = EnvironmentKeys::new(move |name| look_up(name));
        let runner = Runner::new(self.endpoints.clone(), Arc::new(keys), Rules::default())
            .with_signer(self.signer())
            .with_http(self.http.clone());
        let deadline = Deadline::after(TIME_LIMIT);
        let run = runner.run(deadline, call.feature.request(&call.row)).await;
        let changes = run.report.changed.iter();
        let mut differences: Vec<String> = changes
            .map(|change| format!("the provider rejected {}: {}", change.field, change.change))
            .collect();
        match run.outcome {
            Err(error)
                if error.kind() == ErrorKind::OutputTruncated && !call.feature.has_schema() =>
            {
                // The model reasoned before its reply. The request was accepted.
            }
            Err(error) => differences.push(describe(&error)),
            Ok(result) if call.feature.has_tools() && !satisfies(call.feature, &result) => {
                differences.push(format!("the model did not call the tool: {result}"));
            }
            Ok(_) => {}
        }
        differences
    }

    fn signer(&self) -> Arc<SigV4Signer> {
        let look_up = Arc::clone(&self.look_up);
        let credentials = EnvironmentCredentials::new(move |name| look_up(name));
        Arc::new(SigV4Signer::new(Arc::new(credentials)))
    }
}

/// Returns whether the model called the tool, or returned a value for the schema, which the run has
/// checked.
fn satisfies(feature: Feature, result: &Value) -> bool {
    let calls_tool = result["status"] == "toolCalls" && result["toolCalls"][0]["name"] == TOOL;
    calls_tool || feature.has_schema()
}

fn describe(error: &Error) -> String {
    format!("{}: {}", error.kind(), error.message())
}
