//! Sends requests with an HTTP client of the program, here one that records what it sent. Retries
//! stay the task of llm-exe: the first response is an error, so there are two requests.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::sync::{Arc, Mutex, PoisonError};

use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response, StatusCode};
use llm_exe::ports::PortFuture;
use llm_exe::transport::{HttpError, HttpTransport};
use llm_exe::{Client, Deadline};
use serde_json::{Value, json};

/// Records the bodies of requests. A real transport would call another HTTP library here.
#[derive(Clone, Default)]
struct Recorder {
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Recorder {
    fn record(&self, request: &Request<Bytes>) -> usize {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.push(serde_json::from_slice(request.body()).unwrap_or_default());
        bodies.len()
    }
}

impl HttpTransport for Recorder {
    fn send(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        Box::pin(async move {
            println!("{} {}, {:?} left", request.method(), request.uri(), deadline.left());
            let count = self.record(&request);
            let message = json!({ "role": "assistant", "content": "Hello!" });
            let reply = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
            let mut response = Response::new(Bytes::from(reply.to_string()));
            if count == 1 {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            Ok(response)
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recorder = Recorder::default();
    let client = Client::builder().key("openai", "sk-test").http(recorder.clone()).build()?;

    let response = client.request("openai:gpt-4o-mini").user("Hi").send().await?;

    assert_eq!(response.report().attempts, 2);
    assert_eq!(response.text()?, "Hello!");
    let bodies = recorder.bodies.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{:#}", bodies[1]);
    Ok(())
}
