//! Tools that a program adds to a request.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::tool_output::ToolOutput;
use crate::error::Problem;
use crate::plan::{ConvertArguments, Plan, ProgramFunction, ToolRun};
use crate::ports::PortFuture;
use crate::request::{MAX_NESTED_REQUESTS, RequestTool};
use crate::run::Runner;
use crate::schema::Schema;

/// A tool that a model may call, for [`RequestBuilder::tool`](crate::RequestBuilder::tool).
///
/// `Tool::function` runs a function of the program, whose arguments have a Rust type, and
/// `Executor::as_tool` runs an executor (both with the feature `schemars`). [`Tool::new`] has a
/// JSON Schema instead of a type. Calls of a tool without a function are [handed
/// back](crate::Response::pending_calls).
///
/// The arguments are chosen by the model, which texts in prompts and results can instruct. So a
/// function must check what it is asked to do. The documentation describes the [security] of tools.
///
/// [security]: https://github.com/llm-exe/llm-exe-lambda/blob/main/docs/tools.md
///
/// ```
/// use llm_exe::Tool;
/// use serde_json::json;
///
/// let parameters = json!({
///     "type": "object",
///     "properties": { "city": { "type": "string" } },
///     "required": ["city"]
/// });
/// let weather = Tool::new("get_weather", "Returns the weather in a city.", parameters)
///     .handler(|arguments| async move {
///         match arguments["city"].as_str() {
///             Some("Oslo") => Ok("snow"),
///             _ => Err("the city is not known"),
///         }
///     });
/// ```
#[must_use = "a tool has no effect until it is added to a request"]
#[derive(Debug, Clone)]
pub struct Tool {
    pub(super) request: RequestTool,
    /// Why the parameters are not valid.
    pub(super) problem: Option<String>,
    /// The check of the arguments by their Rust type.
    pub(super) arguments: Option<TypedArguments>,
    pub(super) run: ToolRun,
    /// The runner of an executor, which must be that of the request.
    pub(super) runner: Option<Arc<Runner>>,
}

/// How the arguments of a tool are checked by their Rust type.
#[derive(Debug, Clone)]
pub(super) struct TypedArguments {
    /// The schema that the type derives. The one in the request is tighter.
    pub(super) schema: Schema,
    pub(super) convert: ConvertArguments,
}

impl Tool {
    /// Creates a tool from the JSON Schema of its arguments, whose root is an object. Without a
    /// [`handler`](Tool::handler), its calls are handed back.
    ///
    /// The name is a letter or `_`, followed by letters, digits, `_` and `-`. The description is
    /// for the model: what the tool does and when to call it. A tool that is not valid is reported
    /// when the request is sent.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        parameters: impl Into<Value>,
    ) -> Self {
        let (parameters, problem) = match parameters.into() {
            Value::Object(parameters) => (parameters, None),
            other => {
                let received = crate::json::shown(&other);
                let text = format!("expected a JSON Schema (an object), got {received}");
                (Map::new(), Some(text))
            }
        };
        let request = RequestTool {
            name: Some(name.into()),
            description: Some(description.into()),
            parameters: Some(parameters),
            ..RequestTool::default()
        };
        Tool { request, problem, arguments: None, run: ToolRun::ByCaller, runner: None }
    }

    /// Sets the function that runs the tool. It receives arguments that satisfy the schema.
    ///
    /// The function runs in the task of the request, at the same time as other calls of the turn.
    /// It is cancelled when the future of the request is dropped, and at its
    /// [time limit](Tool::time_limit), but only where it awaits: move blocking code to
    /// `tokio::task::spawn_blocking`. A panic ends the request with that panic.
    pub fn handler<F, R>(mut self, function: F) -> Self
    where
        F: Fn(Value) -> R + Send + Sync + 'static,
        R: Future<Output: ToolOutput> + Send + 'static,
    {
        self.run = ToolRun::Program(ProgramFunction::new(move |arguments| {
            run_function(function(Value::Object(arguments)))
        }));
        self
    }

    /// Sets the maximum duration of one run. The default is the remaining time of the request, less
    /// the longest turn of the model so far, so that the model can still respond. A run that takes
    /// longer is an error of the tool.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.request.timeout = Some(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Returns the problem of the tool, if it has one, below the path of the tool in a request that
    /// `runner` runs.
    pub(super) fn find_problem(&self, path: &str, runner: &Arc<Runner>) -> Option<Problem> {
        if let Some(text) = &self.problem {
            return Some(Problem::request(format!("{path}.parameters"), text));
        }
        if self.runner.as_ref().is_some_and(|own| !Arc::ptr_eq(own, runner)) {
            let text = "the executor belongs to another client; create it with the client of the \
                        request, or with a clone of it";
            return Some(Problem::request(path, text));
        }
        match &self.run {
            ToolRun::Request(plan) if plan.depth() >= MAX_NESTED_REQUESTS => {
                let text = format!(
                    "expected at most {MAX_NESTED_REQUESTS} nested requests, the outermost \
                                    included"
                );
                Some(Problem::request(path, text))
            }
            _ => None,
        }
    }
}

/// Adds the functions, executors and types of tools to the plan of a request that contains them.
pub(super) fn add_to_plan(plan: &mut Plan, tools: Vec<Tool>) {
    // A valid plan has the tools of the request in their order.
    let planned = plan.tools.iter_mut().flat_map(|plan| &mut Arc::make_mut(plan).tools);
    for (planned, tool) in planned.zip(tools) {
        planned.run = tool.run;
        if let Some(TypedArguments { schema, convert }) = tool.arguments {
            planned.arguments = schema;
            planned.convert = Some(convert);
        }
    }
}

/// Runs a function of a tool.
pub(super) fn run_function(
    function: impl Future<Output: ToolOutput> + Send + 'static,
) -> PortFuture<'static, Result<Value, String>> {
    Box::pin(async move { function.await.into_output() })
}
