//! Tests of single requests: texts, schemas, options and errors.

use llm_exe::{ErrorKind, Run, StopReason};
use serde_json::{Value, json};

use crate::{APIS, Api, CHAT, MESSAGES, MODEL, RESPONSES, client_of, request, server};

async fn run(api: &Api, fields: Value) -> Run {
    client_of(&server(), api).run(request(api, fields)).await
}

/// Returns the data of a failure: the API, what was expected, and the run.
fn shown(api: &Api, run: &Run) -> String {
    format!("{} {}: {:?} {:?}", api.provider, api.model, run.outcome, run.report)
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn text_usage_and_model_of_a_reply_are_read() {
    for api in APIS {
        let run = run(api, json!({})).await;
        let (shown, report) = (shown(api, &run), &run.report);
        let text = run.outcome.unwrap();
        assert!(text.as_str().is_some_and(|text| !text.trim().is_empty()), "{shown}");
        assert_eq!(report.answered_model.as_deref(), Some(MODEL), "{shown}");
        let usage = report.usage;
        assert!(usage.input_tokens + usage.cached_input_tokens > 0, "{shown}");
        assert!((1..=8).contains(&usage.output_tokens), "{shown}");
        assert!(matches!(report.stop_reason, Some(StopReason::Stop | StopReason::Length)));
        assert_eq!(report.attempts, 1, "{shown}");
    }
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn reply_that_reaches_the_limit_is_reported_as_truncated() {
    for api in APIS.iter().filter(|api| api.reports_truncation) {
        let fields = json!({
            "message": "Count from one to one hundred.", "options": { "maxTokens": 3 }
        });
        let run = run(api, fields).await;
        let shown = shown(api, &run);
        assert_eq!(run.report.stop_reason, Some(StopReason::Length), "{shown}");
        assert_eq!(run.report.usage.output_tokens, 3, "{shown}");
        let is_truncation = |warning: &String| warning.contains("cut off by maxTokens");
        assert!(run.report.warnings.iter().any(is_truncation), "{shown}");
    }
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn all_options_of_an_api_are_accepted() {
    for api in APIS {
        let options = json!({
            "maxTokens": 2, "temperature": 0.5, "topP": 0.9, "topK": 20, "seed": 7,
            "stopSequences": ["."], "frequencyPenalty": 0.1, "presencePenalty": 0.1
        });
        let run = run(api, json!({ "options": options })).await;
        let shown = shown(api, &run);
        assert!(run.report.answered && run.outcome.is_ok(), "{shown}");
        assert!(run.report.changed.is_empty(), "{shown}");
    }
    // Models that reason get other fields.
    for api in [
        Api { model: "gpt-5-mini", ..CHAT },
        Api { model: "claude-opus-5-5", ..MESSAGES },
        Api { model: "gpt-5-mini", ..RESPONSES },
    ] {
        let run = run(&api, json!({ "options": { "maxTokens": 2, "effort": "low" } })).await;
        let shown = shown(&api, &run);
        assert!(run.report.answered && run.outcome.is_ok(), "{shown}");
        assert!(run.report.changed.is_empty(), "{shown}");
    }
}

/// A schema whose replies have at most 40 tokens, even with white space and a code fence.
fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "sky": { "enum": ["blue", "green"] },
            "legs": { "type": "integer", "minimum": 0, "maximum": 9 }
        },
        "required": ["sky", "legs"],
        "additionalProperties": false
    })
}

/// Returns how a value differs from `schema`, which does not use our validator.
fn violation(value: &Value) -> Option<String> {
    let is_valid = matches!(value["sky"].as_str(), Some("blue" | "green"))
        && value["legs"].as_u64().is_some_and(|legs| legs <= 9)
        && value.as_object().is_some_and(|fields| fields.len() == 2);
    (!is_valid).then(|| format!("not valid for the schema: {value}"))
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn reply_follows_the_schema_if_the_server_enforces_it() {
    for api in APIS.iter().filter(|api| api.enforces_schemas) {
        let fields = json!({
            "message": "Describe a clear sky and a dog as JSON.", "output": "json",
            "schema": schema(), "options": { "maxTokens": 40 }, "outputOptions": { "repairs": 0 }
        });
        let run = run(api, fields).await;
        let shown = shown(api, &run);
        assert_eq!(violation(&run.outcome.unwrap()), None, "{shown}");
        assert_eq!((run.report.attempts, run.report.changed.len()), (1, 0), "{shown}");
    }
}

/// The server accepts the schema but ignores it, so our check of the reply decides.
#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn reply_is_checked_if_the_server_ignores_the_schema() {
    for api in [
        MESSAGES,
        Api { model: "claude-3-haiku", ..MESSAGES },
        Api { model: "claude-opus-5-5", ..MESSAGES },
        RESPONSES,
    ] {
        let fields = json!({
            "message": "Describe a clear sky and a dog.", "output": "json", "schema": schema(),
            "options": { "maxTokens": 40 }, "outputOptions": { "repairs": 1 }
        });
        let run = run(&api, fields).await;
        let shown = shown(&api, &run);
        assert!(run.report.answered && run.report.changed.is_empty(), "{shown}");
        match run.outcome {
            Ok(value) => assert_eq!(violation(&value), None, "{shown}"),
            Err(error) => {
                let expected = [ErrorKind::OutputInvalid, ErrorKind::OutputTruncated];
                assert!(expected.contains(&error.kind()), "{shown}");
            }
        }
    }
}

/// The server can't turn every schema into a grammar. The next method for the schema is then used,
/// also for later requests.
#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn rejection_of_a_schema_is_learned() {
    let many = json!({ "type": "array", "items": { "type": "string" }, "minItems": 100_000 });
    let huge = json!({ "type": "integer", "minimum": -1e30, "maximum": 1e30 });
    for api in APIS.iter().filter(|api| api.enforces_schemas) {
        for property in [&many, &huge, &json!({ "$ref": "#" }), &json!(false)] {
            let client = client_of(&server(), api);
            // The reply does not matter.
            let fields = json!({
                "message": "Describe a dog as JSON.", "output": "json",
                "schema": { "type": "object", "properties": { "dog": property } },
                "options": { "maxTokens": 1 }, "outputOptions": { "repairs": 0 }
            });
            let first = client.run(request(api, fields.clone())).await;
            let shown = shown(api, &first);
            let changed: Vec<_> = first.report.changed.iter().map(|it| it.field).collect();
            assert!(first.report.answered, "{property}: {shown}");
            assert_eq!((first.report.attempts, changed), (2, vec!["schema"]), "{shown}");
            assert_eq!(first.report.learned.len(), 1, "{shown}");
            let second = client.run(request(api, fields)).await;
            assert_eq!(second.report.attempts, 1, "{property}: {:?}", second.report);
        }
    }
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn rejected_requests_have_the_message_of_the_server() {
    for api in APIS {
        let run = run(api, json!({ "message": "word ".repeat(9000) })).await;
        let shown = shown(api, &run);
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProviderRejected, "{shown}");
        assert!(error.message().contains("exceeds the available context size"), "{shown}");
        assert_eq!(run.report.attempts, 1, "{shown}");
    }
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn server_error_about_an_image_has_the_message_of_the_server() {
    for api in APIS {
        let url = "data:image/png;base64,iVBORw0KGgo=";
        let image = json!({ "type": "image_url", "image_url": { "url": url } });
        let fields = json!({ "message": [{ "role": "user", "content": [image] }] });
        let run = run(api, fields).await;
        let shown = shown(api, &run);
        let error = run.outcome.unwrap_err();
        // The server reports it with status 500.
        assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{shown}");
        assert!(error.message().contains("image input is not supported"), "{shown}");
    }
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn unknown_path_is_an_error_with_the_message_of_the_server() {
    for api in APIS {
        let client = client_of(&format!("{}/unknown", server()), api);
        let run = client.run(request(api, json!({}))).await;
        let shown = shown(api, &run);
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProviderRejected, "{shown}");
        assert!(error.message().contains("File Not Found"), "{shown}");
    }
}
