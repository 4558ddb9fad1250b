//! Validates the tools of a request and the fields about them.
//!
//! The types are generic over the plan `P` of the request of a tool, because that plan has tools as
//! well.

use std::sync::Arc;
use std::time::Duration;

use ring::digest;
use serde_json::{Map, Value};

use super::handed_back::{self, ContinuationContext, HandedBackConversation, MAX_TURNS};
use super::options::MAX_MILLISECONDS;
use super::problems::Problems;
use super::target::Target;
use crate::chat::{Tool, ToolChoice};
use crate::error::{Error, Problem};
use crate::function_name::{FunctionName, is_qualifier};
use crate::hex::prefixed_hex;
use crate::json;
use crate::ports::PortFuture;
use crate::request::{
    MAX_NESTED_REQUESTS, MAX_TOOLS, ParsedRequest, Request, RequestTool, RequestToolChoice,
    RequestToolRun, TextOr, suggestion, too_many_items,
};
use crate::schema::Schema;

/// Maximum length of the name of a tool.
const MAX_NAME_LENGTH: usize = 64;
/// Default value of `maxTurns`.
const DEFAULT_TURNS: u32 = 8;

/// The fields that the request of a tool and a step may not set, because they have no caller of
/// their own.
pub(super) const FIELDS_NOT_ALLOWED_IN_TOOLS: &[&str] = &[
    "return",
    "dryRun",
    "destination",
    "idempotencyKey",
    "conversation",
    "continue",
    "toolResults",
    "stream",
    "streamFormat",
    "traceparent",
];

/// The tools of a request, and how the conversation with them runs.
#[derive(Debug, Clone)]
pub(crate) struct ToolPlan<P> {
    pub(crate) tools: Vec<PlannedTool<P>>,
    /// Which tools the model may or must call in its first turn.
    pub(crate) choice: ToolChoice,
    /// Whether the model may call several tools in one turn.
    pub(crate) parallel: bool,
    /// Maximum number of turns of the model.
    pub(crate) max_turns: u32,
    /// Whether a failed tool ends the request.
    pub(crate) ends_on_tool_error: bool,
    /// The hash of the names, descriptions and parameters of all tools.
    pub(crate) digest: String,
    /// The conversation that this request continues.
    pub(crate) continued: Option<HandedBackConversation>,
}

/// A tool, and how it runs.
#[derive(Debug, Clone)]
pub(crate) struct PlannedTool<P> {
    /// The tool as the model sees it.
    pub(crate) tool: Tool,
    /// The schema of the arguments.
    pub(crate) arguments: Schema,
    /// Converts arguments that satisfy the schema to those of a Rust type.
    pub(crate) convert: Option<ConvertArguments>,
    pub(crate) run: ToolRun<P>,
    /// Maximum duration of one run.
    pub(crate) timeout: Option<Duration>,
}

/// How a tool runs.
#[derive(Debug, Clone)]
pub(crate) enum ToolRun<P> {
    /// Calls are handed back to the caller.
    ByCaller,
    /// The result is that of another request.
    Request(Box<P>),
    /// The result is that of a Lambda function.
    Function(FunctionName),
    /// The result is that of a function of the program.
    Program(ProgramFunction),
}

/// Converts arguments, or returns why they are invalid, for the model.
pub(crate) type ConvertArguments = fn(Map<String, Value>) -> Result<Map<String, Value>, String>;

/// A function of the program that runs a tool.
#[derive(Clone)]
pub(crate) struct ProgramFunction(Arc<CallProgram>);

type CallProgram =
    dyn Fn(Map<String, Value>) -> PortFuture<'static, Result<Value, String>> + Send + Sync;

impl ProgramFunction {
    /// Creates the function from a closure, which returns the reason for the model if it fails.
    pub(crate) fn new(
        function: impl Fn(Map<String, Value>) -> PortFuture<'static, Result<Value, String>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        ProgramFunction(Arc::new(function))
    }

    /// Starts the function.
    pub(crate) fn call(
        &self,
        arguments: Map<String, Value>,
    ) -> PortFuture<'static, Result<Value, String>> {
        (self.0)(arguments)
    }
}

impl std::fmt::Debug for ProgramFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProgramFunction")
    }
}

impl<P> ToolPlan<P> {
    /// Looks up a tool by its name.
    pub(crate) fn find(&self, name: &str) -> Option<&PlannedTool<P>> {
        self.tools.iter().find(|planned| planned.tool.name == name)
    }

    /// Returns the name of the first tool whose calls are handed back, if any. Calls of tools that
    /// the program handles are not.
    pub(crate) fn handed_back(&self, is_handled: impl Fn(&str) -> bool) -> Option<&str> {
        let tools = self.tools.iter().filter(|planned| matches!(planned.run, ToolRun::ByCaller));
        tools.map(|planned| &*planned.tool.name).find(|name| !is_handled(name))
    }
}

/// Builds the plan of the request of a tool, and adds its warnings to the list.
pub(super) type BuildPlan<'a, P> = dyn Fn(ParsedRequest, &mut Vec<String>) -> Result<P, Error> + 'a;

/// The parts of a plan that the checks of its tools depend on.
pub(super) struct ToolContext<'a, P> {
    /// The number of requests around this one.
    pub(super) depth: usize,
    pub(super) target: Option<&'a Target>,
    pub(super) fallbacks: &'a [Target],
    /// The tools of the chain, if the request is a step without tools of its own.
    pub(super) inherited: Option<&'a Arc<ToolPlan<P>>>,
    /// Returns the number of nested requests of a plan, the plan itself included.
    pub(super) depth_of: fn(&P) -> usize,
    pub(super) build: &'a BuildPlan<'a, P>,
}

/// Validates the fields about tools. Returns `None` if the request has no tools.
pub(super) fn check_tools<P: Clone>(
    request: &mut Request,
    context: &ToolContext<'_, P>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<Arc<ToolPlan<P>>> {
    if let (None, Some(inherited)) = (&request.tools, context.inherited) {
        // In a chain, the steps that inherit them are checked.
        if request.steps.is_none() {
            check_depth(inherited, context, problems);
        }
        return Some(inherit_tools(request, inherited, problems));
    }
    let Some(written) = request.tools.take().filter(|tools| !tools.is_empty()) else {
        reject_without_tools(request, problems);
        return None;
    };
    if written.len() > MAX_TOOLS {
        problems.add("tools", too_many_items(MAX_TOOLS, "tools", written.len()));
        return None;
    }
    let mut tools: Vec<PlannedTool<P>> = Vec::with_capacity(written.len());
    for (index, tool) in written.into_iter().enumerate() {
        let path = format!("tools[{index}]");
        let Some(tool) = tool else {
            problems.add(path, "is null; expected {name, description, parameters}");
            continue;
        };
        let Some(planned) = check_tool(tool, &path, context, problems, warnings) else { continue };
        if tools.iter().any(|earlier| earlier.tool.name == planned.tool.name) {
            let name = json::quoted(&planned.tool.name);
            problems.add(format!("{path}.name"), format!("another tool has the name {name} too"));
        }
        tools.push(planned);
    }
    let digest = hash_tools(&tools);
    let mut plan = ToolPlan {
        choice: check_choice(request.tool_choice.take(), &tools, problems),
        parallel: request.parallel_tool_calls.unwrap_or(true),
        max_turns: check_max_turns(request.max_turns, problems),
        ends_on_tool_error: check_tool_errors(request.tool_errors.as_deref(), problems),
        continued: None,
        digest,
        tools,
    };
    let ToolContext { target, fallbacks, .. } = context;
    let targets = target.iter().copied().chain(*fallbacks).collect();
    let continuation = ContinuationContext { digest: &plan.digest, targets };
    plan.continued = handed_back::check_continued(request, &continuation, problems);
    Some(Arc::new(plan))
}

/// Rejects inherited tools whose requests are too deep inside of this one.
fn check_depth<P>(inherited: &ToolPlan<P>, context: &ToolContext<'_, P>, problems: &mut Problems) {
    let too_deep = inherited.tools.iter().find(|planned| match &planned.run {
        ToolRun::Request(plan) => {
            context.depth + 1 + (context.depth_of)(plan) > MAX_NESTED_REQUESTS
        }
        ToolRun::ByCaller | ToolRun::Function(_) | ToolRun::Program(_) => false,
    });
    if let Some(planned) = too_deep {
        let name = json::quoted(&planned.tool.name);
        let text = format!("{}; the inherited tool {name} runs more", too_many_nested());
        problems.add("tools", text);
    }
}

/// Returns the text of the problem of a request that is inside of too many others.
pub(super) fn too_many_nested() -> String {
    format!("expected at most {MAX_NESTED_REQUESTS} nested requests, the outermost included")
}

/// Returns the tools of the chain for a step, which may call them in another way.
fn inherit_tools<P: Clone>(
    request: &mut Request,
    inherited: &Arc<ToolPlan<P>>,
    problems: &mut Problems,
) -> Arc<ToolPlan<P>> {
    let mut plan = Arc::clone(inherited);
    if let Some(choice) = request.tool_choice.take() {
        let choice = check_choice(Some(choice), &plan.tools, problems);
        Arc::make_mut(&mut plan).choice = choice;
    }
    if let Some(parallel) = request.parallel_tool_calls {
        Arc::make_mut(&mut plan).parallel = parallel;
    }
    if request.max_turns.is_some() {
        Arc::make_mut(&mut plan).max_turns = check_max_turns(request.max_turns, problems);
    }
    if let Some(word) = request.tool_errors.as_deref() {
        Arc::make_mut(&mut plan).ends_on_tool_error = check_tool_errors(Some(word), problems);
    }
    plan
}

/// Rejects fields that have no meaning in a request without tools.
fn reject_without_tools(request: &Request, problems: &mut Problems) {
    handed_back::reject_stored(request, problems);
    let text = "is only valid together with tools";
    for (name, is_set) in [
        ("toolChoice", request.tool_choice.is_some()),
        ("toolResults", request.tool_results.is_some()),
        ("conversation", request.conversation.is_some()),
    ] {
        if is_set {
            problems.add(name, text);
        }
    }
}

fn check_tool<P>(
    written: RequestTool,
    path: &str,
    context: &ToolContext<'_, P>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<PlannedTool<P>> {
    let name = check_name(written.name, path, problems);
    let description = written.description.filter(|text| !text.trim().is_empty());
    if let (None, Some(name)) = (&description, &name) {
        warnings.push(format!(
            "{path}: the tool {name} has no description; the model knows only its name"
        ));
    }
    let parameters = check_parameters(written.parameters.unwrap_or_default(), path, problems);
    let timeout = check_timeout(written.timeout, path, problems);
    let run = match written.run {
        None if context.depth > 0 => {
            let text = "missing; the tools of a step, and of a request that is itself a tool, must \
                        run here, because their calls can't be handed back";
            problems.add(format!("{path}.run"), text);
            None
        }
        None => Some(ToolRun::ByCaller),
        Some(run) => check_run(run, &format!("{path}.run"), context, problems, warnings),
    };
    let (name, arguments, run) = (name?, parameters?, run?);
    let mut tool = Tool::new(name, arguments.written().clone());
    tool.description = description;
    Some(PlannedTool { tool, arguments, convert: None, run, timeout })
}

fn check_name(name: Option<String>, path: &str, problems: &mut Problems) -> Option<String> {
    let path = format!("{path}.name");
    let Some(name) = name else {
        problems.add(path, "missing; expected a name such as get_rate");
        return None;
    };
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_valid = name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit() || byte == b'-')
        && name.len() <= MAX_NAME_LENGTH;
    if !is_valid {
        let received = json::quoted(&name);
        let text = format!(
            "expected at most {MAX_NAME_LENGTH} letters a-z and A-Z, digits, _ and -, of which the \
             first is a letter or _, got {received}"
        );
        problems.add(path, text);
        return None;
    }
    Some(name)
}

/// Compiles the schema of the arguments. Without keywords, a tool has no arguments.
fn check_parameters(
    mut written: Map<String, Value>,
    path: &str,
    problems: &mut Problems,
) -> Option<Schema> {
    let path = format!("{path}.parameters");
    match written.get("type") {
        Some(Value::String(kind)) if kind == "object" => {}
        None if !written.contains_key("$ref") => {
            // The field comes first, where models and readers expect it.
            let keywords = std::mem::take(&mut written);
            written.insert("type".to_owned(), Value::from("object"));
            written.extend(keywords);
        }
        None => {}
        Some(other) => {
            let text = format!(
                "expected a schema of type \"object\", because arguments are objects, got {}",
                json::shown(other)
            );
            problems.add(format!("{path}.type"), text);
            return None;
        }
    }
    if !written.contains_key("properties") && !written.contains_key("$ref") {
        written.insert("properties".to_owned(), Value::Object(Map::new()));
    }
    match Schema::compile(written) {
        Ok(schema) => Some(schema),
        Err(error) => {
            problems.add(path, error.to_string());
            None
        }
    }
}

fn check_timeout(written: Option<u64>, path: &str, problems: &mut Problems) -> Option<Duration> {
    let count = written?;
    if (1..=MAX_MILLISECONDS).contains(&count) {
        return Some(Duration::from_millis(count));
    }
    let text = format!("expected 1 to {MAX_MILLISECONDS} milliseconds, got {count}");
    problems.add(format!("{path}.timeout"), text);
    None
}

fn check_run<P>(
    run: RequestToolRun,
    path: &str,
    context: &ToolContext<'_, P>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<ToolRun<P>> {
    let pointer = [("key", &run.key), ("url", &run.url)];
    if let Some((name, _)) = pointer.into_iter().find(|(_, value)| value.is_some()) {
        let text = match run.request.is_some() || run.lambda.is_some() {
            true => "can't be combined with request or lambda",
            false => {
                "refers to a hosted config, which only Client::run and the Lambda function fetch"
            }
        };
        problems.add(format!("{path}.{name}"), text);
        return None;
    }
    let misplaced = [
        ("qualifier", run.qualifier.is_some() && run.lambda.is_none(), "lambda"),
        ("bucket", run.bucket.is_some(), "key"),
        ("version", run.version.is_some(), "key; for a Lambda function use qualifier"),
    ];
    if let Some((name, _, other)) = misplaced.into_iter().find(|(_, is_set, _)| *is_set) {
        problems.add(format!("{path}.{name}"), format!("is only valid together with {other}"));
        return None;
    }
    let mut request = match (run.request, run.lambda) {
        (Some(request), None) => request,
        (None, Some(name)) => return check_function(&name, run.qualifier, path, problems),
        (Some(_), Some(_)) => {
            problems.add(path, "expected either request or lambda, got both");
            return None;
        }
        (None, None) => {
            let text = "expected {\"request\": …}, {\"lambda\": …}, {\"key\": …} or {\"url\": …}; \
                        without run, calls are handed back";
            problems.add(path, text);
            return None;
        }
    };
    let path = format!("{path}.request");
    if context.depth + 1 >= MAX_NESTED_REQUESTS {
        problems.add(path, too_many_nested());
        return None;
    }
    let mut is_valid = true;
    for name in FIELDS_NOT_ALLOWED_IN_TOOLS {
        if request.shift_remove(*name).is_some_and(|value| !value.is_null()) {
            problems.add(format!("{path}.{name}"), "is not supported in the request of a tool");
            is_valid = false;
        }
    }
    let mut nested_warnings = Vec::new();
    let parsed = ParsedRequest::from_value(Value::Object(request));
    let built = (context.build)(parsed, &mut nested_warnings);
    warnings.extend(nested_warnings.iter().map(|text| format!("{path}: {text}")));
    match built {
        Ok(plan) => is_valid.then(|| ToolRun::Request(Box::new(plan))),
        Err(error) => {
            problems.extend(error.problems().iter().map(|problem| at(&path, problem)).collect());
            if error.problems().is_empty() {
                problems.add(path, error.message());
            }
            None
        }
    }
}

fn check_function<P>(
    name: &str,
    qualifier: Option<String>,
    path: &str,
    problems: &mut Problems,
) -> Option<ToolRun<P>> {
    let mut function = match FunctionName::parse(name) {
        Ok(function) => function,
        Err(text) => {
            problems.add(format!("{path}.lambda"), text);
            return None;
        }
    };
    let Some(qualifier) = qualifier else { return Some(ToolRun::Function(function)) };
    let text = match &function.qualifier {
        Some(other) if *other != qualifier => {
            Some(format!("differs from the version {other} in lambda; set only one of them"))
        }
        _ if !is_qualifier(&qualifier) => {
            let received = json::quoted(&qualifier);
            Some(format!("expected a version, an alias or $LATEST, got {received}"))
        }
        _ => None,
    };
    if let Some(text) = text {
        problems.add(format!("{path}.qualifier"), text);
        return None;
    }
    function.qualifier = Some(qualifier);
    Some(ToolRun::Function(function))
}

/// Puts a problem of a nested request at its place in the request around it.
pub(super) fn at(path: &str, problem: &Problem) -> Problem {
    let place = match &*problem.path {
        "" => path.to_owned(),
        inner => format!("{path}.{inner}"),
    };
    Problem { path: place, ..problem.clone() }
}

fn check_choice<P>(
    written: Option<TextOr<RequestToolChoice>>,
    tools: &[PlannedTool<P>],
    problems: &mut Problems,
) -> ToolChoice {
    let name = match written {
        None => return ToolChoice::Auto,
        Some(TextOr::Text(word)) => match &*word {
            "auto" => return ToolChoice::Auto,
            "none" => return ToolChoice::None,
            "required" => return ToolChoice::Required,
            _ => {
                let hint = match tools.iter().any(|known| known.tool.name == word) {
                    true => format!(" (did you mean {{\"name\": {}}}?)", json::quoted(&word)),
                    false => suggestion(&word, &["auto", "none", "required"]),
                };
                let received = json::quoted(&word);
                let text =
                    format!("expected auto, none, required or {{name}}, got {received}{hint}");
                problems.add("toolChoice", text);
                return ToolChoice::Auto;
            }
        },
        Some(TextOr::Long(RequestToolChoice { name })) => name,
    };
    let Some(name) = name else {
        problems.add("toolChoice.name", "missing; expected the name of a tool");
        return ToolChoice::Auto;
    };
    let names: Vec<&str> = tools.iter().map(|known| &*known.tool.name).collect();
    if !names.contains(&&*name) {
        let hint = suggestion(&name, &names);
        let received = json::quoted(&name);
        problems
            .add("toolChoice.name", format!("expected the name of a tool, got {received}{hint}"));
    }
    ToolChoice::Named(name)
}

fn check_max_turns(written: Option<u64>, problems: &mut Problems) -> u32 {
    let Some(count) = written else { return DEFAULT_TURNS };
    match u32::try_from(count) {
        Ok(count) if (1..=MAX_TURNS).contains(&count) => count,
        _ => {
            let text = format!("expected a whole number from 1 to {MAX_TURNS}, got {count}");
            problems.add("maxTurns", text);
            DEFAULT_TURNS
        }
    }
}

fn check_tool_errors(written: Option<&str>, problems: &mut Problems) -> bool {
    match written {
        None | Some("report") => false,
        Some("fail") => true,
        Some(other) => {
            let text = format!("expected \"report\" or \"fail\", got {}", json::quoted(other));
            problems.add("toolErrors", text);
            false
        }
    }
}

/// Returns the hash of the names, descriptions and parameters of tools.
fn hash_tools<P>(tools: &[PlannedTool<P>]) -> String {
    let mut hasher = digest::Context::new(&digest::SHA256);
    for PlannedTool { tool, .. } in tools {
        for text in [&*tool.name, tool.description.as_deref().unwrap_or_default()] {
            hasher.update(text.as_bytes());
            hasher.update(&[0]);
        }
        json::update_tolerant_hash(&tool.parameters, &mut hasher);
    }
    prefixed_hex("sha256:", hasher.finish().as_ref())
}
