//! The tools of a request, and the closures that observe how they run.

use std::sync::Arc;

use serde::Serialize;

use super::pending::PendingCalls;
use super::request::RequestBuilder;
use super::tool::Tool;
use crate::chat::ToolChoice;
use crate::error::Problem;
use crate::request::{RequestToolChoice, RequestToolResult, TextOr};
use crate::run::{ToolRunReport, Turn};

impl RequestBuilder {
    /// Adds a tool that the model may call. The calls of a turn run at the same time, at most 10 at
    /// once, and the model receives their results in its next turn. The request ends with the
    /// first turn without calls, whose reply is the result.
    ///
    /// The documentation describes [tools] and their limits.
    ///
    /// [tools]: https://github.com/llm-exe/llm-exe-lambda/blob/main/docs/tools.md
    pub fn tool(mut self, tool: Tool) -> Self {
        self.request.tools.get_or_insert_default().push(Some(tool.request.clone()));
        self.tools.push(tool);
        self
    }

    /// Sets whether the model may, must or must not call tools in its first turn. In later turns it
    /// may, unless the choice is [`ToolChoice::None`]. The default is [`ToolChoice::Auto`].
    ///
    /// ```
    /// use llm_exe::{Tool, ToolChoice};
    ///
    /// # let client = llm_exe::Client::builder().build()?;
    /// let request = client
    ///     .request("ollama:qwen3")
    ///     .user("What is the time?")
    ///     .tool(Tool::function("time", "Returns the time.", |_: ()| async { "7:30" }))
    ///     .tool_choice(ToolChoice::Named("time".to_owned()))
    ///     .parallel_tool_calls(false)
    ///     .max_turns(3)
    ///     .fail_on_tool_error(true);
    /// # Ok::<(), llm_exe::BuildError>(())
    /// ```
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.request.tool_choice = Some(match choice {
            ToolChoice::Auto => TextOr::Text("auto".to_owned()),
            ToolChoice::None => TextOr::Text("none".to_owned()),
            ToolChoice::Required => TextOr::Text("required".to_owned()),
            ToolChoice::Named(name) => TextOr::Long(RequestToolChoice { name: Some(name) }),
        });
        self
    }

    /// Sets whether the model may call several tools in one turn, as it may by default.
    pub fn parallel_tool_calls(mut self, parallel: bool) -> Self {
        self.request.parallel_tool_calls = Some(parallel);
        self
    }

    /// Sets the maximum number of turns of the model, from 1 to 50. Turns before a hand-back count,
    /// and repairs do not. The default is 8. A request that needs more turns fails with
    /// `LimitExceeded`.
    pub fn max_turns(mut self, turns: u32) -> Self {
        self.request.max_turns = Some(turns.into());
        self
    }

    /// Sets whether the first tool that fails ends the request with the error `ToolFailed`. By
    /// default, the model receives the error as the result of its call. Invalid arguments are
    /// always reported to the model.
    pub fn fail_on_tool_error(mut self, fail: bool) -> Self {
        self.request.tool_errors = Some(if fail { "fail" } else { "report" }.to_owned());
        self
    }

    /// Calls a closure after each turn of the model, before the tools run that it calls. Repairs
    /// are turns too. Turns of executors that run as tools are not reported.
    ///
    /// The request waits until the closure returns, so it must not block. A panic in it ends the
    /// request with that panic. Several closures are called in the order in which they were added.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(
    /// #     br#"{"message": {"content": "42"}, "done_reason": "stop", "eval_count": 1}"#)));
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let request = client
    ///     .request("ollama:qwen3")
    ///     .user("6 * 7?")
    ///     .on_turn(|turn| {
    ///         let names: Vec<&str> = turn.reply.tool_calls().map(|call| &*call.name).collect();
    ///         println!("{}: {} tokens, {names:?}", turn.number, turn.reply.usage.output_tokens);
    ///     })
    ///     .on_tool_run(|run| println!("{} took {:?}: {:?}", run.name, run.duration, run.outcome));
    /// assert_eq!(request.send().await?.text()?, "42");
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_turn(mut self, callback: impl Fn(&Turn<'_>) + Send + Sync + 'static) -> Self {
        self.callbacks.turn.push(Arc::new(callback));
        self
    }

    /// Calls a closure after each run of a tool, with its arguments and its result. Runs of one
    /// turn are reported in the order of their calls. Calls that are invalid or are handed back do
    /// not run, and are in [`on_turn`](RequestBuilder::on_turn), which also describes how closures
    /// are called.
    pub fn on_tool_run(
        mut self,
        callback: impl Fn(&ToolRunReport) + Send + Sync + 'static,
    ) -> Self {
        self.callbacks.tool_run.push(Arc::new(callback));
        self
    }

    /// Continues a conversation that this request handed back. The model, the tools and the other
    /// settings must be the same as before. The messages are not rendered again.
    ///
    /// Add the result of each call with [`tool_result`](RequestBuilder::tool_result) or
    /// [`tool_error`](RequestBuilder::tool_error). A call without a result, an unknown id and a
    /// second result are problems that [`send`](RequestBuilder::send) reports as `InvalidRequest`.
    /// [`PendingCalls`] has an example.
    pub fn resume(mut self, pending: &PendingCalls) -> Self {
        self.request.conversation = Some(pending.conversation.clone());
        self
    }

    /// Sets the result of a call that was handed back. The model receives a string as it is, and
    /// any other value as JSON.
    pub fn tool_result(mut self, id: impl Into<String>, result: impl Serialize) -> Self {
        let results = self.request.tool_results.get_or_insert_default();
        let result = match crate::json::to_value(&result) {
            Ok(result) => Some(result),
            Err(error) => {
                let path = format!("toolResults[{}].result", results.len());
                let message = format!("can't be serialized: {error}");
                self.problems.push(Problem::request(path, message));
                None
            }
        };
        let id = Some(id.into());
        results.push(Some(RequestToolResult { id, result, error: None }));
        self
    }

    /// Sets the reason why a call that was handed back has no result, for the model.
    pub fn tool_error(mut self, id: impl Into<String>, reason: impl Into<String>) -> Self {
        let (id, error) = (Some(id.into()), Some(reason.into()));
        let results = self.request.tool_results.get_or_insert_default();
        results.push(Some(RequestToolResult { id, result: None, error }));
        self
    }
}
