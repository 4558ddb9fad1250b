//! The client, which the other modules of this folder extend with builders.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::deadline::Deadline;
use crate::run::{Context, Run, Runner};

/// Runs requests. Create one client per program and clone it where it is needed: clones are cheap
/// and share the HTTP connections. Creating a client connects to nothing.
///
/// Requests run on a tokio runtime. Dropping the future of a request cancels the request and closes
/// its connection.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(
/// #     br#"{"choices": [{"message": {"role": "assistant", "content": "Hello, Ada!"},
/// #         "finish_reason": "stop"}]}"#)));
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use llm_exe::Client;
///
/// let client = Client::builder().key("openai", "sk-...")
/// #    .http(http)
///     .build()?;
/// let text = client
///     .request("openai:gpt-4o-mini")
///     .system("Be brief.")
///     .user("Say hello to {{name}}")
///     .data("name", "Ada")
///     .send()
///     .await?
///     .text()?;
/// assert_eq!(text, "Hello, Ada!");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) runner: Arc<Runner>,
    /// The time limit of requests that set no other one.
    pub(super) time_limit: Duration,
}

impl Client {
    /// Runs a [request] in the JSON format that the Lambda function accepts.
    ///
    /// [request]: https://github.com/llm-exe/llm-exe-lambda/blob/main/docs/request.md
    ///
    /// The outcome is always the bare result. If the request sets `"return": "full"`,
    /// [`Run::with_envelope`] returns the object with `result`, `usage` and so on, as the Lambda
    /// function does; [`Run::report`] contains the same data.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use serde_json::json;
    ///
    /// let client = llm_exe::Client::builder().build()?;
    /// let run = client
    ///     .run(json!({
    ///         "provider": "openai",
    ///         "model": "gpt-4o-mini",
    ///         "message": "Hello, {{name}}!",
    ///         "data": { "name": "Ada" },
    ///         "dryRun": true
    ///     }))
    ///     .await;
    /// let wire = run.outcome?;
    /// assert_eq!(wire["body"]["messages"][0]["content"], "Hello, Ada!");
    /// assert_eq!(run.report.attempts, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn run(&self, request: Value) -> Run {
        self.run_with(Deadline::after(self.time_limit), request).await
    }

    /// Runs a request in the JSON format with another deadline, or with the queues, topics and
    /// buckets that delivered the request.
    pub async fn run_with(&self, context: impl Into<Context>, request: Value) -> Run {
        self.runner.run(context, request).await
    }
}
