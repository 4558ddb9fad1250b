//! Validates a request into a [`Plan`]. All problems of a request are reported together.

mod chain;
mod cost_limit;
mod destination;
mod handed_back;
mod messages;
mod options;
mod output;
mod problems;
mod render;
mod request_form;
mod rules;
mod schema;
mod scope;
mod stream_format;
mod tags;
mod target;
mod tools;

use std::cell::{Cell, RefCell};
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

pub use chain::ChainStep;
pub(crate) use chain::{DataPath, EachItem, Repeat};
pub(crate) use destination::check_origins;
pub(crate) use handed_back::{
    HandedBackConversation, MAX_CONVERSATION_BYTES, MAX_RESULT_BYTES, result_text, text_or_ok,
};
pub use messages::Prompt;
pub use output::Output;
pub use render::RenderedChat;
pub(crate) use request_form::{RequestForm, StructureMethod};
pub use rules::{InvalidModelPatterns, ModelPatterns, Rules, ToolRules};
pub use schema::{config_schema, request_schema_with};
pub(crate) use scope::{INDEX, ITEM, ITERATION, LAST_RESULT, PREVIOUS, RESULTS, StepScope};
pub use stream_format::StreamFormat;
pub use tags::is_tag;
pub use target::Target;
pub(crate) use tools::{ConvertArguments, ProgramFunction};

use crate::chat::Tags;
use crate::destination::ParsedDestination;
use crate::error::{Error, ErrorKind, Problem};
use crate::function_name::FunctionName;
use crate::json;
#[cfg(feature = "schemars")]
use crate::parsers::ResultType;
use crate::parsers::{Context as ParserContext, OutputError};
use crate::prompt::{Limits, Partials, Template, VariableUse};
use crate::providers::PriceList;
use crate::request::{ParsedRequest, Request, problem_of_warning};
use crate::trace::TraceParent;
use chain::ChainContext;
use problems::Problems;
use render::TemplateValues;
use tools::ToolContext;

/// The tools of a request.
pub(crate) type ToolPlan = tools::ToolPlan<Plan>;
/// The steps of a chain, or the place of a plan in one.
pub(crate) type ChainPlan = chain::ChainPlan<Plan>;
/// A step of a chain.
pub(crate) type StepPlan = chain::StepPlan<Plan>;
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

/// The path of a step with a pinned config, and the `data` that the author of the step wrote.
pub(crate) type WrittenData = (String, Arc<Map<String, Value>>);

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
    /// The request is a step of a chain, inside of `depth` requests.
    Step { depth: usize },
}

impl Mode {
    /// Returns the number of requests around the request.
    fn depth(self) -> usize {
        match self {
            Mode::Run | Mode::DryRun => 0,
            Mode::Nested { depth } | Mode::Step { depth } => depth,
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
    /// The variables that templates can use. Copies of the plan share them.
    pub data: Arc<Map<String, Value>>,
    /// The part of `data` that the author of a step wrote, if the step has a pinned config. Set
    /// once the plan is built, from the configs that its requests point to.
    written_data: OnceLock<Arc<Map<String, Value>>>,
    /// The tools that the model may call. Steps of a chain share them.
    pub(crate) tools: Option<Arc<ToolPlan>>,
    /// The steps of a chain, or the place in one. Boxed, because most requests have neither.
    pub(crate) chain: Option<Box<ChainPlan>>,
    /// Maximum cost of the request in US dollars.
    pub(crate) max_cost: Option<f64>,
    /// The labels of the request.
    pub(crate) tags: Option<Tags>,
    /// What the request returns to its caller.
    pub returns: Returns,
    /// The format of the stream that the caller asks for, if any.
    pub stream: Option<StreamFormat>,
    /// Whether to validate and render the request without calling a provider.
    pub dry_run: bool,
    /// Whether a missing template variable is an error.
    pub strict_variables: bool,
    /// Whether every warning about the request is an error before the call that it concerns.
    pub strict: bool,
    /// Whether messages do not suggest names of variables, which can be those of a pinned config.
    pub(crate) hides_names: bool,
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
        Plan::validate(parsed, rules, Mode::Run, false).map_err(|rejected| rejected.error)
    }

    /// Parses and validates a request.
    ///
    /// # Errors
    /// The same as for [`Plan::new`].
    pub fn from_value(request: Value, rules: &Rules) -> Result<Plan, Error> {
        Plan::new(ParsedRequest::from_value(request), rules)
    }

    /// Validates a parsed request in the given mode. Unlike [`Plan::new`], returns the warnings
    /// even if the request is rejected. With `hides_names`, messages do not suggest the names of
    /// variables.
    pub(crate) fn validate(
        parsed: ParsedRequest,
        rules: &Rules,
        mode: Mode,
        hides_names: bool,
    ) -> Result<Plan, RejectedRequest> {
        let ParsedRequest { request, mut problems, mut warnings } = parsed;
        let stream = stream_format::parse(&request, &mut problems);
        check_traceparent(request.traceparent.as_deref(), &mut warnings);
        let is_strict = is_strict(&request, rules);
        let step_count = Cell::new(0);
        let step_count = &step_count;
        let context = BuildContext { rules, mode, step_count, tools: None, hides_names };
        match Plan::build(request, Problems::new(problems), &context, &mut warnings, None) {
            Ok(mut plan) => {
                plan.warnings = warnings;
                plan.stream = stream;
                Ok(plan)
            }
            Err(error) if is_strict && !error.problems().is_empty() => {
                let warnings = warnings.into_iter().map(problem_of_warning);
                let problems = error.problems().iter().cloned().chain(warnings);
                let error = Error::from_problems(problems.collect());
                Err(RejectedRequest { error, warnings: Vec::new() })
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
    /// request has no plan. For a step, adds the variables of its templates to `variables`.
    fn build(
        mut request: Request,
        problems: Problems,
        context: &BuildContext<'_>,
        warnings: &mut Vec<String>,
        variables: Option<&mut Vec<VariableUse>>,
    ) -> Result<Plan, Error> {
        let BuildContext { rules, mode, hides_names, .. } = *context;
        let mut problems = check_shape(&request, problems)?;
        check_idempotency_key(request.idempotency_key.as_deref(), mode, &mut problems);
        let destination =
            destination::parse_destination(request.destination.as_deref(), rules, &mut problems)
                .filter(|_| mode == Mode::Run);
        if is_chain(&request, &problems) {
            return Plan::build_chain(request, problems, destination, context, warnings);
        }
        chain::reject_without_steps(&request, &mut problems);
        let (target, fallbacks) = target::check_targets(&mut request, rules, &mut problems);
        let targets = (target.as_ref(), &*fallbacks);
        let tools = context.check_tools(&mut request, targets, &mut problems, warnings);
        let max_cost = cost_limit::check_max_cost(&request, &mut problems);
        if max_cost.is_some() {
            check_prices(find_targets("", targets, tools.as_deref(), &[]), rules, &mut problems);
        }
        let tags = tags::check_tags(request.tags.as_ref(), &mut problems);
        let (strict, strict_variables) = strictness(&request, rules);
        let prompt = messages::compile_prompt(request.message, &mut problems);
        if let Some(variables) = variables {
            let (Ok(prompt) | Err(prompt)) = &prompt;
            *variables = prompt.variables();
        }
        let returns = parse_returns(request.returns.as_deref(), mode, &mut problems);
        let schema = request.schema.map(Value::Object).map(Arc::new);
        let output = output::check_output(
            &rules.parsers,
            request.output.as_deref().unwrap_or("string"),
            request.output_options.unwrap_or_default(),
            schema.clone(),
            &mut problems,
            warnings,
        );
        let data = request.data.unwrap_or_default();
        let (target, prompt, output) = match (target, prompt, output) {
            (Some(target), Ok(prompt), Some(output)) if problems.is_empty() => {
                (target, prompt, output)
            }
            // The variables of a step are known only when it runs.
            _ if matches!(mode, Mode::Step { .. }) => return Err(problems.into_error()),
            (_, Ok(prompt) | Err(prompt), _) => {
                let (data, schema, scope) = (&data, schema.as_deref(), None);
                let strict = strict_variables;
                let values = TemplateValues { data, schema, scope, strict, hides_names };
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
            data: Arc::new(data),
            written_data: OnceLock::new(),
            tools,
            chain: None,
            max_cost,
            tags,
            returns,
            stream: None,
            dry_run: mode == Mode::DryRun || request.dry_run.unwrap_or(false),
            strict_variables,
            strict,
            hides_names,
            destination,
            warnings: Vec::new(),
        })
    }

    /// Builds the plan of a request with steps. Its target and its output are those of steps.
    fn build_chain(
        mut request: Request,
        mut problems: Problems,
        destination: Option<ParsedDestination>,
        context: &BuildContext<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Plan, Error> {
        let BuildContext { rules, mode, step_count, .. } = *context;
        let depth = mode.depth();
        reject_with_steps(&mut request, &mut problems);
        chain::warn_data(request.data.as_ref(), warnings);
        chain::check_concurrency(request.concurrency, "concurrency".to_owned(), &mut problems);
        let in_step = BuildContext { mode: Mode::Step { depth: depth + 1 }, ..*context };
        let tools = in_step.check_tools(&mut request, (None, &[]), &mut problems, warnings);
        let in_step = BuildContext { tools: tools.as_ref(), ..in_step };
        let build = |parsed: ParsedRequest,
                     warnings: &mut Vec<String>,
                     variables: &mut Vec<VariableUse>| {
            let ParsedRequest { request, problems, warnings: found } = parsed;
            warnings.extend(found);
            Plan::build(request, Problems::new(problems), &in_step, warnings, Some(variables))
        };
        let steps = request.steps.take().unwrap_or_default();
        let steps = chain::check_steps(
            steps,
            &ChainContext {
                depth,
                outer: &request,
                tools: tools.as_ref(),
                rules,
                hides_names: context.hides_names,
                count: step_count,
                build: &build,
            },
            &mut problems,
            warnings,
        );
        let tags = tags::check_tags(request.tags.as_ref(), &mut problems);
        let (strict, strict_variables) = strictness(&request, rules);
        let max_cost = cost_limit::check_max_cost(&request, &mut problems);
        if max_cost.is_some() {
            let targets = find_targets("", (None, &[]), tools.as_deref(), &steps);
            check_prices(targets, rules, &mut problems);
        }
        let returns = parse_returns(request.returns.as_deref(), mode, &mut problems);
        let (Some(first), Some(last), true) = (steps.first(), steps.last(), problems.is_empty())
        else {
            return Err(problems.into_error());
        };
        destination::check_allowed(destination.as_ref(), rules)?;
        Ok(Plan {
            target: first.plan.target.clone(),
            fallbacks: Vec::new(),
            prompt: Prompt::of_steps(steps.iter().map(|step| &step.plan.prompt)),
            output: last.plan.output.clone(),
            schema: None,
            data: Arc::new(request.data.unwrap_or_default()),
            written_data: OnceLock::new(),
            tools,
            max_cost,
            tags,
            returns,
            stream: None,
            dry_run: mode == Mode::DryRun || request.dry_run.unwrap_or(false),
            strict_variables,
            strict,
            hides_names: context.hides_names,
            destination,
            warnings: Vec::new(),
            chain: Some(Box::new(ChainPlan { steps: steps.into(), scope: None })),
        })
    }

    /// Returns the steps of a chain, and which step waits for which. The list is empty if the
    /// request has no steps.
    pub fn chain_steps(&self) -> Vec<ChainStep> {
        chain::describe_steps(self.steps(), &Plan::chain_steps)
    }

    /// Returns the steps of a chain. They are empty if the plan is not a chain.
    pub(crate) fn steps(&self) -> &[StepPlan] {
        self.chain.as_ref().map_or(&[], |chain| &chain.steps)
    }

    /// Returns the variables of the chain around the plan, if it runs as a step.
    pub(crate) fn scope(&self) -> Option<&StepScope> {
        self.chain.as_ref()?.scope.as_deref()
    }

    /// Sets the variables of the chain around the plan.
    pub(crate) fn set_scope(&mut self, scope: StepScope) {
        let new = || Box::new(ChainPlan { steps: Arc::new([]), scope: None });
        self.chain.get_or_insert_with(new).scope = Some(Arc::new(scope));
    }

    /// Returns the `data` that the author of a step can use in its paths and conditions: without
    /// that of a pinned config, which the author may not see.
    pub(crate) fn step_data(&self) -> &Map<String, Value> {
        self.written_data.get().map_or(&self.data, |data| data)
    }

    /// Sets the `data` that the authors of steps wrote, for steps with a pinned config. Each is
    /// listed with the path of its step. `path` is that of this request, with a dot at its end.
    pub(crate) fn set_written_data(&self, path: &str, written: &[WrittenData]) {
        for (index, step) in self.steps().iter().enumerate() {
            let step_path = format!("{path}steps[{index}]");
            let data = written.iter().find(|(known, _)| *known == step_path);
            if let Some((_, data)) = data {
                step.plan.written_data.get_or_init(|| Arc::clone(data));
            }
            step.plan.set_written_data(&format!("{step_path}."), written);
        }
        let tools = self.tools.iter().flat_map(|plan| &plan.tools).enumerate();
        for (index, planned) in tools {
            if let ToolRun::Request(plan) = &planned.run {
                plan.set_written_data(&format!("{path}tools[{index}].run.request."), written);
            }
        }
    }

    /// Renders a condition of a step: it is true unless it renders to nothing, `false`, `no` or
    /// `0`. Adds warnings about missing variables to the list. `data` are the variables of the step
    /// itself.
    ///
    /// # Errors
    /// `PromptInvalid` if the template cannot be rendered, or if variables are missing in strict
    /// mode.
    pub(crate) fn is_true(
        &self,
        condition: &Template,
        (scope, data): (&StepScope, &Map<String, Value>),
        warnings: &mut Vec<String>,
    ) -> Result<bool, Error> {
        let is_pinned = self.written_data.get().is_some();
        let schema = self.schema.as_deref().filter(|_| !is_pinned);
        let values = TemplateValues { data, schema, scope: Some(scope), ..self.values() };
        let rendered = render::render_text(condition, values, "", warnings);
        let text = rendered.map_err(|text| Error::new(ErrorKind::PromptInvalid, text))?;
        let text = text.trim();
        let is_false = ["", "false", "no", "0"].iter().any(|word| text.eq_ignore_ascii_case(word));
        Ok(!is_false)
    }

    fn values(&self) -> TemplateValues<'_> {
        TemplateValues {
            data: &self.data,
            schema: self.schema.as_deref(),
            scope: self.scope(),
            strict: self.strict_variables,
            hides_names: self.hides_names,
        }
    }

    /// Checks that the price of each model is known, if the cost of the request is limited.
    ///
    /// # Errors
    /// `InvalidRequest` with the path of each model whose price is not known.
    pub(crate) fn check_prices(&self, prices: &PriceList) -> Result<(), Error> {
        if self.max_cost.is_none() {
            return Ok(());
        }
        let mut problems = Problems::new(Vec::new());
        let own: (_, &[Target]) = match self.chain {
            Some(_) => (None, &[]),
            None => (Some(&self.target), &self.fallbacks),
        };
        let targets = find_targets("", own, self.tools.as_deref(), self.steps());
        for (path, target) in targets {
            cost_limit::check_price(path, target, prices, &mut problems);
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.into_error()) }
    }

    /// Returns the Lambda functions that the tools of this request and of the requests in its tools
    /// may call, each with the path of its name.
    pub(crate) fn tool_functions(&self) -> Vec<(String, &FunctionName)> {
        let mut functions = Vec::new();
        for (index, step) in self.steps().iter().enumerate() {
            let inner = step.plan.tool_functions().into_iter();
            // The path of an inherited tool is that of the tool of the chain.
            let is_own = |path: &str| !step.inherits_tools || !path.starts_with("tools[");
            let own = inner.filter(|(path, _)| is_own(path));
            functions.extend(own.map(|(path, name)| (format!("steps[{index}].{path}"), name)));
        }
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

    /// Returns the number of levels of nested requests, this one included.
    pub(crate) fn depth(&self) -> usize {
        let tools = self.tools.iter().flat_map(|plan| &plan.tools);
        let inner = tools.map(|planned| match &planned.run {
            ToolRun::Request(plan) => plan.depth(),
            _ => 0,
        });
        let steps = self.steps().iter().map(|step| step.plan.depth());
        1 + inner.chain(steps).max().unwrap_or(0)
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
        let mut problems = self.prompt.render(chat, self.values(), limits);
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
        let template =
            Template::compile_with(source, &Partials::default()).map_err(|problems| {
                problems.iter().take(3).map(render::describe).collect::<Vec<_>>().join("; ")
            })?;
        let mut warnings = Vec::new();
        // The schema is not a variable of a reply.
        let values = TemplateValues { schema: None, ..self.values() };
        let text = render::render_text(&template, values, " of the reply", &mut warnings)?;
        Ok((text, warnings))
    }
}

/// What the validation of a request depends on, besides the request.
#[derive(Clone, Copy)]
struct BuildContext<'a> {
    rules: &'a Rules,
    mode: Mode,
    /// The number of steps so far, those of nested chains included.
    step_count: &'a Cell<usize>,
    /// The tools that a step inherits.
    tools: Option<&'a Arc<ToolPlan>>,
    /// Whether messages do not suggest names of variables.
    hides_names: bool,
}

impl BuildContext<'_> {
    /// Validates the tools of a request, whose targets are known.
    fn check_tools(
        &self,
        request: &mut Request,
        (target, fallbacks): (Option<&Target>, &[Target]),
        problems: &mut Problems,
        warnings: &mut Vec<String>,
    ) -> Option<Arc<ToolPlan>> {
        let depth = self.mode.depth();
        let build = |parsed: ParsedRequest, warnings: &mut Vec<String>| {
            let ParsedRequest { request, problems, warnings: found } = parsed;
            warnings.extend(found);
            let mode = Mode::Nested { depth: depth + 1 };
            let context = BuildContext { mode, tools: None, ..*self };
            Plan::build(request, Problems::new(problems), &context, warnings, None)
        };
        let inherited = self.tools;
        let depth_of = Plan::depth;
        let context = ToolContext { depth, target, fallbacks, inherited, depth_of, build: &build };
        tools::check_tools(request, &context, problems, warnings)
    }
}

/// Returns whether a request has steps, even if they are of the wrong type.
fn is_chain(request: &Request, problems: &Problems) -> bool {
    request.steps.is_some() || problems.iter().any(|problem| problem.path == "steps")
}

/// Rejects fields that belong to a step, and those of a conversation.
fn reject_with_steps(request: &mut Request, problems: &mut Problems) {
    let Request { message, output, output_options, schema, .. } = request;
    for (name, is_set) in [
        ("message", message.is_some()),
        ("output", output.is_some()),
        ("outputOptions", output_options.is_some()),
        ("schema", schema.is_some()),
    ] {
        if is_set {
            problems.add(name, "can't be combined with steps; set it in a step");
        }
    }
    for (name, is_set) in [
        ("conversation", request.conversation.take().is_some()),
        ("continue", request.continues.take().is_some()),
        ("toolResults", request.tool_results.take().is_some()),
    ] {
        if is_set {
            problems.add(name, "can't be combined with steps, whose tools are not handed back");
        }
    }
}

fn check_prices(targets: Vec<(String, &Target)>, rules: &Rules, problems: &mut Problems) {
    for (path, target) in targets {
        cost_limit::check_price(path, target, &rules.prices, problems);
    }
}

/// Returns the targets of a request and of the requests of its tools and steps, each with the path
/// of its model. `path` is that of the request, with a dot at its end.
fn find_targets<'a>(
    path: &str,
    (target, fallbacks): (Option<&'a Target>, &'a [Target]),
    tools: Option<&'a ToolPlan>,
    steps: &'a [StepPlan],
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
            targets.extend(find_targets(&path, own, plan.tools.as_deref(), plan.steps()));
        }
    }
    for (index, step) in steps.iter().enumerate() {
        let (path, plan) = (format!("{path}steps[{index}]."), &step.plan);
        let own = (Some(&plan.target), &*plan.fallbacks);
        let tools = plan.tools.as_deref().filter(|_| !step.inherits_tools);
        targets.extend(find_targets(&path, own, tools, plan.steps()));
    }
    targets
}

/// Returns an error if the fields of a request cannot be checked.
fn check_shape(request: &Request, problems: Problems) -> Result<Problems, Error> {
    // A problem with an empty path means that the request is not an object or has too many
    // problems.
    if problems.iter().any(|problem| problem.path.is_empty()) {
        return Err(problems.into_error());
    }
    match pointer_error(request) {
        Some(error) => Err(error),
        None => Ok(problems),
    }
}

/// Returns whether every warning about a request is an error.
fn is_strict(request: &Request, rules: &Rules) -> bool {
    rules.strict || request.strict.unwrap_or(false)
}

/// Returns whether every warning about a request is an error, and whether a missing template
/// variable is one.
fn strictness(request: &Request, rules: &Rules) -> (bool, bool) {
    let strict = is_strict(request, rules);
    let strict_variables = request.strict_variables.unwrap_or(false);
    (strict, strict || rules.strict_variables || strict_variables)
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

/// Warns of a `traceparent` that is not valid. As W3C Trace Context requires, a new trace starts.
fn check_traceparent(text: Option<&str>, warnings: &mut Vec<String>) {
    if let Some(Err(error)) = text.map(str::parse::<TraceParent>) {
        let received = json::quoted(text.unwrap_or_default());
        warnings.push(format!("traceparent was ignored: {error}, got {received}"));
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
