//! Tests runs whose results are streamed, against the simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream;
use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::PortFuture;
use llm_exe::transport::{HttpError, HttpTransport, ResponseBody};
use llm_exe::{Client, Context, Deadline, ErrorKind, EventSink, Run, RunEvent, StreamItem, Tool};
use llm_exe_simulator::{ScriptedResponse, Simulator, Step, StreamEnd, StreamScript, ToolCall};
use serde_json::{Value, json};

const TEXT: &str = "Größe 😀, said the whale, and dived.";

fn client(simulator: &Simulator) -> Client {
    let builder = Client::builder()
        .key("openai", "k")
        .base_url("openai", simulator.openai_base_url())
        .base_url("ollama", simulator.ollama_base_url());
    builder.build().unwrap()
}

fn request(fields: Value) -> Value {
    let mut request = json!({"provider": "openai", "model": "gpt-4o", "message": "hi"});
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

/// Runs a request and returns the events as JSON, with their names, and the run.
async fn run(simulator: &Simulator, fields: Value) -> (Vec<Value>, Run) {
    let deadline = Deadline::after(Duration::from_secs(5));
    let mut stream = client(simulator).run_stream(deadline, request(fields));
    let mut events = Vec::new();
    while let Some(event) = stream.next_event().await {
        let mut data = event.to_json();
        // Durations differ.
        data.as_object_mut().unwrap().shift_remove("durationMs");
        match events.last_mut() {
            Some(Value::Array(last))
                if event.name() == "text"
                    && last[0] == "text"
                    && last[1]["turn"] == data["turn"] =>
            {
                let text = last[1]["delta"].as_str().unwrap().to_owned();
                last[1]["delta"] = json!(text + data["delta"].as_str().unwrap());
            }
            _ => events.push(json!([event.name(), data])),
        }
    }
    (events, stream.finish().await)
}

fn text(turn: u32, text: &str) -> Value {
    json!(["text", {"delta": text, "turn": turn}])
}

#[tokio::test]
async fn text_arrives_in_pieces_and_the_result_is_that_of_an_unstreamed_run() {
    for script in [
        StreamScript::default(),
        StreamScript { piece_bytes: Some(1), ..StreamScript::default() },
        StreamScript { milliseconds: 2, piece_bytes: Some(50), ..StreamScript::default() },
    ] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::text(TEXT).stream(script)]);
        let deadline = Deadline::after(Duration::from_secs(20));
        let mut stream = client(&simulator).run_stream(deadline, request(json!({})));
        let mut pieces = Vec::new();
        while let Some(event) = stream.next_event().await {
            let RunEvent::Text { delta, turn: 1 } = event else { panic!("{event:?}") };
            pieces.push(delta);
        }
        let streamed = stream.finish().await;
        assert_eq!((pieces.len() > 4, pieces.concat()), (true, TEXT.to_owned()));
        assert_eq!(streamed.outcome.unwrap(), TEXT);
        simulator.script(vec![Step::text(TEXT)]);
        let plain = client(&simulator).run(request(json!({}))).await;
        assert_eq!(streamed.report.usage, plain.report.usage);
        assert_eq!(streamed.report.stop_reason, plain.report.stop_reason);
        let sent = &simulator.journal()[0].body;
        let options = json!({"include_usage": true});
        assert_eq!((&sent["stream"], &sent["stream_options"]), (&json!(true), &options));
    }
}

#[tokio::test]
async fn items_of_a_request_end_with_the_response() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("[1, 2]")]);
    let request = client(&simulator).request("openai:gpt-4o").user("Two numbers");
    let schema = json!({"type": "array", "items": {"type": "integer"}});
    let mut stream = request.output("json").schema(schema).stream().await.unwrap();
    let mut text = String::new();
    let mut result = None;
    while let Some(item) = stream.next().await {
        match item.unwrap() {
            StreamItem::Event(RunEvent::Text { delta, .. }) => text.push_str(&delta),
            StreamItem::Response(response) => result = Some(response.parse::<Vec<u8>>().unwrap()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((&*text, result), ("[1, 2]", Some(vec![1, 2])));
    assert_eq!(stream.response().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    // An error before the first event is returned at once.
    let request = client(&simulator).request("openai:gpt-4o");
    assert_eq!(request.stream().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn retries_and_fallbacks_happen_only_before_the_first_text() {
    let cut = |events, end| StreamScript { events: Some(events), end, ..StreamScript::default() };
    let fallback = json!({"fallbacks": [{"provider": "ollama", "model": "qwen3"}],
        "options": {"numOfAttempts": 2}});
    for (steps, calls, expected) in [
        (vec![Step::status(503), Step::text(TEXT)], 2, Ok(TEXT)),
        (vec![Step::status(503).times(2), Step::text("b")], 3, Ok("b")),
        // The first event of a stream has no text, and its error is not billed.
        (vec![Step::text(TEXT).stream(cut(0, StreamEnd::Error)), Step::text("b")], 2, Ok("b")),
        (vec![Step::text(TEXT).stream(cut(1, StreamEnd::Drop)), Step::text("b")], 2, Ok("b")),
        (
            vec![Step::text(TEXT).stream(cut(4, StreamEnd::Error))],
            1,
            Err((ErrorKind::ProviderUnavailable, "an error in a response with status 200")),
        ),
        (
            vec![Step::text(TEXT).stream(cut(4, StreamEnd::Drop))],
            1,
            Err((ErrorKind::ProviderUnavailable, "the connection broke before the complete")),
        ),
        (
            vec![Step::text(TEXT).stream(cut(4, StreamEnd::Close))],
            1,
            Err((ErrorKind::ProviderUnavailable, "the stream ended before the reply was")),
        ),
    ] {
        let simulator = Simulator::start().await.unwrap();
        let case = format!("{steps:?}");
        simulator.script(steps);
        let (events, run) = run(&simulator, fallback.clone()).await;
        match (run.outcome, expected) {
            (Ok(result), Ok(expected)) => {
                assert_eq!((result, events), (json!(expected), vec![text(1, expected)]), "{case}");
            }
            (Err(error), Err((kind, message))) => {
                assert_eq!(error.kind(), kind, "{case}: {error}");
                assert!(error.message().contains(message), "{case}: {error}");
                assert_eq!(events.len(), 1, "{case}: {events:?}");
            }
            (outcome, _) => panic!("{case}: {outcome:?}"),
        }
        assert_eq!(simulator.journal().len(), calls, "{case}");
    }
}

#[tokio::test]
async fn the_deadline_ends_a_stream() {
    let simulator = Simulator::start().await.unwrap();
    let script = StreamScript { events: Some(3), end: StreamEnd::Hang, ..StreamScript::default() };
    simulator.script(vec![Step::text(TEXT).stream(script)]);
    let deadline = Deadline::after(Duration::from_millis(300));
    let mut stream = client(&simulator).run_stream(deadline, request(json!({})));
    while stream.next_event().await.is_some() {}
    assert_eq!(stream.finish().await.outcome.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_repair_withdraws_the_text() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("no"), Step::text("7")]);
    let fields = json!({"output": "number", "outputOptions": {"repairs": 1}});
    let (events, run) = run(&simulator, fields).await;
    assert_eq!(run.outcome.unwrap(), 7);
    let expected = [text(1, "no"), json!(["reset", {"reason": "repair"}]), text(1, "7")];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn tools_send_their_calls_and_results() {
    let simulator = Simulator::start().await.unwrap();
    let call = ToolCall { name: "get_rate".to_owned(), arguments: json!({"cur": "EUR"}) };
    simulator.script(vec![
        Step::tool_calls("Wait.", vec![call]),
        Step::text("1.1"),
        Step::text("b"),
    ]);
    let tool = json!({"name": "get_rate", "description": "d", "parameters": {"type": "object"},
        "run": {"request": {"provider": "openai", "model": "gpt-4o", "message": "rate"}}});
    let (events, run) = run(&simulator, json!({ "tools": [tool] })).await;
    assert_eq!(run.outcome.unwrap(), "b");
    let id = events[1][1]["id"].clone();
    let expected = [
        text(1, "Wait."),
        json!(["toolCall", {"turn": 1, "id": id, "name": "get_rate", "arguments": {"cur": "EUR"}}]),
        json!(["toolResult", {"turn": 1, "id": id, "name": "get_rate", "result": "1.1"}]),
        text(2, "b"),
    ];
    assert_eq!(events, expected);
    // Only the conversation of the caller is streamed.
    let streamed: Vec<bool> =
        simulator.journal().iter().map(|call| call.body["stream"] == true).collect();
    assert_eq!(streamed, [true, false, true]);
}

#[tokio::test]
async fn functions_of_the_program_run_during_a_stream() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::tool_call("now", json!({})), Step::text("noon")]);
    let tool = Tool::new("now", "The time", json!({"type": "object"}));
    let tool = tool.handler(|_| async { "12:00" });
    let request = client(&simulator).request("openai:gpt-4o").user("Time?").tool(tool);
    let response = request.stream().await.unwrap().response().await.unwrap();
    assert_eq!(response.text().unwrap(), "noon");
}

#[tokio::test]
async fn only_the_last_step_of_a_chain_sends_text() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("one"), Step::text("two"), Step::text("stop")]);
    let steps = json!([
        {"name": "a", "message": "first"},
        {"name": "b", "message": "{{previous}}", "repeat":
            {"until": "{{#if (eq lastResult 'stop')}}yes{{/if}}", "max": 3}},
    ]);
    let deadline = Deadline::after(Duration::from_secs(5));
    let request = json!({"provider": "openai", "model": "gpt-4o", "steps": steps});
    let mut stream = client(&simulator).run_stream(deadline, request);
    let mut events = Vec::new();
    while let Some(event) = stream.next_event().await {
        events.push(match event {
            RunEvent::Step { name, .. } => format!("step {name}"),
            RunEvent::Text { delta, .. } => delta,
            RunEvent::Reset { reason } => reason.to_owned(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(stream.finish().await.outcome.unwrap(), "stop");
    assert_eq!(events, ["step a", "two", "repeat", "stop", "step b"]);
}

#[tokio::test]
async fn a_server_that_ignores_stream_sends_one_piece() {
    let simulator = Simulator::start().await.unwrap();
    let body =
        json!({"choices": [{"message": {"content": "a b c d e f"}, "finish_reason": "stop"}]});
    simulator.script(vec![Step::new(ScriptedResponse::Json(body))]);
    let (events, run) = run(&simulator, json!({})).await;
    assert_eq!(run.outcome.unwrap(), "a b c d e f");
    assert_eq!(events, [text(1, "a b c d e f")]);
}

#[tokio::test]
async fn a_rejected_stream_is_sent_again_without_it() {
    let simulator = Simulator::start().await.unwrap();
    let message = "Your organization must be verified to stream this model.";
    let error = json!({"message": message, "type": "invalid_request_error", "param": "stream"});
    let body = Some(json!({ "error": error }));
    let rejected = ScriptedResponse::Status { status: 400, headers: Vec::new(), body };
    simulator.script(vec![Step::new(rejected), Step::text("a b c d e f")]);
    let (events, run) = run(&simulator, json!({})).await;
    assert_eq!(run.outcome.unwrap(), "a b c d e f");
    assert_eq!(events, [text(1, "a b c d e f")]);
    let warning = "the text is not streamed: the provider rejected a stream of gpt-4o";
    assert_eq!(run.report.warnings, [warning]);
    let calls = simulator.journal();
    assert_eq!((calls.len(), &calls[1].body["stream"]), (2, &Value::Null));
}

#[tokio::test]
async fn a_rejected_stream_is_remembered() {
    let rejected = |message: &str| {
        let error = json!({"message": message, "type": "invalid_request_error"});
        let body = Some(json!({ "error": error }));
        Step::new(ScriptedResponse::Status { status: 400, headers: Vec::new(), body })
    };
    let verify = "Your organization must be verified to stream this model. Please go to: \
                  https://platform.openai.com/settings/organization/general and click on Verify.";
    let images = "streaming is not supported for requests with images";
    let tool = json!({"name": "now", "description": "d", "parameters": {"type": "object"}});
    let with_tools = json!({"tools": [tool], "toolChoice": "none"});
    for (message, first_fields, is_learned, is_changed) in [
        (verify, json!({}), true, true),
        (
            "Unsupported value: 'stream' does not support true with this model.",
            json!({}),
            true,
            true,
        ),
        ("stream is not supported for model gpt-4o", json!({}), true, true),
        // A message with a condition.
        (images, json!({}), false, false),
        // The second request has no tools.
        ("streaming with tools is not supported", with_tools, true, false),
    ] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![rejected(message), Step::text("a"), Step::text("b")]);
        let client = client(&simulator);
        let deadline = || Deadline::after(Duration::from_secs(5));
        let first = client.run_stream(deadline(), request(first_fields)).finish().await;
        assert_eq!((first.outcome.unwrap(), first.report.attempts), (json!("a"), 2));
        let second = client.run_stream(deadline(), request(json!({}))).finish().await;
        assert_eq!((second.outcome.unwrap(), second.report.attempts), (json!("b"), 1));
        let warning = "the text is not streamed: the provider rejected a stream of gpt-4o";
        let fields = |changes: &[llm_exe::RequestChange]| {
            let fields = changes.iter().map(|it| (it.field, it.change.clone()));
            fields.collect::<Vec<_>>()
        };
        let change = vec![("stream", "dropped".to_owned())];
        assert_eq!(first.report.warnings, [warning], "{message}");
        assert_eq!(fields(&first.report.changed), change, "{message}");
        let if_true = |is_true| if is_true { change.clone() } else { Vec::new() };
        assert_eq!(fields(&first.report.learned), if_true(is_learned), "{message}");
        assert_eq!(fields(&second.report.learned), [], "{message}");
        assert_eq!(fields(&second.report.changed), if_true(is_changed), "{message}");
        assert_eq!(second.report.warnings.len(), usize::from(is_changed), "{message}");
        let streamed: Vec<bool> =
            simulator.journal().iter().map(|call| call.body["stream"] == true).collect();
        assert_eq!(streamed, [true, false, !is_changed], "{message}");
        if let Some(learned) = first.report.learned.first() {
            assert!(learned.evidence.as_ref().unwrap().contains("stream"), "{message}");
        }
    }
}

/// A sink whose reader is gone after the first event.
struct ClosedSink(tokio::sync::Notify);

impl EventSink for ClosedSink {
    fn send(&self, _: RunEvent) -> PortFuture<'_, ()> {
        self.0.notify_one();
        Box::pin(std::future::ready(()))
    }

    fn closed(&self) -> PortFuture<'_, ()> {
        Box::pin(self.0.notified())
    }
}

#[tokio::test]
async fn a_run_ends_when_its_reader_is_gone() {
    let simulator = Simulator::start().await.unwrap();
    let script = StreamScript { events: Some(3), end: StreamEnd::Hang, ..StreamScript::default() };
    simulator.script(vec![Step::text(TEXT).stream(script)]);
    let sink = Arc::new(ClosedSink(tokio::sync::Notify::new()));
    let context = Context::new(Deadline::after(Duration::from_secs(60))).with_event_sink(sink);
    let run = client(&simulator).run_with(context, request(json!({ "return": "full" }))).await;
    assert!(run.report.cost().unwrap().is_estimate());
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
    assert!(error.message().contains("the caller closed the stream"), "{error}");
    assert_eq!(run.report.attempts, 1);
}

/// A server that sends as fast as it can, and counts the pieces that were received.
struct EndlessServer(Arc<AtomicUsize>);

impl HttpTransport for EndlessServer {
    fn send(
        &self,
        _: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        panic!("the request is not streamed");
    }

    fn open(
        &self,
        _: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<ResponseBody>, HttpError>> {
        let count = Arc::clone(&self.0);
        let pieces = stream::repeat_with(move || {
            count.fetch_add(1, Ordering::Relaxed);
            let line = json!({"message": {"content": "x".repeat(1_000)}, "done": false});
            Ok(Bytes::from(format!("{line}\n")))
        });
        let body = ResponseBody::from_stream(pieces);
        let response = Response::builder().header("content-type", "application/x-ndjson");
        Box::pin(std::future::ready(response.body(body).map_err(HttpError::from)))
    }
}

#[tokio::test]
async fn a_slow_reader_slows_down_the_provider() {
    let count = Arc::new(AtomicUsize::new(0));
    let client = Client::builder().http(EndlessServer(Arc::clone(&count))).build().unwrap();
    let request = client.request("ollama:qwen3").user("Go on");
    let mut stream = request.stream().await.unwrap();
    for read in 1..100 {
        stream.next().await.unwrap().unwrap();
        tokio::task::yield_now().await;
        let received = count.load(Ordering::Relaxed);
        assert!(received <= read + 20, "{received} pieces received, {read} read");
    }
    // A reply without end reaches the limit.
    let error = stream.response().await.unwrap_err();
    assert!(error.message().contains("larger than the maximum of 8 MiB"), "{error}");
}
