//! Tests of the API for Rust programs.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use llm_exe::parsers::{InvalidParser, OutputError};
use llm_exe::providers::{InvalidBaseUrl, InvalidProvider};
use llm_exe::{
    BuildError, Client, ClientBuilder, ErrorKind, InvalidRegion, InvalidSecret, Provider,
};
use llm_exe_simulator::{Fault, Simulator, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn builder(url: &str) -> ClientBuilder {
    Client::builder().key("openai", "sk-test").base_url("openai", format!("{url}/v1"))
}

async fn simulated() -> (Simulator, Client) {
    let simulator = Simulator::start().await.unwrap();
    let client = builder(&simulator.url()).build().unwrap();
    (simulator, client)
}

#[tokio::test]
async fn request_is_sent_with_its_options_and_returns_text_and_report() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text("Hello, Ada!")]);
    let request = client
        .request("openai:gpt-4o-mini")
        .system("Be brief")
        .user("Hi {{person.name}}")
        .assistant("Yes?")
        .user("Now, {{greeting}}")
        .data("greeting", "hello")
        .data_from(json!({"person": {"name": "Ada"}}))
        .temperature(0.5)
        .max_tokens(20);
    let response = request.send().await.unwrap();
    assert_eq!(response.report().attempts, 1);
    assert!(response.report().usage.output_tokens > 0);
    assert_eq!(response.text().unwrap(), "Hello, Ada!");
    let body = &simulator.journal()[0].body;
    let contents: Vec<&Value> =
        body["messages"].as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(contents, ["Be brief", "Hi Ada", "Yes?", "Now, hello"]);
    assert_eq!((&body["temperature"], &body["max_completion_tokens"]), (&json!(0.5), &json!(20)));
}

#[tokio::test]
async fn all_problems_of_a_request_are_reported_when_it_is_sent() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken"))
        }
    }
    let (simulator, client) = simulated().await;
    let request = client
        .request("opnai:gpt-4o-mini")
        .user("Hi {{name}")
        .data("name", Broken)
        .data_from(1)
        .output("jsn")
        .temperature(9.0)
        .data("ratio", f64::NAN)
        .fallback("openai");
    let error = request.send().await.unwrap_err();
    let paths: Vec<&str> = error.problems().iter().map(|problem| problem.path.as_str()).collect();
    for path in ["data.name", "data", "data.ratio", "provider", "output", "options.temperature"] {
        assert!(paths.contains(&path), "{path}: {error}");
    }
    assert!(paths.iter().any(|path| path.starts_with("message[0]")), "{error}");
    assert!(paths.contains(&"fallbacks[0].model"), "{error}");
    assert_eq!(simulator.journal().len(), 0);
}

#[tokio::test]
async fn model_is_split_after_the_longest_provider_name() {
    let client = Client::builder().region("eu-central-1").build().unwrap();
    for (model, path) in [
        ("amazon:anthropic.claude-3-haiku-20240307-v1:0", "/converse"),
        ("amazon:anthropic:anthropic.claude-3-haiku-20240307-v1:0", "/invoke"),
        ("amazon:amazon.nova-lite-v1:0", "/converse"),
        ("amazon:nova:amazon.nova-lite-v1:0", "/converse"),
    ] {
        let wire = client.request(model).user("Hi").dry_run().await.unwrap();
        let url = wire["url"].as_str().unwrap();
        assert!(url.ends_with(path) && url.contains("v1%3A0/"), "{model}: {url}");
    }
    let dotted = client.request("openai.gpt-4o-mini").user("Hi").dry_run().await.unwrap();
    assert_eq!(dotted["body"]["model"], "gpt-4o-mini");
}

#[tokio::test]
async fn model_without_a_provider_is_an_error_with_an_example() {
    let client = Client::builder().build().unwrap();
    let request = client.request("gpt-4o-mini").user("Hi").fallback("openai").fallback("openai:");
    let error = request.dry_run().await.unwrap_err();
    assert_eq!(
        error.message(),
        "provider: expected provider:model, for example openai:gpt-4o, got \"gpt-4o-mini\"; \
         fallbacks[0].model: expected provider:model, for example openai:gpt-4o, got \"openai\"; \
         fallbacks[1].model: is empty; expected a model name"
    );
}

#[tokio::test]
async fn missing_parts_of_a_request_are_named_with_their_methods() {
    let client = Client::builder().build().unwrap();
    let request = client.request("openai:gpt-4o-mini").output("json");
    assert_eq!(
        request.dry_run().await.unwrap_err().message(),
        "message: missing; call user() or system() to add one; schema: missing; output json \
         requires one: call schema(), or extract() for the schema of a type"
    );
}

#[tokio::test]
async fn response_without_a_field_is_an_error_that_names_it() {
    let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(b"{}")));
    let client = Client::builder().key("openai", "k").http(http).build().unwrap();
    let error = client.request("openai:gpt-4o-mini").user("Hi").send().await.unwrap_err();
    assert_eq!(
        error.message(),
        "openai gpt-4o-mini: the response body is not a chat completion (missing field `choices` \
         at line 1, column 2); the body begins with \"{}\""
    );
}

#[tokio::test]
async fn image_is_sent_with_its_text() {
    let client = Client::builder().build().unwrap();
    let url = "https://example.com/cat.png";
    let request = client.request("openai:gpt-4o").user_with_image("What is this?", url);
    let wire = request.dry_run().await.unwrap();
    assert_eq!(wire["body"]["messages"][0]["content"][1]["image_url"]["url"], url);
}

#[tokio::test]
async fn outcome_of_a_json_request_is_always_the_result() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text("Hello").times(2)]);
    let mut request = json!({"provider": "openai", "model": "gpt-4o-mini", "message": "Hi"});
    let plain = client.run(request.clone()).await;
    assert_eq!(plain.with_envelope().outcome.unwrap(), "Hello");
    request["return"] = json!("full");
    let run = client.run(request).await;
    assert_eq!(run.outcome.as_ref().unwrap(), "Hello");
    let full = run.with_envelope().outcome.unwrap();
    assert_eq!((&full["result"], &full["attempts"]), (&json!("Hello"), &json!(1)));
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Person {
    name: String,
    born: u16,
    height: Option<f64>,
}

#[tokio::test]
async fn extracted_value_is_validated_and_repaired() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![
        Step::text(r#"{"name": "Ada", "born": "unknown"}"#),
        Step::text(r#"{"name": "Ada", "born": 1815, "height": 1.65}"#),
    ]);
    let person: Person = client.request("openai:gpt-4o-mini").user("Who?").extract().await.unwrap();
    let expected = Person { name: "Ada".to_owned(), born: 1815, height: Some(1.65) };
    assert_eq!(person, expected);
    let calls = simulator.journal();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].body["response_format"]["type"], "json_schema");

    simulator.script(vec![Step::text("plain")]);
    let text: String = client.request("openai:gpt-4o-mini").user("Text").extract().await.unwrap();
    assert_eq!(text, "plain");
}

#[derive(Serialize)]
struct Question<'a> {
    topic: &'a str,
}

#[tokio::test]
async fn executor_runs_a_prompt_with_typed_input_and_output() {
    let (simulator, client) = simulated().await;
    let prompt = client.request("openai:gpt-4o-mini").user("{{verb}} {{topic}}").data("verb", "On");
    let executor = client.executor::<Question<'_>, Person>(prompt.clone()).unwrap();
    let words = prompt.output("listToArray");
    let words = client.executor::<Question<'_>, Vec<String>>(words).unwrap();
    simulator.script(vec![
        Step::text(r#"{"name": "Ahab", "born": 1790, "height": null}"#),
        Step::text("- a\n- b"),
    ]);
    assert_eq!(executor.run(&Question { topic: "whales" }).await.unwrap().name, "Ahab");
    assert_eq!(words.run(&Question { topic: "letters" }).await.unwrap(), ["a", "b"]);
    let sent: Vec<Value> = simulator.journal().iter().map(|call| call.body.clone()).collect();
    assert_eq!(sent[0]["messages"][0]["content"], "On whales");
    assert_eq!(sent[1]["messages"][0]["content"], "On letters");

    let invalid = client.request("openai:gpt-4o-mini").user("{{#if}}");
    let error = client.executor::<Question<'_>, Person>(invalid).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PromptInvalid);
    let list = client.request("openai:gpt-4o-mini").user("Hi");
    let list = client.executor::<Vec<u8>, Person>(list).unwrap();
    let error = list.run(&vec![1]).await.unwrap_err();
    assert!(error.message().contains("data: expected a struct or a map"), "{error}");
}

#[tokio::test]
async fn schema_is_an_object() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text("{\"a\": 1}")]);
    let request = client.request("openai:gpt-4o-mini").user("Hi");
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    assert_eq!(request.clone().schema(schema).send().await.unwrap().json(), json!({"a": 1}));
    let error = request.schema(json!(["a"])).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("schema: expected a JSON Schema (an object), got a list"));
}

#[tokio::test]
async fn client_and_request_can_fail_with_the_same_error_type() {
    async fn send(key: &str) -> Result<String, llm_exe::Error> {
        let client = Client::builder().key("opnai", key).build()?;
        client.request("openai:gpt-4o-mini").user("Hi").send().await?.text()
    }
    let error = send("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("did you mean openai"), "{error}");
}

#[tokio::test]
async fn missing_key_is_not_called_a_rejected_one() {
    let http = |_: Request<Bytes>| Ok(Response::builder().status(401).body(Bytes::new())?);
    let mine = Provider::openai_compatible("mine", "https://example.com/v1");
    let client = Client::builder().provider(mine).http(http).build().unwrap();
    let error = client.request("mine:m").user("Hi").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProviderAuthFailed);
    let text = "mine m: the provider requires an API key, and the request had none (401)";
    assert_eq!(error.message(), text);
}

#[tokio::test]
async fn time_limit_can_be_the_longest_duration() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text("yes")]);
    let request = client.request("openai:gpt-4o-mini").user("Hi").time_limit(Duration::MAX);
    assert_eq!(request.send().await.unwrap().text().unwrap(), "yes");
}

#[tokio::test]
async fn result_of_another_type_is_an_error_that_is_not_logged() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text("- secret").times(2)]);
    let request = client.request("openai:gpt-4o-mini").user("List").output("listToArray");
    let error = request.clone().send().await.unwrap().text().unwrap_err();
    assert!(error.message().contains("use json()") && !error.for_log().contains("secret"));
    let error = request.send().await.unwrap().parse::<Vec<u8>>().unwrap_err();
    assert!(error.message().contains("[0]") && !error.for_log().contains("secret"), "{error}");
}

#[tokio::test]
async fn time_limit_ends_a_request() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::fault(Fault::Hang)]);
    let request = client.request("openai:gpt-4o-mini").user("Hi");
    let run = request.time_limit(Duration::from_millis(100)).run().await;
    assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(run.report.attempts, 1);
}

#[tokio::test]
async fn dropped_request_is_not_sent_again() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::fault(Fault::Hang), Step::text("Hello")]);
    let request = client.request("openai:gpt-4o-mini").user("Hi");
    let dropped = tokio::time::timeout(Duration::from_millis(100), request.clone().send()).await;
    assert!(dropped.is_err());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(simulator.journal().len(), 1);
    assert_eq!(request.send().await.unwrap().text().unwrap(), "Hello");
    assert_eq!(simulator.journal().len(), 2);
}

#[tokio::test]
async fn dropped_request_closes_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = builder(&format!("http://{}", listener.local_addr().unwrap())).build().unwrap();
    let request = client.request("openai:gpt-4o-mini").user("Hi").send();
    let sending = tokio::spawn(request);
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut buffer = [0; 4096];
    assert!(stream.read(&mut buffer).await.unwrap() > 0);
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    sending.abort();
    let end = async {
        while let Ok(count) = stream.read(&mut buffer).await {
            if count == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), end).await.expect("the connection is still open");
}

#[tokio::test]
async fn registered_provider_and_parser_are_used() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("Grade: B")]);
    let url = format!("{}/v1", simulator.url());
    let client = Client::builder()
        .provider(Provider::openai_compatible("inhouse", url))
        .key("inhouse", "tg-test")
        .parser("grade", |text: &str| match text.split_once(": ") {
            Some((_, grade)) => Ok(json!(grade)),
            None => Err(OutputError::new("the reply has no grade")),
        })
        .build()
        .unwrap();
    let request = client.request("inhouse:llama-4").user("Grade this").output("grade");
    assert_eq!(request.send().await.unwrap().json(), "B");
    assert_eq!(simulator.journal()[0].header("authorization"), Some("[present]"));
}

#[test]
fn invalid_configurations_are_rejected() {
    let url = "https://example.com/v1";
    let parser = |text: &str| Ok(json!(text));
    let base_url = |reason| BuildError::BaseUrl { provider: "openai".to_owned(), reason };
    for (builder, expected) in [
        (
            Client::builder().provider(Provider::openai_compatible("openai", url)),
            InvalidProvider::Duplicate("openai".to_owned()).into(),
        ),
        (
            Client::builder().parser("json", parser),
            InvalidParser::Duplicate("json".to_owned()).into(),
        ),
        (
            Client::builder().base_url("openai", "http://example.com"),
            base_url(InvalidBaseUrl::NotLocal),
        ),
        (
            Client::builder().base_url("openai", "https://example.com/v1/chat/completions"),
            base_url(InvalidBaseUrl::ApiPath(url.to_owned())),
        ),
        (
            Client::builder().key("ollama", "k"),
            BuildError::UnusedKey { provider: "ollama".to_owned() },
        ),
        (Client::builder().region("Europe"), InvalidRegion.into()),
        (
            Client::builder().key("openai", " "),
            BuildError::Key { provider: "openai".to_owned(), reason: InvalidSecret::Empty },
        ),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
}

#[test]
fn unknown_provider_is_an_error_with_a_suggestion() {
    let mine = Provider::openai_compatible("mine", "https://example.com/v1");
    for (builder, start) in [
        (Client::builder().key("opnai", "k"), "unknown provider \"opnai\" (did you mean openai?)"),
        (
            Client::builder().provider(mine).base_url("minne", "https://example.com"),
            "unknown provider \"minne\" (did you mean mine?); expected one of openai, anthropic",
        ),
    ] {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().starts_with(start), "{error}");
        // `main` prints the debug output of an error that it returns.
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}

#[tokio::test]
async fn missing_key_is_reported_by_the_request() {
    let client = Client::builder().build().unwrap();
    let error = client.request("openai:gpt-4o").user("Hi").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretNotFound);
    assert!(error.message().contains("OPENAI_API_KEY"), "{error}");
}

#[tokio::test]
async fn custom_http_client_serves_requests_and_extraction() {
    let http = |_: Request<Bytes>| {
        let reply = br#"{"message": {"content": "{\"name\": \"Ada\", \"born\": 1815}"}}"#;
        Ok(Response::new(Bytes::from_static(reply)))
    };
    let client = Client::builder().http(http).build().unwrap();
    let person: Person = client.request("ollama:qwen3").user("Who?").extract().await.unwrap();
    assert_eq!((person.name.as_str(), person.height), ("Ada", None));
}
