//! What the function prints: one JSON line an invocation, with embedded metrics, and nothing of
//! keys, prompts, data or replies.

use llm_exe_simulator::{Fault, Step};
use serde_json::{Value, json};

use crate::harness::{ANTHROPIC_KEY, Function, OPENAI_KEY, merge, posted, request};

const PROMPT: &str = "Sentinel-Prompt-Sentence";
const DATA: &str = "Sentinel-Data-Sentence";
const REPLY: &str = "Sentinel-Reply-Sentence";

#[tokio::test]
async fn every_invocation_leaves_one_line_with_its_metrics() {
    let function = Function::start().await;
    let mut ids = Vec::new();
    for event in [request(), posted(&request()), json!({}), json!([])] {
        let invocation = function.invoke_bytes(event.to_string(), crate::harness::TIMEOUT).await;
        ids.push(invocation.request_id);
    }
    function.simulator.script(vec![Step::status(500).times(9)]);
    ids.push(
        function.invoke_bytes(request().to_string(), crate::harness::TIMEOUT).await.request_id,
    );
    let lines = function.stop().await.lines();
    let told: Vec<&str> = lines.iter().map(|line| line["requestId"].as_str().unwrap()).collect();
    assert_eq!(told, ids);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["coldStart"], json!(index == 0), "{line}");
        assert!(line["durationMs"].is_number(), "{line}");
        is_time(line["timestamp"].as_str().unwrap());
        metrics_are_there(line);
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
    assert_eq!(lines[4]["attempts"], json!(3));
    assert_eq!(lines[4]["providerStatus"], json!(500));
}

/// RFC 3339 in UTC with milliseconds, as Lambda's own lines have it.
fn is_time(text: &str) {
    let pattern = "0000-00-00T00:00:00.000Z";
    let fits =
        |(want, is): (char, char)| if want == '0' { is.is_ascii_digit() } else { want == is };
    assert!(text.len() == pattern.len() && pattern.chars().zip(text.chars()).all(fits), "{text}");
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn metrics_are_there(line: &Value) {
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
            assert!(line[name].is_number(), "{name} is no number in {line}");
            let unit = metric["Unit"].as_str().unwrap();
            assert!(["Milliseconds", "Count"].contains(&unit), "{unit}");
        }
        for dimensions in directive["Dimensions"].as_array().unwrap() {
            let dimensions = dimensions.as_array().unwrap();
            assert!(dimensions.len() <= 30);
            for name in dimensions {
                let text = line[name.as_str().unwrap()].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{name} is no text in {line}");
            }
        }
    }
}

/// A caller's misspelt model must not become a metric.
#[tokio::test]
async fn a_model_that_was_never_answered_is_no_dimension() {
    let function = Function::start().await;
    let mut misspelt = request();
    merge(&mut misspelt, &json!({ "model": "gpt-4o-minni" }));
    function.simulator.script(vec![Step::status(404)]);
    function.invoke(&misspelt).await.failure();
    let lines = function.stop().await.lines();
    assert!(!lines[0]["_aws"].to_string().contains("model"), "{}", lines[0]);
}

#[tokio::test]
async fn the_level_keeps_lines_out() {
    for (level, expected) in [("error", 0), ("warn", 1), ("info", 2), ("debug", 2)] {
        let function =
            Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), ("LOG_LEVEL", level)]).await;
        function.invoke(&request()).await.result();
        function.invoke(&json!({})).await.failure();
        assert_eq!(function.stop().await.lines().len(), expected, "{level}");
    }
}

#[tokio::test]
async fn warnings_are_counted_and_spelled_out_for_debugging() {
    for (level, spelled_out) in [("info", false), ("debug", true)] {
        let function =
            Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), ("LOG_LEVEL", level)]).await;
        let mut odd = request();
        merge(&mut odd, &json!({ "messages": [], "options": { "topK": 3 } }));
        function.invoke(&odd).await.result();
        let lines = function.stop().await.lines();
        assert_eq!(lines[0]["warningCount"], json!(2), "{}", lines[0]);
        assert_eq!(lines[0].get("warnings").is_some(), spelled_out, "{}", lines[0]);
    }
}

/// Requests with sentinels wherever a caller's text may stand, and scripts that bring each into
/// whatever may be logged.
fn delicate() -> Vec<(&'static str, Value, Vec<Step>)> {
    let with = |patch: Value| {
        let mut request = request();
        let said = json!({
            "message": format!("{PROMPT} {{{{secret}}}}"),
            "data": { "secret": DATA }
        });
        merge(&mut request, &said);
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
        ("a good answer", with(json!({})), reply(1)),
        ("a full answer", with(json!({ "return": "full" })), reply(1)),
        ("dryRun", with(json!({ "dryRun": true })), vec![]),
        ("a 500", with(json!({})), vec![Step::status(500).times(9)]),
        ("a hang", with(json!({ "options": { "timeout": 50 } })), vec![Step::fault(Fault::Hang)]),
        ("bad JSON", with(json!({})), vec![Step::fault(Fault::BadJson)]),
        ("half an answer", with(json!({})), vec![Step::fault(Fault::Truncate)]),
        ("no JSON in the reply", with(schema.clone()), reply(9)),
        ("a reply against the schema", with(schema.clone()), vec![Step::text(wrong).times(9)]),
        (
            "a refusal",
            with(schema),
            vec![Step::new(llm_exe_simulator::ScriptedResponse::Refusal(REPLY.into()))],
        ),
        ("no list in the reply", with(json!({ "output": "list" })), reply(9)),
        (
            "a template that is broken",
            with(json!({ "message": format!("{{{{#if a}}}}{PROMPT}") })),
            vec![],
        ),
        (
            "a template with an odd tag",
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
            "a prompt for a role",
            with(json!({ "message": [{ "role": PROMPT, "content": "a" }] })),
            vec![],
        ),
        ("a prompt for data", with(json!({ "data": DATA })), vec![]),
        ("a prompt for options", with(json!({ "options": PROMPT })), vec![]),
        ("a prompt for a provider", with(json!({ "provider": PROMPT })), vec![]),
        (
            "data in an image's URL",
            with(json!({
                "message": [{ "role": "user", "content": [
                    { "type": "image_url", "image_url": { "url": "ftp://{{secret}}" } }
                ] }]
            })),
            vec![],
        ),
        ("a prompt for a request", json!(PROMPT), vec![]),
    ]
}

#[tokio::test]
async fn nothing_delicate_is_logged() {
    let mut wrong = Vec::new();
    for level in ["info", "debug"] {
        let function = Function::with(&[
            ("OPENAI_API_KEY", OPENAI_KEY),
            ("ANTHROPIC_API_KEY", ANTHROPIC_KEY),
            ("ENDPOINT_AUTH", "NONE"),
            ("LOG_LEVEL", level),
        ])
        .await;
        let cases = delicate();
        for (_, request, script) in &cases {
            function.simulator.clear();
            function.simulator.script(script.clone());
            function.invoke(request).await;
        }
        let printed = function.stop().await;
        assert_eq!(printed.stderr, "");
        let lines: Vec<&str> = printed.stdout.lines().collect();
        assert_eq!(lines.len(), cases.len());
        for ((name, _, _), line) in cases.iter().zip(lines) {
            if [PROMPT, DATA, REPLY].iter().any(|sentinel| line.contains(sentinel)) {
                wrong.push(format!("{name} ({level}): {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An error may quote a short piece of a wrong value; never the rendered prompt, and no data.
#[tokio::test]
async fn errors_tell_no_prompt_and_no_data() {
    let function = Function::start().await;
    for (name, request, script) in delicate() {
        function.simulator.clear();
        function.simulator.script(script);
        if let crate::harness::Answer::Failed { message, .. } = function.invoke(&request).await {
            let rendered = format!("{PROMPT} {DATA}");
            assert!(!message.contains(&rendered), "{name}: {message}");
        }
    }
    function.stop().await;
}
