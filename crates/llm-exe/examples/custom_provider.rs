//! Registers two providers: a server with OpenAI's API, and one with an API of its own.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use bytes::Bytes;
use http::{Request, Response};
use llm_exe::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason};
use llm_exe::providers::{BuiltRequest, Dialect, Endpoint};
use llm_exe::wire::{Auth, Body, WireReply, WireRequest};
use llm_exe::{Client, Error, ErrorKind, Provider};
use serde_json::{Map, Value, json};

/// An API that completes a text: `{"model", "prompt"}` returns `{"completion"}`.
struct Completions;

impl Dialect for Completions {
    fn name(&self) -> &str {
        "completions"
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let texts = chat.messages.iter().map(|message| message.joined_text());
        let prompt = texts.collect::<Vec<String>>().join("\n\n");
        let mut fields = Map::new();
        fields.insert("model".to_owned(), json!(chat.model));
        fields.insert("prompt".to_owned(), json!(prompt));
        let url = format!("{}/complete", endpoint.base_url);
        let auth = endpoint.key.clone().map_or(Auth::None, Auth::Bearer);
        Ok(BuiltRequest::new(WireRequest::new(url, Body::new(fields), auth)))
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        let body: Value = serde_json::from_slice(&wire.body).unwrap_or_default();
        let text = body["completion"].as_str().ok_or_else(|| {
            Error::new(ErrorKind::ProviderUnavailable, "the response has no completion")
        })?;
        let mut reply = ReplyBuilder::new(chat);
        reply.push(ReplyEvent::Text(text.to_owned()))?;
        reply.push(ReplyEvent::Stop { reason: StopReason::Stop, provider: None })?;
        Ok(reply.finish())
    }
}

/// Replaces the network: replies as the API of `Completions` does.
fn fake(request: &Request<Bytes>) -> Response<Bytes> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let reply = json!({ "completion": format!("{} has read: {}", body["model"], body["prompt"]) });
    Response::new(Bytes::from(reply.to_string()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let together = Provider::openai_compatible("together", "https://api.together.xyz/v1");
    let mine = Provider::new("mine", "https://llm.example.com/v1", Completions);
    let client = Client::builder()
        .provider(together.key_env("TOGETHER_API_KEY"))
        .provider(mine.key_env("MY_API_KEY"))
        .key("mine", "key-of-mine")
        .http(|request: Request<Bytes>| Ok(fake(&request)))
        .build()?;

    let text = client.request("mine:small").user("Hello").send().await?.text()?;
    println!("{text}");
    assert!(text.contains("small"));

    let wire = client.request("together:llama-4").user("Hello").dry_run().await?;
    println!("{wire:#}");
    Ok(())
}
