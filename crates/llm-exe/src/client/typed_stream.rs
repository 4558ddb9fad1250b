//! Streams whose last item is a value of a Rust type.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{self, Poll};

use futures_util::Stream;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::request::{RequestBuilder, Response};
use super::stream::{ResponseStream, StreamItem};
use crate::error::Error;
use crate::run::RunEvent;

/// An item of a [`TypedStream`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TypedItem<T> {
    /// An event of the run, such as the next piece of text. The text of a result that is not a
    /// string is the JSON of the model, which is checked only at its end.
    Event(RunEvent),
    /// The checked result, which is the last item. It replaces the text so far.
    Result(T),
}

/// The result of a request while it is generated. [`RequestBuilder::extract_stream`] and
/// [`Executor::stream`](super::Executor::stream) return it.
///
/// It is also a [`Stream`]. Dropping it cancels the request.
pub struct TypedStream<T> {
    stream: ResponseStream,
    result: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for TypedStream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedStream").finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> TypedStream<T> {
    pub(super) fn new(stream: ResponseStream) -> Self {
        TypedStream { stream, result: PhantomData }
    }

    /// Waits for the next item. Returns `None` after the result, or after an error.
    pub async fn next(&mut self) -> Option<Result<TypedItem<T>, Error>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// Waits for the result. Events that were not read are dropped.
    ///
    /// # Errors
    /// The same as for [`RequestBuilder::extract`], and `InvalidRequest` if [`TypedStream::next`]
    /// has returned the result.
    pub async fn result(self) -> Result<T, Error> {
        self.response().await?.parse()
    }

    /// Waits for the response, which contains the warnings and the token usage.
    /// [`Response::parse`] returns the result. Events that were not read are dropped.
    ///
    /// # Errors
    /// The same as for [`TypedStream::result`].
    pub async fn response(self) -> Result<Response, Error> {
        self.stream.response().await
    }

    fn poll_item(
        &mut self,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<TypedItem<T>, Error>>> {
        let item = task::ready!(self.stream.poll_item(context));
        Poll::Ready(item.map(|item| {
            Ok(match item? {
                StreamItem::Event(event) => TypedItem::Event(event),
                StreamItem::Response(response) => TypedItem::Result(response.parse()?),
            })
        }))
    }
}

impl<T: DeserializeOwned> Stream for TypedStream<T> {
    type Item = Result<TypedItem<T>, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }
}

impl RequestBuilder {
    /// Sends the request like [`RequestBuilder::extract`], and returns its result while it is
    /// generated. The last item is the checked value.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |_: Request<Bytes>| Response::builder()
    /// #     .header("content-type", "application/x-ndjson")
    /// #     .body(Bytes::from_static(concat!(
    /// #         r#"{"message":{"content":"{\"name\": \"Ada\","},"done":false}"#, "\n",
    /// #         r#"{"message":{"content":" \"born\": 1815}"},"done":false}"#, "\n",
    /// #         r#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#, "\n",
    /// #     ).as_bytes())).map_err(Into::into);
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use llm_exe::{RunEvent, TypedItem};
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Person {
    ///     name: String,
    ///     born: u32,
    /// }
    ///
    /// const EXPECTED: (&str, u32) = ("Ada", 1815);
    /// let request = client.request("ollama:qwen3").user("Who wrote the first program?");
    /// let mut stream = request.extract_stream::<Person>().await?;
    /// let mut progress = 0;
    /// while let Some(item) = stream.next().await {
    ///     match item? {
    ///         TypedItem::Event(RunEvent::Text { delta, .. }) => progress += delta.len(),
    ///         TypedItem::Result(person) => assert_eq!((&*person.name, person.born), EXPECTED),
    ///         _ => {}
    ///     }
    /// }
    /// assert_eq!(progress, 29);
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`RequestBuilder::extract`], if the request fails before its first event.
    /// After that, an error is the last item.
    pub async fn extract_stream<T>(self) -> Result<TypedStream<T>, Error>
    where
        T: DeserializeOwned + JsonSchema,
    {
        Ok(TypedStream::new(self.schema_of::<T>().stream().await?))
    }
}
