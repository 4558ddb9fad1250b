//! Tests how a runner changes requests that providers reject. `cases/rejections.json` contains
//! error messages of providers with their sources, and the expected changes.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::providers::{PROVIDERS, Provider, Providers};
use llm_exe::{Deadline, ErrorKind, RequestChange, Rules, Run, Runner};
use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, read_cases, signer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Where the message was reported, or the vendor's documentation or package.
    source: String,
    provider: String,
    model: String,
    /// Other fields of the request.
    #[serde(default)]
    request: Value,
    #[serde(default = "bad_request")]
    status: u16,
    /// The provider's message, in the error body of the provider.
    message: Option<String>,
    /// The whole error body, if it has another form.
    body: Option<Value>,
    /// The field and its change, or null if the error is returned.
    change: Option<[String; 2]>,
    /// The values in the changed request by JSON pointer. Null stands for a missing value.
    #[serde(default)]
    sent: serde_json::Map<String, Value>,
    /// Whether later requests are changed before they are sent.
    #[serde(default = "remembered")]
    remembered: bool,
}

fn remembered() -> bool {
    true
}

fn bad_request() -> u16 {
    400
}

/// The name of a provider whose server implements OpenAI's API.
const LOCAL: &str = "local";

fn runner(simulator: &Simulator, strict_options: bool) -> Runner {
    let local =
        Provider::openai_compatible(LOCAL, simulator.openai_base_url()).key_name("KeyLocal");
    let providers = Providers::with([local]).unwrap();
    let rules = Rules { providers, strict_options, ..Rules::default() };
    Runner::new(endpoints(simulator), Arc::new(FixedKey), rules).with_signer(signer())
}

async fn run(runner: &Runner, request: &Value) -> Run {
    runner.run(Deadline::after(Duration::from_secs(30)), request.clone()).await
}

impl Case {
    fn request(&self) -> Value {
        let mut request =
            json!({ "provider": self.provider, "model": self.model, "message": "Give an answer." });
        if let Value::Object(fields) = &self.request {
            request.as_object_mut().unwrap().extend(fields.clone());
        }
        if request.get("schema").is_some() {
            request["output"] = json!("json");
        }
        request
    }

    fn script(&self) -> Value {
        let message = self.message.clone().unwrap_or_default();
        let body = self.body.clone().unwrap_or_else(|| match self.provider.as_str() {
            "amazon" | "amazon:anthropic" | "amazon:nova" => json!({ "message": message }),
            "anthropic" => json!({
                "type": "error", "error": { "type": "invalid_request_error", "message": message }
            }),
            "google" => json!({
                "error": { "code": 400, "message": message, "status": "INVALID_ARGUMENT" }
            }),
            "ollama" => json!({ "error": message }),
            _ => json!({ "error": { "message": message, "type": "invalid_request_error" } }),
        });
        json!([{ "then": { "status": self.status, "body": body } }])
    }

    /// Returns how the changes differ from the expected ones.
    async fn difference(&self) -> Option<String> {
        let simulator = Simulator::start().await.unwrap();
        simulator.script_json(self.script()).unwrap();
        let runner = runner(&simulator, false);
        let first = run(&runner, &self.request()).await;
        let calls = simulator.journal();
        let Some([field, change]) = &self.change else {
            let kind = first.outcome.as_ref().err().map(|error| error.kind());
            let is_expected = kind == Some(ErrorKind::ProviderRejected)
                && calls.len() == 1
                && first.report.learned.is_empty();
            return (!is_expected).then(|| format!("{:?}", first.outcome));
        };
        if calls.len() != 2 || first.report.attempts != 2 || first.outcome.is_err() {
            return Some(format!("{} calls, {:?}", calls.len(), first.outcome));
        }
        for (pointer, expected) in &self.sent {
            let sent = calls[1].body.pointer(pointer).unwrap_or(&Value::Null);
            if sent != expected {
                return Some(format!("{pointer}: {sent}"));
            }
        }
        let is_expected = |it: &&RequestChange| (it.field, &it.change) == (field.as_str(), change);
        if !first.report.changed.iter().any(|it| is_expected(&it)) {
            return Some(format!("changed {:?}", first.report.changed));
        }
        if !self.remembered {
            let second = run(&runner, &self.request()).await;
            let is_unchanged = second.outcome.is_ok()
                && first.report.learned.is_empty()
                && simulator.journal()[2].body == calls[0].body;
            return (!is_unchanged).then(|| format!("{:?}", first.report.learned));
        }
        let learned: Vec<&RequestChange> = first.report.learned.iter().collect();
        let [learned] = learned.as_slice() else { return Some(format!("learned {learned:?}")) };
        if !is_expected(learned) {
            return Some(format!("{}: {}", learned.field, learned.change));
        }
        let evidence = learned.evidence.as_deref().unwrap_or_default();
        if evidence.is_empty() || first.report.changed.iter().any(|it| it.evidence.is_some()) {
            return Some(format!("evidence {evidence:?}"));
        }
        let warns =
            |run: &Run| run.report.warnings.iter().any(|warning| warning.starts_with(field));
        if !warns(&first) {
            return Some(format!("{:?}", first.report.warnings));
        }
        let second = run(&runner, &self.request()).await;
        let is_remembered = second.outcome.is_ok()
            && simulator.journal().len() == 3
            && second.report.learned.is_empty()
            && second.report.changed == first.report.changed
            && warns(&second);
        (!is_remembered).then(|| format!("{:?}: {:?}", second.outcome, second.report.warnings))
    }
}

#[tokio::test]
async fn requests_are_changed_according_to_rejections() {
    let cases: Vec<Case> = read_cases("rejections.json");
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(!case.source.is_empty());
        if let Some(difference) = case.difference().await {
            let text = case.message.clone().unwrap_or_default();
            wrong.push(format!("{} {text}: {difference}", case.provider));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= 60, "{}", cases.len());
    let is_tested = |name: &str| cases.iter().any(|case| case.provider == name);
    for row in PROVIDERS.iter().filter(|row| row.name != "amazon:meta") {
        assert!(is_tested(row.name), "{}", row.name);
    }
}

#[tokio::test]
async fn rejections_are_errors_with_strict_options() {
    for case in read_cases::<Vec<Case>>("rejections.json").iter().filter(|it| it.change.is_some()) {
        let simulator = Simulator::start().await.unwrap();
        simulator.script_json(case.script()).unwrap();
        let run = run(&runner(&simulator, true), &case.request()).await;
        assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::ProviderRejected);
        assert_eq!(simulator.journal().len(), 1);
    }
}

/// Returns a request to a server that forwards to OpenAI, whose models no table describes.
fn local_request(model: &str, options: Value) -> Value {
    json!({ "provider": LOCAL, "model": model, "message": "Hi", "options": options })
}

/// The simulator itself rejects the options of these models, one after another.
#[tokio::test]
async fn all_rejections_of_a_request_are_learned_together() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, false);
    let mut options = json!({ "stopSequences": ["END"], "temperature": 0.2, "topP": 0.5 });
    let first = run(&runner, &local_request("gpt-6-astra", options.clone())).await;
    first.outcome.unwrap();
    let learned: Vec<&str> = first.report.learned.iter().map(|learned| learned.field).collect();
    assert_eq!(learned, ["options.stopSequences", "options.temperature", "options.topP"]);
    assert_eq!((first.report.attempts, first.report.warnings.len()), (4, 3));
    assert_eq!(
        first.report.warnings[0],
        "options.stopSequences is dropped for gpt-6-astra: the provider rejects it"
    );
    let second = run(&runner, &local_request("gpt-6-astra", options.clone())).await;
    second.outcome.unwrap();
    assert_eq!((second.report.attempts, second.report.warnings.len()), (1, 3));
    // Other models are not affected.
    run(&runner, &local_request("gpt-4o", options.clone())).await.outcome.unwrap();
    let calls = simulator.journal();
    assert_eq!((calls.len(), &calls[5].body["temperature"]), (6, &json!(0.2)));

    options["frequencyPenalty"] = json!(0.5);
    let fourth = run(&runner, &local_request("gpt-6.2-sol", options.clone())).await;
    assert_eq!(fourth.outcome.unwrap_err().kind(), ErrorKind::ProviderRejected);
    // Each rejection of another option confirms the change before it.
    assert_eq!((fourth.report.attempts, fourth.report.learned.len()), (4, 3));
    let fifth = run(&runner, &local_request("gpt-6.2-sol", options)).await;
    assert_eq!((fifth.outcome.is_ok(), fifth.report.attempts), (true, 2));
}

/// Sends a request to a server that rejects it with this message, and another request after it.
/// Returns the bodies that the server received.
async fn bodies_after(message: &str, first: &Value, second: &Value) -> Vec<Value> {
    let simulator = Simulator::start().await.unwrap();
    let rejection = json!({ "status": 400, "body": { "error": { "message": message } } });
    simulator.script_json(json!([{ "then": rejection }])).unwrap();
    let runner = runner(&simulator, false);
    run(&runner, first).await;
    run(&runner, second).await.outcome.unwrap();
    simulator.journal().iter().map(|call| call.body.clone()).collect()
}

#[tokio::test]
async fn one_change_drops_all_options_that_a_message_rejects() {
    let options = json!({
        "temperature": 0.2, "topP": 0.5, "stopSequences": ["END"], "seed": 7,
        "frequencyPenalty": 0.5, "presencePenalty": 0.5
    });
    let request = local_request("m", options);
    let fields = ["temperature", "top_p", "stop", "seed", "frequency_penalty", "presence_penalty"];
    let cases = [
        ("`temperature` and `top_p` are not supported with this model.", &fields[..2]),
        ("Unsupported parameters: 'seed', 'top_p', 'temperature', 'stop'", &fields[..4]),
        (
            "Argument not supported: presencePenalty, frequencyPenalty, stop",
            &["stop", "frequency_penalty", "presence_penalty"],
        ),
        ("Setting `frequency_penalty` or `presence_penalty` is not supported", &fields[4..]),
        ("Only 'max_tokens' and 'top_p' may be used: 'temperature' is not supported", &fields[..1]),
        ("'temperature' is not supported with this model; use 'top_p' instead", &fields[..1]),
    ];
    for (message, dropped) in cases {
        let bodies = bodies_after(message, &request, &request).await;
        assert_eq!(bodies.len(), 3, "{message}");
        for body in &bodies[1..] {
            let missing: Vec<&str> =
                fields.iter().copied().filter(|field| body.get(field).is_none()).collect();
            assert_eq!(missing, dropped, "{message}");
        }
    }
}

#[tokio::test]
async fn texts_of_a_request_are_not_rejections() {
    let request = |text: &str, options: Value| {
        let mut request = local_request("m", options);
        request["message"] = json!(text);
        request
    };
    let long = format!("max_tokens: 9000 > 300. {}", "More text. ".repeat(20));
    let options = json!({ "maxTokens": 9000, "temperature": 0.5 });
    let cases = [
        ("max_tokens: 9000 > 300", json!({}), "could not process input 'max_tokens: 9000 > 300'"),
        ("max_tokens: 9000 > 300", json!({}), "Invalid request: max_tokens: 9000 > 300"),
        (&long, json!({}), "Invalid request: max_tokens: 9000 > 300. More text. More text. Mo..."),
        ("temperature: 1", json!({}), "Input not allowed: 'temperature: 1' violates the policy"),
        (
            "Hi",
            json!({ "stopSequences": ["maximum tokens > 300"] }),
            "Invalid stop: 'maximum tokens > 300' is not supported as stop",
        ),
        (
            "Say \"seed\": it is unsupported",
            json!({ "seed": 7 }),
            r#"Rejected: {"text": "Say \"seed\": it is unsupported"}"#,
        ),
    ];
    for (text, stop, message) in cases {
        let mut all = options.clone();
        all.as_object_mut().unwrap().extend(stop.as_object().unwrap().clone());
        let bodies =
            bodies_after(message, &request(text, all), &request("Hi", options.clone())).await;
        assert_eq!(bodies.len(), 2, "{message}");
        assert_eq!(
            (&bodies[1]["max_tokens"], &bodies[1]["temperature"]),
            (&json!(9000), &json!(0.5))
        );
    }
}

#[tokio::test]
async fn a_keyword_that_is_rejected_affects_only_its_schema() {
    let request = |field: Value| {
        json!({
            "provider": LOCAL, "model": "m", "message": "Hi", "output": "json", "schema": {
                "type": "object", "properties": { "a": field }, "required": ["a"],
                "additionalProperties": false
            }
        })
    };
    let integer = json!({ "type": "integer" });
    let first = request(json!({ "oneOf": [integer, { "type": "string" }] }));
    for message in [
        "Structured outputs: 'oneOf' is not supported",
        "response_format.json_schema.schema: keyword 'oneOf' not supported",
        "Structured output is not supported for schemas with oneOf",
        "Unsupported value: 'response_format' schema uses 'oneOf', which is not supported",
    ] {
        let simulator = Simulator::start().await.unwrap();
        let rejection = json!({ "status": 400, "body": { "error": { "message": message } } });
        simulator.script_json(json!([{ "then": rejection }])).unwrap();
        let runner = runner(&simulator, false);
        run(&runner, &first).await;
        run(&runner, &request(integer.clone())).await;
        let calls = simulator.journal();
        assert_ne!(calls[0].body["response_format"], calls[1].body["response_format"]);
        let last = &calls.last().unwrap().body["response_format"];
        assert_eq!(last["json_schema"]["strict"], true, "{message}");
    }
}

#[tokio::test]
async fn an_option_is_dropped_only_with_the_reasoning_of_the_rejected_request() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, false);
    let options = json!({ "temperature": 0.2 });
    let first = run(&runner, &local_request("gpt-5.1", options)).await;
    assert_eq!((first.outcome.is_ok(), first.report.learned.len()), (true, 1));
    let options = json!({ "temperature": 0.2, "effort": "none" });
    let second = run(&runner, &local_request("gpt-5.1", options)).await;
    assert_eq!((second.outcome.is_ok(), second.report.attempts), (true, 1));
    assert_eq!(simulator.journal()[2].body["temperature"], 0.2);
}

#[tokio::test]
async fn effort_moves_to_the_nearest_supported_value() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, false);
    let options = json!({ "effort": "max" });
    for (attempts, model) in [(2, "gpt-5.1"), (1, "gpt-5.1"), (2, "gpt-5.2")] {
        let run = run(&runner, &local_request(model, options.clone())).await;
        assert_eq!((run.outcome.is_ok(), run.report.attempts), (true, attempts));
    }
    let sent: Vec<Value> =
        simulator.journal().iter().map(|call| call.body["reasoning_effort"].clone()).collect();
    assert_eq!(sent, ["max", "high", "high", "max", "xhigh"]);
}

#[tokio::test]
async fn rejected_schemas_do_not_affect_other_schemas() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, false);
    let request = |name: &str| {
        json!({
            "provider": "anthropic", "model": "claude-haiku-5-5", "message": "Hi",
            "output": "json", "schema": {
                "type": "object", "properties": { name: { "type": "string" } }, "required": [name],
            }
        })
    };
    let message = "The compiled grammar is too large, which would cause performance issues.";
    let rejection = json!([{ "then": { "status": 400, "body": {
        "type": "error", "error": { "type": "invalid_request_error", "message": message }
    } } }]);
    simulator.script_json(rejection).unwrap();
    for (name, attempts) in [("a", 2), ("a", 1), ("b", 1)] {
        let run = run(&runner, &request(name)).await;
        assert_eq!((run.outcome.is_ok(), run.report.attempts), (true, attempts));
    }
    let sent: Vec<bool> = simulator
        .journal()
        .iter()
        .map(|call| call.body.pointer("/output_config/format").is_some())
        .collect();
    assert_eq!(sent, [true, false, false, true]);
}

#[tokio::test]
async fn schema_method_does_not_change_after_a_completed_turn() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, false);
    let message = "Invalid parameter: 'response_format' of type 'json_schema' is not supported \
                   with this model.";
    let rejection = json!({ "status": 400, "body": { "error": { "message": message } } });
    let script = json!([{ "then": { "text": "no JSON" } }, { "then": rejection }]);
    simulator.script_json(script).unwrap();
    let request = json!({
        "provider": "openai", "model": "gpt-4o", "message": "Hi", "output": "json",
        "schema": { "type": "object", "properties": { "a": { "type": "string" } } }
    });
    let run = run(&runner, &request).await;
    assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::ProviderRejected);
    assert_eq!((run.report.attempts, run.report.learned.len()), (2, 0));
}

#[tokio::test]
async fn a_learned_limit_never_raises_the_operators_ceiling() {
    let simulator = Simulator::start().await.unwrap();
    let message = "max_tokens is too large: 9000. This model supports at most 4096 completion \
                   tokens, whereas you provided 9000.";
    let rejection = json!({ "status": 400, "body": { "error": { "message": message } } });
    simulator.script_json(json!([{ "then": rejection }])).unwrap();
    let rules = Rules { max_tokens_ceiling: Some(9000), ..Rules::default() };
    let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), rules);
    for options in [json!({}), json!({ "maxTokens": 5000 }), json!({ "maxTokens": 50 })] {
        let request =
            json!({ "provider": "openai", "model": "gpt-4o", "message": "Hi", "options": options });
        run(&runner, &request).await.outcome.unwrap();
    }
    let limit = |body: &Value| body["max_completion_tokens"].as_u64().unwrap();
    let sent: Vec<u64> = simulator.journal().iter().map(|call| limit(&call.body)).collect();
    assert_eq!(sent, [9000, 4096, 4096, 50]);
}

#[tokio::test]
async fn a_rejection_of_a_forced_tool_applies_to_the_kind_of_reasoning() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, false);
    let message = "Thinking may not be enabled when tool_choice forces tool use.";
    let rejection = json!({ "status": 400, "body": {
        "type": "error", "error": { "type": "invalid_request_error", "message": message }
    } });
    simulator.script_json(json!([{ "then": rejection }])).unwrap();
    let request = |effort: &str| {
        json!({
            "provider": "anthropic", "model": "claude-opus-5", "message": "Hi", "output": "json",
            "schema": { "type": "object", "additionalProperties": { "type": "integer" } },
            "options": { "effort": effort }
        })
    };
    for (effort, attempts) in [("high", 2), ("none", 1), ("high", 1)] {
        assert_eq!(run(&runner, &request(effort)).await.report.attempts, attempts, "{effort}");
    }
    let is_forced: Vec<bool> =
        simulator.journal().iter().map(|call| call.body.get("tool_choice").is_some()).collect();
    assert_eq!(is_forced, [true, false, true, false]);
}
