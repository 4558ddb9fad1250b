//! Tools whose arguments have a Rust type.

use std::future::Future;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::request::fields_of;
use super::result_type::find_type_error;
use super::tool::{Tool, TypedArguments, run_function};
use super::tool_output::ToolOutput;
use super::type_schema::{self, TypeSchema};
use crate::plan::{ConvertArguments, ProgramFunction, ToolRun};
use crate::schema::Schema;

impl Tool {
    /// Creates a tool that runs a function of the program. Its parameters are the JSON Schema of
    /// the type of the function's argument, which is a struct, a map, or `()` for no arguments.
    ///
    /// The model must send arguments that satisfy the schema and deserialize. Otherwise the
    /// function does not run, and the model receives the reason. An error that the function returns
    /// is reported to the model as the result of the call; see
    /// [`RequestBuilder::fail_on_tool_error`](crate::RequestBuilder::fail_on_tool_error).
    /// [`Tool::handler`] describes how the function runs.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |request: Request<Bytes>| {
    /// #     let is_first = !String::from_utf8_lossy(request.body()).contains("Moby-Dick");
    /// #     let reply: &[u8] = if is_first {
    /// #         br#"{"message": {"content": "", "tool_calls": [
    /// #             {"function": {"name": "search", "arguments": {"words": "whales"}}}
    /// #         ]}, "done_reason": "stop"}"#
    /// #     } else {
    /// #         br#"{"message": {"content": "Read Moby-Dick."}, "done_reason": "stop"}"#
    /// #     };
    /// #     Ok(Response::new(Bytes::from_static(reply)))
    /// # };
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use llm_exe::Tool;
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Query {
    ///     /// What to search for.
    ///     words: String,
    ///     limit: Option<u8>,
    /// }
    ///
    /// let search = Tool::function("search", "Searches the catalogue.", |query: Query| async move {
    ///     if query.words.is_empty() {
    ///         return Err("the query is empty");
    ///     }
    ///     Ok(vec!["Moby-Dick"; query.limit.unwrap_or(1).into()])
    /// });
    /// let request = client.request("ollama:qwen3").user("Which book about whales?").tool(search);
    /// assert_eq!(request.send().await?.text()?, "Read Moby-Dick.");
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn function<A, F, R>(
        name: impl Into<String>,
        description: impl Into<String>,
        function: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output: ToolOutput> + Send + 'static,
    {
        let mut tool = Tool::with_arguments::<A>(name, description);
        let is_unit = tool.arguments.is_none();
        tool.run = ToolRun::Program(ProgramFunction::new(move |arguments| {
            let arguments = if is_unit { Value::Null } else { Value::Object(arguments) };
            match serde_path_to_error::deserialize::<_, A>(arguments) {
                Ok(arguments) => run_function(function(arguments)),
                Err(error) => Box::pin(std::future::ready(Err(error.to_string()))),
            }
        }));
        tool
    }

    /// Creates a tool whose calls are [handed back](crate::Response::pending_calls). Its parameters
    /// are the JSON Schema of the type, which is a struct, a map, or `()` for no arguments.
    ///
    /// ```
    /// use llm_exe::Tool;
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Refund {
    ///     order: String,
    ///     cents: u32,
    /// }
    ///
    /// let refund = Tool::with_arguments::<Refund>("refund", "Refunds money, if approved.");
    /// ```
    pub fn with_arguments<A: DeserializeOwned + JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Tool::typed::<A>(name, description, check_arguments::<A>)
    }

    /// Creates a tool whose arguments are the fields of an executor's input.
    pub(super) fn with_input<I: DeserializeOwned + Serialize + JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Tool::typed::<I>(name, description, convert_input::<I>)
    }

    fn typed<A: JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
        convert: ConvertArguments,
    ) -> Self {
        let own = type_schema::derive::<A>();
        if own.get("type").is_some_and(|kind| kind == "null") {
            return Tool::new(name, description, Map::new());
        }
        let TypeSchema { own, sent, wrapper } = TypeSchema::new(own);
        let is_object = wrapper.is_none() && sent.get("type").is_some_and(|kind| kind == "object");
        let mut tool = Tool::new(name, description, sent);
        match Schema::compile(own) {
            Ok(_) if !is_object => {
                let text = "the type of the arguments is not a struct or a map; put the value into \
                            a field of a struct";
                tool.problem = Some(text.to_owned());
            }
            Ok(schema) => tool.arguments = Some(TypedArguments { schema, convert }),
            Err(error) => tool.problem = Some(format!("the schema of the type: {error}")),
        }
        tool
    }
}

/// Checks that arguments deserialize.
///
/// # Errors
/// Returns the reason for the model.
fn check_arguments<A: DeserializeOwned>(
    arguments: Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let arguments = Value::Object(arguments);
    match (find_type_error::<A>(&arguments), arguments) {
        (None, Value::Object(arguments)) => Ok(arguments),
        (reason, _) => Err(describe(&reason.unwrap_or_default())),
    }
}

/// Converts arguments to the fields of an input, so that the variables of a template have the
/// defaults of the type, and no others exist.
///
/// # Errors
/// Returns the reason for the model.
fn convert_input<I: DeserializeOwned + Serialize>(
    arguments: Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let arguments = Value::Object(arguments);
    if let Some(reason) = find_type_error::<I>(&arguments) {
        return Err(describe(&reason));
    }
    let input: I = serde_json::from_value(arguments).map_err(|error| describe(&error))?;
    fields_of(input).map_err(|problem| describe(&problem.message))
}

fn describe(reason: &impl std::fmt::Display) -> String {
    format!("the arguments do not fit the tool: {reason}")
}
