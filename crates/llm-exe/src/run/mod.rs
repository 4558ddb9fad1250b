//! Runs a request: validates it, renders the prompt, calls the providers and checks the reply.

mod call_provider;
mod chain;
mod check_reply;
mod checkpoint;
mod context;
mod continuation;
mod conversation;
mod cost_limit;
mod events;
mod fallbacks;
mod learned;
mod observer;
mod outcome;
mod quote;
mod read_response;
mod report;
mod schema_prompt;
mod secrets;
mod spans;
mod step_queue;
mod stored_prices;
mod tool_arguments;
mod tool_loop;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::{Either, select};
use serde_json::Value;

pub use context::{
    CallerContext, Context, ContinuedConversation, HandBackPolicy, UNKNOWN_CONVERSATION,
};
pub use events::{EventSink, RunEvent, StreamRequest};
pub use learned::RequestChange;
pub use observer::{Observer, Turn};
pub use outcome::Run;
pub use report::{Durations, FailedTarget, Report, StepReport, ToolRunReport};

use crate::deadline::Deadline;
use crate::endpoints::Endpoints;
use crate::error::{Error, ErrorKind, Problem};
use crate::hosted::{self, NestedOrigin, Origin, Resolved};
use crate::json::{find_field, quoted};
use crate::plan::{
    HandedBackConversation, Mode, Plan, RejectedRequest, RenderedChat, Rules, Target, ToolPlan,
    ToolRules, WrittenData, check_origins,
};
use crate::ports::{
    DocumentStore, FunctionCall, FunctionInvoker, Keys, NoSigner, PortFuture, ProgressStore,
    Secret, Signer,
};
use crate::prompt::Limits;
use crate::providers::PriceBook;
use crate::request::{ParsedRequest, problem_of_warning};
use crate::transport::{HttpClient, HttpTransport, Transport};
use call_provider::ProviderClient;
use checkpoint::{Checkpoints, StoredStart, StoredTurn, request_hash};
use conversation::{Conversation, name_target};
use fallbacks::StartedWith;
use step_queue::StepQueue;
use stored_prices::{StoredPrices, limits_cost};
use tool_loop::ToolRunner;

/// Runs requests in the form in which they arrive. Most programs use a
/// [`Client`](crate::Client), which owns a runner. Create one runner per process, because it owns
/// the HTTP connections.
#[derive(Clone)]
pub struct Runner {
    client: ProviderClient,
    rules: Rules,
    documents: Option<Arc<dyn DocumentStore>>,
    functions: Option<Arc<dyn FunctionInvoker>>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Runner {
    /// Creates a runner that calls providers at `endpoints` with API keys from `keys`, subject
    /// to the operator's rules.
    pub fn new(endpoints: Endpoints, keys: Arc<dyn Keys>, rules: Rules) -> Self {
        let transport = Transport::new(Arc::new(NoSigner));
        let learned = (!rules.strict_options).then(Arc::default);
        let steps = StepQueue::default();
        let prices = Arc::new(PriceBook::new(rules.prices.clone()));
        let stored_prices = None;
        let client =
            ProviderClient { endpoints, keys, transport, learned, steps, prices, stored_prices };
        Runner { client, rules, documents: None, functions: None }
    }

    /// Sets the signer for requests to AWS. Calls to Amazon Bedrock require a signer.
    #[must_use]
    pub fn with_signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.client.transport = self.client.transport.with_signer(signer);
        self
    }

    /// Sets the HTTP client, to share its connections with other code.
    #[must_use]
    pub fn with_http(mut self, client: HttpClient) -> Self {
        self.client.transport = self.client.transport.with_http(client);
        self
    }

    /// Sends the requests to providers with another HTTP client.
    #[must_use]
    pub fn with_http_transport(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.client.transport = self.client.transport.with_http_transport(transport);
        self
    }

    /// Sets the store from which hosted configs are fetched, and the prices of
    /// [`PriceList::stored_at`](crate::PriceList::stored_at). Wrap the store in
    /// [`CachedDocuments`](crate::hosted::CachedDocuments) to cache the fetched documents.
    #[must_use]
    pub fn with_documents(mut self, documents: Arc<dyn DocumentStore>) -> Self {
        let Rules { prices, providers, .. } = &self.rules;
        let stored_prices = StoredPrices::new(prices, providers, Arc::clone(&documents));
        self.client.stored_prices = stored_prices.map(Arc::new);
        Runner { documents: Some(documents), ..self }
    }

    /// Sets the invoker of the Lambda functions that tools call.
    #[must_use]
    pub fn with_functions(self, functions: Arc<dyn FunctionInvoker>) -> Self {
        Runner { functions: Some(functions), ..self }
    }

    /// Returns the operator's rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Runs a request. If the request refers to a hosted config, the config is fetched first.
    pub fn run(
        &self,
        context: impl Into<Context>,
        request: Value,
    ) -> impl Future<Output = Run> + Send {
        // The future of an `async fn` would contain the context twice.
        let mut context = context.into();
        async move { self.run_request(&mut context, request, Mode::Run).await }
    }

    /// Runs a request as [`Runner::run`] does. If the future panics or is dropped,
    /// [`Context::abort`] ends the run with a report of what it used so far. A context is used for
    /// one run only.
    pub fn run_in(
        &self,
        context: &mut Context,
        request: Value,
    ) -> impl Future<Output = Run> + Send {
        self.run_request(context, request, Mode::Run)
    }

    /// Validates and renders a request as [`Runner::run`] would, without calling a provider.
    ///
    /// Unlike the request field `dryRun`, this method also works for pinned hosted configs. Its
    /// caller must therefore be allowed to see the rendered prompt.
    pub async fn dry_run(&self, context: impl Into<Context>, request: Value) -> Run {
        self.run_request(&mut context.into(), request, Mode::DryRun).await
    }

    /// Validates a request as [`Runner::dry_run`] does and returns the plan, for programs that show
    /// the prompt itself and not the request to the provider. The caller must be allowed to see it.
    ///
    /// # Errors
    /// The same as for [`Plan::new`], and those of fetching a hosted config.
    pub async fn plan(&self, context: impl Into<Context>, request: Value) -> Result<Plan, Error> {
        let mut context = context.into();
        let resolved = self.resolve(&mut context, request).await?;
        let ResolvedRequest { request, warnings, origins, pinned_steps, .. } = resolved;
        self.load_prices(&request, context.deadline).await?;
        let mut parsed = ParsedRequest::from_value(request);
        parsed.warnings.splice(0..0, warnings);
        let plan = Plan::validate(parsed, &self.rules, Mode::DryRun, false);
        let plan = plan.map_err(|rejected| label(rejected.error, &origins))?;
        plan.set_written_data("", &pinned_steps);
        Ok(plan)
    }

    /// Runs a validated request. The operator's rules for tools apply to it as to
    /// [`Runner::run`].
    pub async fn run_plan(&self, context: impl Into<Context>, plan: &Plan) -> Run {
        let mut context = context.into();
        let span = spans::start_run(&mut context);
        let outcome = self.run_for_reader(&mut context, plan, &[]).await;
        let run = context.finish(outcome);
        spans::end_run(span, &run);
        run
    }

    async fn run_request(&self, context: &mut Context, request: Value, mode: Mode) -> Run {
        let span = spans::start_run(context);
        let run = self.resolve_and_run(context, request, mode).await;
        spans::end_run(span, &run);
        run
    }

    async fn resolve_and_run(&self, context: &mut Context, request: Value, mode: Mode) -> Run {
        if mode == Mode::Run {
            self.preload(&request);
        }
        let resolved = match self.resolve(context, request).await {
            Ok(resolved) => resolved,
            Err(error) => {
                context.report.durations.config = context.started.elapsed();
                return context.take_run(Err(error));
            }
        };
        let ResolvedRequest { request, warnings, is_pinned, origins, pinned_steps } = resolved;
        let conversation = match context.conversation.take() {
            None => None,
            Some(stored) => {
                let own = context.report.config.as_ref().filter(|_| is_pinned);
                if own.map(|source| &*source.location) != stored.pinned_config.as_deref() {
                    let error = Error::invalid("continue", UNKNOWN_CONVERSATION);
                    return context.take_run(Err(error));
                }
                Some(stored.conversation)
            }
        };
        if let Err(error) = self.load_prices(&request, context.deadline).await {
            return context.take_run(Err(error));
        }
        // Only requests with several turns have progress to store.
        if context.progress_store.is_some() && has_nested(&request) {
            context.request_hash = Some(request_hash(&request));
        }
        let report = &context.report;
        let hides_names = mode == Mode::Run && (report.is_pinned || report.has_pinned_tools);
        let validate = || {
            let mut parsed = ParsedRequest::from_value(request);
            parsed.warnings.splice(0..0, warnings);
            if conversation.is_some() {
                parsed.request.conversation = conversation;
            }
            let plan = Plan::validate(parsed, &self.rules, mode, hides_names)?;
            plan.set_written_data("", &pinned_steps);
            Ok(plan)
        };
        let plan = self.client.steps.run(validate).await;
        let run = self.run_with_origins(context, plan, &origins).await;
        match origins.is_empty() {
            true => run,
            false => Run { outcome: run.outcome.map_err(|error| label(error, &origins)), ..run },
        }
    }

    /// Fetches the operator's prices, if the request limits its cost.
    async fn load_prices(&self, request: &Value, deadline: Deadline) -> Result<(), Error> {
        match &self.client.stored_prices {
            Some(prices) if prices.are_missing() && limits_cost(request) => {
                Box::pin(prices.load(deadline)).await
            }
            _ => Ok(()),
        }
    }

    /// Checks that the calls of tools can be handed back, and that the operator allows the Lambda
    /// functions that tools call. `origins` are the hosted configs of the request and its tools.
    fn check_tools(
        &self,
        plan: &Plan,
        context: &Context,
        origins: &[NestedOrigin],
    ) -> Result<(), Error> {
        if plan.tools.is_none() && plan.steps().is_empty() {
            return Ok(());
        }
        let no_caller = match context.hand_back {
            HandBackPolicy::ToCaller if context.report.is_pinned => Some("a pinned config"),
            HandBackPolicy::Never => Some("a record"),
            _ => None,
        };
        if let (Some(source), Some(tools)) = (no_caller, &plan.tools) {
            check_hand_back(tools, source, context)?;
        }
        let ToolRules { functions: allowed, from_http } = &self.rules.tools;
        let CallerContext { is_http, function: own, .. } = &context.caller;
        let own = own.as_ref();
        let mut problems = Vec::new();
        for (path, name) in plan.tool_functions() {
            let shown = quoted(&name.name);
            let text = if *is_http && !from_http && !is_from_config(&path, origins) {
                "HTTP callers may not name Lambda functions; put the tool into a hosted config, or \
                 set TOOLS_FROM_HTTP=true"
                    .to_owned()
            } else if own.is_some_and(|own| own.is_same_function(name, Some(own))) {
                format!("{shown} is this function itself, which would be an endless recursion")
            } else if !allowed.iter().any(|pattern| pattern.includes(name, own)) {
                format!("the function {shown} is not allowed; add it to the setting TOOL_FUNCTIONS")
            } else {
                continue;
            };
            problems.push(Problem::request(path, text));
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(Error::from_problems(problems)),
        }
    }

    /// Replaces the pointers of a request and of its tools with the hosted configs.
    async fn resolve(
        &self,
        context: &mut Context,
        request: Value,
    ) -> Result<ResolvedRequest, Error> {
        let store = self.documents.as_deref();
        let (rules, place) = (&self.rules.hosted, &mut context.report.config_place);
        let resolved = hosted::resolve(request, store, rules, context.deadline, place).await?;
        let Resolved { mut request, hosted, is_pinned, mut warnings } = resolved;
        let (mut origins, mut pinned_steps) = (Vec::new(), Vec::new());
        if let Some((source, origin)) = hosted {
            context.report.durations.config = context.started.elapsed();
            context.report.config = Some(source);
            context.report.is_pinned = is_pinned;
            origins.push((String::new(), origin));
        }
        if has_nested(&request) {
            let source = context.report.config.as_ref();
            let deadline = context.deadline;
            let nested = hosted::resolve_nested(&mut request, source, store, rules, deadline);
            // The future is boxed, because most requests have neither.
            let nested = Box::pin(nested).await?;
            context.report.has_pinned_tools = nested.has_pinned;
            origins.extend(nested.origins);
            pinned_steps = nested.pinned_steps;
            warnings.extend(nested.warnings);
        }
        Ok(ResolvedRequest { request, warnings, is_pinned, origins, pinned_steps })
    }

    /// Runs a plan, or reports why there is none.
    pub(crate) fn run_validated(
        &self,
        mut context: Context,
        plan: Result<Plan, RejectedRequest>,
    ) -> PortFuture<'_, Run> {
        Box::pin(async move {
            let span = spans::start_run(&mut context);
            let run = self.run_with_origins(&mut context, plan, &[]).await;
            spans::end_run(span, &run);
            run
        })
    }

    /// Runs a plan, or reports why there is none. `origins` are the hosted configs of the request
    /// and its tools. The future is boxed, because it is large, and its type is erased, because the
    /// compiler checks whether a future is `Send` only to a limited depth: callers that nest it in
    /// many futures of their own would not compile.
    fn run_with_origins<'a>(
        &'a self,
        context: &'a mut Context,
        plan: Result<Plan, RejectedRequest>,
        origins: &'a [NestedOrigin],
    ) -> PortFuture<'a, Run> {
        Box::pin(async move {
            let outcome = match plan {
                // The plan is large, so it stays where it is.
                Ok(ref plan) => self.run_for_reader(context, plan, origins).await,
                Err(rejected) => {
                    context.report.warnings = rejected.warnings;
                    Err(rejected.error)
                }
            };
            context.take_run(outcome)
        })
    }

    /// Runs a plan until it ends, or until nothing reads the events of the run any more.
    async fn run_for_reader(
        &self,
        context: &mut Context,
        plan: &Plan,
        origins: &[NestedOrigin],
    ) -> Result<Value, Error> {
        context.events = context.events.take().filter(|events| events.accept(plan));
        let Some(events) = context.events.clone() else {
            return self.check_and_run(context, plan, origins).await;
        };
        // The futures are boxed, because most runs have no reader.
        let run = Box::pin(self.check_and_run(context, plan, origins));
        let outcome = match select(run, Box::pin(events.closed())).await {
            Either::Left((outcome, _)) => Some(outcome),
            Either::Right(_) => None,
        };
        if let Some(outcome) = outcome {
            return outcome;
        }
        if let Some(checkpoints) = context.checkpoints.take() {
            checkpoints.release(context.run_deadline).await;
        }
        context.end_cancelled_calls();
        context.report.is_cancelled = true;
        let text = "the run was cancelled, because the caller closed the stream";
        Err(Error::new(ErrorKind::ResultUnavailable, text))
    }

    /// Runs a plan if its tools follow the operator's rules. The check includes the requests of
    /// its tools, which therefore run without it.
    async fn check_and_run(
        &self,
        context: &mut Context,
        plan: &Plan,
        origins: &[NestedOrigin],
    ) -> Result<Value, Error> {
        if let Some(events) = &mut context.events {
            let Report { is_pinned, has_pinned_tools, .. } = context.report;
            events.hides_content = is_pinned || has_pinned_tools;
            // Otherwise, the result can be only a part of what the model writes.
            let is_whole_text = plan.output.parser.name() == "string" && !has_turns(plan);
            let has_pinned_steps = has_pinned_tools && !plan.steps().is_empty();
            events.hides_text = (is_pinned && !is_whole_text) || has_pinned_steps;
        }
        if let Err(error) = self.check_tools(plan, context, origins) {
            context.report.warnings.clone_from(&plan.warnings);
            return Err(error);
        }
        match (context.progress_store.take(), context.request_hash.take()) {
            (Some(store), Some(hash)) if has_turns(plan) && !plan.dry_run => {
                Box::pin(self.run_with_progress(context, plan, (&*store, &hash))).await
            }
            _ => self.call_targets(context, plan).await,
        }
    }

    /// Runs a plan whose turns are stored. No provider is called if that is not possible.
    async fn run_with_progress(
        &self,
        context: &mut Context,
        plan: &Plan,
        (store, request_hash): (&dyn ProgressStore, &str),
    ) -> Result<Value, Error> {
        let progress = store.open(request_hash, context.run_deadline).await?;
        let checkpoints = Checkpoints::new(progress);
        context.checkpoints = Some(checkpoints.clone());
        let outcome = self.call_targets(context, plan).await;
        checkpoints.release(context.run_deadline).await;
        outcome
    }

    async fn call_targets(&self, context: &mut Context, plan: &Plan) -> Result<Value, Error> {
        check_origins(plan.destination.as_ref(), &context.origins)?;
        context.report.set_plan(plan);
        if let Some(events) = &context.events {
            events.set_warning_count(context.report.warnings.len());
        } else if plan.stream.is_some() {
            let text = "stream: the result is returned in one piece, because this caller can't \
                        receive a stream";
            context.report.add_warnings(vec![text.to_owned()]);
        }
        context.is_strict = plan.strict;
        let mut chat = RenderedChat::default();
        let steps = &self.client.steps;
        if has_turns(plan) {
            context.share_state();
        }
        if let Some(usd) = plan.max_cost {
            context.limit_cost(usd);
        }
        if !plan.steps().is_empty() {
            reject_warnings(context, &[])?;
            return chain::run_chain(context, plan, self).await;
        }
        let continued = plan.tools.as_ref().and_then(|tools| tools.continued.as_ref());
        let mut stored = None;
        let started_with = if let Some(continued) = continued {
            chat.messages.clone_from(&continued.messages);
            let HandedBackConversation { provider, model, form, .. } = continued;
            Some(StartedWith { provider, model, form: *form })
        } else if let Some(start) = load_start(context, plan).await? {
            let StoredStart { provider, model, form, messages } = start;
            chat.messages = messages;
            let (provider, model) = stored.insert((provider, model));
            Some(StartedWith { provider, model, form: Some(form) })
        } else {
            let rendered = steps.run(|| plan.render_into(&mut chat, &Limits::default())).await;
            context.report.warnings.append(&mut chat.warnings);
            rendered?;
            None
        };
        let messages = chat.messages;
        let is_streamed = context.events.is_some();
        let prepare = || {
            let start = (messages, started_with);
            fallbacks::prepare(&self.client, plan, start, is_streamed, self)
        };
        let conversations = steps.run(prepare).await?;
        reject_warnings(context, &conversations)?;
        if plan.dry_run {
            for conversation in &conversations {
                context.report.add_warnings(conversation.warnings.clone());
            }
            return Ok(fallbacks::dry_run_result(&conversations));
        }
        fallbacks::run(context, conversations).await
    }

    /// Connects to the provider in the request and fetches its API key while the hosted config is
    /// being fetched.
    fn preload(&self, request: &Value) {
        let text = |name: &str| find_field(request, name).and_then(Value::as_str);
        if text("key").or_else(|| text("url")).is_none() {
            return;
        }
        if request.get("dryRun").and_then(Value::as_bool) == Some(true) {
            return;
        }
        let name = text("provider").or(text("providor"));
        if let Some((provider, _)) = name.and_then(|name| self.rules.providers.named(name)) {
            self.client.preload(&provider);
        }
    }
}

/// A request whose pointers have been replaced by the hosted configs.
struct ResolvedRequest {
    request: Value,
    warnings: Vec<String>,
    /// Whether the hosted config of the request itself is pinned.
    is_pinned: bool,
    /// The hosted configs, each with the path of the request that points to it.
    origins: Vec<NestedOrigin>,
    /// The steps with a pinned config.
    pinned_steps: Vec<WrittenData>,
}

/// Reads the start of a conversation with tools that an earlier run began.
async fn load_start(context: &Context, plan: &Plan) -> Result<Option<StoredStart>, Error> {
    let Some(checkpoints) = context.checkpoints.as_ref().filter(|_| plan.tools.is_some()) else {
        return Ok(None);
    };
    let name = StoredTurn::name(1);
    let first = Box::pin(checkpoints.load::<StoredTurn>(&name, context.deadline)).await?;
    Ok(first.and_then(|mut turn| turn.take_start()))
}

/// Returns the warnings about a strict request as an error, before its first call.
fn reject_warnings(context: &mut Context, conversations: &[Conversation<'_>]) -> Result<(), Error> {
    if !context.is_strict {
        return Ok(());
    }
    for conversation in conversations {
        context.report.add_warnings(conversation.warnings.clone());
    }
    let warnings = std::mem::take(&mut context.report.warnings);
    if warnings.is_empty() {
        return Ok(());
    }
    let logged = match warnings.len() {
        1 => "1 warning, which is an error in a strict request".to_owned(),
        count => format!("{count} warnings, which are errors in a strict request"),
    };
    let problems = warnings.into_iter().map(problem_of_warning);
    Err(Error::from_problems(problems.collect()).logged_as(logged))
}

/// Returns whether a request has tools or steps, which may be requests of their own.
fn has_nested(request: &Value) -> bool {
    // Comparing the few names of a request is faster than hashing those of rare fields.
    let mut names = request.as_object().into_iter().flat_map(|fields| fields.keys());
    names.any(|name| name == "tools" || name == "steps")
}

/// Returns whether a plan has several turns or steps, whose progress can be stored.
fn has_turns(plan: &Plan) -> bool {
    plan.tools.is_some() || !plan.steps().is_empty()
}

/// Adds the document and the line to the problems of fields that come from a hosted config.
fn label(error: Error, origins: &[NestedOrigin]) -> Error {
    origins.iter().fold(error, |error, (path, origin): &(String, Origin)| match &**path {
        "" => origin.label(error),
        path => origin.label_at(path, error),
    })
}

/// Returns whether the tool with the Lambda function at a path comes from a hosted config. The
/// operator controls the buckets, and configs from web pages contain no tools.
fn is_from_config(path: &str, origins: &[NestedOrigin]) -> bool {
    let around = origins.iter().filter(|(request, _)| {
        request.is_empty() || path.strip_prefix(&**request).is_some_and(|it| it.starts_with('.'))
    });
    let nearest = around.max_by_key(|(request, _)| request.len());
    nearest.is_some_and(|(request, origin)| {
        let inner = path.get(request.len()..).unwrap_or_default();
        origin.contains(inner.trim_start_matches('.'))
    })
}

/// Rejects tools whose calls would be handed back for a request from `source`.
fn check_hand_back(tools: &ToolPlan, source: &str, context: &Context) -> Result<(), Error> {
    let Some(name) = tools.handed_back(|name| context.handler_of(name).is_some()) else {
        return Ok(());
    };
    let text = format!(
        "add run to the tool {name}, or set RESULT_PREFIX: its calls can't be handed back, because \
         this is the request of {source} and the conversation can't be stored"
    );
    Err(Error::invalid("tools", text))
}

impl ToolRunner for Runner {
    fn run_nested<'a>(&'a self, mut context: Context, plan: &'a Plan) -> PortFuture<'a, Run> {
        Box::pin(async move {
            let outcome = self.call_targets(&mut context, plan).await;
            context.finish(outcome)
        })
    }

    fn call_function<'a>(
        &'a self,
        call: FunctionCall<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Bytes, Error>> {
        match &self.functions {
            Some(functions) => functions.invoke(call, deadline),
            None => {
                let text = "Lambda functions can't be called: no invoker is configured";
                Box::pin(std::future::ready(Err(Error::new(ErrorKind::ToolFailed, text))))
            }
        }
    }

    fn add_target_secrets<'a>(
        &'a self,
        context: &'a Context,
        plan: &'a Plan,
    ) -> PortFuture<'a, ()> {
        Box::pin(self.client.add_target_secrets(context, plan))
    }

    fn check_keys<'a>(
        &'a self,
        context: &'a mut Context,
        targets: Vec<(String, &'a Target)>,
    ) -> PortFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let started = Instant::now();
            let mut checked = Vec::new();
            let mut outcome = Ok(());
            for (place, target) in targets {
                let name = target.provider.key();
                let Some(name) = name.filter(|name| !checked.contains(name)) else { continue };
                if checked.is_empty() {
                    // The connection is opened while the key is being fetched.
                    self.client.preload(&target.provider);
                }
                if let Err(error) = self.client.keys.get(&name).await {
                    outcome = Err(name_target(error, target).in_context(&place));
                    break;
                }
                checked.push(name);
            }
            context.report.durations.secrets += started.elapsed();
            outcome
        })
    }

    fn function_secrets(&self) -> PortFuture<'_, Vec<Secret>> {
        match &self.functions {
            Some(functions) => functions.secrets(),
            None => Box::pin(std::future::ready(Vec::new())),
        }
    }
}
