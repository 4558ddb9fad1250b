//! The limit program, which shows the minimum cost of a function in Rust that calls an LLM. It uses
//! only `lambda_runtime`, the HTTP client of `hyper-util` and `rustls`, which every hosted provider
//! requires, and has the same release profile as llm-exe. It parses its event, sends a constant
//! request to the provider, and returns the text of the reply.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde::Deserialize;
use serde_json::Value;

/// The request that llm-exe sends for `examples/kitten.json`.
const BODY: &str = concat!(
    r#"{"model":"gpt-4o-mini","#,
    r#""messages":[{"role":"user","content":"Talk like a kitten. Hello!"}]}"#
);

/// The parts of a chat completion that hold its text.
#[derive(Deserialize)]
struct Completion {
    choices: [Choice; 1],
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

/// The HTTP client and the constant parts of the request.
struct Provider {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    authorization: String,
}

impl Provider {
    async fn complete(&self) -> Result<String, Error> {
        let request = Request::post(&self.url)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(BODY))?;
        let response = self.client.request(request).await?;
        let body = response.into_body().collect().await?.to_bytes();
        let Completion { choices: [choice] } = serde_json::from_slice(&body)?;
        Ok(choice.message.content)
    }
}

#[expect(clippy::disallowed_methods, reason = "only this function reads the environment")]
fn environment(name: &str) -> Result<String, Error> {
    Ok(std::env::var(name)?)
}

fn main() -> Result<(), Error> {
    let connector =
        HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let provider = &Provider {
        client: Client::builder(TokioExecutor::new()).build(connector),
        url: format!("{}/chat/completions", environment("OPENAI_BASE_URL")?).parse()?,
        authorization: format!("Bearer {}", environment("OPENAI_API_KEY")?),
    };
    let handler = service_fn(|_event: LambdaEvent<Value>| provider.complete());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Runtime::new(handler).run())
}
