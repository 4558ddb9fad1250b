//! Checks that requests can name the providers and parsers that a program registers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use llm_exe::chat::{Chat, Reply};
use llm_exe::parsers::{OutputParser, Parsers};
use llm_exe::providers::{BuiltRequest, Dialect, Endpoint, Provider, Providers};
use llm_exe::wire::{Body, WireReply};
use llm_exe::{Client, Deadline, Endpoints, Error, ErrorKind, Plan, Rules, Run, Runner};
use serde_json::{Value, json};

use crate::common::FixedKey;

/// A dialect whose replies are plain text.
struct Echo;

impl Dialect for Echo {
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let body = json!({ "model": chat.model, "length": chat.messages.len() });
        Ok(endpoint.post("/echo", body).into())
    }

    fn read_reply(&self, wire: &WireReply, _: &Chat) -> Result<Reply, Error> {
        Ok(Reply::from_text(String::from_utf8_lossy(&wire.body)))
    }
}

async fn run(rules: Rules, request: Value) -> Run {
    let transport = |request: Request<Bytes>| {
        assert_eq!(request.uri(), "https://example.com/v1/echo");
        assert_eq!(request.headers()["authorization"], "Bearer test-key");
        Ok(Response::new(Bytes::from_static(b"yes")))
    };
    let runner = Runner::new(Endpoints::new(), Arc::new(FixedKey), rules)
        .with_http_transport(Arc::new(transport));
    runner.run(Deadline::after(Duration::from_secs(10)), request).await
}

#[tokio::test]
async fn registered_dialect_builds_requests_and_reads_replies() {
    let echo = Provider::new("echo", "https://example.com/v1/", Echo).key_env("ECHO_KEY");
    let providers = Providers::with([echo]);
    let rules = Rules { providers: providers.unwrap(), ..Rules::default() };
    let request = json!({"provider": "echo.large", "message": "Hi", "dryRun": true});
    let wire = run(rules.clone(), request).await.outcome.unwrap();
    assert_eq!(wire["body"]["model"], "large");
    let run = run(rules, json!({"provider": "echo", "model": "m", "message": "Hi"})).await;
    assert_eq!(run.outcome.unwrap(), json!("yes"));
    assert_eq!(run.report.provider.as_deref(), Some("echo"));
}

/// A dialect that needs 50 ms to read a reply, and counts the replies.
struct Slow(Arc<AtomicUsize>);

impl Dialect for Slow {
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        Echo.build_request(endpoint, chat)
    }

    fn read_reply(&self, _: &WireReply, _: &Chat) -> Result<Reply, Error> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(50) {}
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Reply::from_text("yes"))
    }
}

#[tokio::test]
async fn timers_fire_while_large_replies_are_read() {
    let replies_read = Arc::new(AtomicUsize::new(0));
    let slow = Provider::new("slow", "https://example.com/v1", Slow(replies_read.clone()));
    let rules = Rules { providers: Providers::with([slow]).unwrap(), ..Rules::default() };
    let body = Bytes::from(vec![b' '; 300_000]);
    let transport = move |_: Request<Bytes>| Ok(Response::new(body.clone()));
    let runner = Runner::new(Endpoints::new(), Arc::new(FixedKey), rules)
        .with_http_transport(Arc::new(transport));
    let run = || {
        let request = json!({"provider": "slow", "model": "m", "message": "Hi"});
        runner.run(Deadline::after(Duration::from_secs(10)), request)
    };
    let timer = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        replies_read.load(Ordering::Relaxed)
    };
    // All of them are futures of one task, like the records of a batch.
    let (read_before_timer, ..) = tokio::join!(timer, run(), run(), run(), run(), run());
    assert!((1..=3).contains(&read_before_timer), "{read_before_timer}");
    assert_eq!(replies_read.load(Ordering::Relaxed), 5);
}

/// A dialect with a list as its body, and headers that are known only at run time.
struct Headers(String);

impl Dialect for Headers {
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let request = endpoint.post("texts", Body::from_serialize([chat.joined_text()])?);
        let request = request.with_header(self.0.clone(), "1").with_key_header("x-key");
        Ok(BuiltRequest::new(request).warn_of_other_options(chat, &["seed", "max_tokens"]))
    }

    fn read_reply(&self, wire: &WireReply, _: &Chat) -> Result<Reply, Error> {
        Ok(Reply::from_text(wire.text_at("/texts/0")?))
    }
}

fn client_with_headers(name: &str, status: u16, reply: &'static str) -> Client {
    let http = move |request: Request<Bytes>| {
        assert_eq!(request.uri().path(), "/texts");
        assert_eq!(request.headers()["x-key"], "k");
        assert_eq!(request.headers()["x-tenant"], "1");
        assert!(!request.headers().contains_key("authorization"));
        assert_eq!(request.body(), r#"["Hi\n\nYou"]"#);
        Ok(Response::builder().status(status).body(Bytes::from_static(reply.as_bytes()))?)
    };
    let provider = Provider::new("mine", "https://example.com", Headers(name.to_owned()));
    Client::builder().provider(provider).key("mine", "k").http(http).build().unwrap()
}

async fn ask(client: &Client) -> Result<llm_exe::Response, Error> {
    client.request("mine:m").system("Hi").user("You").temperature(0.5).max_tokens(5).send().await
}

#[tokio::test]
async fn dialect_can_set_headers_and_warns_of_the_options_that_it_drops() {
    let response = ask(&client_with_headers("x-tenant", 200, r#"{"texts": ["yes"]}"#)).await;
    let response = response.unwrap();
    let warning = "options.temperature is dropped for m: the provider does not support this option";
    assert_eq!(response.report().warnings, [warning]);
    assert_eq!(response.text().unwrap(), "yes");
}

#[tokio::test]
async fn errors_of_a_dialect_name_their_cause() {
    for (header, status, reply, kind, message) in [
        (
            "x-tenant",
            200,
            "{}",
            ErrorKind::ProviderUnavailable,
            "mine m: the response body has no string at /texts/0; the body begins with \"{}\"",
        ),
        (
            "x-tenant",
            422,
            r#"{"reasons": ["too short"]}"#,
            ErrorKind::ProviderRejected,
            r#"mine m: the provider rejected the request (422): {"reasons": ["too short"]}"#,
        ),
        (
            "X Tenant",
            200,
            "",
            ErrorKind::Internal,
            "mine m: \"X Tenant\" is not a valid header name",
        ),
    ] {
        let error = ask(&client_with_headers(header, status, reply)).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message));
    }
}

#[tokio::test]
async fn image_for_a_dialect_without_images_is_rejected_before_the_call() {
    let http = |_: Request<Bytes>| -> Result<Response<Bytes>, _> { panic!("no call expected") };
    let echo = Provider::new("echo", "https://example.com/v1", Echo);
    let client = Client::builder().provider(echo).http(http).build().unwrap();
    let request = client.request("echo:m").user_with_image("What?", "https://example.com/a.png");
    let error = request.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.message(), "message[0].content[1]: the model does not accept images");
}

#[tokio::test]
async fn unknown_provider_is_reported_with_the_registered_ones() {
    let provider = Provider::openai_compatible("inhouse", "https://example.com/v1");
    let rules = Rules { providers: Providers::with([provider]).unwrap(), ..Rules::default() };
    let request = json!({"provider": "inhuose", "model": "m", "message": "Hi"});
    let message = run(rules, request).await.outcome.unwrap_err().to_string();
    assert!(message.contains("(did you mean inhouse?)"), "{message}");
}

fn rules_with_parser() -> Rules {
    let parser: Arc<dyn OutputParser> = Arc::new(|text: &str| match text.split_once(':') {
        Some((_, grade)) => Ok(json!(grade.trim())),
        None => Err("the reply has no colon".into()),
    });
    let parsers = Parsers::with([("grade".to_owned(), parser)]).unwrap();
    Rules { parsers, ..Rules::default() }
}

#[test]
fn registered_parser_is_selected_by_output() {
    let request = |output: &str, options: Value| {
        json!({
            "provider": "openai", "model": "gpt-4o", "message": "Hi",
            "output": output, "outputOptions": options,
        })
    };
    let rules = rules_with_parser();
    let plan = Plan::from_value(request("grade", json!({"repairs": 2})), &rules).unwrap();
    assert_eq!(plan.output.repairs, 2);
    assert_eq!(plan.parse_output("Grade: B").unwrap().0, json!("B"));
    assert_eq!(plan.parse_output("B").unwrap_err().to_string(), "the reply has no colon");
    let empty = plan.parse_output(" ").unwrap_err().to_string();
    assert_eq!(empty, "the reply is empty; expected a reply in the requested form");

    let plan = Plan::from_value(request("grade", json!({"match": "exact"})), &rules).unwrap();
    assert!(plan.warnings[0].contains("output grade has no such option"), "{:?}", plan.warnings);
    let error = Plan::from_value(request("grad", json!({})), &rules).unwrap_err().to_string();
    assert!(error.contains("(did you mean grade?)"), "{error}");
    assert!(Plan::from_value(request("grade", json!({})), &Rules::default()).is_err());
}
