//! Tests errors in streams: which of them cause another attempt, and what the caller receives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream;
use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::PortFuture;
use llm_exe::providers::ApiMode;
use llm_exe::transport::{HttpError, HttpTransport, ResponseBody};
use llm_exe::{Client, Deadline, ErrorKind, Run, RunEvent};
use serde_json::{Value, json};

/// Sends one response after another: the status, and the events of a stream or the body.
#[derive(Clone)]
struct Server {
    responses: Arc<Mutex<VecDeque<(u16, String)>>>,
    has_content_type: bool,
}

impl Server {
    fn new<'a>(responses: impl IntoIterator<Item = (u16, &'a str)>) -> Self {
        let responses = responses.into_iter().map(|(status, body)| (status, body.to_owned()));
        Server { responses: Arc::new(Mutex::new(responses.collect())), has_content_type: true }
    }

    fn next(&self) -> Response<String> {
        let (status, body) = self.responses.lock().unwrap().pop_front().expect("one more response");
        let is_stream = body.starts_with("data:") || body.starts_with("event:");
        let content_type = if is_stream { "text/event-stream" } else { "application/json" };
        let mut response = Response::builder().status(status);
        if self.has_content_type {
            response = response.header("content-type", content_type);
        }
        response.body(body).unwrap()
    }

    /// Returns the number of responses that were not sent.
    fn rest(&self) -> usize {
        self.responses.lock().unwrap().len()
    }
}

impl HttpTransport for Server {
    fn send(
        &self,
        _: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        Box::pin(std::future::ready(Ok(self.next().map(Bytes::from))))
    }

    fn open(
        &self,
        _: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<ResponseBody>, HttpError>> {
        let response = self.next().map(|body| {
            ResponseBody::from_stream(stream::iter([Ok::<_, HttpError>(Bytes::from(body))]))
        });
        Box::pin(std::future::ready(Ok(response)))
    }
}

/// Runs a request with streams and returns the text that was sent, and the run.
async fn run(server: &Server, (provider, model, api): Target) -> (String, Run) {
    let client = Client::builder()
        .key("openai", "k")
        .key("anthropic", "k")
        .openai_api(api)
        .http(server.clone())
        .build()
        .unwrap();
    let request = json!({
        "provider": provider, "model": model, "message": "hi",
        "options": { "numOfAttempts": 3, "maxDelay": 1 },
    });
    let mut stream = client.run_stream(Deadline::after(Duration::from_secs(30)), request);
    let mut text = String::new();
    while let Some(event) = stream.next_event().await {
        match event {
            RunEvent::Text { delta, .. } => text.push_str(&delta),
            other => panic!("{other:?}"),
        }
    }
    (text, stream.finish().await)
}

/// A provider, a model, and which of OpenAI's APIs is called.
type Target = (&'static str, &'static str, ApiMode);

const CHAT: Target = ("openai", "gpt-4o", ApiMode::Chat);
const RESPONSES: Target = ("openai", "gpt-5", ApiMode::Responses);
const CLAUDE: Target = ("anthropic", "claude-sonnet-4-5", ApiMode::Chat);

const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n";
const REASONING: &str = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm\"}}]}\n\n";
const RATE_LIMIT: &str = "data: {\"error\":{\"message\":\"slow down\",\"code\":429}}\n\n";
const OVERLOADED: &str = "event: error\ndata: {\"type\":\"error\",\"error\":\
    {\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: [DONE]\n\n";

#[tokio::test]
async fn an_error_is_retried_only_before_any_part_of_the_reply() {
    let whole = format!("{TEXT}{END}");
    for (first, attempts) in [
        (RATE_LIMIT.to_owned(), 2),
        (format!("{REASONING}{RATE_LIMIT}"), 1),
        (format!("{TEXT}{RATE_LIMIT}"), 1),
    ] {
        let server = Server::new([(200, &*first), (200, &whole)]);
        let (text, run) = self::run(&server, CHAT).await;
        assert_eq!(run.report.attempts, attempts, "{first}");
        match attempts {
            2 => assert_eq!((&*text, run.outcome.unwrap()), ("Hel", json!("Hel")), "{first}"),
            _ => assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::ProviderRateLimited),
        }
    }
}

#[tokio::test]
async fn an_overloaded_provider_is_called_again_as_after_its_status() {
    let reply = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\
        \"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\
        \"usage\":{\"input_tokens\":2,\"output_tokens\":1}}}\n\n\
        event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\
        \"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
        event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
        \"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n\
        event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
        event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\
        \"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\n\
        event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let server = Server::new([(200, OVERLOADED), (200, reply)]);
    let (text, run) = run(&server, CLAUDE).await;
    assert_eq!((&*text, run.report.attempts), ("Hi", 2));
    assert_eq!(run.outcome.unwrap(), "Hi");
}

#[tokio::test]
async fn an_error_in_any_form_ends_the_stream_with_its_message() {
    for error in [
        r#"data: {"object":"error","message":"GPU on fire","code":400}"#,
        r#"data: {"message":"GPU on fire"}"#,
        "event: error\ndata: {\"message\":\"GPU on fire\"}",
        r#"data: {"error":{"message":"GPU on fire"}}"#,
        r#"data: {"error":"GPU on fire"}"#,
    ] {
        let body = format!("{TEXT}{error}\n\ndata: [DONE]\n\n");
        let (text, run) = run(&Server::new([(200, &*body)]), CHAT).await;
        let failed = run.outcome.unwrap_err();
        assert!(failed.message().contains("GPU on fire"), "{error}: {failed}");
        assert_eq!((&*text, run.report.attempts), ("Hel", 1), "{error}");
    }
}

#[tokio::test]
async fn a_rejected_stream_is_replaced_only_before_its_text() {
    let whole = r#"{"choices":[{"message":{"role":"assistant","content":"Whole"}}]}"#;
    for (status, message, attempts) in [
        (400, "Your organization must be verified to stream this model.", 2),
        (422, "unsupported field: stream_options", 2),
        (400, "Upstream provider rejected the image", 1),
        (500, "The stream broke", 3),
    ] {
        let error = json!({ "error": { "message": message } }).to_string();
        let rest = if status == 500 { (status, &*error) } else { (200, whole) };
        let server = Server::new([(status, &*error), rest, rest]);
        let (text, run) = run(&server, CHAT).await;
        assert_eq!((run.report.attempts, 3 - server.rest()), (attempts, attempts as usize));
        assert_eq!(text, if attempts == 2 { "Whole" } else { "" }, "{message}");
    }
    // An error after text is not a rejection of the stream.
    let delta = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\
        \"output_index\":0,\"delta\":\"Hello wor\"}\n\n";
    let failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":\
        {\"status\":\"failed\",\"output\":[],\"error\":{\"code\":\"invalid_image\",\
        \"message\":\"The stream of the image broke\"}}}\n\n";
    let body = format!("{delta}{failed}");
    let (text, run) = run(&Server::new([(200, &*body)]), RESPONSES).await;
    assert_eq!((&*text, run.report.attempts), ("Hello wor", 1));
    assert!(run.outcome.unwrap_err().message().contains("broke"));
}

#[tokio::test]
async fn a_response_in_one_piece_needs_no_content_type() {
    let whole = r#" {"choices":[{"message":{"role":"assistant","content":"Whole"}}]}"#;
    let server = Server { has_content_type: false, ..Server::new([(200, whole)]) };
    let (text, run) = run(&server, CHAT).await;
    assert_eq!((&*text, run.outcome.unwrap()), ("Whole", json!("Whole")));
}

#[tokio::test]
async fn items_replace_a_missing_output_of_the_last_event() {
    let item = json!({
        "type": "message", "id": "m", "role": "assistant", "status": "completed",
        "content": [{ "type": "output_text", "text": "Hello", "annotations": [] }]
    });
    let delta =
        json!({ "type": "response.output_text.delta", "output_index": 0, "delta": "Hello" });
    let done = json!({ "type": "response.output_item.done", "output_index": 0, "item": item });
    for output in [json!([]), Value::Null] {
        let response = json!({ "id": "r", "model": "gpt-5", "status": "completed",
            "output": output, "usage": { "input_tokens": 1, "output_tokens": 2 } });
        let completed = json!({ "type": "response.completed", "response": response });
        let body = format!("data: {delta}\n\ndata: {done}\n\ndata: {completed}\n\n");
        let (text, run) = run(&Server::new([(200, &*body)]), RESPONSES).await;
        assert_eq!((&*text, run.outcome.unwrap()), ("Hello", json!("Hello")));
        assert_eq!(run.report.usage.output_tokens, 2);
    }
}

/// Compares the time for events of two sizes in one run.
#[tokio::test]
async fn the_time_for_fields_and_calls_grows_in_proportion_to_their_number() {
    let fields = |count: usize| {
        let fields = (0..count).map(|index| format!("\"f{index}\":1"));
        format!("data: {{{}}}\n\n", fields.collect::<Vec<_>>().join(","))
    };
    let calls = |count: usize| {
        let calls = (0..count).map(|index| {
            let call = json!({ "index": index, "id": format!("c{index}"),
                "function": { "name": "f", "arguments": "{}" } });
            format!("data: {}\n\n", json!({ "choices": [{ "delta": { "tool_calls": [call] } }] }))
        });
        calls.collect::<String>()
    };
    for body in [&fields as &dyn Fn(usize) -> String, &calls] {
        let mut fastest = [Duration::MAX; 2];
        for _ in 0..3 {
            for (at, count) in [1_000, 8_000].into_iter().enumerate() {
                let body = format!("{}{TEXT}{END}", body(count));
                let server = Server::new([(200, &*body)]);
                let started = Instant::now();
                drop(run(&server, CHAT).await);
                fastest[at] = fastest[at].min(started.elapsed());
            }
        }
        // Quadratic growth would be a factor of 64.
        assert!(fastest[1] < fastest[0] * 32, "{fastest:?}");
    }
}
