//! Sends the stream of a direct invocation. The runtime crate sends each stream with the prelude of
//! an HTTP response, which callers of `InvokeWithResponseStream` would receive as data.

use std::pin::pin;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use http::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, StatusCode};
use lambda_runtime::streaming;
use lambda_runtime_api_client::{BoxError, PooledClient, build_request};
use llm_exe::StreamFormat;
use llm_exe_function::ResponseBody;

/// The header that names an invocation besides its request id, if Lambda sends it.
pub(crate) const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// Sends a stream as the response to an invocation, and drops it. Returns the status of the Runtime
/// API's response or the error of the connection. If the response is rejected or the connection
/// fails, it does not wait for the end of the stream.
pub(crate) async fn send(
    request_id: &str,
    invocation_id: Option<HeaderValue>,
    format: StreamFormat,
    mut events: ResponseBody,
) -> Result<StatusCode, BoxError> {
    let (mut sender, body) = streaming::channel();
    let mut request = build_request()
        .method(Method::POST)
        .uri(format!("/2018-06-01/runtime/invocation/{request_id}/response"))
        .header("lambda-runtime-function-response-mode", "streaming")
        .header(TRANSFER_ENCODING, "chunked")
        .header(CONTENT_TYPE, format.content_type())
        .body(body)?;
    if let Some(id) = invocation_id {
        request.headers_mut().insert(INVOCATION_ID, id);
    }
    let events = async move {
        // The body ends when the sender is dropped.
        while let Some(Ok(bytes)) = events.next().await
            && sender.send_data(bytes).await.is_ok()
        {}
    };
    let client = PooledClient::builder().build();
    let response = match select(client.call(request), pin!(events)).await {
        Either::Left((response, events)) => {
            // An early response that accepts the stream does not end it.
            if response.as_ref().is_ok_and(|response| response.status().is_success()) {
                events.await;
            }
            response
        }
        Either::Right(((), response)) => response.await,
    };
    response.map(|response| response.status())
}
