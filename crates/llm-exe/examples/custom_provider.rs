//! Registers two providers: a server with OpenAI's API, and one with an API of its own.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::{BuiltRequest, Chat, Client, Dialect, Endpoint, Error, Provider, Reply, WireReply};
use serde::Deserialize;
use serde_json::{Value, json};

/// An API that completes a text: `{"model", "prompt"}` returns `{"completion", "tokens"}`.
struct Completions;

#[derive(Deserialize)]
struct Completion {
    completion: String,
    tokens: u64,
}

impl Dialect for Completions {
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let body = json!({
            "model": chat.model,
            "prompt": chat.joined_text(),
            "temperature": chat.sampling.temperature,
        });
        let request = endpoint.post("/complete", body).with_key_header("x-api-key");
        Ok(BuiltRequest::new(request).warn_of_other_options(chat, &["temperature"]))
    }

    fn read_reply(&self, wire: &WireReply, _: &Chat) -> Result<Reply, Error> {
        let Completion { completion, tokens } = wire.json()?;
        let mut reply = Reply::from_text(completion);
        reply.usage.output_tokens = tokens;
        Ok(reply)
    }
}

/// Replaces the network: replies as the API of `Completions` does.
fn fake(request: &Request<Bytes>) -> Response<Bytes> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let text = format!("{} has read: {}", body["model"], body["prompt"]);
    Response::new(Bytes::from(json!({ "completion": text, "tokens": 5 }).to_string()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let inhouse = Provider::openai_compatible("inhouse", "https://llm.example.com/v1");
    let mine = Provider::new("mine", "https://llm.example.com/v1", Completions);
    let client = Client::builder()
        .provider(inhouse.key_env("INHOUSE_API_KEY"))
        .provider(mine.key_env("MY_API_KEY"))
        .key("mine", "key-of-mine")
        .http(|request: Request<Bytes>| Ok(fake(&request)))
        .build()?;

    let response = client.request("mine:small").user("Hello").max_tokens(9).send().await?;
    println!("{:?}", response.report().warnings);
    assert_eq!(response.report().warnings.len(), 1);
    assert_eq!(response.report().usage.output_tokens, 5);
    let text = response.text()?;
    println!("{text}");
    assert!(text.contains("small"));

    let wire = client.request("inhouse:llama-4").user("Hello").dry_run().await?;
    println!("{wire:#}");
    Ok(())
}
