//! Requests whose result is a value of a Rust type.

use std::marker::PhantomData;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::handle::Client;
use super::request::{RequestBuilder, deserialize, fields_of};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::plan::Plan;

impl RequestBuilder {
    /// Sends the request and returns the result as a value of type `T`, whose JSON Schema the model
    /// must follow. The reply is validated, and by default repaired once.
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
    /// The same as of [`RequestBuilder::send`].
    pub async fn extract<T: DeserializeOwned + JsonSchema>(self) -> Result<T, Error> {
        self.output_of::<T>().send().await?.parse()
    }

    /// Sets the output to JSON with the schema of a type. A plain string has the output `string`.
    fn output_of<T: JsonSchema>(self) -> Self {
        let schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>().to_value();
        let Value::Object(schema) = schema else {
            return self.schema(Map::new());
        };
        let is_text = schema.get("type").is_some_and(|kind| kind == "string")
            && schema.keys().all(|name| ["$schema", "title", "type"].contains(&name.as_str()));
        if is_text { self.output("string") } else { self.schema(schema) }
    }
}

impl Client {
    /// Creates an executor, which is a prompt with typed input and output. The prompt is a request
    /// without data; it is validated here and not again for each input.
    ///
    /// The fields of the input are the variables of the templates. The output has the JSON Schema
    /// of its type, unless the prompt sets an [`output`](RequestBuilder::output).
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
    /// `InvalidRequest` or `PromptInvalid` with all problems of the prompt.
    pub fn executor<I, O>(&self, prompt: RequestBuilder) -> Result<Executor<I, O>, Error>
    where
        I: Serialize,
        O: DeserializeOwned + JsonSchema,
    {
        let has_output = prompt.request.output.is_some();
        let prompt = if has_output { prompt } else { prompt.output_of::<O>() };
        let time_limit = prompt.time_limit;
        let (_, parsed) = prompt.into_parsed();
        let plan = Plan::new(parsed, self.runner.rules())?;
        Ok(Executor { client: self.clone(), plan, time_limit, types: PhantomData })
    }
}

/// A prompt with typed input and output, which can be run often. [`Client::executor`] creates it.
pub struct Executor<I, O> {
    client: Client,
    plan: Plan,
    time_limit: Duration,
    types: PhantomData<fn(&I) -> O>,
}

impl<I, O> Clone for Executor<I, O> {
    fn clone(&self) -> Self {
        let Executor { client, plan, time_limit, types } = self;
        let (client, plan) = (client.clone(), plan.clone());
        Executor { client, plan, time_limit: *time_limit, types: *types }
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
    /// `InvalidRequest` if the input is not a struct or a map, and otherwise the same as of
    /// [`RequestBuilder::send`].
    pub async fn run(&self, input: &I) -> Result<O, Error> {
        let fields = fields_of(input).map_err(|problem| Error::from_problems(vec![problem]))?;
        let mut plan = self.plan.clone();
        plan.data.extend(fields);
        let deadline = Deadline::after(self.time_limit);
        deserialize(self.client.runner.run_plan(deadline, &plan).await.outcome?)
    }
}
