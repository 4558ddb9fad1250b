//! Tests hosted configs with the cases in `cases/hosted/*.json`: parsing each format, merging
//! layers, and resolving pointers in complete runs with an in-memory store and the simulator.

pub(crate) mod store;

use std::sync::Arc;
use std::time::Duration;

use llm_exe::hosted::{ConfigError, Format, HostedConfig, merge};
use llm_exe::{Deadline, Error, HostedRules, Rules, Run, Runner};
use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::{FixedKey, endpoints, read_cases, read_supported_cases, root};
use store::{MemoryStore, parse_hex};

#[derive(Deserialize)]
struct ParseCase {
    name: String,
    text: Option<String>,
    hex: Option<String>,
    /// The parts of a generated document: a prefix, a string, how often the string is repeated,
    /// and a suffix.
    repeat: Option<(String, String, usize, String)>,
    /// Whether the document is valid. Cases that compare its fields do not need to set this.
    #[serde(default)]
    accepted: bool,
    fields: Option<Value>,
    /// The fields as JSON text, for cases that compare every digit of a number.
    printed: Option<String>,
    overridable: Option<Vec<String>>,
    /// The expected warnings. Cases without this field may cause warnings.
    warnings: Option<Vec<String>>,
    /// A string that the error message must contain.
    error: Option<String>,
    /// The expected line and column of the error.
    position: Option<(usize, usize)>,
}

impl ParseCase {
    fn body(&self) -> Vec<u8> {
        match (&self.text, &self.hex, &self.repeat) {
            (Some(text), _, _) => text.clone().into_bytes(),
            (_, Some(hex), _) => parse_hex(hex),
            (_, _, Some((prefix, text, times, suffix))) => {
                format!("{prefix}{}{suffix}", text.repeat(*times)).into_bytes()
            }
            _ => panic!("{}: no body", self.name),
        }
    }

    fn matches(&self, result: &Result<HostedConfig, ConfigError>) -> bool {
        match (result, &self.error) {
            (Err(error), Some(message)) => {
                let position = error.position.map(|position| (position.line, position.column));
                error.message.contains(message)
                    && self.position.is_none_or(|expected| position == Some(expected))
            }
            (Ok(config), None) => {
                let fields = Value::Object(config.fields.clone());
                let printed = fields.to_string();
                (self.accepted || self.fields.is_some() || self.printed.is_some())
                    && self.fields.as_ref().is_none_or(|expected| *expected == fields)
                    && self.printed.as_ref().is_none_or(|text| *text == printed)
                    && self.warnings.as_ref().is_none_or(|expected| *expected == config.warnings)
                    && config.overridable == self.overridable
            }
            _ => false,
        }
    }
}

fn check_format(path: &str, format: Format) {
    let mut failures = Vec::new();
    for case in read_supported_cases::<ParseCase>(path) {
        let result = HostedConfig::parse(&case.body(), format);
        if !case.matches(&result) {
            failures.push(format!("{}: {result:?}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn json_documents_are_parsed_or_rejected() {
    check_format("hosted/json.json", Format::Json);
}

#[test]
fn yaml_documents_are_parsed_or_rejected() {
    check_format("hosted/yaml.json", Format::Yaml);
}

#[test]
fn markdown_documents_are_parsed_or_rejected() {
    check_format("hosted/markdown.json", Format::Markdown);
}

#[derive(Deserialize)]
struct MergeCase {
    name: String,
    layers: Vec<Map<String, Value>>,
    merged: Map<String, Value>,
}

#[test]
fn layers_are_merged() {
    for case in read_cases::<Vec<MergeCase>>("hosted/merge.json") {
        assert_eq!(merge(case.layers), case.merged, "{}", case.name);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResolveCase {
    name: String,
    request: Value,
    documents: Map<String, Value>,
    /// The default bucket of hosted configs.
    #[serde(default = "default_bucket")]
    bucket: Option<String>,
    buckets: Option<Vec<String>>,
    #[serde(default)]
    forbidden: Vec<String>,
    /// Whether the runner has a document store.
    #[serde(default = "default_store")]
    store: bool,
    /// The roles and texts of the messages that the provider must receive.
    sent_messages: Option<Vec<(String, String)>>,
    /// The model that the provider must receive.
    model: Option<String>,
    /// Fields that the provider must receive in the request body.
    body: Option<Map<String, Value>>,
    /// The config location that the run's report must contain.
    location: Option<String>,
    /// The config version or ETag that the run's report must contain.
    document: Option<Map<String, Value>>,
    #[serde(default)]
    warnings: Vec<String>,
    /// The expected error kind.
    error: Option<String>,
    /// The expected paths of the error's problems, in any order.
    paths: Option<Vec<String>>,
    /// Strings that the error message must contain.
    #[serde(default)]
    contains: Vec<String>,
    /// Strings that neither the error message nor the log may contain.
    #[serde(default)]
    lacks: Vec<String>,
}

fn default_bucket() -> Option<String> {
    Some("prompts".to_owned())
}

fn default_store() -> bool {
    true
}

fn runner(simulator: &Simulator, case: &ResolveCase) -> Runner {
    let hosted = HostedRules {
        bucket: case.bucket.clone(),
        buckets: case.buckets.clone(),
        forbidden_prefixes: case.forbidden.clone(),
    };
    let rules = Rules { hosted, ..Rules::default() };
    let runner = Runner::new(endpoints(simulator), Arc::new(FixedKey), rules);
    if !case.store {
        return runner;
    }
    runner.with_documents(Arc::new(MemoryStore::new(&case.documents)))
}

#[tokio::test]
async fn pointers_are_resolved_or_rejected() {
    let mut failures = Vec::new();
    let simulator = Simulator::start().await.unwrap();
    for case in read_cases::<Vec<ResolveCase>>("hosted/resolve.json") {
        simulator.clear();
        let runner = runner(&simulator, &case);
        let deadline = Deadline::after(Duration::from_secs(10));
        let run = runner.run(deadline, case.request.clone()).await;
        let sent = simulator.journal().last().map(|call| call.body.clone());
        let failure = match (&run.outcome, &case.error) {
            (Ok(_), None) => run_failure(&case, &run, &sent.unwrap_or_default()),
            (Err(error), Some(kind)) => error_failure(&case, error, kind),
            (outcome, _) => Some(format!("{outcome:?}")),
        };
        failures.extend(failure.map(|text| format!("{}: {text}", case.name)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Describes how a successful run differs from the case. Returns `None` if it matches.
fn run_failure(case: &ResolveCase, run: &Run, sent: &Value) -> Option<String> {
    let messages: Vec<(String, String)> = sent["messages"]
        .as_array()?
        .iter()
        .map(|message| (message["role"].to_string(), message["content"].to_string()))
        .collect();
    let quoted = |text: &String| Value::from(text.as_str()).to_string();
    if let Some(expected) = &case.sent_messages {
        let expected: Vec<_> =
            expected.iter().map(|(role, text)| (quoted(role), quoted(text))).collect();
        if expected != messages {
            return Some(format!("sent messages {messages:?}"));
        }
    }
    if case.model.as_ref().is_some_and(|model| sent["model"] != **model) {
        return Some(format!("sent model {}", sent["model"]));
    }
    if let Some((name, _)) =
        case.body.iter().flatten().find(|(name, value)| sent.get(name) != Some(value))
    {
        return Some(format!("sent {name} {:?}", sent.get(name)));
    }
    if !case.warnings.is_empty() && run.report.warnings != case.warnings {
        return Some(format!("warnings {:?}", run.report.warnings));
    }
    let config = run.report.config.as_ref();
    let location = config.map(|config| config.location.clone());
    if case.location.is_some() && location != case.location {
        return Some(format!("location {location:?}"));
    }
    for (name, expected) in case.document.iter().flatten() {
        let actual = config.map(|config| match name.as_str() {
            "version" => json!(config.version),
            _ => json!(config.etag),
        });
        if actual.as_ref() != Some(expected) {
            return Some(format!("{name} {actual:?}"));
        }
    }
    None
}

/// Describes how an error differs from the case. Returns `None` if it matches.
fn error_failure(case: &ResolveCase, error: &Error, kind: &str) -> Option<String> {
    let paths: Vec<&String> = error.problems().iter().map(|problem| &problem.path).collect();
    let message_and_log = error.message().to_owned() + &error.for_log();
    let is_expected = error.kind().name() == kind
        && case.paths.as_ref().is_none_or(|expected| {
            expected.len() == paths.len() && expected.iter().all(|path| paths.contains(&path))
        })
        && case.contains.iter().all(|text| error.message().contains(text))
        && !case.lacks.iter().any(|text| message_and_log.contains(text));
    (!is_expected).then(|| format!("{}: {error}", error.kind()))
}

/// Runs the requests in examples/hosted with the prompts in examples/prompts.
#[tokio::test]
async fn the_hosted_examples_run() {
    let examples = root().join("examples");
    let prompt = std::fs::read_to_string(examples.join("prompts/kitten.json")).unwrap();
    let simulator = Simulator::start().await.unwrap();
    for (name, animal) in [("key", "kitten"), ("url", "kitten"), ("data", "dog")] {
        let request = std::fs::read(examples.join(format!("hosted/{name}.json"))).unwrap();
        let request: Value = serde_json::from_slice(&request).unwrap();
        let documents = json!({
            "s3://prompts/kitten.json": prompt,
            "https://example.com/prompts/kitten.json": prompt
        });
        let case = json!({ "name": name, "request": request, "documents": documents });
        let case: ResolveCase = serde_json::from_value(case).unwrap();
        let runner = runner(&simulator, &case);
        let run = runner.run(Deadline::after(Duration::from_secs(10)), case.request).await;
        let expected =
            format!("Simulated reply from gpt-4o-mini to: \"Talk like a {animal}. Hello!\"");
        assert_eq!(run.outcome.unwrap(), json!(expected), "{name}");
    }
}
