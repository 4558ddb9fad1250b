//! Runs conversations with tools against the simulator, with every provider that supports them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use llm_exe::ports::{FunctionCall, FunctionInvoker, PortFuture};
use llm_exe::providers::{PROVIDERS, ProviderRow};
use llm_exe::{
    CallerContext, Context, Deadline, Error, ErrorKind, FunctionName, KeyName, Keys, Plan, Rules,
    Run, Runner, Secret, ToolRules,
};
use llm_exe_simulator::{Simulator, Step, ToolCall};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, provider_field, read_cases, signer};

fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "description": "Returns the exchange rate of a currency.",
        "parameters": {
            "type": "object",
            "properties": { "currency": { "type": "string" } },
            "required": ["currency"]
        }
    })
}

fn request(row: &ProviderRow, fields: Value) -> Value {
    let model = provider_field(row.name, "model");
    let mut request = json!({
        "provider": row.name,
        "model": model,
        "message": [{ "role": "user", "content": "What is 1 EUR in USD?" }],
        "strictVariables": true
    });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

async fn run(simulator: &Simulator, request: Value) -> Run {
    let rules = Rules { strict_options: true, ..Rules::default() };
    let runner = Runner::new(endpoints(simulator), Arc::new(FixedKey), rules).with_signer(signer());
    runner.run(Deadline::after(Duration::from_secs(30)), request).await
}

fn result(run: Run, context: &str) -> Value {
    run.outcome.unwrap_or_else(|error| panic!("{context}: {}: {error}", error.kind()))
}

/// Returns the built-in providers whose example model can call tools.
fn providers_with_tools() -> impl Iterator<Item = &'static ProviderRow> {
    PROVIDERS.iter().filter(|row| {
        let model = provider_field(row.name, "model");
        row.dialect.capabilities(&model).tools
    })
}

#[test]
fn most_providers_have_an_example_model_with_tools() {
    assert!(providers_with_tools().count() > 12);
}

#[tokio::test]
async fn a_call_is_handed_back_and_its_result_continues_the_conversation() {
    for row in providers_with_tools() {
        let simulator = Simulator::start().await.unwrap();
        let name = row.name;
        simulator.script(vec![
            Step::tool_call("get_rate", json!({ "currency": "EUR" })),
            Step::text("One euro is 1.08 dollars."),
        ]);
        let request = request(row, json!({ "tools": [tool("get_rate")] }));
        let handed_back = result(run(&simulator, request.clone()).await, name);
        assert_eq!(handed_back["status"], "toolCalls", "{name}");
        let call = &handed_back["toolCalls"][0];
        assert_eq!(call["name"], "get_rate", "{name}");
        assert_eq!(call["arguments"], json!({ "currency": "EUR" }), "{name}");

        // Step Functions and JavaScript write JSON again, with other spaces and key orders.
        let conversation = handed_back["conversation"].clone();
        let mut continued = request;
        continued["conversation"] = sorted(conversation);
        continued["toolResults"] = json!([{ "id": call["id"], "result": { "usd": 1.08 } }]);
        let run = run(&simulator, continued).await;
        assert_eq!(run.report.attempts, 1, "{name}");
        assert_eq!(result(run, name), "One euro is 1.08 dollars.", "{name}");
        let journal = simulator.journal();
        let second = serde_json::to_string(&journal[1].body).unwrap();
        assert!(second.contains("1.08"), "{name}: {second}");
    }
}

/// Returns a value with the keys of its objects in alphabetical order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(first, _), (second, _)| first.cmp(second));
            fields.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// A conversation of `cases/tools.json`. The names in its `tools` stand for the tools of
/// [`case_tool`].
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    request: Value,
    script: Value,
    /// The names and arguments of the calls that are handed back.
    #[serde(default)]
    handed_back: Vec<(String, Value)>,
    /// The results of these calls, without their ids.
    #[serde(default)]
    tool_results: Vec<Value>,
    result: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    message: String,
    /// The number of calls of the provider, since the conversation was continued.
    attempts: u32,
    /// The turns and names of the tools that ran.
    #[serde(default)]
    runs: Vec<(u32, String)>,
    /// A text in the last request.
    #[serde(default)]
    body_contains: String,
}

/// Returns a tool of a case. All of them but `approve` run a request.
fn case_tool(row: &ProviderRow, name: &str) -> Value {
    let mut tool = tool(name);
    if name == "approve" {
        tool["parameters"] = json!({
            "type": "object", "properties": { "amount": { "type": "integer" } },
            "required": ["amount"], "additionalProperties": false
        });
        return tool;
    }
    if name == "place" {
        tool.as_object_mut().unwrap().shift_remove("parameters");
    }
    let model = provider_field(row.name, "model");
    let message = json!([{ "role": "user", "content": "{{currency}} at {{place}}?" }]);
    tool["run"]["request"] = json!({
        "provider": row.name, "model": model, "message": message,
        "data": { "place": "Frankfurt" }, "options": { "numOfAttempts": 1 }
    });
    tool
}

/// Replaces the names of tools, and fallbacks to the same model.
fn case_request(row: &ProviderRow, case: &Case) -> Value {
    let mut fields = case.request.clone();
    for tool in fields["tools"].as_array_mut().unwrap() {
        *tool = case_tool(row, tool.as_str().unwrap());
    }
    for fallback in fields.get_mut("fallbacks").and_then(Value::as_array_mut).into_iter().flatten()
    {
        *fallback = json!({ "provider": row.name, "model": provider_field(row.name, "model") });
    }
    request(row, fields)
}

#[tokio::test]
async fn conversations_have_the_expected_ends_with_every_provider() {
    let cases = Arc::new(read_cases::<Vec<Case>>("tools.json"));
    let mut runs = tokio::task::JoinSet::new();
    let mut count = 0;
    for row in providers_with_tools() {
        count += cases.len();
        let cases = Arc::clone(&cases);
        runs.spawn(async move {
            let mut wrong = Vec::new();
            for case in cases.iter() {
                if let Some(difference) = run_case(row, case).await {
                    wrong.push(format!("{}: {}: {difference}", row.name, case.name));
                }
            }
            wrong
        });
    }
    assert!(count >= 120, "{count}");
    let wrong = runs.join_all().await.concat();
    assert!(wrong.is_empty(), "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs a case, and returns how its end differs from the expected one.
async fn run_case(row: &ProviderRow, case: &Case) -> Option<String> {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(case.script.clone()).unwrap();
    let request = case_request(row, case);
    let mut ended = run(&simulator, request.clone()).await;
    let mut tool_runs = ended.report.tool_runs.clone();
    if !case.handed_back.is_empty() {
        let handed_back = match &ended.outcome {
            Ok(result) => sorted(result.clone()),
            Err(error) => return Some(format!("not handed back: {}: {error}", error.kind())),
        };
        let calls = handed_back["toolCalls"].as_array().unwrap();
        let found: Vec<(String, Value)> = calls
            .iter()
            .map(|call| (call["name"].as_str().unwrap().to_owned(), call["arguments"].clone()))
            .collect();
        if found != case.handed_back {
            return Some(format!("handed back {found:?}"));
        }
        let results = calls.iter().zip(&case.tool_results).map(|(call, result)| {
            let mut result = result.clone();
            result["id"] = call["id"].clone();
            result
        });
        let mut continued = request;
        continued["conversation"] = handed_back["conversation"].clone();
        continued["toolResults"] = results.collect();
        ended = run(&simulator, continued).await;
        tool_runs.extend(ended.report.tool_runs.clone());
    }
    let last_body = simulator.journal().last().map(|call| call.body.to_string());
    let runs: Vec<(u32, String)> = tool_runs.into_iter().map(|run| (run.turn, run.name)).collect();
    let Run { outcome, report } = ended;
    match (&outcome, &case.error) {
        (Ok(result), None) if Some(result) != case.result.as_ref() => {
            return Some(format!("result {result}"));
        }
        (Ok(result), Some(_)) => return Some(format!("result {result}")),
        (Err(error), None) => return Some(format!("{}: {error}", error.kind())),
        (Err(error), Some(kind)) => {
            if error.kind().name() != kind || !error.message().contains(&case.message) {
                return Some(format!("{}: {error}", error.kind()));
            }
        }
        (Ok(_), None) => {}
    }
    if report.attempts != case.attempts {
        return Some(format!("{} attempts, warnings {:?}", report.attempts, report.warnings));
    }
    if outcome.is_ok() && runs != case.runs {
        return Some(format!("runs {runs:?}"));
    }
    let last_body = last_body.unwrap_or_default();
    (!last_body.contains(&case.body_contains)).then(|| format!("last request {last_body}"))
}

#[tokio::test]
async fn the_request_of_a_tool_runs_with_the_declared_arguments() {
    for row in providers_with_tools() {
        let simulator = Simulator::start().await.unwrap();
        let name = row.name;
        let arguments = json!({ "currency": "EUR" });
        simulator.script(vec![
            Step::tool_call("get_rate", arguments.clone()),
            Step::text("1.08"),
            Step::text("One euro is 1.08 dollars."),
        ]);
        let mut tool = tool("get_rate");
        tool["run"]["request"] = json!({
            "provider": row.name,
            "model": provider_field(row.name, "model"),
            "message": [{ "role": "user", "content": "Rate of {{currency}} at {{place}}?" }],
            "data": { "place": "Frankfurt" }
        });
        let fields = json!({ "tools": [tool], "return": "full" });
        let run = run(&simulator, request(row, fields)).await;
        let report = run.report.clone();
        assert_eq!(result(run, name), "One euro is 1.08 dollars.", "{name}");
        assert_eq!(report.attempts, 3, "{name}");
        let runs: Vec<_> = report.tool_runs.iter().collect();
        assert_eq!(runs.len(), 1, "{name}");
        let arguments_text = arguments.to_string();
        assert_eq!((runs[0].turn, &*runs[0].name), (1, "get_rate"), "{name}");
        assert_eq!(runs[0].arguments.replace(' ', ""), arguments_text, "{name}");
        assert_eq!(runs[0].outcome.as_deref(), Ok("1.08"), "{name}");
        let nested = serde_json::to_string(&simulator.journal()[1].body).unwrap();
        assert!(nested.contains("Rate of EUR at Frankfurt?"), "{name}: {nested}");
    }
}

#[tokio::test]
async fn the_model_sets_no_variable_that_the_parameters_do_not_declare() {
    let properties = json!({ "currency": { "type": "string" } });
    let definition = json!({ "type": "object", "properties": properties });
    for parameters in [
        json!({ "type": "object", "properties": properties, "additionalProperties": true }),
        json!({ "type": "object", "properties": {}, "allOf": [definition] }),
        json!({ "$ref": "#/$defs/Rate", "$defs": { "Rate": definition } }),
        json!({ "type": "object", "anyOf": [definition] }),
        json!({ "type": "object", "allOf": [{ "allOf": [{ "$ref": "#/$defs/Rate" }] }],
            "$defs": { "Rate": definition } }),
    ] {
        let simulator = Simulator::start().await.unwrap();
        let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
        let arguments = json!({ "currency": "EUR", "secret": "set by the model" });
        simulator.script(vec![
            Step::tool_call("get_rate", arguments),
            Step::text("1.08"),
            Step::text("Done"),
        ]);
        let mut tool = tool("get_rate");
        tool["parameters"] = parameters.clone();
        tool["run"]["request"] = json!({
            "provider": "openai", "model": "gpt-4o", "message": "Rate of {{currency}}, {{secret}}."
        });
        let run = run(&simulator, request(row, json!({ "tools": [tool] }))).await;
        drop(run.outcome);
        let bodies: Vec<String> =
            simulator.journal().iter().map(|call| call.body.to_string()).collect();
        assert!(bodies.iter().all(|body| !body.contains("Rate of EUR, set")), "{parameters}");
        let is_run = bodies.iter().any(|body| body.contains("Rate of EUR, ."));
        let is_rejected = bodies.iter().any(|body| body.contains("secret is not expected"));
        assert!(is_run || is_rejected, "{parameters}: {bodies:#?}");
    }
}

/// Returns a request that hands a call back, and the request that continues it.
async fn hand_back(simulator: &Simulator, fields: Value) -> (Value, Value) {
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    simulator.script(vec![Step::tool_call("get_rate", json!({ "currency": "EUR" }))]);
    let mut tools = json!({ "tools": [tool("get_rate")] });
    tools.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let request = request(row, tools);
    let handed_back = result(run(simulator, request.clone()).await, "openai");
    let mut continued = request.clone();
    continued["conversation"] = handed_back["conversation"].clone();
    let id = &handed_back["toolCalls"][0]["id"];
    continued["toolResults"] = json!([{ "id": id, "result": 1.08 }]);
    (request, continued)
}

#[tokio::test]
async fn a_forced_choice_applies_only_to_the_first_turn() {
    let simulator = Simulator::start().await.unwrap();
    let fields = json!({ "toolChoice": "required" });
    let (_, continued) = hand_back(&simulator, fields).await;
    simulator.script(vec![Step::text("Done.")]);
    assert_eq!(result(run(&simulator, continued).await, "openai"), "Done.");
    let bodies: Vec<Value> = simulator.journal().into_iter().map(|call| call.body).collect();
    assert_eq!(bodies[0]["tool_choice"], "required");
    assert_ne!(bodies[1]["tool_choice"], "required");
}

#[tokio::test]
async fn changed_conversations_are_rejected() {
    let simulator = Simulator::start().await.unwrap();
    let (_, continued) = hand_back(&simulator, json!({})).await;
    let raw = r#"{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"x"}}]}"#;
    for (pointer, value, expected) in [
        ("/conversation/version", json!(2), "conversation.version: expected 1, got 2"),
        ("/conversation/turns", json!(51), "conversation.turns: expected at most 50, got 51"),
        ("/conversation/model", json!("gpt-5"), "conversation.model: the conversation is with"),
        ("/conversation/tools", json!("x"), "conversation.tools: the tools of the request have"),
        ("/conversation/messages", json!([]), "conversation.messages: expected the calls"),
        (
            "/conversation/messages/1/raw/json",
            json!(raw),
            "conversation.messages[1]: expected a message exactly as it was handed back",
        ),
        (
            "/conversation/messages/1/raw/json",
            json!(r#"{"role":"user","content":"x"}"#),
            "conversation.messages[1]: expected a message exactly as it was handed back",
        ),
        (
            "/conversation/messages/1/content/0/toolCall/id",
            json!(""),
            "conversation.messages[1]: expected a message exactly as it was handed back",
        ),
        ("/conversation/messages/0/role", json!("admin"), "conversation: expected a conversation"),
        ("/toolResults", json!([]), "toolResults: missing: the result of the calls"),
        ("/toolResults/0/id", json!("x"), "toolResults[0].id: no call has the id"),
        ("/toolResults/0/error", json!("x"), "toolResults[0]: expected either result or error"),
        (
            "/toolResults/0/result",
            json!("x".repeat(300_000)),
            "toolResults[0]: expected at most 262144 bytes, got 300000",
        ),
    ] {
        let mut changed = continued.clone();
        match changed.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => changed["toolResults"][0]["error"] = value,
        }
        let error = run(&simulator, changed).await.outcome.unwrap_err();
        assert_eq!(error.kind().name(), "InvalidRequest", "{pointer}: {error}");
        assert!(error.message().contains(expected), "{pointer}: {error}");
    }
    assert_eq!(simulator.journal().len(), 1);
}

#[tokio::test]
async fn arguments_can_have_the_names_of_file_references() {
    let properties = json!({ "file_id": { "type": "string" }, "type": { "type": "string" } });
    let parameters = json!({ "type": "object", "properties": properties });
    let tool = json!({ "name": "get_file", "description": "d", "parameters": parameters });
    for row in providers_with_tools() {
        let simulator = Simulator::start().await.unwrap();
        let arguments = json!({ "file_id": "f1", "type": "image_url" });
        simulator.script(vec![Step::tool_call("get_file", arguments), Step::text("Done.")]);
        let mut request = request(row, json!({ "tools": [tool] }));
        let handed_back = result(run(&simulator, request.clone()).await, row.name);
        request["conversation"] = handed_back["conversation"].clone();
        let id = &handed_back["toolCalls"][0]["id"];
        request["toolResults"] = json!([{ "id": id, "result": "x" }]);
        assert_eq!(result(run(&simulator, request).await, row.name), "Done.", "{}", row.name);
    }
}

/// Turns that refer to a file outside of the arguments of a call, by provider.
fn turns_with_references() -> Vec<(&'static str, &'static str, String)> {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep = format!(r#"{{"content":[{{"source":{{"file_id":"f"}}}}],"x":{deep}}}"#);
    let texts = [
        ("anthropic", "anthropic", r#"{"content":[{"type":"document","input":{"file_id":"f"}}]}"#),
        (
            "anthropic",
            "anthropic",
            r#"{"content":[{"type":"tool_use","input":{},"source":{"file_id":"f"}}]}"#,
        ),
        (
            "anthropic",
            "anthropic",
            r#"{"content":[{"type":"document","type":"tool_use","input":{"file_id":"f"}}]}"#,
        ),
        (
            "anthropic",
            "anthropic",
            r#"{"content":[{"type":"text","text":"x","source":{"file_id":"f"},"source":{}}]}"#,
        ),
        (
            "anthropic",
            "anthropic",
            r#"{"content":[{"content":[{"type":"tool_use","input":{"file_id":"f"}}]}]}"#,
        ),
        ("anthropic", "other", r#"{"content":[{"type":"tool_use","input":{"file_id":"f"}}]}"#),
        ("google", "gemini", r#"{"parts":[{"functionCall":{"args":{}},"fileData":{}}]}"#),
        ("google", "gemini", r#"{"parts":[{"args":{"fileData":{}}}]}"#),
        ("google", "gemini", r#"{"parts":[{"functionCall":{"x":{"fileData":{}}}}]}"#),
        ("google", "gemini", r#"{"parts":[],"functionCall":{"args":{"fileData":{}}}}"#),
        ("amazon", "converse", r#"{"content":[{"toolUse":{"input":{}},"s3Location":{}}]}"#),
        ("amazon", "converse", r#"{"content":[{"image":{"input":{"s3Location":{}}}}]}"#),
        ("ollama", "ollama", r#"{"tool_calls":[{"arguments":{"file_id":"f"}}]}"#),
    ];
    let texts = texts.map(|(provider, dialect, json)| (provider, dialect, json.to_owned()));
    texts.into_iter().chain([("anthropic", "anthropic", deep)]).collect()
}

#[tokio::test]
async fn no_turn_refers_to_a_file_outside_of_arguments() {
    for (name, dialect, json) in turns_with_references() {
        let simulator = Simulator::start().await.unwrap();
        let row = PROVIDERS.iter().find(|row| row.name == name).unwrap();
        simulator.script(vec![Step::tool_call("get_rate", json!({ "currency": "EUR" }))]);
        let mut request = request(row, json!({ "tools": [tool("get_rate")] }));
        let handed_back = result(run(&simulator, request.clone()).await, name);
        let id = &handed_back["toolCalls"][0]["id"];
        request["toolResults"] = json!([{ "id": id, "result": 1 }]);
        request["conversation"] = handed_back["conversation"].clone();
        let turn = request.pointer_mut("/conversation/messages/1").unwrap();
        turn["raw"] = json!({ "dialect": dialect, "model": row_model(row), "json": json });
        let error = run(&simulator, request).await.outcome.unwrap_err();
        let expected = "conversation.messages[1]: expected a message exactly as it was handed back";
        assert!(error.message().contains(expected), "{json}: {error}");
        assert_eq!(simulator.journal().len(), 1, "{json}");
    }
}

/// Returns the example model of a provider.
fn row_model(row: &ProviderRow) -> Value {
    provider_field(row.name, "model").into()
}

/// A store of functions that records their names. Each of them returns the same result.
struct Functions {
    calls: Mutex<Vec<String>>,
    result: String,
    duration: Duration,
}

impl Functions {
    fn new(result: &str) -> Self {
        Functions { calls: Mutex::default(), result: result.to_owned(), duration: Duration::ZERO }
    }
}

const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

impl FunctionInvoker for Functions {
    fn invoke<'a>(
        &'a self,
        call: FunctionCall<'a>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Bytes, Error>> {
        self.calls.lock().unwrap().push(call.function.name.clone());
        Box::pin(async {
            tokio::time::sleep(self.duration).await;
            Ok(Bytes::from(self.result.clone()))
        })
    }

    fn secrets(&self) -> PortFuture<'_, Vec<Secret>> {
        Box::pin(std::future::ready(vec![Secret::new(AWS_SECRET).unwrap()]))
    }
}

#[tokio::test]
async fn plans_of_a_program_call_only_functions_that_the_rules_allow() {
    let simulator = Simulator::start().await.unwrap();
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let tool = |run: Value| json!([{ "name": "f", "description": "d", "run": run }]);
    let lambda = tool(json!({ "lambda": "orders" }));
    let nested = tool(json!({ "request": request(row, json!({ "tools": lambda.clone() })) }));
    let allowed = |names: &[&str]| {
        let functions = names.iter().map(|name| FunctionName::parse(name).unwrap()).collect();
        let tools = ToolRules { functions, from_http: false };
        Rules { tools, ..Rules::default() }
    };
    let run = async |rules: Rules, tools: &Value, is_http: bool| {
        let functions = Arc::new(Functions::new("5"));
        let plan = Plan::from_value(request(row, json!({ "tools": tools })), &rules).unwrap();
        let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), rules);
        let caller = CallerContext { is_http, ..CallerContext::default() };
        let context = Context::new(Deadline::after(Duration::from_secs(30))).with_caller(caller);
        let run = runner.with_functions(functions.clone()).run_plan(context, &plan).await;
        let calls = functions.calls.lock().unwrap().clone();
        (run.outcome.map_err(|error| error.to_string()), calls)
    };
    for (rules, tools, is_http, expected) in [
        (allowed(&[]), &lambda, false, "tools[0].run.lambda: the function \"orders\" is not"),
        (
            allowed(&["other"]),
            &nested,
            false,
            "tools[0].run.request.tools[0].run.lambda: the function \"orders\" is not allowed",
        ),
        (allowed(&["orders"]), &lambda, true, "tools[0].run.lambda: HTTP callers may not name"),
    ] {
        let (outcome, calls) = run(rules, tools, is_http).await;
        let error = outcome.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(calls, [""; 0]);
    }
    assert_eq!(simulator.journal().len(), 0);
    simulator.script(vec![Step::tool_call("f", json!({})), Step::text("Done.")]);
    let (outcome, calls) = run(allowed(&["orders"]), &lambda, false).await;
    assert_eq!((outcome, calls), (Ok(json!("Done.")), vec!["orders".to_owned()]));
}

/// A key store in which each key contains its name.
struct NamedKeys;

impl Keys for NamedKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        let key = format!("secret-of-{}-123456", name.store);
        Box::pin(std::future::ready(Ok(Secret::new(key).unwrap())))
    }
}

#[tokio::test]
async fn results_contain_no_secret_that_the_request_and_its_tools_used() {
    let secrets = ["secret-of-KeyOpenAI-123456", "secret-of-KeyAnthropic-123456", AWS_SECRET];
    let escaped = AWS_SECRET.replace('/', "\\/");
    let leak = format!("{{\"leak\":\"{} {escaped} unused-KeyXai-123456\"}}", secrets.join(" "));
    let functions = FunctionName::parse("orders").unwrap();
    let tools = ToolRules { functions: vec![functions], from_http: false };
    let rules = Rules { tools, ..Rules::default() };
    let nested = json!({ "request": {
        "provider": "anthropic", "model": "claude-sonnet-4-5", "message": "Hi"
    }});
    let tool = |name: &str, run: Value| json!({ "name": name, "description": "d", "run": run });
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let mut tools = vec![tool("nested", nested), tool("f", json!({ "lambda": "orders" }))];
    for hands_back in [false, true] {
        let simulator = Simulator::start().await.unwrap();
        let mut calls = vec![("nested", json!({})), ("f", json!({}))];
        if hands_back {
            tools.push(json!({ "name": "ask", "description": "d" }));
            calls.push(("ask", json!({})));
        }
        let calls = calls.into_iter();
        let calls = calls.map(|(name, arguments)| ToolCall { name: name.to_owned(), arguments });
        simulator.script(vec![
            Step::tool_calls("", calls.collect()),
            Step::text(leak.clone()),
            Step::text("Done."),
        ]);
        let runner = Runner::new(endpoints(&simulator), Arc::new(NamedKeys), rules.clone());
        let runner = runner.with_functions(Arc::new(Functions::new(&leak)));
        let fields = json!({ "tools": tools, "return": "full" });
        let run = runner.run(Deadline::after(Duration::from_secs(30)), request(row, fields)).await;
        let results = run.report.tool_runs.iter().map(|run| run.outcome.clone().unwrap());
        let shown: String = results.collect();
        let sent_or_stored = match hands_back {
            false => simulator.journal().last().unwrap().body.to_string(),
            true => run.outcome.unwrap()["conversation"].to_string(),
        };
        for text in [shown, sent_or_stored] {
            assert_eq!(text.matches("unused-KeyXai-123456").count(), 2, "{text}");
            for secret in secrets.iter().copied().chain([&*escaped]) {
                assert!(!text.contains(secret), "{secret}: {text}");
            }
        }
    }
}

/// A key store that takes a while, which makes each turn take at least as long.
struct SlowKeys(Duration);

impl Keys for SlowKeys {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(async {
            tokio::time::sleep(self.0).await;
            Ok(Secret::new("test-key").unwrap())
        })
    }
}

#[tokio::test]
async fn no_turn_begins_that_is_likely_to_be_too_late() {
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let function = json!({ "name": "f", "description": "d", "run": { "lambda": "orders" } });
    let functions = vec![FunctionName::parse("orders").unwrap()];
    let tools = ToolRules { functions, from_http: false };
    let rules = Rules { tools, ..Rules::default() };
    let tools = json!([function, { "name": "ask", "description": "d" }]);
    let milliseconds = Duration::from_millis;
    for (called, limit, duration, expected_calls, is_handed_back) in [
        // Too little time is left before the tool runs, and after it ran.
        ("f", 1000, 0, 0, false),
        ("f", 2000, 1000, 1, false),
        ("unknown", 1000, 0, 0, false),
        ("ask", 1000, 0, 0, true),
    ] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::tool_call(called, json!({})), Step::text("Done.")]);
        let duration = milliseconds(duration);
        let functions = Arc::new(Functions { duration, ..Functions::new("5") });
        let keys = Arc::new(SlowKeys(milliseconds(700)));
        let runner = Runner::new(endpoints(&simulator), keys, rules.clone());
        let runner = runner.with_functions(functions.clone());
        let request = request(row, json!({ "tools": tools }));
        let run = runner.run(Deadline::after(milliseconds(limit)), request).await;
        assert_eq!(simulator.journal().len(), 1, "{called}");
        assert_eq!(functions.calls.lock().unwrap().len(), expected_calls, "{called}");
        match run.outcome {
            Ok(result) => assert!(is_handed_back, "{called}: {result}"),
            Err(error) => {
                assert!(!is_handed_back, "{called}: {error}");
                assert_eq!(error.kind(), ErrorKind::Timeout, "{called}: {error}");
                let expected = "the conversation stopped before the next turn";
                assert!(error.message().contains(expected), "{called}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn tools_do_not_start_without_time() {
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let functions = vec![FunctionName::parse("orders").unwrap()];
    let tools = ToolRules { functions, from_http: false };
    let rules = Rules { tools, ..Rules::default() };
    let simulator = Simulator::start().await.unwrap();
    let call = || ToolCall { name: "f".to_owned(), arguments: json!({}) };
    simulator.script(vec![Step::tool_calls("", (0..12).map(|_| call()).collect())]);
    let duration = Duration::from_secs(2);
    let functions = Arc::new(Functions { duration, ..Functions::new("5") });
    let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), rules);
    let runner = runner.with_functions(functions.clone());
    let tool = json!({ "name": "f", "description": "d", "run": { "lambda": "orders" } });
    let request = request(row, json!({ "tools": [tool], "return": "full" }));
    let run = runner.run(Deadline::after(Duration::from_millis(1900)), request).await;
    assert_eq!(functions.calls.lock().unwrap().len(), 10);
    let outcomes =
        run.report.tool_runs.iter().map(|run| run.outcome.as_deref().map_err(|error| &**error));
    let expected = [Ok("5"); 10].into_iter().chain([Err("Timeout: not started: no time left"); 2]);
    assert_eq!(outcomes.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn empty_results_are_ok() {
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let functions = vec![FunctionName::parse("orders").unwrap()];
    let tools = ToolRules { functions, from_http: false };
    let rules = Rules { tools, ..Rules::default() };
    let tool = json!({ "name": "f", "description": "d", "run": { "lambda": "orders" } });
    for (response, expected) in
        [("", "ok"), ("null", "ok"), (" \"\"", "ok"), ("[]", "[]"), ("\"null\"", "null")]
    {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::tool_call("f", json!({})), Step::text("Done.")]);
        let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), rules.clone());
        let runner = runner.with_functions(Arc::new(Functions::new(response)));
        let request = request(row, json!({ "tools": [tool] }));
        let run = runner.run(Deadline::after(Duration::from_secs(30)), request).await;
        assert_eq!(run.outcome.unwrap(), "Done.", "{response}");
        assert_eq!(simulator.journal()[1].body["messages"][2]["content"], expected, "{response}");
    }
}

#[tokio::test]
async fn the_prompt_asks_for_a_call_that_the_request_cant_force() {
    let named = "Call the tool get_rate before you answer.";
    let required = "Call at least one of the tools before you answer.";
    let asks = |body: &Value| {
        let body = body.to_string();
        [named, required].map(|text| body.matches(text).count())
    };
    for (provider, model, choice, expected) in [
        ("anthropic", "claude-opus-5-5", json!({ "name": "get_rate" }), [1, 0]),
        ("anthropic", "claude-opus-5-5", json!("required"), [0, 1]),
        ("anthropic", "claude-opus-5-5", json!("auto"), [0, 0]),
        ("anthropic", "claude-sonnet-4-5", json!("required"), [0, 0]),
        ("amazon", "us.anthropic.claude-opus-5-5", json!("required"), [0, 1]),
        ("amazon", "us.meta.llama3-1-70b-instruct-v1:0", json!("required"), [0, 1]),
        ("ollama", "qwen3", json!({ "name": "get_rate" }), [1, 0]),
        ("deepseek", "deepseek-v4-flash", json!("required"), [0, 1]),
        ("openai", "gpt-4o", json!({ "name": "get_rate" }), [0, 0]),
    ] {
        let simulator = Simulator::start().await.unwrap();
        let call = || Step::tool_call("get_rate", json!({ "currency": "EUR" }));
        simulator.script(vec![call(), Step::text("Done.")]);
        let mut request = json!({
            "provider": provider, "model": model, "tools": [tool("get_rate")],
            "message": [
                { "role": "user", "content": "What is 1 EUR?" },
                { "role": "assistant", "content": "In which currency?" },
                { "role": "user", "content": "In USD." }
            ],
            "toolChoice": choice
        });
        let handed_back = result(run(&simulator, request.clone()).await, model);
        request["conversation"] = handed_back["conversation"].clone();
        let id = &handed_back["toolCalls"][0]["id"];
        request["toolResults"] = json!([{ "id": id, "result": 1.08 }]);
        assert_eq!(result(run(&simulator, request).await, model), "Done.");
        let bodies: Vec<Value> = simulator.journal().into_iter().map(|call| call.body).collect();
        for body in &bodies {
            assert_eq!(asks(body), expected, "{provider} {model} {choice}: {body}");
        }
        // The messages of the first turn stay the same.
        let text = bodies[0].to_string();
        let is_last = text.contains("In USD.\\n\\nCall ");
        assert_eq!(is_last, expected != [0, 0], "{provider} {model}: {text}");
    }
}

#[tokio::test]
async fn the_prompt_asks_for_a_call_that_the_provider_did_not_accept() {
    let simulator = Simulator::start().await.unwrap();
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let rejection = json!([
        { "then": { "status": 400, "body": { "error": {
            "message": "Unsupported parameter: 'tool_choice' is not supported with this model.",
            "type": "invalid_request_error", "param": "tool_choice", "code": "unsupported_value"
        }}}},
        { "then": { "toolCall": { "name": "get_rate", "arguments": { "currency": "EUR" } } } },
        { "then": { "text": "1.08" } },
        { "then": { "text": "Done." } },
        { "then": { "text": "Done again." } }
    ]);
    simulator.script_json(rejection).unwrap();
    let mut tool = tool("get_rate");
    tool["run"]["request"] = json!({ "provider": "openai", "model": "gpt-4o", "message": "Hi" });
    let mut request = request(row, json!({ "tools": [tool], "toolChoice": "required" }));
    request["model"] = json!("gpt-4o");
    let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), Rules::default());
    let deadline = || Deadline::after(Duration::from_secs(30));
    for expected in ["Done.", "Done again."] {
        let run = runner.run(deadline(), request.clone()).await;
        let warnings = run.report.warnings.clone();
        assert_eq!(result(run, "openai"), expected);
        let expected = "toolChoice is dropped for gpt-4o: the provider rejects it";
        assert!(warnings.iter().any(|text| text == expected), "{warnings:?}");
    }
    let asks = |body: &Value| {
        body.to_string().matches("Call at least one of the tools before you answer.").count()
    };
    let counts: Vec<usize> = simulator.journal().iter().map(|call| asks(&call.body)).collect();
    // The rejected request, the changed one, the request of the tool, and later ones.
    assert_eq!(counts, [0, 1, 0, 1, 1]);
}

/// Returns a conversation with a result of 256 KiB for each of `count` calls.
async fn large_results(count: usize) -> Result<Value, String> {
    let simulator = Simulator::start().await.unwrap();
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let mut request = request(row, json!({ "tools": [{ "name": "ask", "description": "d" }] }));
    let call = || ToolCall { name: "ask".to_owned(), arguments: json!({}) };
    let calls = (0..count).map(|_| call()).collect();
    simulator.script(vec![Step::tool_calls("", calls), Step::text("Done.")]);
    let handed_back = result(run(&simulator, request.clone()).await, "openai");
    request["conversation"] = handed_back["conversation"].clone();
    let calls = handed_back["toolCalls"].as_array().unwrap();
    let large = "x".repeat(256 * 1024);
    let results = calls.iter().map(|call| json!({ "id": call["id"], "result": large }));
    request["toolResults"] = results.collect();
    run(&simulator, request).await.outcome.map_err(|error| error.to_string())
}

#[tokio::test]
async fn results_count_toward_the_size_of_the_conversation() {
    assert_eq!(large_results(15).await, Ok(json!("Done.")));
    let error = large_results(17).await.unwrap_err();
    assert!(error.contains("toolResults: expected at most 4194304 bytes together"), "{error}");
}

#[tokio::test]
async fn the_prompt_counts_toward_the_size_of_the_conversation() {
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    for (size, is_handed_back) in [(4_190_000, true), (4_193_500, false)] {
        let simulator = Simulator::start().await.unwrap();
        let arguments = json!({ "currency": "x".repeat(900) });
        simulator.script(vec![Step::tool_call("get_rate", arguments), Step::text("Done.")]);
        let mut request = request(row, json!({ "tools": [tool("get_rate")] }));
        request["message"] = json!("x".repeat(size));
        let outcome = run(&simulator, request.clone()).await.outcome;
        if !is_handed_back {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
            continue;
        }
        let handed_back = outcome.unwrap();
        request["conversation"] = handed_back["conversation"].clone();
        let id = &handed_back["toolCalls"][0]["id"];
        request["toolResults"] = json!([{ "id": id, "result": 1 }]);
        assert_eq!(result(run(&simulator, request).await, "openai"), "Done.");
    }
}

#[tokio::test]
async fn calls_beyond_64_per_turn_are_neither_run_nor_handed_back() {
    let simulator = Simulator::start().await.unwrap();
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let mut request = request(row, json!({ "tools": [{ "name": "ask", "description": "d" }] }));
    let call = || ToolCall { name: "ask".to_owned(), arguments: json!({}) };
    let calls = (0..66).map(|_| call()).collect();
    simulator.script(vec![Step::tool_calls("", calls), Step::text("Done.")]);
    let handed_back = result(run(&simulator, request.clone()).await, "openai");
    let calls = handed_back["toolCalls"].as_array().unwrap();
    assert_eq!(calls.len(), 64);
    request["conversation"] = handed_back["conversation"].clone();
    request["toolResults"] =
        calls.iter().map(|call| json!({ "id": call["id"], "result": "yes" })).collect();
    assert_eq!(result(run(&simulator, request).await, "openai"), "Done.");
    let body = simulator.journal().last().unwrap().body.to_string();
    assert_eq!(body.matches("a turn may have at most 64 calls").count(), 2, "{body}");
    assert_eq!(body.matches("\"role\":\"tool\"").count(), 66);
}

#[tokio::test]
async fn a_failed_tool_ends_the_request_although_another_call_would_be_handed_back() {
    let simulator = Simulator::start().await.unwrap();
    let row = PROVIDERS.iter().find(|row| row.name == "openai").unwrap();
    let nested = json!({ "request": {
        "provider": "openai", "model": "gpt-4o", "message": "Hi", "options": { "numOfAttempts": 1 }
    }});
    let tools = json!([
        { "name": "rate", "description": "d", "run": nested },
        { "name": "ask", "description": "d" }
    ]);
    for (fails, arguments) in [(true, json!({})), (false, json!({})), (true, json!([1]))] {
        let call = |name: &str, arguments: &Value| {
            let (name, arguments) = (name.to_owned(), arguments.clone());
            ToolCall { name, arguments }
        };
        let calls = vec![call("ask", &json!({})), call("rate", &arguments)];
        simulator.script(vec![Step::tool_calls("", calls), Step::status(400)]);
        let errors = if fails { "fail" } else { "report" };
        let request = request(row, json!({ "tools": tools, "toolErrors": errors }));
        let outcome = run(&simulator, request).await.outcome;
        // Invalid arguments are always reported to the model.
        if fails && arguments.is_object() {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ToolFailed, "{error}");
            assert!(error.message().contains("the tool \"rate\" failed"), "{error}");
        } else {
            let handed_back = outcome.unwrap();
            assert_eq!(handed_back["toolCalls"][0]["name"], "ask", "{handed_back}");
            let result = &handed_back["conversation"]["results"][0];
            assert_eq!(result["isError"], true, "{result}");
        }
    }
}

/// Returns replies with three calls, of which two have the same id and one has none: the provider,
/// the model and the body of each.
fn replies_without_unique_ids() -> [(&'static str, &'static str, Value); 4] {
    let arguments = ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"];
    let ids = ["a", "a", ""];
    let pairs = || ids.into_iter().zip(arguments);
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let chat_calls: Vec<Value> = pairs()
        .map(|(id, arguments)| {
            let function = json!({ "name": "ask", "arguments": arguments });
            json!({ "id": id, "type": "function", "function": function })
        })
        .collect();
    let blocks = |fields: fn(&str, Value) -> Value| -> Vec<Value> {
        pairs().map(|(id, arguments)| fields(id, value(arguments))).collect()
    };
    let claude =
        blocks(|id, input| json!({ "type": "tool_use", "id": id, "name": "ask", "input": input }));
    let converse = blocks(
        |id, input| json!({ "toolUse": { "toolUseId": id, "name": "ask", "input": input } }),
    );
    let gemini =
        blocks(|id, args| json!({ "functionCall": { "id": id, "name": "ask", "args": args } }));
    let usage = json!({ "input_tokens": 1, "output_tokens": 1 });
    [
        (
            "openai",
            "gpt-4o",
            json!({ "choices": [{ "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": null, "tool_calls": chat_calls
            }}]}),
        ),
        (
            "anthropic",
            "claude-sonnet-4-5",
            json!({
                "role": "assistant", "content": claude, "stop_reason": "tool_use", "usage": usage
            }),
        ),
        (
            "amazon",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            json!({
                "output": { "message": { "role": "assistant", "content": converse } },
                "stopReason": "tool_use"
            }),
        ),
        (
            "google",
            "gemini-2.5-flash",
            json!({ "candidates": [{
                "content": { "role": "model", "parts": gemini }, "finishReason": "STOP"
            }]}),
        ),
    ]
}

#[tokio::test]
async fn calls_without_a_unique_id_are_paired_with_their_own_results() {
    for (provider, model, body) in replies_without_unique_ids() {
        let simulator = Simulator::start().await.unwrap();
        simulator
            .script_json(json!([
                { "then": { "json": body } }, { "then": { "text": "Done." } }
            ]))
            .unwrap();
        let parameters = json!({ "properties": { "n": { "type": "integer" } } });
        let tools = json!([{ "name": "ask", "description": "d", "parameters": parameters }]);
        let mut request = json!({
            "provider": provider, "model": model, "tools": tools,
            "message": [{ "role": "user", "content": "Hi" }]
        });
        let handed_back = result(run(&simulator, request.clone()).await, provider);
        let calls = handed_back["toolCalls"].as_array().unwrap();
        let ids: std::collections::HashSet<&str> =
            calls.iter().map(|call| call["id"].as_str().unwrap()).collect();
        assert_eq!((calls.len(), ids.len()), (3, 3), "{provider}: {calls:?}");
        assert!(!ids.contains(""), "{provider}");
        request["conversation"] = handed_back["conversation"].clone();
        // The results are in another order than the calls.
        let results = calls.iter().rev().map(|call| {
            json!({ "id": call["id"], "result": format!("result {}", call["arguments"]["n"]) })
        });
        request["toolResults"] = results.collect();
        // The simulator rejects ids that are empty, repeated or unknown.
        assert_eq!(result(run(&simulator, request).await, provider), "Done.", "{provider}");
        let sent = simulator.journal().last().unwrap().body.to_string();
        let positions: Vec<usize> =
            (1..=3).map(|n| sent.find(&format!("result {n}")).unwrap()).collect();
        assert!(positions.is_sorted(), "{provider}: {sent}");
    }
}

#[tokio::test]
async fn names_of_64_characters_are_sent_unchanged() {
    let names = ["a", "b"].map(|end| format!("{}{end}", "x".repeat(63)));
    for row in providers_with_tools() {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::tool_call(&names[1], json!({ "currency": "EUR" }))]);
        let tools: Vec<Value> = names.iter().map(|name| tool(name)).collect();
        let run = run(&simulator, request(row, json!({ "tools": tools }))).await;
        let handed_back = result(run, row.name);
        assert_eq!(handed_back["toolCalls"][0]["name"], names[1], "{}", row.name);
        let body = simulator.journal().last().unwrap().body.to_string();
        for name in &names {
            assert_eq!(body.matches(&format!("\"{name}\"")).count(), 1, "{}: {body}", row.name);
        }
    }
}

/// The tool that stands for a schema has the name `answer`.
#[tokio::test]
async fn a_tool_may_have_the_name_of_the_tool_for_a_schema() {
    let schema = json!({ "type": "object", "properties": { "usd": { "type": "number" } } });
    for row in providers_with_tools() {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::tool_call("answer", json!({ "currency": "EUR" }))]);
        let fields = json!({ "tools": [tool("answer")], "output": "json", "schema": schema });
        let handed_back = result(run(&simulator, request(row, fields)).await, row.name);
        assert_eq!(handed_back["toolCalls"][0]["name"], "answer", "{}", row.name);
    }
}
