//! Tests the log, which has one JSON line for each invocation. A line contains embedded metrics,
//! but no keys, prompts, data or replies.

use llm_exe_simulator::{Fault, Step};
use serde_json::{Value, json};

use crate::harness::{ANTHROPIC_KEY, Function, OPENAI_KEY, merge, post_event, request};

const PROMPT: &str = "Sentinel-Prompt-Sentence";
const DATA: &str = "Sentinel-Data-Sentence";
const REPLY: &str = "Sentinel-Reply-Sentence";

#[tokio::test]
async fn every_invocation_logs_one_line_with_metrics() {
    let function = Function::start().await;
    let mut ids = Vec::new();
    for event in [request(), post_event(&request()), json!({}), json!([])] {
        let invocation = function.invoke_bytes(event.to_string(), crate::harness::TIMEOUT).await;
        ids.push(invocation.request_id);
    }
    function.simulator.script(vec![Step::status(500).times(9)]);
    ids.push(
        function.invoke_bytes(request().to_string(), crate::harness::TIMEOUT).await.request_id,
    );
    let lines = function.stop().await.lines();
    let logged: Vec<&str> = lines.iter().map(|line| line["requestId"].as_str().unwrap()).collect();
    assert_eq!(logged, ids);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["coldStart"], json!(index == 0), "{line}");
        assert!(line["durationMs"].is_number(), "{line}");
        check_time(line["timestamp"].as_str().unwrap());
        check_metrics(line);
    }
    let fields = |line: &Value| {
        ["level", "message", "source", "errorType"]
            .map(|name| line[name].as_str().map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    let expected = [
        [some("INFO"), some("answered"), some("direct"), None],
        [some("INFO"), some("answered"), some("http"), None],
        [some("WARN"), some("failed"), some("direct"), some("InvalidRequest")],
        [some("WARN"), some("failed"), some("unsupported"), some("InvalidRequest")],
        [some("WARN"), some("failed"), some("direct"), some("ProviderUnavailable")],
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(fields(line), expected, "{line}");
    }
    let first = &lines[0];
    assert_eq!(first["provider"], json!("openai"));
    assert_eq!(first["model"], json!("gpt-4o-mini"));
    assert_eq!(first["output"], json!("string"));
    assert_eq!(first["attempts"], json!(1));
    assert_eq!(first["stopReason"], json!("stop"));
    assert!(first["providerMs"].is_number() && first["secretsMs"].is_number(), "{first}");
    let count = |name: &str| first[name].as_u64().unwrap_or_else(|| panic!("{name}: {first}"));
    assert_eq!(count("inputTokens") + count("outputTokens"), count("totalTokens"));
    assert!(count("inputTokens") > 0 && count("outputTokens") > 0);
    let cost = first["cost"]["usd"].as_f64().unwrap();
    assert!(cost > 0.0 && first["costUsd"].as_f64() == Some(cost), "{first}");
    assert_eq!(lines[4]["attempts"], json!(3));
    assert_eq!(lines[4]["providerStatus"], json!(500));
}

#[tokio::test]
async fn a_learned_capability_is_logged_once() {
    let function = Function::start().await;
    let message = "Unsupported parameter: 'temperature'";
    let body = json!({ "error": { "message": message, "prompt": PROMPT } });
    let rejection = json!([{ "then": { "status": 400, "body": body } }]);
    function.simulator.script_json(rejection).unwrap();
    let mut event = request();
    merge(&mut event, &json!({ "options": { "temperature": 0.2 } }));
    for _ in 0..2 {
        function.invoke(&event).await;
    }
    let lines = function.stop().await.lines();
    let mut expected = json!([{
        "provider": "openai", "model": "gpt-4o-mini", "field": "options.temperature",
        "change": "dropped", "evidence": message
    }]);
    assert_eq!(lines[0]["capabilityLearned"], expected);
    expected[0].as_object_mut().unwrap().remove("evidence");
    assert_eq!((&lines[0]["requestChanged"], &lines[1]["requestChanged"]), (&expected, &expected));
    assert!(lines[1].get("capabilityLearned").is_none());
    assert_eq!((&lines[0]["attempts"], &lines[1]["attempts"]), (&json!(2), &json!(1)));
    assert!(!lines[0].to_string().contains(PROMPT));
}

/// Checks that a time has the format of Lambda's log lines: RFC 3339 in UTC with milliseconds.
fn check_time(text: &str) {
    let pattern = "0000-00-00T00:00:00.000Z";
    let matches = |(expected, actual): (char, char)| match expected {
        '0' => actual.is_ascii_digit(),
        _ => expected == actual,
    };
    assert!(
        text.len() == pattern.len() && pattern.chars().zip(text.chars()).all(matches),
        "{text}"
    );
}

/// Checks the embedded metrics in a log line.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn check_metrics(line: &Value) {
    let aws = &line["_aws"];
    assert!(aws["Timestamp"].as_u64().unwrap() > 1_700_000_000_000, "{aws}");
    let directives = aws["CloudWatchMetrics"].as_array().unwrap();
    assert!(!directives.is_empty());
    for directive in directives {
        assert!(!directive["Namespace"].as_str().unwrap().is_empty());
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!(!metrics.is_empty() && metrics.len() <= 100);
        for metric in metrics {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name} is not a number in {line}");
            let unit = metric["Unit"].as_str().unwrap();
            assert!(["Milliseconds", "Count", "None"].contains(&unit), "{unit}");
        }
        for dimensions in directive["Dimensions"].as_array().unwrap() {
            let dimensions = dimensions.as_array().unwrap();
            assert!(dimensions.len() <= 30);
            for name in dimensions {
                let text = line[name.as_str().unwrap()].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{name} is not a string in {line}");
            }
        }
    }
}

/// A misspelled model name must not create a new CloudWatch metric.
#[tokio::test]
async fn model_without_a_reply_is_not_a_dimension() {
    let function = Function::start().await;
    let mut misspelled = request();
    merge(&mut misspelled, &json!({ "model": "gpt-4o-minni" }));
    function.simulator.script(vec![Step::status(404)]);
    function.invoke(&misspelled).await.failure();
    let lines = function.stop().await.lines();
    assert!(!lines[0]["_aws"].to_string().contains("model"), "{}", lines[0]);
}

#[tokio::test]
async fn log_level_excludes_lines() {
    for (level, expected) in [("error", 0), ("warn", 1), ("info", 2), ("debug", 2)] {
        let function =
            Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), ("LOG_LEVEL", level)]).await;
        function.invoke(&request()).await.result();
        function.invoke(&json!({})).await.failure();
        assert_eq!(function.stop().await.lines().len(), expected, "{level}");
    }
}

#[tokio::test]
async fn warnings_are_counted_and_listed_at_debug_level() {
    for (level, is_listed) in [("info", false), ("debug", true)] {
        let function =
            Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), ("LOG_LEVEL", level)]).await;
        let mut unusual = request();
        merge(&mut unusual, &json!({ "messages": [], "options": { "topK": 3 } }));
        function.invoke(&unusual).await.result();
        let lines = function.stop().await.lines();
        assert_eq!(lines[0]["warningCount"], json!(2), "{}", lines[0]);
        assert_eq!(lines[0].get("warnings").is_some(), is_listed, "{}", lines[0]);
    }
}

/// Returns requests with sentinels in the strings that a caller can set, and provider scripts that
/// cause log lines about these requests.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn sensitive_cases() -> Vec<(&'static str, Value, Vec<Step>)> {
    let with = |patch: Value| {
        let mut request = request();
        let texts = json!({
            "message": format!("{PROMPT} {{{{secret}}}}"),
            "data": { "secret": DATA }
        });
        merge(&mut request, &texts);
        merge(&mut request, &patch);
        request
    };
    let schema = json!({
        "output": "json",
        "schema": {
            "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"]
        }
    });
    let reply = |times| vec![Step::text(REPLY).times(times)];
    let wrong = json!({ "a": REPLY }).to_string();
    vec![
        ("a result", with(json!({})), reply(1)),
        ("a full result", with(json!({ "return": "full" })), reply(1)),
        ("dryRun", with(json!({ "dryRun": true })), vec![]),
        ("a 500", with(json!({})), vec![Step::status(500).times(9)]),
        ("a hang", with(json!({ "options": { "timeout": 50 } })), vec![Step::fault(Fault::Hang)]),
        ("bad JSON", with(json!({})), vec![Step::fault(Fault::BadJson)]),
        ("half a response", with(json!({})), vec![Step::fault(Fault::Truncate)]),
        ("no JSON in the reply", with(schema.clone()), reply(9)),
        ("a reply against the schema", with(schema.clone()), vec![Step::text(wrong).times(9)]),
        (
            "a refusal",
            with(schema),
            vec![Step::new(llm_exe_simulator::ScriptedResponse::Refusal(REPLY.into()))],
        ),
        ("no list in the reply", with(json!({ "output": "list" })), reply(9)),
        (
            "a template that does not parse",
            with(json!({ "message": format!("{{{{#if a}}}}{PROMPT}") })),
            vec![],
        ),
        (
            "a template with an invalid tag",
            with(json!({ "message": format!("{{{{{PROMPT} ! }}}}") })),
            vec![],
        ),
        ("a message of the wrong type", with(json!({ "message": [[PROMPT]] })), vec![]),
        (
            "a content of the wrong type",
            with(json!({
                "message": [{ "role": "user", "content": { "a": PROMPT } }]
            })),
            vec![],
        ),
        (
            "a prompt instead of a role",
            with(json!({ "message": [{ "role": PROMPT, "content": "a" }] })),
            vec![],
        ),
        ("a prompt instead of data", with(json!({ "data": DATA })), vec![]),
        ("a prompt instead of options", with(json!({ "options": PROMPT })), vec![]),
        ("a prompt instead of a provider", with(json!({ "provider": PROMPT })), vec![]),
        (
            "data in an image's URL",
            with(json!({
                "message": [{ "role": "user", "content": [
                    { "type": "image_url", "image_url": { "url": "ftp://{{secret}}" } }
                ] }]
            })),
            vec![],
        ),
        ("a prompt instead of a request", json!(PROMPT), vec![]),
    ]
}

#[tokio::test]
async fn sensitive_texts_are_not_logged() {
    let mut leaks = Vec::new();
    for level in ["info", "debug"] {
        let function = Function::with(&[
            ("OPENAI_API_KEY", OPENAI_KEY),
            ("ANTHROPIC_API_KEY", ANTHROPIC_KEY),
            ("ENDPOINT_AUTH", "NONE"),
            ("LOG_LEVEL", level),
        ])
        .await;
        let cases = sensitive_cases();
        for (_, request, script) in &cases {
            function.simulator.clear();
            function.simulator.script(script.clone());
            function.invoke(request).await;
        }
        let output = function.stop().await;
        assert_eq!(output.stderr, "");
        let lines: Vec<&str> = output.stdout.lines().collect();
        assert_eq!(lines.len(), cases.len());
        for ((name, _, _), line) in cases.iter().zip(lines) {
            if [PROMPT, DATA, REPLY].iter().any(|sentinel| line.contains(sentinel)) {
                leaks.push(format!("{name} ({level}): {line}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// An error message may quote part of an invalid value, but it must not contain the rendered prompt
/// with its data.
#[tokio::test]
async fn errors_do_not_contain_the_prompt_or_data() {
    let function = Function::start().await;
    for (name, request, script) in sensitive_cases() {
        function.simulator.clear();
        function.simulator.script(script);
        if let crate::harness::Response::Failed { message, .. } = function.invoke(&request).await {
            let rendered = format!("{PROMPT} {DATA}");
            assert!(!message.contains(&rendered), "{name}: {message}");
        }
    }
    function.stop().await;
}
