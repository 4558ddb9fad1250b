//! Tests that a conversation with tool calls and their results is accepted. The model does not call
//! tools, so the calls are written here.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::chat::{Chat, Message, Part, Role, Tool, ToolCall, ToolContent, ToolResult};
use llm_exe::ports::{NoSigner, Secret};
use llm_exe::providers::{ApiMode, Dialect, Provider, Providers, build_request};
use llm_exe::transport::{Policy, RetryAdvice, Transport};
use llm_exe::wire::WireReply;
use llm_exe::{Deadline, Endpoints};
use serde_json::json;

use crate::{APIS, KEY, TIME_LIMIT, local, server};

/// Returns a conversation in which the model called two tools at once and then one.
fn chat(model: &str) -> Chat {
    let parameters = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let call = |id: &str, city: &str| {
        ToolCall::new(id, "get_weather", json!({ "city": city }).to_string())
    };
    let (first, second, third) =
        (call("call_1", "Oslo"), call("call_2", "Rome"), call("call_3", ""));
    let result = |call: &ToolCall| ToolResult::new(call, ToolContent::Text("Sunny.".to_owned()));
    let messages = vec![
        Message::text(Role::System, "Use the tool."),
        Message::text(Role::User, "Is it sunny in Oslo and Rome?"),
        Message::new(
            Role::Assistant,
            vec![
                Part::Text("I will look.".to_owned()),
                Part::ToolCall(first.clone()),
                Part::ToolCall(second.clone()),
            ],
        ),
        Message::tool_results([result(&first), ToolResult::error(&second, "No such city.")]),
        Message::new(Role::Assistant, vec![Part::ToolCall(third.clone())]),
        Message::tool_results([result(&third)]),
    ];
    let mut chat = Chat::new(model, messages);
    chat.sampling.max_tokens = Some(2);
    chat.tools =
        vec![Tool::new("get_weather", parameters).with_description("Returns the weather.")];
    chat
}

/// Sends the request for a chat and returns the response.
async fn send(
    provider: &Provider,
    dialect: &dyn Dialect,
    endpoints: &Endpoints,
    chat: &Chat,
) -> WireReply {
    let endpoint = endpoints.resolve(provider);
    let request = build_request(dialect, &endpoint, chat).unwrap().request;
    let secret = provider.key().map(|_| Secret::new(KEY).unwrap());
    let policy = Policy { attempts: 1, timeout: Some(TIME_LIMIT), ..Policy::default() };
    let transport = Transport::new(Arc::new(NoSigner));
    let deadline = Deadline::after(TIME_LIMIT + Duration::from_secs(1));
    let mut read = |_: &WireReply| RetryAdvice::default();
    let sent = transport.send(&request, secret.as_ref(), &policy, deadline, &mut read);
    sent.await.outcome.unwrap()
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn conversation_with_tool_calls_and_results_is_accepted() {
    let server = server();
    let providers = Providers::with([local(&format!("{server}/v1"))]).unwrap();
    let mut endpoints = Endpoints::new();
    for api in APIS {
        let (provider, _) = providers.named(api.provider).unwrap();
        let path = if api.provider == "anthropic" { "" } else { "/v1" };
        endpoints.set(provider.clone(), &format!("{server}{path}")).unwrap();
        let dialect = match api.mode {
            ApiMode::Responses => provider.built_in().unwrap().responses().unwrap(),
            _ => provider.dialect(),
        };
        let chat = chat(api.model);
        let response = send(&provider, dialect, &endpoints, &chat).await;
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{}: {body}", api.provider);
        let reply = dialect.read_reply(&response, &chat).unwrap();
        assert!(reply.warnings.is_empty(), "{}: {:?}", api.provider, reply.warnings);
        // The conversation continues with this reply.
        let mut next = chat.clone();
        next.messages.extend([reply.to_message(), Message::text(Role::User, "Go on.")]);
        let response = send(&provider, dialect, &endpoints, &next).await;
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{}: {body}", api.provider);
    }
}
