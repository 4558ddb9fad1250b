//! Runs tools of a request as programs (`--tool NAME=PROGRAM`), and continues a conversation whose
//! calls were handed back (`--continue`).
//!
//! Only the command line binds a tool to a program. A request or a file can't.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use llm_exe::json;
use llm_exe::ports::{PortFuture, ToolHandler};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::args::Invoke;
use crate::environment::Environment;
use crate::input::{self, Input};
use crate::input_error::InputError;

/// Maximum length of the standard error of a program in an error, in bytes.
const MAX_ERROR_BYTES: usize = 2_000;

/// The programs that run tools.
pub(crate) struct ToolPrograms {
    programs: HashMap<String, PathBuf>,
    /// The environment variables that the programs do not inherit, because they contain keys.
    secret_variables: Vec<String>,
}

/// Reads the options about tools, and adds the conversation to continue to the request.
pub(crate) fn prepare(
    args: &Invoke,
    input: &mut Input,
    environment: &Environment,
) -> Result<ToolPrograms, InputError> {
    let needs_function = ["idempotencyKey", "destination", "continue"];
    let conflict = needs_function.into_iter().find(|name| input.request.get(*name).is_some());
    if let (false, Some(name)) = (args.tool.is_empty(), conflict) {
        let message = format!("can't be combined with {name}, which needs the complete function");
        return Err(InputError::in_argument("--tool", message));
    }
    let mut programs = HashMap::new();
    let tools = input.request.get("tools").and_then(Value::as_array);
    let names: Vec<&str> = tools
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("name").and_then(Value::as_str))
        .collect();
    for text in &args.tool {
        let invalid = |message: String| InputError::in_argument("--tool", message);
        let Some((name, program)) = text.split_once('=').filter(|(_, program)| !program.is_empty())
        else {
            return Err(invalid(format!("expected NAME=PROGRAM, got {}", json::quoted(text))));
        };
        // The tools of a hosted config are not known yet.
        let is_hosted = ["key", "url"].iter().any(|name| input.request.get(name).is_some());
        if !names.contains(&name) && !is_hosted {
            let hint = llm_exe::suggestion(name, &names);
            let name = json::quoted(name);
            return Err(invalid(format!("the request has no tool {name}{hint}")));
        }
        programs.insert(name.to_owned(), PathBuf::from(program));
    }
    if let Some(path) = &args.continues {
        continue_conversation(path, &args.result, input)?;
    }
    Ok(ToolPrograms { programs, secret_variables: environment.secret_variables() })
}

/// Adds the conversation in a result, and the results of its calls, to a request.
fn continue_conversation(
    path: &Path,
    results: &[String],
    input: &mut Input,
) -> Result<(), InputError> {
    let text = input::read_text(path, "a result with calls of tools")?;
    let invalid = |message: String| InputError::in_file(path, message);
    let result: Value = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    // With --full, the result is a field.
    let result = result.get("result").unwrap_or(&result);
    let mut fields = ["conversation", "continue"].into_iter();
    let Some((name, value)) = fields.find_map(|name| Some((name, result.get(name)?))) else {
        let text = "expected a result with the field conversation or continue";
        return Err(invalid(text.to_owned()));
    };
    input.set(name, value.clone());
    let results = results.iter().map(|text| {
        let Some((id, result)) = text.split_once('=') else {
            let message = format!("expected ID=RESULT, got {}", json::quoted(text));
            return Err(InputError::in_argument("--result", message));
        };
        Ok(json!({ "id": id, "result": parse_result(result) }))
    });
    let results: Value = results.collect::<Result<Vec<_>, _>>()?.into();
    if results.as_array().is_some_and(|results| !results.is_empty()) {
        input.set("toolResults", results);
    }
    Ok(())
}

/// Returns a result as JSON if it is JSON, or else as text.
fn parse_result(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|_| Value::from(text.trim_end()))
}

impl ToolPrograms {
    async fn run(&self, program: &Path, arguments: &Value) -> Result<Value, String> {
        let failed = |reason: String| format!("{}: {reason}", program.display());
        let mut command = Command::new(program);
        for name in &self.secret_variables {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.kill_on_drop(true).spawn().map_err(|error| failed(error.to_string()))?;
        let input = child.stdin.take();
        let arguments = arguments.to_string();
        let write = async {
            if let Some(mut input) = input {
                // A program that does not read its arguments closes the pipe.
                let _ = input.write_all(arguments.as_bytes()).await;
            }
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        let output = output.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let start = text.ceil_char_boundary(text.len().saturating_sub(MAX_ERROR_BYTES));
            let text = text.get(start..).unwrap_or_default().trim();
            return Err(format!("{}: {text}", output.status));
        }
        let text = String::from_utf8(output.stdout)
            .map_err(|_| failed("the standard output is not valid UTF-8".to_owned()))?;
        Ok(parse_result(&text))
    }
}

impl ToolHandler for ToolPrograms {
    fn handles(&self, name: &str) -> bool {
        self.programs.contains_key(name)
    }

    fn call<'a>(
        &'a self,
        name: &'a str,
        arguments: Value,
    ) -> PortFuture<'a, Result<Value, String>> {
        Box::pin(async move {
            match self.programs.get(name) {
                Some(program) => self.run(program, &arguments).await,
                None => Err(format!("no program is bound to the tool {name}")),
            }
        })
    }
}
