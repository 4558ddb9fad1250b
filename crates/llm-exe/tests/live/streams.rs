//! Streams of the server: their text arrives in pieces, and the result is that of a call without a
//! stream.

use llm_exe::{Deadline, RunEvent};
use serde_json::{Value, json};

use crate::{APIS, Api, TIME_LIMIT, client_of, request, server};

/// Runs a request and returns the pieces of text and the `full` object of the result.
async fn stream(api: &Api, fields: Value) -> (Vec<String>, Value) {
    let client = client_of(&server(), api);
    let mut request = request(api, fields);
    request["return"] = json!("full");
    let mut stream = client.run_stream(Deadline::after(TIME_LIMIT), request);
    let mut pieces = Vec::new();
    while let Some(event) = stream.next_event().await {
        match event {
            RunEvent::Text { delta, turn: 1 } => pieces.push(delta),
            other => panic!("{} {}: {other:?}", api.provider, api.model),
        }
    }
    (pieces, stream.finish().await.with_envelope().outcome.unwrap())
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn text_arrives_in_pieces_with_the_result_of_a_call_without_a_stream() {
    for api in APIS {
        let name = format!("{} {} {:?}", api.provider, api.model, api.mode);
        let (pieces, full) = stream(api, json!({})).await;
        assert!(pieces.len() > 1, "{name}: {pieces:?}");
        assert_eq!(full["result"], pieces.concat().trim(), "{name}");
        let unstreamed = request(api, json!({ "return": "full" }));
        let whole = client_of(&server(), api).run(unstreamed).await;
        let whole = whole.with_envelope().outcome.unwrap();
        for field in ["result", "model", "stopReason", "attempts"] {
            assert_eq!(full[field], whole[field], "{name} {field}");
        }
        for count in ["inputTokens", "outputTokens"] {
            assert_eq!(full["usage"][count], whole["usage"][count], "{name} {full} {whole}");
            assert!(full["usage"][count].as_u64() > Some(0), "{name} {full}");
        }
    }
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn a_streamed_reply_follows_the_schema() {
    let schema = json!({
        "type": "object", "properties": { "ok": { "type": "boolean" } }, "required": ["ok"],
        "additionalProperties": false
    });
    for api in APIS.iter().filter(|api| api.enforces_schemas) {
        let options = json!({ "maxTokens": 64 });
        let fields = json!({ "output": "json", "schema": schema, "options": options });
        let (pieces, full) = stream(api, fields).await;
        let text: Value = serde_json::from_str(&pieces.concat()).unwrap();
        assert_eq!(full["result"], text, "{}", api.provider);
        assert!(text["ok"].is_boolean(), "{text}");
    }
}
