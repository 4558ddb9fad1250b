//! Tests the function with hostile events and replies. It must respond in time, with a typed error,
//! and then handle the next event.

use std::time::{Duration, Instant};

use llm_exe_simulator::Step;
use serde_json::{Value, json};

use crate::harness::{Function, Response, merge, post_event, request, response};

/// The timeout of each invocation.
const LAMBDA: Duration = Duration::from_secs(20);

fn with(patch: &Value) -> Value {
    let mut request = request();
    merge(&mut request, patch);
    request
}

fn many_fields(count: usize) -> Value {
    let mut request = request();
    for index in 0..count {
        request[format!("unknown{index}")] = json!(index);
    }
    request
}

/// Returns events that the function must reject. They are strings, because `serde_json` can't
/// represent all of them.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn rejected() -> Vec<(&'static str, String)> {
    let valid = request().to_string();
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let in_data = |text: &str| valid.replacen('{', &format!("{{\"data\":{{\"a\":{text}}},"), 1);
    vec![
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("a number", "7".to_owned()),
        ("a number with an exponent", "1e999999999".to_owned()),
        ("a string", "\"hello\"".to_owned()),
        ("an empty string", "\"\"".to_owned()),
        ("a list", "[]".to_owned()),
        ("a list of lists", "[[[]]]".to_owned()),
        ("a list of null", "[null]".to_owned()),
        ("an empty object", "{}".to_owned()),
        ("lists nested deep", deep("[", "]")),
        ("objects nested deep", format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000))),
        ("deep data", in_data(&deep("[", "]"))),
        ("a string where data should be", with(&json!({ "data": "a" })).to_string()),
        (
            "five megabytes of a wrong type",
            with(&json!({ "data": "a".repeat(5_000_000) })).to_string(),
        ),
        (
            "a wrong role of five megabytes",
            with(&json!({
                "message": [{ "role": "a".repeat(5_000_000), "content": "b" }]
            }))
            .to_string(),
        ),
        ("a model of five megabytes", with(&json!({ "model": "a".repeat(5_000_000) })).to_string()),
        (
            "a provider of five megabytes",
            with(&json!({ "provider": "a".repeat(5_000_000) })).to_string(),
        ),
        (
            "an output of five megabytes",
            with(&json!({ "output": "a".repeat(5_000_000) })).to_string(),
        ),
        ("a zero byte in a model", with(&json!({ "model": "a\u{0}b" })).to_string()),
        ("a line break in a model", with(&json!({ "model": "a\r\nx-evil: 1" })).to_string()),
        ("a model with a relative path", with(&json!({ "model": "../../x" })).to_string()),
        (
            "ten thousand bad messages",
            with(&json!({
                "message": vec![json!({ "role": 1 }); 10_000]
            }))
            .to_string(),
        ),
        (
            "a hundred thousand bad messages",
            with(&json!({
                "message": vec![json!(7); 100_000]
            }))
            .to_string(),
        ),
        (
            "ten thousand bad stop sequences",
            with(&json!({
                "options": { "stopSequences": vec![1; 10_000] }
            }))
            .to_string(),
        ),
        (
            "blocks nested deep",
            with(&json!({ "message": "{{#if a}}".repeat(100_000) })).to_string(),
        ),
        (
            "closed blocks nested deep",
            with(&json!({
                "message": format!("{}{}", "{{#if a}}".repeat(50_000), "{{/if}}".repeat(50_000))
            }))
            .to_string(),
        ),
        (
            "parentheses nested deep",
            with(&json!({
                "message": format!("{{{{a {}b{}}}}}", "(a ".repeat(100_000), ")".repeat(100_000))
            }))
            .to_string(),
        ),
        ("braces", with(&json!({ "message": "{".repeat(1_000_000) })).to_string()),
        (
            "an unclosed tag of a megabyte",
            with(&json!({
                "message": format!("{{{{{}", "a".repeat(1_000_000))
            }))
            .to_string(),
        ),
        (
            "a schema with a reference to nowhere",
            with(&json!({
                "output": "json", "schema": { "$ref": "#/$defs/a" }
            }))
            .to_string(),
        ),
        (
            "a schema with a reference to a file",
            with(&json!({
                "output": "json", "schema": { "$ref": "file:///etc/passwd" }
            }))
            .to_string(),
        ),
        (
            "a schema with a reference to the metadata service",
            with(&json!({
                "output": "json", "schema": { "$ref": "http://169.254.169.254/latest/meta-data/" }
            }))
            .to_string(),
        ),
    ]
}

/// Returns unusual events that the function must accept and run.
fn accepted() -> Vec<(&'static str, Value)> {
    vec![
        ("a field's name of a megabyte", with(&json!({ "a".repeat(1_000_000): 1 }))),
        ("ten thousand unknown fields", many_fields(10_000)),
        ("a prompt of four megabytes", with(&json!({ "message": "a".repeat(4_000_000) }))),
        ("data of five megabytes", with(&json!({ "data": { "a": "b".repeat(5_000_000) } }))),
        ("zero bytes in the prompt", with(&json!({ "message": "a\u{0}b\u{1}\u{7f}\u{85}" }))),
        (
            "a prompt of emoji and marks",
            with(&json!({ "message": "\u{1f469}\u{200d}\u{202e}\u{feff}\u{e9}" })),
        ),
        (
            "data that looks like a template",
            with(&json!({
                "message": "{{a}}", "data": { "a": "{{#each b}}{{{c}}} {{> d}}" }
            })),
        ),
        ("a hundred thousand fields of data", {
            let mut request = request();
            for index in 0..100_000 {
                request["data"][format!("a{index}")] = json!(index);
            }
            request
        }),
        ("a thousand messages", with(&json!({ "message": vec!["a"; 1_000] }))),
        (
            "Object.prototype",
            with(&json!({
                "message": "{{__proto__}}{{constructor.name}}{{toString}}x"
            })),
        ),
    ]
}

/// Runs test cases one after another and collects their failures.
struct Trial {
    function: Function,
    failures: Vec<String>,
}

impl Trial {
    async fn start() -> Trial {
        Trial { function: Function::start().await, failures: Vec::new() }
    }

    /// Invokes the function and returns its response. If it does not respond in time, records a
    /// failure and starts a new function for the next case.
    async fn invoke(&mut self, name: &str, event: String, script: &[Step]) -> Option<Response> {
        self.function.simulator.clear();
        self.function.simulator.script(script.to_vec());
        let started = Instant::now();
        match self.function.try_invoke(event, LAMBDA).await {
            Ok(invocation) => {
                println!("{:6} ms {name}", started.elapsed().as_millis());
                Some(response(&invocation))
            }
            Err(error) => {
                self.failures.push(format!("{name}: {error}"));
                self.function = Function::start().await;
                None
            }
        }
    }

    fn check(&mut self, is_expected: bool, name: &str, actual: &str) {
        if !is_expected {
            self.failures.push(format!("{name}: {actual:.400}"));
        }
    }

    /// Stops the function and fails the test if any case failed.
    async fn finish(self) {
        let output = self.function.stop().await;
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        assert_eq!(output.stderr, "");
        for line in output.stdout.lines() {
            assert!(line.len() < 40_000, "a log line of {} bytes", line.len());
        }
    }
}

#[tokio::test]
async fn invalid_events_are_rejected_with_a_short_typed_error() {
    let mut trial = Trial::start().await;
    for (name, event) in rejected() {
        match trial.invoke(name, event, &[]).await {
            None => continue,
            Some(Response::Result(value)) => {
                trial.check(false, name, &format!("accepted: {value}"))
            }
            Some(Response::Failed { error_type, message }) => {
                let known = ["InvalidRequest", "PromptInvalid"].contains(&error_type.as_str());
                trial.check(known, name, &format!("{error_type}: {message}"));
                let actual = format!("a message of {} bytes", message.len());
                trial.check(message.len() < 20_000, name, &actual);
            }
        }
        let calls = trial.function.simulator.journal().len();
        trial.check(calls == 0, name, "a provider was called");
        trial.function.assert_works(name).await;
    }
    trial.finish().await;
}

#[tokio::test]
async fn unusual_events_are_run() {
    let mut trial = Trial::start().await;
    for (name, request) in accepted() {
        let script = [Step::text("fine")];
        let direct = trial.invoke(name, request.to_string(), &script).await;
        let is_expected = direct == Some(Response::Result(json!("fine")));
        trial.check(is_expected, name, &format!("{direct:?}"));
        let event = post_event(&request).to_string();
        if let Some(response) = trial.invoke(name, event, &script).await {
            let (status, _, body) = response.http();
            trial.check((status, body.as_str()) == (200, "fine"), name, &body);
        }
        trial.function.assert_works(name).await;
    }
    trial.finish().await;
}

/// Evaluating these prompts and schemas takes exponential time.
#[tokio::test]
async fn exponential_work_is_stopped_in_time() {
    let mut trial = Trial::start().await;
    let each = |depth: usize| {
        format!("{}x{}", "{{#each @root.a}}".repeat(depth), "{{/each}}".repeat(depth))
    };
    let mut branches = json!({});
    for index in 0..30 {
        branches[format!("a{index}")] = json!({ "$ref": "#" });
    }
    let recursive = json!({ "type": "object", "properties": branches });
    let cases = [
        ("loops in loops", with(&json!({ "message": each(6), "data": { "a": vec![0; 1_000] } }))),
        (
            "loops in loops with relative paths",
            with(&json!({
                "message": "{{#each a}}{{#each ../a}}{{#each ../../a}}{{#each ../../../a}}x\
                            {{/each}}\
                            {{/each}}{{/each}}{{/each}}",
                "data": { "a": vec![0; 1_000] }
            })),
        ),
        (
            "a schema with many branches, in the prompt",
            with(&json!({
                "model": "gpt-4", "output": "json", "schema": recursive
            })),
        ),
        (
            "a schema with many branches, native",
            with(&json!({
                "output": "json", "schema": recursive
            })),
        ),
        (
            "a schema with many branches, for Anthropic",
            with(&json!({
                "provider": "anthropic", "model": "claude-sonnet-4-6",
                "output": "json", "schema": recursive
            })),
        ),
        (
            "a pattern that backtracks",
            with(&json!({
                "output": "json",
                "schema": {
                    "type": "object",
                    "properties": { "a": { "type": "string", "pattern": "^(?=(a+)+b)(a|a)*$" } }
                }
            })),
        ),
    ];
    for (name, request) in cases {
        let reply = json!({ "a": "a".repeat(5_000) }).to_string();
        trial.invoke(name, request.to_string(), &[Step::text(reply).times(9)]).await;
        trial.function.assert_works(name).await;
    }
    trial.finish().await;
}

#[tokio::test]
async fn hostile_replies_are_handled_in_time() {
    let mut trial = Trial::start().await;
    let json_request = with(&json!({
        "output": "json",
        "schema": {
            "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"]
        }
    }));
    let list_request = with(&json!({ "output": "list" }));
    let texts = [
        ("nested deep", "[".repeat(100_000)),
        ("objects nested deep", "{\"a\":".repeat(100_000)),
        ("many beginnings", "{[".repeat(50_000)),
        ("many beginnings in prose", "see [x and ".repeat(100_000)),
        ("many values", "{\"a\":\"b\"} ".repeat(100_000)),
        ("fences", "```\n".repeat(50_000)),
        ("many digits", format!("{{\"a\": {}}}", "9".repeat(400_000))),
        ("an exponent", "{\"a\": 1e999999999}".to_owned()),
        ("many quotes", "\"".repeat(400_000)),
        ("list markers", "- \n".repeat(100_000)),
        ("zero bytes", "\u{0}".repeat(100_000)),
    ];
    for (name, text) in texts {
        for (kind, request) in [("json", &json_request), ("list", &list_request)] {
            let name = format!("{kind}: {name}");
            let script = [Step::text(text.clone()).times(9)];
            let response = trial.invoke(&name, request.to_string(), &script).await;
            if let Some(Response::Failed { error_type, message }) = response {
                let is_expected = error_type == "OutputInvalid" && message.len() < 2_000;
                trial.check(is_expected, &name, &format!("{error_type}: {message}"));
            }
            trial.function.assert_works(&name).await;
        }
    }
    trial.finish().await;
}

/// The provider returns an error of 8 MB with strings that look like API keys.
#[tokio::test]
async fn long_provider_error_is_shortened_and_redacted() {
    let mut trial = Trial::start().await;
    let body = json!({ "error": { "message": "sk-abcdef1234 word ".repeat(400_000) } });
    let then = llm_exe_simulator::ScriptedResponse::Status {
        status: 400,
        headers: vec![],
        body: Some(body),
    };
    let response = trial.invoke("eight megabytes", request().to_string(), &[Step::new(then)]).await;
    if let Some(response) = response {
        let (error_type, message) = response.failure();
        assert_eq!(error_type, "ProviderRejected");
        assert!(message.len() < 2_000 && !message.contains("sk-abc"), "{message:.2000}");
    }
    trial.finish().await;
}

/// Lambda delivers only valid JSON, but an emulator may deliver arbitrary bytes.
#[tokio::test]
async fn invalid_json_is_an_error() {
    let function = Function::start().await;
    let events: [&[u8]; 7] =
        [b"", b"{", b"nul", b"\0", b"\xff\xfe\xfd", b"{}{}", b"\xef\xbb\xbf{}"];
    for event in events {
        let invocation = function.invoke_bytes(event, LAMBDA).await;
        let (error_type, message) = response(&invocation).failure();
        assert_eq!(error_type, "InvalidRequest", "{event:?}: {message}");
        function.assert_works("bytes that are not JSON").await;
    }
    function.stop().await;
}

#[tokio::test]
async fn malformed_http_events_get_a_response() {
    let function = Function::start().await;
    let patches = [
        json!({ "headers": null }),
        json!({ "headers": ["a"] }),
        json!({ "headers": { "x-api-key": 1, "content-type": null } }),
        json!({ "rawPath": null }),
        json!({ "rawPath": 7 }),
        json!({ "rawPath": "" }),
        json!({ "requestContext": { "http": { "method": null, "path": null } } }),
        json!({ "requestContext": { "http": { "method": "BREW\r\nx: y" } } }),
        json!({ "requestContext": { "stage": null, "domainName": null, "authorizer": [] } }),
        json!({ "isBase64Encoded": "yes" }),
        json!({ "isBase64Encoded": true }),
        json!({ "isBase64Encoded": true, "body": "!!!!" }),
        json!({ "body": { "provider": "openai" } }),
        json!({ "body": 7 }),
        json!({ "body": null }),
        json!({ "rawPath": format!("/{}", "a".repeat(1_000_000)) }),
        json!({ "rawPath": "/\u{0}\u{202e}" }),
    ];
    for patch in patches {
        let mut event = post_event(&request());
        merge(&mut event, &patch);
        let (status, headers, body) = function.invoke_within(&event, LAMBDA).await.http();
        let shown = format!("{patch}");
        assert!(matches!(status, 200 | 400 | 404 | 405), "{shown:.100}: {status} {body:.300}");
        assert!(body.len() < 20_000, "{shown:.100}: {} bytes", body.len());
        for value in headers.values() {
            assert!(!value.contains(['\r', '\n']), "{shown:.100}: {headers:?}");
        }
        function.assert_works("a malformed HTTP event").await;
    }
    function.stop().await;
}
