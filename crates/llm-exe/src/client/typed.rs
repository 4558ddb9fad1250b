//! Requests whose result is a value of a Rust type.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::callbacks::Callbacks;
use super::handle::Client;
use super::request::{RequestBuilder, Response, fields_of};
use super::result_type::TypeFunctions;
use super::stream::{ResponseStream, RunStream};
use super::tool::Tool;
use super::typed_stream::TypedStream;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::plan::{Mode, Plan, ToolRun};
use crate::run::Context;

impl RequestBuilder {
    /// Sends the request and returns the result as a value of type `T`, whose JSON Schema the model
    /// must follow. A reply that does not satisfy the schema, or does not deserialize, is by
    /// default repaired once.
    ///
    /// The same as [`schema_of`](RequestBuilder::schema_of), [`send`](RequestBuilder::send) and
    /// [`Response::parse`], which also give access to the warnings and the token usage.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(
    /// #     br#"{"message": {"content": "{\"name\": \"Ada\", \"born\": 1815}"},
    /// #         "done_reason": "stop"}"#)));
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Person {
    ///     name: String,
    ///     born: u32,
    /// }
    ///
    /// let request = client.request("ollama:qwen3").user("Who wrote the first program?");
    /// let person: Person = request.extract().await?;
    /// assert_eq!((person.name.as_str(), person.born), ("Ada", 1815));
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as of [`RequestBuilder::send`]. A template variable that is missing from the data
    /// is an error too, unless the request has `strict_variables(false)`.
    pub async fn extract<T: DeserializeOwned + JsonSchema>(self) -> Result<T, Error> {
        self.schema_of::<T>().send().await?.parse()
    }

    /// Makes the result a value of type `T`. Replies are checked against the type's JSON Schema
    /// and by deserializing them, so that [`Response::parse`] returns the value.
    ///
    /// The model receives the schema with closed objects and required properties: an `Option`
    /// without a value is null. If the type is not a struct or map, the model is asked for an
    /// object with the field `result`, and the result is the value of that field. For a `String`,
    /// the output is `string`. If the request has another [`output`](RequestBuilder::output) or
    /// [`schema`](RequestBuilder::schema), that one is used, and its result must deserialize.
    ///
    /// A template variable that is missing from the data is an error, unless the request has
    /// `strict_variables(false)`.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(
    /// #     br#"{"message": {"content": "{\"result\": [\"Ahab\", \"Queequeg\"]}"},
    /// #         "done_reason": "stop", "eval_count": 8}"#)));
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let request = client.request("ollama:qwen3").user("Who sails on the Pequod?");
    /// let response = request.schema_of::<Vec<String>>().send().await?;
    /// assert_eq!(response.report().usage.output_tokens, 8);
    /// let names: Vec<String> = response.parse()?;
    /// assert_eq!(names, ["Ahab", "Queequeg"]);
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn schema_of<T: DeserializeOwned + JsonSchema>(mut self) -> Self {
        self.result_type = Some(TypeFunctions::new::<T>());
        self
    }
}

impl Client {
    /// Creates an executor, which is a prompt with typed input and output. The prompt is a request
    /// without data; it is validated here and not again for each input.
    ///
    /// The fields of the input are the variables of the templates; a variable that is missing is
    /// an error, unless the prompt has `strict_variables(false)`. The output has the JSON Schema of
    /// its type, unless the prompt has an [`output`](RequestBuilder::output) or a
    /// [`schema`](RequestBuilder::schema); see [`RequestBuilder::schema_of`].
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(
    /// #     br#"{"message": {"content": "{\"title\": \"Whales\"}"}, "done_reason": "stop"}"#)));
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// #[derive(serde::Serialize)]
    /// struct Article {
    ///     text: String,
    /// }
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Summary {
    ///     title: String,
    /// }
    ///
    /// let prompt = client.request("ollama:qwen3").user("Summarize this article: {{text}}");
    /// let summarize = client.executor::<Article, Summary>(prompt)?;
    /// let summary = summarize.run(&Article { text: "Whales are ...".to_owned() }).await?;
    /// assert_eq!(summary.title, "Whales");
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidRequest` or `PromptInvalid` with all problems of the prompt. Each tool of the prompt
    /// must have a function, because an executor can't hand calls back.
    pub fn executor<I, O>(&self, prompt: RequestBuilder) -> Result<Executor<I, O>, Error>
    where
        I: Serialize,
        O: DeserializeOwned + JsonSchema,
    {
        let (time_limit, callbacks) = (prompt.time_limit, prompt.callbacks.clone());
        let plan =
            prompt.schema_of::<O>().into_plan(Mode::Run).map_err(|rejected| rejected.error)?;
        if let Some(name) = plan.tools.as_ref().and_then(|tools| tools.handed_back(|_| false)) {
            let text = format!(
                "the tool {name} has no function, and an executor can't hand its calls back"
            );
            return Err(Error::invalid("tools", text));
        }
        Ok(Executor { client: self.clone(), plan, time_limit, callbacks, types: PhantomData })
    }
}

/// A prompt with typed input and output, which can be run often. [`Client::executor`] creates it.
pub struct Executor<I, O> {
    client: Client,
    plan: Plan,
    time_limit: Duration,
    callbacks: Callbacks,
    types: PhantomData<fn(&I) -> O>,
}

impl<I, O> Clone for Executor<I, O> {
    fn clone(&self) -> Self {
        let Executor { client, plan, time_limit, callbacks, types } = self;
        let (client, plan, callbacks) = (client.clone(), plan.clone(), callbacks.clone());
        Executor { client, plan, time_limit: *time_limit, callbacks, types: *types }
    }
}

impl<I, O> std::fmt::Debug for Executor<I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("target", &self.plan.target).finish_non_exhaustive()
    }
}

impl<I: Serialize, O: DeserializeOwned> Executor<I, O> {
    /// Runs the prompt with an input. Dropping the future cancels the request.
    ///
    /// # Errors
    /// `InvalidRequest` if the input is not a struct or a map, `PromptInvalid` if a template uses a
    /// variable that the input does not have, and otherwise the same as of
    /// [`RequestBuilder::send`].
    pub async fn run(&self, input: &I) -> Result<O, Error> {
        self.send(input).await?.parse()
    }

    /// Runs the prompt like [`Executor::run`], but returns the response, which contains the
    /// warnings and the token usage. [`Response::parse`] returns the output.
    ///
    /// # Errors
    /// The same as of [`Executor::run`].
    pub async fn send(&self, input: &I) -> Result<Response, Error> {
        let (context, plan) = self.prepare(input)?;
        Response::new(self.client.runner.run_validated(context, Ok(plan)).await)
    }

    /// Runs the prompt like [`Executor::run`], and returns the output while it is generated. The
    /// last item is the checked value; see [`RequestBuilder::extract_stream`].
    ///
    /// # Errors
    /// The same as of [`Executor::run`], if the run fails before its first event. After that, an
    /// error is the last item.
    pub async fn stream(&self, input: &I) -> Result<TypedStream<O>, Error> {
        let (context, plan) = self.prepare(input)?;
        let client = self.client.clone();
        let run = RunStream::new(|sink| async move {
            client.runner.run_validated(context.with_event_sink(sink), Ok(plan)).await
        });
        Ok(TypedStream::new(ResponseStream::new(run).await?))
    }

    /// Returns the context and the plan of a run.
    fn prepare(&self, input: &I) -> Result<(Context, Plan), Error> {
        let fields = fields_of(input).map_err(|problem| Error::from_problems(vec![problem]))?;
        let mut plan = self.plan.clone();
        Arc::make_mut(&mut plan.data).extend(fields);
        let mut context = Context::new(Deadline::after(self.time_limit));
        if let Some(observer) = self.callbacks.clone().into_observer() {
            context = context.with_observer(observer);
        }
        Ok((context, plan))
    }
}

impl<I: Serialize + DeserializeOwned + JsonSchema, O> Executor<I, O> {
    /// Creates a tool that runs the executor. Its arguments are the fields of the input, and its
    /// result is the output.
    ///
    /// A run is a request inside of the request that has the tool: it has the same deadline and
    /// shares the limits, and its tokens, cost and attempts are added to the report of that
    /// request. The time limit of the executor also applies, and its closures for events are not
    /// called. Data that the prompt sets takes precedence over arguments with the same name. The
    /// request and the executor must have the same client. Requests can be nested up to a depth of
    /// 4.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |request: Request<Bytes>| {
    /// #     let body = String::from_utf8_lossy(request.body());
    /// #     let reply: &[u8] = if body.contains("In one sentence") {
    /// #         br#"{"message": {"content": "Sings."}, "done_reason": "stop", "eval_count": 2}"#
    /// #     } else if body.contains("Sings.") {
    /// #         br#"{"message": {"content": "Songs."}, "done_reason": "stop", "eval_count": 3}"#
    /// #     } else {
    /// #         br#"{"message": {"content": "", "tool_calls": [
    /// #             {"function": {"name": "summarize", "arguments": {"text": "Whales ..."}}}
    /// #         ]}, "done_reason": "stop", "eval_count": 4}"#
    /// #     };
    /// #     Ok(Response::new(Bytes::from_static(reply)))
    /// # };
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// struct Article {
    ///     text: String,
    /// }
    ///
    /// let prompt = client.request("ollama:qwen3").user("In one sentence: {{text}}");
    /// let summarize = client.executor::<Article, String>(prompt)?;
    /// let response = client
    ///     .request("ollama:qwen3")
    ///     .user("What is this about? Whales ...")
    ///     .tool(summarize.as_tool("summarize", "Summarizes a text in one sentence."))
    ///     .send()
    ///     .await?;
    /// assert_eq!(response.report().usage.output_tokens, 4 + 2 + 3);
    /// assert_eq!(response.text()?, "Songs.");
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_tool(&self, name: impl Into<String>, description: impl Into<String>) -> Tool {
        let tool = Tool::with_input::<I>(name, description).time_limit(self.time_limit);
        let run = ToolRun::Request(Box::new(self.plan.clone()));
        Tool { run, runner: Some(self.client.runner.clone()), ..tool }
    }
}
