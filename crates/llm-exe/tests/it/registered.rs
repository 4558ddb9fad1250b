//! Checks that requests can name the providers and parsers that a program registers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use llm_exe::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason};
use llm_exe::parsers::{OutputError, OutputParser, Parsers};
use llm_exe::providers::{BuiltRequest, Dialect, Endpoint, Provider, Providers};
use llm_exe::wire::{Auth, Body, WireReply, WireRequest};
use llm_exe::{Deadline, Endpoints, Error, Plan, Rules, Run, Runner};
use serde_json::{Value, json};

use crate::common::FixedKey;

/// A dialect whose replies are plain text.
struct Echo;

impl Dialect for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let body = json!({ "model": chat.model, "length": chat.messages.len() });
        let url = format!("{}/echo", endpoint.base_url);
        let auth = endpoint.key.clone().map_or(Auth::None, Auth::Bearer);
        Ok(BuiltRequest::new(WireRequest::new(
            url,
            Body::new(body.as_object().cloned().unwrap_or_default()),
            auth,
        )))
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        let mut builder = ReplyBuilder::new(chat);
        builder.push(ReplyEvent::Text(String::from_utf8_lossy(&wire.body).into_owned()))?;
        builder.push(ReplyEvent::Stop { reason: StopReason::Stop, provider: None })?;
        Ok(builder.finish())
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

#[tokio::test]
async fn unknown_provider_is_reported_with_the_registered_ones() {
    let provider = Provider::openai_compatible("together", "https://example.com/v1");
    let rules = Rules { providers: Providers::with([provider]).unwrap(), ..Rules::default() };
    let request = json!({"provider": "togehter", "model": "m", "message": "Hi"});
    let message = run(rules, request).await.outcome.unwrap_err().to_string();
    assert!(message.contains("(did you mean together?)"), "{message}");
}

fn rules_with_parser() -> Rules {
    let parser: Arc<dyn OutputParser> = Arc::new(|text: &str| match text.split_once(':') {
        Some((_, grade)) => Ok(json!(grade.trim())),
        None => Err(OutputError::new("the reply has no colon")),
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
