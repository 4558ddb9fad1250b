//! Hosted configs: `cases/hosted/*.json`. Documents in each format to fields or faults, layers to
//! one request, and pointers through the whole line, with a store in memory and the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "hosted/store.rs"]
mod store;

use std::sync::Arc;
use std::time::Duration;

use llm_exe::hosted::{Format, HostedConfig, merge};
use llm_exe::providers::PROVIDERS;
use llm_exe::{Deadline, Endpoints, Error, Executor, HostedRules, Rules, Run};
use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use store::{AnyKey, Memory, bytes_of_hex};

#[derive(Deserialize)]
struct Read {
    name: String,
    text: Option<String>,
    hex: Option<String>,
    /// Text in front, a text, how often, and text behind.
    repeat: Option<(String, String, usize, String)>,
    #[serde(default)]
    accepted: bool,
    fields: Option<Value>,
    printed: Option<String>,
    overridable: Option<Vec<String>>,
    fault: Option<String>,
    place: Option<(usize, usize)>,
}

impl Read {
    fn body(&self) -> Vec<u8> {
        match (&self.text, &self.hex, &self.repeat) {
            (Some(text), _, _) => text.clone().into_bytes(),
            (_, Some(hex), _) => bytes_of_hex(hex),
            (_, _, Some((before, text, times, after))) => {
                format!("{before}{}{after}", text.repeat(*times)).into_bytes()
            }
            _ => panic!("{}: no body", self.name),
        }
    }

    fn difference(&self, read: &Result<HostedConfig, llm_exe::hosted::ConfigError>) -> bool {
        match (read, &self.fault) {
            (Err(fault), Some(told)) => {
                !fault.message.contains(told)
                    || self.place.is_some_and(|place| fault.place != Some(place))
            }
            (Ok(config), None) => {
                let fields = Value::Object(config.fields.clone());
                let printed = fields.to_string();
                !(self.accepted || self.fields.is_some() || self.printed.is_some())
                    || self.fields.as_ref().is_some_and(|expected| *expected != fields)
                    || self.printed.as_ref().is_some_and(|text| *text != printed)
                    || config.overridable != self.overridable
            }
            _ => true,
        }
    }
}

fn check_format(cases: &str, format: Format) {
    let cases: Vec<Read> = serde_json::from_str(cases).unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let read = HostedConfig::read(&case.body(), format);
        if case.difference(&read) {
            wrong.push(format!("{}: {read:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_documents() {
    check_format(include_str!("cases/hosted/json.json"), Format::Json);
}

#[test]
fn yaml_documents() {
    check_format(include_str!("cases/hosted/yaml.json"), Format::Yaml);
}

#[test]
fn markdown_documents() {
    check_format(include_str!("cases/hosted/markdown.json"), Format::Markdown);
}

#[derive(Deserialize)]
struct Merged {
    name: String,
    layers: Vec<Map<String, Value>>,
    merged: Map<String, Value>,
}

#[test]
fn layers_make_one_request() {
    let cases: Vec<Merged> = serde_json::from_str(include_str!("cases/hosted/merge.json")).unwrap();
    for case in cases {
        assert_eq!(merge(case.layers), case.merged, "{}", case.name);
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    request: Value,
    documents: Map<String, Value>,
    /// The prompt bucket; `prompts` where nothing is said.
    #[serde(default = "prompts")]
    bucket: Option<String>,
    buckets: Option<Vec<String>>,
    #[serde(default)]
    forbidden: Vec<String>,
    #[serde(default = "yes")]
    store: bool,
    /// The messages that were sent, and parts of the body.
    asked: Option<Vec<(String, String)>>,
    model: Option<String>,
    body: Option<Map<String, Value>>,
    source: Option<String>,
    state: Option<Map<String, Value>>,
    #[serde(default)]
    warnings: Vec<String>,
    error: Option<String>,
    paths: Option<Vec<String>>,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
}

fn prompts() -> Option<String> {
    Some("prompts".to_owned())
}

fn yes() -> bool {
    true
}

fn executor(simulator: &Simulator, case: &Case) -> Executor {
    let mut endpoints = Endpoints::new();
    for row in PROVIDERS {
        let path = row.base_url.splitn(4, '/').nth(3).unwrap_or_default();
        endpoints.set(row, &format!("{}/{path}", simulator.url())).unwrap();
    }
    let hosted = HostedRules {
        bucket: case.bucket.clone(),
        buckets: case.buckets.clone(),
        forbidden_prefixes: case.forbidden.clone(),
    };
    let rules = Rules { hosted, ..Rules::default() };
    let executor = Executor::new(endpoints, Arc::new(AnyKey), rules);
    if !case.store {
        return executor;
    }
    executor.with_documents(Arc::new(Memory::of(&case.documents)))
}

#[tokio::test]
async fn pointers_are_resolved_or_refused() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases/hosted/resolve.json")).unwrap();
    let mut wrong = Vec::new();
    let simulator = Simulator::start().await.unwrap();
    for case in cases {
        simulator.clear();
        let executor = executor(&simulator, &case);
        let deadline = Deadline::after(Duration::from_secs(10));
        let run = executor.run(deadline, case.request.clone()).await;
        let sent = simulator.journal().last().map(|call| call.body.clone());
        let difference = match (&run.outcome, &case.error) {
            (Ok(_), None) => ran_otherwise(&case, &run, &sent.unwrap_or_default()),
            (Err(error), Some(kind)) => refused_otherwise(&case, error, kind),
            (outcome, _) => Some(format!("{outcome:?}")),
        };
        wrong.extend(difference.map(|text| format!("{}: {text}", case.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn ran_otherwise(case: &Case, run: &Run, sent: &Value) -> Option<String> {
    let messages: Vec<(String, String)> = sent["messages"]
        .as_array()?
        .iter()
        .map(|one| (one["role"].to_string(), one["content"].to_string()))
        .collect();
    let quoted = |text: &String| Value::from(text.as_str()).to_string();
    if let Some(asked) = &case.asked {
        let asked: Vec<_> = asked.iter().map(|(role, text)| (quoted(role), quoted(text))).collect();
        if asked != messages {
            return Some(format!("asked {messages:?}"));
        }
    }
    if case.model.as_ref().is_some_and(|model| sent["model"] != **model) {
        return Some(format!("asked {}", sent["model"]));
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
    let place = config.map(|config| config.place.clone());
    if case.source.is_some() && place != case.source {
        return Some(format!("source {place:?}"));
    }
    for (name, expected) in case.state.iter().flatten() {
        let came = config.map(|config| match name.as_str() {
            "version" => json!(config.version),
            _ => json!(config.etag),
        });
        if came.as_ref() != Some(expected) {
            return Some(format!("{name} {came:?}"));
        }
    }
    None
}

fn refused_otherwise(case: &Case, error: &Error, kind: &str) -> Option<String> {
    let paths: Vec<&String> = error.problems().iter().map(|one| &one.path).collect();
    let all = error.message().to_owned() + &error.for_log();
    let same = error.kind().name() == kind
        && case.paths.as_ref().is_none_or(|expected| {
            expected.len() == paths.len() && expected.iter().all(|path| paths.contains(&path))
        })
        && case.says.iter().all(|text| error.message().contains(text))
        && !case.lacks.iter().any(|text| all.contains(text));
    (!same).then(|| format!("{}: {error}", error.kind()))
}

/// The requests of examples/hosted over the prompts of examples/prompts.
#[tokio::test]
async fn the_hosted_examples_run() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let prompt = std::fs::read_to_string(format!("{examples}/prompts/kitten.json")).unwrap();
    let simulator = Simulator::start().await.unwrap();
    for (name, said) in [("key", "kitten"), ("url", "kitten"), ("data", "dog")] {
        let request = std::fs::read(format!("{examples}/hosted/{name}.json")).unwrap();
        let request: Value = serde_json::from_slice(&request).unwrap();
        let documents = json!({
            "s3://prompts/kitten.json": prompt,
            "https://example.com/prompts/kitten.json": prompt
        });
        let case = json!({ "name": name, "request": request, "documents": documents });
        let case: Case = serde_json::from_value(case).unwrap();
        let executor = executor(&simulator, &case);
        let run = executor.run(Deadline::after(Duration::from_secs(10)), case.request).await;
        let expected =
            format!("Simulated reply from gpt-4o-mini to: \"Talk like a {said}. Hello!\"");
        assert_eq!(run.outcome.unwrap(), json!(expected), "{name}");
    }
}
