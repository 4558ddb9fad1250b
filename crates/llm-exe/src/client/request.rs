//! Builds a request, sends it and returns the response.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::callbacks::Callbacks;
use super::deserialize::deserialize;
use super::handle::Client;
use super::pending::{PendingCall, PendingCalls};
use super::tool::{Tool, add_to_plan};
use crate::chat::Role;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Problem};
use crate::plan::{Mode, Plan, RejectedRequest};
use crate::request::{
    ParsedRequest, Request, RequestFallback, RequestImage, RequestMessage, RequestOptions,
    RequestPart, TextOr,
};
use crate::run::{Context, EventSink, Report, Run};

/// A request to a model. [`Client::request`] creates it.
///
/// The texts of messages are Handlebars templates, so `{{name}}` is replaced by a value of
/// [`data`](RequestBuilder::data). Pass text that the program does not control as data, because
/// data is never interpreted as a template. The documentation describes the [templates].
///
/// All problems of a request are reported together when it is sent.
///
/// ```
/// # let client = llm_exe::Client::builder().build()?;
/// let request = client
///     .request("anthropic:claude-sonnet-4-5")
///     .system("You are a librarian.")
///     .user("Name three books about {{topic}}.")
///     .data("topic", "whales")
///     .output("listToArray")
///     .temperature(0.2)
///     .max_tokens(500)
///     .fallback("openai:gpt-4o-mini");
/// # Ok::<(), llm_exe::BuildError>(())
/// ```
///
/// [templates]: https://github.com/llm-exe/llm-exe-lambda/blob/main/docs/templates.md
#[must_use = "a request does nothing until it is sent"]
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    pub(super) client: Client,
    pub(super) request: Request,
    pub(super) problems: Vec<Problem>,
    pub(super) time_limit: Duration,
    /// The tools of the request, in the order of its field `tools`.
    pub(super) tools: Vec<Tool>,
    pub(super) callbacks: Callbacks,
    /// The type of the result, if the program named one.
    #[cfg(feature = "schemars")]
    pub(super) result_type: Option<super::result_type::TypeFunctions>,
}

impl RequestBuilder {
    fn new(client: Client, model: &str) -> Self {
        let mut problems = Vec::new();
        let (provider, model) = client.split_model(model, "", &mut problems);
        let request = Request { provider, model, ..Request::default() };
        let time_limit = client.time_limit;
        RequestBuilder {
            client,
            request,
            problems,
            time_limit,
            tools: Vec::new(),
            callbacks: Callbacks::default(),
            #[cfg(feature = "schemars")]
            result_type: None,
        }
    }

    /// Adds a system message.
    pub fn system(self, text: impl Into<String>) -> Self {
        self.message(Role::System, text)
    }

    /// Adds a user message.
    pub fn user(self, text: impl Into<String>) -> Self {
        self.message(Role::User, text)
    }

    /// Adds a message of the model, for example from an earlier conversation.
    pub fn assistant(self, text: impl Into<String>) -> Self {
        self.message(Role::Assistant, text)
    }

    /// Adds a message.
    pub fn message(mut self, role: Role, text: impl Into<String>) -> Self {
        self.push_message(role, TextOr::Text(text.into()));
        self
    }

    /// Adds a user message with a text and an image. The image has an `https:` or `data:` URL.
    pub fn user_with_image(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        let text = RequestPart {
            kind: Some("text".to_owned()),
            text: Some(text.into()),
            ..RequestPart::default()
        };
        let image = RequestPart {
            kind: Some("image_url".to_owned()),
            image_url: Some(RequestImage { url: Some(url.into()) }),
            ..RequestPart::default()
        };
        self.push_message(Role::User, TextOr::Long(vec![Some(text), Some(image)]));
        self
    }

    fn push_message(&mut self, role: Role, content: TextOr<Vec<Option<RequestPart>>>) {
        let message = RequestMessage { role: Some(role.name().to_owned()), content: Some(content) };
        let message = Some(TextOr::Long(message));
        match &mut self.request.message {
            Some(TextOr::Long(messages)) => messages.push(message),
            other => *other = Some(TextOr::Long(vec![message])),
        }
    }

    /// Sets a variable for the templates. A value that can't be represented in JSON, such as NaN,
    /// is reported when the request is sent.
    pub fn data(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        match crate::json::to_value(&value) {
            Ok(value) => {
                self.request.data.get_or_insert_default().insert(name, value);
            }
            Err(error) => {
                let message = format!("can't be serialized: {error}");
                self.problems.push(Problem::request(format!("data.{name}"), message));
            }
        }
        self
    }

    /// Sets the variables for the templates to the fields of a struct or map, in addition to those
    /// that are already set.
    pub fn data_from(mut self, value: impl Serialize) -> Self {
        match fields_of(value) {
            Ok(fields) => self.request.data.get_or_insert_default().extend(fields),
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// Sets whether a template variable that is missing from the data is an error instead of a
    /// warning. By default, it is a warning, except if the result is a value of a Rust type
    /// (`extract`, executors).
    pub fn strict_variables(mut self, strict: bool) -> Self {
        self.request.strict_variables = Some(strict);
        self
    }

    /// Sets how the reply is parsed, for example `listToArray`, `number`, or the name of a
    /// registered parser. The default is `string`. The documentation describes the [outputs].
    ///
    /// [outputs]: https://github.com/llm-exe/llm-exe-lambda/blob/main/docs/outputs.md
    pub fn output(mut self, name: impl Into<String>) -> Self {
        self.request.output = Some(name.into());
        self
    }

    /// Sets an option of the output, such as `match` or `repairs`.
    pub fn output_option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.request.output_options.get_or_insert_default().insert(name.into(), value.into());
        self
    }

    /// Sets the output to `json` with this JSON Schema, which is an object. The result satisfies
    /// the schema.
    pub fn schema(mut self, schema: impl Into<Value>) -> Self {
        match schema.into() {
            Value::Object(schema) => self.request.schema = Some(schema),
            other => {
                let received = crate::json::shown(&other);
                let message = format!("expected a JSON Schema (an object), got {received}");
                self.problems.push(Problem::request("schema", message));
            }
        }
        self.output("json")
    }

    /// Sets the sampling temperature.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.options_mut().temperature = Some(temperature);
        self
    }

    /// Sets the maximum number of tokens in the reply.
    pub fn max_tokens(mut self, tokens: u64) -> Self {
        self.options_mut().max_tokens = Some(tokens);
        self
    }

    /// Sets the reasoning effort: `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`.
    pub fn effort(mut self, effort: impl Into<String>) -> Self {
        self.options_mut().effort = Some(effort.into());
        self
    }

    /// Sets the maximum number of attempts, from 1 to 10. The default is 3.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.options_mut().num_of_attempts = Some(attempts);
        self
    }

    /// Limits the cost of the request to an estimate in US dollars, which is above 0. The price of
    /// each model must be known.
    pub fn max_cost(mut self, usd: f64) -> Self {
        self.options_mut().max_cost = Some(usd);
        self
    }

    /// Replaces all sampling, timeout and retry options.
    pub fn options(mut self, options: RequestOptions) -> Self {
        self.request.options = Some(options);
        self
    }

    fn options_mut(&mut self) -> &mut RequestOptions {
        self.request.options.get_or_insert_default()
    }

    /// Adds a model to call if the previous ones are unavailable, written as `provider:model`.
    pub fn fallback(mut self, model: impl AsRef<str>) -> Self {
        let fallbacks = self.request.fallbacks.get_or_insert_default();
        let path = format!("fallbacks[{}].", fallbacks.len());
        let (provider, model) = self.client.split_model(model.as_ref(), &path, &mut self.problems);
        fallbacks.push(Some(RequestFallback { provider, model, ..RequestFallback::default() }));
        self
    }

    /// Sets the time limit, including all attempts, repairs and fallbacks.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Sends the request and returns the checked response. Dropping the future cancels the request.
    ///
    /// # Errors
    /// [`Error`], whose [`kind`](Error::kind) tells the cause, such as
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) with all problems of the request. Use
    /// [`RequestBuilder::run`] to get the token usage of a failed request too.
    pub async fn send(self) -> Result<Response, Error> {
        Response::new(self.run().await)
    }

    /// Sends the request like [`RequestBuilder::send`], but returns the report of what the run did
    /// also after an error.
    pub async fn run(self) -> Run {
        self.run_in(Mode::Run).await
    }

    /// Validates and renders the request without calling the provider. Returns the HTTP request
    /// that would be sent, without the API key.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let client = llm_exe::Client::builder().build()?;
    /// let request = client.request("openai:gpt-4o-mini").user("Hi {{name}}").data("name", "Ada");
    /// let wire = request.dry_run().await?;
    /// assert_eq!(wire["url"], "https://api.openai.com/v1/chat/completions");
    /// assert_eq!(wire["body"]["messages"][0]["content"], "Hi Ada");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] if the request is not valid.
    pub async fn dry_run(self) -> Result<Value, Error> {
        self.run_in(Mode::DryRun).await.outcome
    }

    /// Sends the request with a sink for the events of its run.
    pub(super) async fn run_with_sink(self, sink: Arc<dyn EventSink>) -> Run {
        let context = Context::new(Deadline::after(self.time_limit)).with_event_sink(sink);
        self.run_with(context, Mode::Run).await
    }

    async fn run_in(self, mode: Mode) -> Run {
        let context = Context::new(Deadline::after(self.time_limit));
        self.run_with(context, mode).await
    }

    async fn run_with(mut self, mut context: Context, mode: Mode) -> Run {
        if let Some(observer) = std::mem::take(&mut self.callbacks).into_observer() {
            context = context.with_observer(observer);
        }
        let client = self.client.clone();
        client.runner.run_validated(context, self.into_plan(mode)).await
    }

    /// Validates the request.
    pub(super) fn into_plan(mut self, mode: Mode) -> Result<Plan, RejectedRequest> {
        let rules = self.client.runner.rules();
        #[cfg(feature = "schemars")]
        let result_type = self.result_type.and_then(|functions| {
            let result_type = functions.apply(&mut self.request, &rules.parsers);
            result_type.map_err(|problem| self.problems.push(problem)).ok()
        });
        if self.request.message.is_none() {
            let text = "missing; call user() or system() to add one";
            self.problems.push(Problem::request("message", text));
        }
        if self.request.schema.is_none()
            && let Some(output) = self.request.output.as_deref()
            && rules.parsers.uses_schema(output)
            && self.problems.iter().all(|problem| problem.path != "schema")
        {
            let text = format!(
                "missing; output {output} requires one: call schema(), or extract() for the schema \
                 of a type"
            );
            self.problems.push(Problem::request("schema", text));
        }
        for (index, tool) in self.tools.iter().enumerate() {
            let path = format!("tools[{index}]");
            self.problems.extend(tool.find_problem(&path, &self.client.runner));
        }
        let RequestBuilder { request, problems, tools, .. } = self;
        let parsed = ParsedRequest { request, problems, warnings: Vec::new() };
        let mut plan = Plan::validate(parsed, rules, mode, false)?;
        add_to_plan(&mut plan, tools);
        // The plan was validated without the executors, whose prices must be known as well.
        if let Err(error) = plan.check_prices(&rules.prices) {
            return Err(RejectedRequest { error, warnings: plan.warnings });
        }
        #[cfg(feature = "schemars")]
        let plan = plan.with_result_type(result_type);
        Ok(plan)
    }
}

impl Client {
    /// Starts a request to a model, which is written as `provider:model`, for example
    /// `anthropic:claude-sonnet-4-5`. A wrong name is reported when the request is sent.
    pub fn request(&self, model: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), model.as_ref())
    }

    /// Splits `provider:model` at the end of the longest provider name, because the names of some
    /// providers and models contain colons. If there is no such provider, the plan reports it. Adds
    /// a problem below `path` if one of the two is missing.
    fn split_model(
        &self,
        text: &str,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> (Option<String>, Option<String>) {
        let providers = &self.runner.rules().providers;
        let known = providers.all().filter_map(|provider| {
            let length = provider.name().len();
            text.strip_prefix(provider.name())?.starts_with(':').then_some(length)
        });
        let length = known.max().or_else(|| text.find(':'));
        if let Some((provider, model)) = length.and_then(|length| text.split_at_checked(length)) {
            let model = model.strip_prefix(':').unwrap_or_default();
            return (Some(provider.to_owned()), Some(model.to_owned()));
        }
        let mut add_missing = |field: &str| {
            let received = crate::json::quoted(text);
            let message =
                format!("expected provider:model, for example openai:gpt-4o, got {received}");
            problems.push(Problem::request(format!("{path}{field}"), message));
        };
        match providers.named(text) {
            Some((_, Some(_))) => (Some(text.to_owned()), None),
            Some((_, None)) => {
                add_missing("model");
                (Some(text.to_owned()), None)
            }
            None => {
                add_missing("provider");
                (None, Some(text.to_owned()))
            }
        }
    }
}

/// Returns the fields of a struct or map.
pub(super) fn fields_of(value: impl Serialize) -> Result<Map<String, Value>, Problem> {
    match crate::json::to_value(&value) {
        Ok(Value::Object(fields)) => Ok(fields),
        // `()` and `None` have no fields.
        Ok(Value::Null) => Ok(Map::new()),
        Ok(other) => {
            let received = crate::json::shown(&other);
            let message = format!("expected a struct or a map, got {received}");
            Err(Problem::request("data", message))
        }
        Err(error) => Err(Problem::request("data", format!("can't be serialized: {error}"))),
    }
}

/// The checked result of a request, and the report of what it took.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(
/// #     br#"{"message": {"content": "- Ahab\n- Queequeg"}, "done_reason": "stop",
/// #         "prompt_eval_count": 7, "eval_count": 8}"#)));
/// # let client = llm_exe::Client::builder().http(http).build()?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let request = client.request("ollama:qwen3").user("Who sails on the Pequod? List names.");
/// let response = request.output("listToArray").send().await?;
/// assert_eq!(response.report().usage.output_tokens, 8);
/// let names: Vec<String> = response.parse()?;
/// assert_eq!(names, ["Ahab", "Queequeg"]);
/// # Ok::<(), llm_exe::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Response {
    value: Value,
    report: Report,
}

impl Response {
    pub(super) fn new(run: Run) -> Result<Self, Error> {
        Ok(Response { value: run.outcome?, report: run.report })
    }

    /// Returns the result as text.
    ///
    /// # Errors
    /// `OutputInvalid` if the request's output is not a text, such as a list, or if the response
    /// has [pending calls](Response::pending_calls).
    pub fn text(self) -> Result<String, Error> {
        self.check_finished()?;
        match self.value {
            Value::String(text) => Ok(text),
            other => {
                let received = crate::json::shown(&other);
                let message =
                    format!("the result is not a text but {received}; use json() or parse()");
                Err(Error::new(ErrorKind::OutputInvalid, message)
                    .logged_as("the result is not a text"))
            }
        }
    }

    /// Returns the calls of tools that are handed back to the program, if there are any: those of
    /// tools without a function. The response then has no other result.
    pub fn pending_calls(&self) -> Option<PendingCalls> {
        PendingCalls::from_result(&self.value).filter(|_| self.report.handed_back)
    }

    /// Checks that the response has a result.
    fn check_finished(&self) -> Result<(), Error> {
        if !self.report.handed_back {
            return Ok(());
        }
        let pending = self.pending_calls();
        let calls = pending.iter().flat_map(PendingCalls::calls);
        let names: Vec<&str> = calls.map(PendingCall::name).collect();
        let message = format!(
            "there is no result yet, because the model calls tools without a function ({}); use \
             pending_calls() and RequestBuilder::resume",
            names.join(", ")
        );
        Err(Error::new(ErrorKind::OutputInvalid, message))
    }

    /// Returns the result as JSON. If calls are handed back, this is an object with them and the
    /// conversation.
    pub fn json(self) -> Value {
        self.value
    }

    /// Deserializes the result.
    ///
    /// # Errors
    /// `OutputInvalid` if the result does not have the type's form, or if the response has
    /// [pending calls](Response::pending_calls).
    pub fn parse<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.check_finished()?;
        deserialize(self.value, "the result")
    }

    /// Returns the report of what the run did, how long it took and how many tokens it used.
    pub fn report(&self) -> &Report {
        &self.report
    }
}
