//! Validates a request into a [`Plan`]. All problems of a request are reported together.

mod cost_limit;
mod destination;
mod handed_back;
mod messages;
mod options;
mod output;
mod problems;
mod render;
mod rules;
mod schema;
mod target;
mod tools;

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use destination::check_origins;
pub(crate) use handed_back::{
    HandedBackConversation, MAX_CONVERSATION_BYTES, MAX_RESULT_BYTES, result_text,
};
pub use messages::Prompt;
pub use output::Output;
pub use render::RenderedChat;
pub use rules::{InvalidModelPatterns, ModelPatterns, Rules, ToolRules};
pub use schema::{config_schema, request_schema_with};
pub use target::Target;
pub(crate) use tools::{ConvertArguments, ProgramFunction};

use crate::destination::ParsedDestination;
use crate::error::{Error, Problem};
use crate::function_name::FunctionName;
use crate::json;
#[cfg(feature = "schemars")]
use crate::parsers::ResultType;
use crate::parsers::{Context as ParserContext, OutputError};
use crate::prompt::{Limits, Partials, Scope, Template, TemplateProblem};
use crate::request::{ParsedRequest, Request};
use problems::Problems;
use render::TemplateValues;
use tools::ToolContext;

/// The tools of a request.
pub(crate) type ToolPlan = tools::ToolPlan<Plan>;
/// A tool of a request.
pub(crate) type PlannedTool = tools::PlannedTool<Plan>;
/// How a tool of a request runs.
pub(crate) type ToolRun = tools::ToolRun<Plan>;

/// What a request returns to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returns {
    /// Only the result.
    Result,
    /// An object with the result, usage, model, attempts and warnings.
    Full,
}

/// Whether a valid request is sent to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The request is sent to a provider.
    Run,
    /// The request is only validated and rendered. `return`, `destination` and `idempotencyKey`
    /// have no effect, but their values are still checked.
    DryRun,
    /// The request is a tool of another one, inside of `depth` requests.
    Nested { depth: usize },
}

impl Mode {
    /// Returns the number of requests around the request.
    fn depth(self) -> usize {
        match self {
            Mode::Run | Mode::DryRun => 0,
            Mode::Nested { depth } => depth,
        }
    }
}

/// The error and the warnings of an invalid request.
pub(crate) struct RejectedRequest {
    pub(crate) error: Error,
    pub(crate) warnings: Vec<String>,
}

/// A validated request, ready to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The provider and the model to call first.
    pub target: Target,
    /// The targets to call, in order, if the previous targets fail.
    pub fallbacks: Vec<Target>,
    /// The compiled prompt.
    pub prompt: Prompt,
    /// How the reply is checked and parsed.
    pub output: Output,
    /// The value of the template variable `schema`, which the compiled schema in `output` shares.
    pub schema: Option<Arc<Value>>,
    /// The variables that templates can use.
    pub data: Map<String, Value>,
    /// The tools that the model may call. Boxed, because most requests have none.
    pub(crate) tools: Option<Box<ToolPlan>>,
    /// Maximum cost of the request in US dollars.
    pub(crate) max_cost: Option<f64>,
    /// What the request returns to its caller.
    pub returns: Returns,
    /// Whether to validate and render the request without calling a provider.
    pub dry_run: bool,
    /// Whether a missing template variable is an error.
    pub strict_variables: bool,
    /// Where the result is sent, if the request names a destination.
    pub destination: Option<ParsedDestination>,
    /// The warnings from parsing and validation.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Validates a parsed request.
    ///
    /// # Errors
    /// `InvalidRequest` or `PromptInvalid`, with all problems of the request.
    pub fn new(parsed: ParsedRequest, rules: &Rules) -> Result<Plan, Error> {
        Plan::validate(parsed, rules, Mode::Run).map_err(|rejected| rejected.error)
    }

    /// Parses and validates a request.
    ///
    /// # Errors
    /// The same as for [`Plan::new`].
    pub fn from_value(request: Value, rules: &Rules) -> Result<Plan, Error> {
        Plan::new(ParsedRequest::from_value(request), rules)
    }

    /// Validates a parsed request in the given mode. Unlike [`Plan::new`], returns the warnings
    /// even if the request is rejected.
    pub(crate) fn validate(
        parsed: ParsedRequest,
        rules: &Rules,
        mode: Mode,
    ) -> Result<Plan, RejectedRequest> {
        let ParsedRequest { request, problems, mut warnings } = parsed;
        match Plan::build(request, problems, rules, mode, &mut warnings) {
            Ok(mut plan) => {
                plan.warnings = warnings;
                Ok(plan)
            }
            Err(error) => Err(RejectedRequest { error, warnings }),
        }
    }

    /// Sets the Rust type that the result must deserialize to.
    #[cfg(feature = "schemars")]
    pub(crate) fn with_result_type(mut self, result_type: Option<ResultType>) -> Plan {
        self.output.result_type = result_type;
        self
    }

    /// Builds the plan. Warnings are added to `warnings` instead of the plan, because a rejected
    /// request has no plan.
    fn build(
        mut request: Request,
        problems: Vec<Problem>,
        rules: &Rules,
        mode: Mode,
        warnings: &mut Vec<String>,
    ) -> Result<Plan, Error> {
        let mut problems = Problems::new(problems);
        // A problem with an empty path means that the request is not an object or has too many
        // problems, so its fields cannot be checked.
        if problems.iter().any(|problem| problem.path.is_empty()) {
            return Err(problems.into_error());
        }
        if let Some(error) = pointer_error(&request) {
            return Err(error);
        }
        check_idempotency_key(request.idempotency_key.as_deref(), mode, &mut problems);
        let destination =
            destination::parse_destination(request.destination.as_deref(), rules, &mut problems);
        let destination = destination.filter(|_| mode == Mode::Run);
        let (target, fallbacks) = target::check_targets(&mut request, rules, &mut problems);
        let depth = mode.depth();
        let build = |parsed: ParsedRequest, warnings: &mut Vec<String>| {
            let ParsedRequest { request, problems, warnings: found } = parsed;
            warnings.extend(found);
            let mode = Mode::Nested { depth: depth + 1 };
            Plan::build(request, problems, rules, mode, warnings)
        };
        let context =
            ToolContext { depth, target: target.as_ref(), fallbacks: &fallbacks, build: &build };
        let tools = tools::check_tools(&mut request, &context, &mut problems, warnings);
        let max_cost = cost_limit::check_max_cost(&request, &mut problems);
        if max_cost.is_some() {
            let targets = find_targets("", (target.as_ref(), &fallbacks), tools.as_deref());
            for (path, target) in targets {
                cost_limit::check_price(path, target, &rules.prices, &mut problems);
            }
        }
        let prompt = messages::compile_prompt(request.message, &mut problems);
        let returns = parse_returns(request.returns.as_deref(), mode, &mut problems);
        let schema = request.schema.map(|schema| Arc::new(Value::Object(schema)));
        let output = output::check_output(
            &rules.parsers,
            request.output.as_deref().unwrap_or("string"),
            request.output_options.unwrap_or_default(),
            schema.clone(),
            &mut problems,
            warnings,
        );
        let data = request.data.unwrap_or_default();
        let strict_variables = rules.strict_variables || request.strict_variables.unwrap_or(false);
        let (target, prompt, output) = match (target, prompt, output) {
            (Some(target), Ok(prompt), Some(output)) if problems.is_empty() => {
                (target, prompt, output)
            }
            (_, Ok(prompt) | Err(prompt), _) => {
                let (data, schema) = (&data, schema.as_deref());
                let values = TemplateValues { data, schema, strict: strict_variables };
                add_render_problems(&prompt, values, &mut problems, warnings);
                return Err(problems.into_error());
            }
        };
        destination::check_allowed(destination.as_ref(), rules)?;
        Ok(Plan {
            target,
            fallbacks,
            prompt,
            output,
            schema,
            data,
            tools,
            max_cost,
            returns,
            dry_run: mode == Mode::DryRun || request.dry_run.unwrap_or(false),
            strict_variables,
            destination,
            warnings: Vec::new(),
        })
    }

    /// Returns the Lambda functions that the tools of this request and of the requests in its tools
    /// may call, each with the path of its name.
    pub(crate) fn tool_functions(&self) -> Vec<(String, &FunctionName)> {
        let mut functions = Vec::new();
        let tools = self.tools.iter().flat_map(|plan| &plan.tools);
        for (index, planned) in tools.enumerate() {
            let path = format!("tools[{index}].run");
            match &planned.run {
                ToolRun::ByCaller | ToolRun::Program(_) => {}
                ToolRun::Function(name) => functions.push((format!("{path}.lambda"), name)),
                ToolRun::Request(plan) => {
                    let inner = plan.tool_functions().into_iter();
                    let at = |inner: String| format!("{path}.request.{inner}");
                    functions.extend(inner.map(|(path, name)| (at(path), name)));
                }
            }
        }
        functions
    }

    /// Returns the number of requests that are inside of each other, this one included.
    pub(crate) fn depth(&self) -> usize {
        let tools = self.tools.iter().flat_map(|plan| &plan.tools);
        let inner = tools.map(|planned| match &planned.run {
            ToolRun::Request(plan) => plan.depth(),
            _ => 0,
        });
        1 + inner.max().unwrap_or(0)
    }

    /// Renders the prompt. The limits apply to the prompt as a whole, not to each message.
    ///
    /// # Errors
    /// `PromptInvalid` if a template cannot be rendered, if variables are missing in strict mode,
    /// or if all messages are empty after rendering.
    pub fn render(&self, limits: &Limits) -> Result<RenderedChat, Error> {
        let mut chat = RenderedChat::default();
        self.render_into(&mut chat, limits)?;
        Ok(chat)
    }

    /// Renders the prompt into `chat`. Unlike [`Plan::render`], returns the warnings even if
    /// rendering fails.
    pub(crate) fn render_into(
        &self,
        chat: &mut RenderedChat,
        limits: &Limits,
    ) -> Result<(), Error> {
        let Plan { data, schema, strict_variables: strict, .. } = self;
        let values = TemplateValues { data, schema: schema.as_deref(), strict: *strict };
        let mut problems = self.prompt.render(chat, values, limits);
        if problems.is_empty() && chat.messages.is_empty() {
            problems.push(Problem::prompt("message", "every message is empty after rendering"));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::from_problems(problems)) }
    }

    /// Parses the text of a reply with the requested output parser. Returns the result and the
    /// warnings.
    ///
    /// # Errors
    /// Returns the reason why the text does not match the requested output.
    pub fn parse_output(&self, text: &str) -> Result<(Value, Vec<String>), OutputError> {
        let warnings = RefCell::new(Vec::new());
        let render = |template: &str| {
            let (text, missing) = self.render_reply(template).map_err(OutputError)?;
            warnings.borrow_mut().extend(missing);
            Ok(text)
        };
        let Output { parser, schema, result_type, .. } = &self.output;
        let own_schema = result_type.as_ref().and_then(|result| result.schema.as_ref());
        let wrapper = result_type.as_ref().and_then(|result| result.wrapper);
        let schema = own_schema.or(schema.as_ref());
        let context = ParserContext {
            wrapper,
            warnings: Some(&warnings),
            ..ParserContext::new(schema, &render)
        };
        let value = parser.parse(text, &context)?;
        if let Some(result) = result_type {
            (result.check)(&value).map_err(OutputError)?;
        }
        Ok((value, warnings.into_inner()))
    }

    /// Renders a reply as a template. The template can use `data` but not partials, and the limits
    /// for prompts apply. Returns the text and a warning for each missing variable.
    fn render_reply(&self, source: &str) -> Result<(String, Vec<String>), String> {
        // These messages are logged, so they must not quote the reply.
        let describe = |problem: &TemplateProblem| {
            let TemplateProblem { line, column, message, .. } = problem;
            format!("line {line}, column {column}: {message}")
        };
        let template =
            Template::compile_with(source, &Partials::default()).map_err(|problems| {
                problems.iter().take(3).map(describe).collect::<Vec<_>>().join("; ")
            })?;
        let scope = Scope { data: &self.data, extra: &[] };
        let rendered = template.render(&scope, &Limits::default());
        let rendered = rendered.map_err(|problem| describe(&problem))?;
        let missing = rendered.missing.iter().map(|missing| {
            let (name, line, column) = (&missing.path, missing.line, missing.column);
            format!("`{name}` is not in data (line {line}, column {column} of the reply)")
        });
        let missing: Vec<String> = missing.collect();
        if self.strict_variables && !missing.is_empty() {
            return Err(missing.join("; "));
        }
        Ok((rendered.text, missing))
    }
}

/// Returns the targets of a request and of the requests of its tools, each with the path of its
/// model. `path` is that of the request, with a dot at its end.
fn find_targets<'a>(
    path: &str,
    (target, fallbacks): (Option<&'a Target>, &'a [Target]),
    tools: Option<&'a ToolPlan>,
) -> Vec<(String, &'a Target)> {
    let mut targets: Vec<_> =
        target.into_iter().map(|target| (format!("{path}model"), target)).collect();
    for (index, target) in fallbacks.iter().enumerate() {
        targets.push((format!("{path}fallbacks[{index}].model"), target));
    }
    for (index, planned) in tools.into_iter().flat_map(|plan| &plan.tools).enumerate() {
        if let ToolRun::Request(plan) = &planned.run {
            let path = format!("{path}tools[{index}].run.request.");
            let own = (Some(&plan.target), &*plan.fallbacks);
            targets.extend(find_targets(&path, own, plan.tools.as_deref()));
        }
    }
    targets
}

/// Returns an error if the request refers to a hosted config. Its other fields are not checked,
/// because the config may provide the missing ones.
fn pointer_error(request: &Request) -> Option<Error> {
    let Request { key, bucket, version, url, .. } = request;
    let fields = [("key", key), ("bucket", bucket), ("version", version), ("url", url)];
    let present = fields.iter().filter(|(_, value)| value.is_some());
    let text = "refers to a hosted config, which only Client::run and the Lambda function fetch";
    let problems: Vec<Problem> = present.map(|(name, _)| Problem::request(*name, text)).collect();
    (!problems.is_empty()).then(|| Error::from_problems(problems))
}

/// Rejects an `idempotencyKey`. Where the key is supported, the Lambda function removes the field
/// before it runs the request.
fn check_idempotency_key(key: Option<&str>, mode: Mode, problems: &mut Problems) {
    match key {
        None => {}
        Some("") => problems.add("idempotencyKey", "is empty; expected a non-empty string"),
        Some(_) if mode == Mode::DryRun => {}
        Some(_) => problems.add(
            "idempotencyKey",
            "is supported only in direct and HTTP calls to a function with the setting \
             RESULT_PREFIX, not in records or hosted configs",
        ),
    }
}

/// Renders the valid part of a rejected request's prompt, so that template problems and missing
/// variables are reported together with the other problems.
fn add_render_problems(
    prompt: &Prompt,
    values: TemplateValues<'_>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) {
    let is_template_value =
        |path: &str| ["data", "schema"].iter().any(|field| path.starts_with(field));
    if problems.iter().any(|problem| is_template_value(&problem.path)) {
        return;
    }
    let mut chat = RenderedChat::default();
    problems.extend(prompt.render(&mut chat, values, &Limits::default()));
    warnings.append(&mut chat.warnings);
}

fn parse_returns(written: Option<&str>, mode: Mode, problems: &mut Problems) -> Returns {
    match written {
        None | Some("result") => Returns::Result,
        Some("full") if mode == Mode::DryRun => Returns::Result,
        Some("full") => Returns::Full,
        Some(other) => {
            let text = format!("expected \"result\" or \"full\", got {}", json::quoted(other));
            problems.add("return", text);
            Returns::Result
        }
    }
}
