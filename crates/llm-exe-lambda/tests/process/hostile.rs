//! Events that nobody means well with: each is answered, typed, in time, and the next one too.

use std::time::{Duration, Instant};

use llm_exe_simulator::Step;
use serde_json::{Value, json};

use crate::harness::{Answer, Function, answer, merge, posted, request};

/// What Lambda's caller may be made to wait beyond the deadline that the function keeps for
/// itself: the reserve of 500 ms.
const LAMBDA: Duration = Duration::from_secs(5);

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

/// Events that are refused, as text: not all of them are values that serde_json would write.
fn refused() -> Vec<(&'static str, String)> {
    let good = request().to_string();
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let in_data = |text: &str| good.replacen('{', &format!("{{\"data\":{{\"a\":{text}}},"), 1);
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
        ("a model that climbs", with(&json!({ "model": "../../x" })).to_string()),
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

/// Events that are answered with a result, whatever it is.
fn answered() -> Vec<(&'static str, Value)> {
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

/// Functions on which cases are tried one after the other; what goes wrong is collected.
struct Trial {
    function: Function,
    wrong: Vec<String>,
}

impl Trial {
    async fn start() -> Trial {
        Trial { function: Function::start().await, wrong: Vec::new() }
    }

    /// The answer, if there is one in time; a function that owes it is replaced by a new one.
    async fn invoke(&mut self, name: &str, event: String, script: &[Step]) -> Option<Answer> {
        self.function.simulator.clear();
        self.function.simulator.script(script.to_vec());
        let started = Instant::now();
        match self.function.try_invoke(event, LAMBDA).await {
            Ok(invocation) => {
                println!("{:6} ms {name}", started.elapsed().as_millis());
                Some(answer(&invocation))
            }
            Err(error) => {
                self.wrong.push(format!("{name}: {error}"));
                self.function = Function::start().await;
                None
            }
        }
    }

    fn check(&mut self, holds: bool, name: &str, what: &str) {
        if !holds {
            self.wrong.push(format!("{name}: {what:.400}"));
        }
    }

    /// Ends the process; fails if anything went wrong.
    async fn end(self) {
        let printed = self.function.stop().await;
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert_eq!(printed.stderr, "");
        for line in printed.stdout.lines() {
            assert!(line.len() < 40_000, "a line of {} bytes", line.len());
        }
    }
}

#[tokio::test]
async fn what_can_not_be_run_is_refused_with_a_type_and_few_words() {
    let mut trial = Trial::start().await;
    for (name, event) in refused() {
        match trial.invoke(name, event, &[]).await {
            None => continue,
            Some(Answer::Result(value)) => trial.check(false, name, &format!("taken: {value}")),
            Some(Answer::Failed { error_type, message }) => {
                let known = ["InvalidRequest", "PromptInvalid"].contains(&error_type.as_str());
                trial.check(known, name, &format!("{error_type}: {message}"));
                let told = format!("a message of {} bytes", message.len());
                trial.check(message.len() < 20_000, name, &told);
            }
        }
        let calls = trial.function.simulator.journal().len();
        trial.check(calls == 0, name, "a provider was called");
        trial.function.is_well(name).await;
    }
    trial.end().await;
}

#[tokio::test]
async fn what_can_be_run_is_answered() {
    let mut trial = Trial::start().await;
    for (name, request) in answered() {
        let script = [Step::text("fine")];
        let direct = trial.invoke(name, request.to_string(), &script).await;
        let fine = direct == Some(Answer::Result(json!("fine")));
        trial.check(fine, name, &format!("{direct:?}"));
        let posted = posted(&request).to_string();
        if let Some(answer) = trial.invoke(name, posted, &script).await {
            let (status, _, body) = answer.http();
            trial.check((status, body.as_str()) == (200, "fine"), name, &body);
        }
        trial.function.is_well(name).await;
    }
    trial.end().await;
}

/// Prompts and schemas whose work explodes: whatever comes of them, it comes in time.
#[tokio::test]
async fn work_that_explodes_is_stopped_in_time() {
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
            "loops in loops of a hosted kind",
            with(&json!({
                "message": "{{#each a}}{{#each ../a}}{{#each ../../a}}{{#each ../../../a}}x\
                            {{/each}}\
                            {{/each}}{{/each}}{{/each}}",
                "data": { "a": vec![0; 1_000] }
            })),
        ),
        (
            "a schema of many branches, told in the prompt",
            with(&json!({
                "model": "gpt-4", "output": "json", "schema": recursive
            })),
        ),
        (
            "a schema of many branches, native",
            with(&json!({
                "output": "json", "schema": recursive
            })),
        ),
        (
            "a schema of many branches, for Anthropic",
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
        trial.function.is_well(name).await;
    }
    trial.end().await;
}

/// Replies that nobody means well with.
#[tokio::test]
async fn hostile_replies_are_answered_in_time() {
    let mut trial = Trial::start().await;
    let json_wanted = with(&json!({
        "output": "json",
        "schema": {
            "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"]
        }
    }));
    let list_wanted = with(&json!({ "output": "list" }));
    let texts = [
        ("nested deep", "[".repeat(100_000)),
        ("objects nested deep", "{\"a\":".repeat(100_000)),
        ("many beginnings", "{[".repeat(50_000)),
        ("many beginnings of prose", "see [x and ".repeat(100_000)),
        ("many values", "{\"a\":\"b\"} ".repeat(100_000)),
        ("fences", "```\n".repeat(50_000)),
        ("many digits", format!("{{\"a\": {}}}", "9".repeat(400_000))),
        ("an exponent", "{\"a\": 1e999999999}".to_owned()),
        ("many quotes", "\"".repeat(400_000)),
        ("list markers", "- \n".repeat(100_000)),
        ("zero bytes", "\u{0}".repeat(100_000)),
    ];
    for (name, text) in texts {
        for (kind, wanted) in [("json", &json_wanted), ("list", &list_wanted)] {
            let name = format!("{kind}: {name}");
            let script = [Step::text(text.clone()).times(9)];
            let answer = trial.invoke(&name, wanted.to_string(), &script).await;
            if let Some(Answer::Failed { error_type, message }) = answer {
                let short = error_type == "OutputInvalid" && message.len() < 2_000;
                trial.check(short, &name, &format!("{error_type}: {message}"));
            }
            trial.function.is_well(&name).await;
        }
    }
    trial.end().await;
}

/// A provider's refusal of twenty megabytes is shortened, and what looks like a key taken out.
#[tokio::test]
async fn a_long_refusal_is_shortened_in_time() {
    let mut trial = Trial::start().await;
    let told = json!({ "error": { "message": "sk-abcdef1234 word ".repeat(1_000_000) } });
    let then = llm_exe_simulator::ScriptedResponse::Status {
        status: 400,
        headers: vec![],
        body: Some(told),
    };
    let answer = trial.invoke("twenty megabytes", request().to_string(), &[Step::new(then)]).await;
    if let Some(answer) = answer {
        let (error_type, message) = answer.failure();
        assert_eq!(error_type, "ProviderRejected");
        assert!(message.len() < 2_000 && !message.contains("sk-abc"), "{message:.2000}");
    }
    trial.end().await;
}

/// Lambda hands on JSON only; an emulator might not. There is an answer all the same, of a type
/// that is `lambda_runtime`'s own.
#[tokio::test]
async fn bytes_that_are_no_json_are_answered() {
    let function = Function::start().await;
    let events: [&[u8]; 7] =
        [b"", b"{", b"nul", b"\0", b"\xff\xfe\xfd", b"{}{}", b"\xef\xbb\xbf{}"];
    for event in events {
        let invocation = function.invoke_bytes(event, LAMBDA).await;
        answer(&invocation).failure();
        function.is_well("bytes that are no JSON").await;
    }
    function.stop().await;
}

#[tokio::test]
async fn misshapen_http_events_are_answered() {
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
        let mut event = posted(&request());
        merge(&mut event, &patch);
        let (status, headers, body) = function.invoke_within(&event, LAMBDA).await.http();
        let shown = format!("{patch}");
        assert!(matches!(status, 200 | 400 | 404 | 405), "{shown:.100}: {status} {body:.300}");
        assert!(body.len() < 20_000, "{shown:.100}: {} bytes", body.len());
        for value in headers.values() {
            assert!(!value.contains(['\r', '\n']), "{shown:.100}: {headers:?}");
        }
        function.is_well("a misshapen HTTP event").await;
    }
    function.stop().await;
}
