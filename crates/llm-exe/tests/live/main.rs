//! Tests dialects against llama.cpp's server, which this project did not write, with a small model.
//!
//! `./scripts/test-live` runs these tests and sets `LIVE_SERVER` to the base URL of the server. The
//! model's replies make little sense, so the tests check only what the server guarantees: that it
//! accepts a request, the fields of the response, and that a reply follows the schema if the server
//! supports schemas. No test checks how long something takes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod conversation;
mod requests;
mod streams;
mod tools;

use std::time::Duration;

use llm_exe::Client;
use llm_exe::providers::{ApiMode, Provider};
use serde_json::{Map, Value, json};

/// The name of the model, which `scripts/lib/live_server.py` sets. The server ignores the name in
/// a request.
const MODEL: &str = "smollm2-135m";
/// A key. The server checks none.
const KEY: &str = "test-key-of-no-provider";
/// Maximum duration of a test case. The machine may be busy.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// An API that the server implements.
struct Api {
    provider: &'static str,
    /// A model with the capabilities that the request should show.
    model: &'static str,
    /// Which of OpenAI's APIs is called.
    mode: ApiMode,
    /// Whether the server makes the reply follow the schema in a request of this API.
    enforces_schemas: bool,
    /// Whether the server reports that the reply reached the limit.
    reports_truncation: bool,
}

/// Chat completions.
const CHAT: Api = Api {
    provider: "openai",
    model: "gpt-4o-mini",
    mode: ApiMode::Chat,
    enforces_schemas: true,
    reports_truncation: true,
};

/// The messages API of Anthropic. The server ignores the schema.
const MESSAGES: Api =
    Api { provider: "anthropic", model: "claude-sonnet-4-5", enforces_schemas: false, ..CHAT };

/// The Responses API. The server ignores the schema, and reports every reply as complete.
const RESPONSES: Api =
    Api { mode: ApiMode::Responses, enforces_schemas: false, reports_truncation: false, ..CHAT };

/// The APIs. The provider `local` is a server of the user.
const APIS: &[Api] = &[CHAT, Api { provider: "local", model: MODEL, ..CHAT }, MESSAGES, RESPONSES];

/// Returns the base URL of the server.
fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "scripts/test-live sets the address")]
    std::env::var("LIVE_SERVER").expect("LIVE_SERVER should be the base URL of the server")
}

/// Returns a provider for the server as a user would configure it.
fn local(base_url: &str) -> Provider {
    Provider::openai_compatible("local", base_url)
}

/// Returns a client whose providers are the server at a base URL.
fn client_of(server: &str, api: &Api) -> Client {
    Client::builder()
        .provider(local(&format!("{server}/v1")))
        .key("openai", KEY)
        .base_url("openai", format!("{server}/v1"))
        .key("anthropic", KEY)
        .base_url("anthropic", server)
        .openai_api(api.mode)
        .time_limit(TIME_LIMIT)
        .build()
        .unwrap()
}

/// Returns a request for a short reply, with more fields.
fn request(api: &Api, fields: Value) -> Value {
    let mut request = json!({
        "provider": api.provider,
        "model": api.model,
        "message": ["Be brief.", "Say hello."],
        "options": { "maxTokens": 8, "temperature": 0, "numOfAttempts": 1 },
    });
    let options = fields.get("options").and_then(Value::as_object).cloned().unwrap_or_default();
    let set = |target: &mut Value, fields: Map<String, Value>| {
        target.as_object_mut().unwrap().extend(fields);
    };
    set(&mut request["options"], options);
    let other = fields.as_object().unwrap().clone().into_iter();
    set(&mut request, other.filter(|(name, _)| name != "options").collect());
    request
}
