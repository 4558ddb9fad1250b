//! A conversation with one provider: sends the prompt, checks the reply, and asks the model to
//! correct an unusable reply.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::call_provider::{CalledReply, ProviderClient, ReplyReader};
use super::check_reply::{CheckedReply, check_reply};
use super::checkpoint::{Checkpoints, StoredStart, StoredTurn};
use super::context::Context;
use super::continuation::Continuation;
use super::cost_limit::{CostLimit, MAX_OUTPUT_TOKENS, Reservation};
use super::events::EventStream;
use super::learned::{self, Api, Change, LearnedChanges, MAX_METHODS, RequestChange};
use super::observer::Turn;
use super::report::Report;
use super::schema_prompt;
use super::secrets::SecretsInUse;
use super::tool_loop::{NextStep, ToolLoop, ToolRunner};
use crate::chat::{Chat, Message, Reply, Role, StopReason, Structure, ToolChoice};
use crate::error::{Error, ErrorKind};
use crate::plan::{Plan, RequestForm, StructureMethod, Target, ToolPlan};
use crate::providers::{
    Dialect, Endpoint, RejectedPart, Rejection, SelectedApi, build_request, read_stream_rejection,
};
use crate::schema::Schema;
use crate::wire::WireRequest;

/// The name of the schema in requests to providers.
const SCHEMA_NAME: &str = "answer";

/// Maximum number of times that a request is sent again after the provider rejected a part of it.
const MAX_CHANGES: usize = 3;

/// A change after a rejection.
struct NewChange {
    change: Change,
    /// Whether the Responses API rejected the request.
    is_responses: bool,
    /// The state of reasoning in the rejected request.
    reasoning: Option<bool>,
    /// The words of the rejection.
    evidence: String,
}

/// The messages with which a conversation begins.
pub(super) enum ConversationStart {
    /// A rendered prompt.
    New(Vec<Message>),
    /// The messages of a conversation that has started, and how its requests were sent, if that is
    /// known.
    Started(Vec<Message>, Option<RequestForm>),
}

/// A conversation with one target. Creating it builds the first request but does not send it.
pub(super) struct Conversation<'a> {
    client: &'a ProviderClient,
    plan: &'a Plan,
    pub(super) target: &'a Target,
    api: SelectedApi<'a>,
    endpoint: Endpoint,
    chat: Chat,
    pub(super) request: WireRequest,
    /// The warnings about options that were dropped or changed in the request.
    pub(super) warnings: Vec<String>,
    /// The changes to the first request because of earlier rejections.
    changed: Vec<RequestChange>,
    /// The changes after rejections. They are remembered once the changed request succeeds or is
    /// rejected for another reason.
    changes: Vec<NewChange>,
    /// The number of changes that are not remembered yet. They are the last ones.
    unconfirmed_changes: usize,
    /// The number of requests that were sent again after a rejection.
    resent: usize,
    /// The output limit of the chat before it was lowered for one call.
    lowered_from: Option<Option<u64>>,
    /// The number of replies, repairs included.
    replies: u32,
    /// The last turn with the name of its entry, until it is stored.
    unstored: Option<(String, StoredTurn)>,
    /// The tools that the model may call.
    tools: Option<ToolLoop<'a>>,
    /// The choice that forces a call in the first turn, unless the prompt asks for it already.
    forced_choice: Option<ToolChoice>,
}

impl<'a> Conversation<'a> {
    /// Builds the first request to a target. The messages of a conversation that is not new do not
    /// change. If `is_streamed` is set and the dialect supports it, the replies are streamed.
    ///
    /// # Errors
    /// `InvalidRequest` if the target does not support the messages, for example because they
    /// contain images.
    pub(super) fn new(
        client: &'a ProviderClient,
        (plan, target): (&'a Plan, &'a Target),
        start: ConversationStart,
        is_streamed: bool,
        runner: &'a dyn ToolRunner,
    ) -> Result<Self, Error> {
        let (messages, is_new, form) = match start {
            ConversationStart::New(messages) => (messages, true, None),
            ConversationStart::Started(messages, form) => (messages, false, form),
        };
        let sampling = target.sampling.clone();
        let tags = plan.tags.clone();
        let mut chat = Chat { sampling, tags, ..Chat::new(&target.model, messages) };
        if let Some(tools) = &plan.tools {
            add_tools(&mut chat, tools);
        }
        let mut forced_choice = forced_choice(&chat).filter(|_| is_new);
        let learned = client.learned.as_deref().filter(|_| !plan.strict);
        let name = target.provider.name();
        let api_change = learned.and_then(|known| known.responses_api(name, &chat));
        let is_responses = form.map_or(api_change.is_some(), |form| form.is_responses);
        let api = client.endpoints.select_api(&target.provider, &chat, is_responses);
        let mut changes: Vec<Change> =
            api_change.into_iter().filter(|_| api.is_responses).collect();
        let (dialect, api_key) =
            (api.dialect, Api { provider: name, is_responses: api.is_responses });
        if let Some(learned) = learned {
            changes.append(&mut learned.apply(api_key, &mut chat));
        }
        if let Some(schema) = plan.output.schema_for_model() {
            changes.extend(choose_structure(&mut chat, schema, learned, (dialect, api_key), form));
            if needs_schema_in_prompt(&chat.structure) && is_new {
                schema_prompt::add_schema(&mut chat.messages, schema);
            }
        }
        if is_new {
            convert_last_system(&mut chat.messages);
        }
        ask_for_choice(&mut chat, dialect, &mut forced_choice);
        chat.stream = is_streamed && dialect.stream_decoder(&chat).is_some();
        if chat.stream
            && let Some(change) = learned.and_then(|known| known.unstreamed(api_key, &chat))
        {
            chat.stream = false;
            changes.push(change);
        }
        let mut warnings: Vec<String> =
            changes.iter().map(|change| change.warning(&target.model)).collect();
        let changed = changes.iter().map(|change| change.report(name, &target.model)).collect();
        let endpoint = client.endpoints.resolve(&target.provider);
        let built = build_request(dialect, &endpoint, &chat)?;
        warnings.extend(built.warnings);
        let request = built.request;
        Ok(Conversation {
            client,
            plan,
            target,
            api,
            endpoint,
            chat,
            request,
            warnings,
            changed,
            changes: Vec::new(),
            unconfirmed_changes: 0,
            resent: 0,
            lowered_from: None,
            replies: 0,
            unstored: None,
            tools: plan.tools.as_deref().map(|tools| ToolLoop::new(tools, runner)),
            forced_choice,
        })
    }

    /// Calls the provider until a reply is accepted or the maximum number of repairs is reached.
    pub(super) async fn run(&mut self, context: &mut Context) -> Result<Value, Error> {
        context.report.set_target(self.target);
        context.report.add_warnings(std::mem::take(&mut self.warnings));
        if let Some(events) = &context.events {
            events.set_warning_count(context.report.warnings.len());
        }
        context.report.changed.append(&mut self.changed);
        let mut repairs = 0;
        if let (Some(tools), Some(checkpoints)) = (&mut self.tools, &context.checkpoints) {
            tools.set_run_id(checkpoints.id());
        }
        let mut is_repair = false;
        loop {
            let number = self.turn_number(is_repair);
            if let Some(events) = &mut context.events {
                events.start_turn(number);
            }
            let (reply, secrets, duration) = match context.checkpoints.clone() {
                Some(checkpoints) if self.tools.is_some() => {
                    Box::pin(self.load_or_call(context, &checkpoints)).await?
                }
                _ => self.call(context).await?,
            };
            if let Some(events) = &context.events {
                Box::pin(events.send_reply(&reply, &self.chat.structure)).await;
            }
            self.report_turn(context, &reply, duration, is_repair);
            if let Some(tools) = &mut self.tools {
                tools.add_turn(duration, is_repair);
                // The messages before a completed turn do not change.
                self.forced_choice = None;
                // No fallback is called after a completed turn, so its time is not needed.
                context.deadline = context.run_deadline;
                if calls_tools(&reply) {
                    match Box::pin(self.run_tools(context, reply)).await? {
                        Some(handed_back) => return Ok(handed_back),
                        None => {
                            is_repair = false;
                            continue;
                        }
                    }
                }
            }
            let check = || check_reply(self.plan, &self.chat.structure, &reply, &secrets);
            let unusable = match self.client.steps.run(check).await {
                CheckedReply::Accepted(value, warnings) => {
                    self.store_turn(context).await;
                    context.report.add_warnings(warnings);
                    return Ok(value);
                }
                CheckedReply::Failed(error) => return Err(error),
                CheckedReply::Unusable(unusable) => unusable,
            };
            // A repair is billed, so it is attempted only if it is likely to finish before the
            // deadline.
            if repairs >= self.max_repairs() || context.deadline.left() < duration {
                return Err(unusable.into_error(&reply, &secrets));
            }
            repairs += 1;
            self.store_turn(context).await;
            context.record(Report::add_repair);
            if let Some(events) = &context.events {
                Box::pin(events.reset("repair")).await;
            }
            let expected = self.plan.output.parser.expected_form();
            schema_prompt::add_repair(&mut self.chat.messages, &reply, &unusable, &expected);
            self.chat.tool_choice = ToolChoice::None;
            is_repair = true;
            self.rebuild(context)?;
        }
    }

    /// Returns the maximum number of repairs. It depends on the structure, which can become weaker
    /// during the run.
    fn max_repairs(&self) -> u32 {
        // One turn after those with tools asks only for a reply that satisfies the schema.
        let has_schema_turn = self.tools.is_some() && needs_schema_in_prompt(&self.chat.structure);
        self.plan.output.repairs + u32::from(has_schema_turn)
    }

    /// Returns the next turn and its duration. A turn of an earlier run is not paid for again. A
    /// new one is not stored yet, because a turn that ends the run with an error is paid for again
    /// when the request is repeated: the model may reply differently.
    async fn load_or_call(
        &mut self,
        context: &mut Context,
        checkpoints: &Checkpoints,
    ) -> Result<(Reply, SecretsInUse, Duration), Error> {
        self.replies += 1;
        let name = StoredTurn::name(self.replies);
        if let Some(turn) = checkpoints.load::<StoredTurn>(&name, context.deadline).await? {
            let duration = turn.duration;
            let (reply, counts) = turn.into_reply();
            context.restore(counts);
            context.report.stop_reason = Some(reply.stop_reason);
            context.report.provider_stop_reason.clone_from(&reply.provider_stop_reason);
            // The results of the tools that this turn calls must not contain the secrets.
            let secrets = Box::pin(self.client.load_secrets(context, &self.request)).await?;
            return Ok((reply, secrets, duration));
        }
        // The counts of the first turn include the targets that failed before it.
        let is_first = self.replies == 1;
        let earlier = (!is_first).then(|| context.report.take_counts());
        let called = self.call(context).await;
        let counts = context.report.take_counts();
        if let Some(earlier) = earlier {
            context.report.restore(earlier);
        }
        context.report.restore(counts.clone());
        let (reply, secrets, duration) = called?;
        let (start, counts) = match is_first {
            true => {
                let start = StoredStart::new(self.target, self.form(), &self.chat.messages);
                (Some(start), counts.with_failed_targets(&context.report))
            }
            false => (None, counts),
        };
        self.unstored = Some((name, StoredTurn::new(start, &reply, duration, counts)));
        Ok((reply, secrets, duration))
    }

    /// Stores the last turn, unless it is that of an earlier run. The conversation continues after
    /// it, or ends with it.
    async fn store_turn(&mut self, context: &mut Context) {
        let (Some(checkpoints), Some((name, turn))) = (&context.checkpoints, self.unstored.take())
        else {
            return;
        };
        let checkpoints = checkpoints.clone();
        if let Some(tools) = &mut self.tools {
            tools.store_failed_runs(context, &checkpoints).await;
        }
        let warning = checkpoints.store(&name, &turn, context.store_deadline).await;
        context.report.add_warnings(Vec::from_iter(warning));
    }

    /// Returns how the requests are sent.
    fn form(&self) -> RequestForm {
        let fallbacks = &self.plan.fallbacks;
        let fallback = fallbacks.iter().position(|fallback| std::ptr::eq(fallback, self.target));
        RequestForm {
            target: fallback.map_or(0, |index| index + 1),
            structure: StructureMethod::of(&self.chat.structure),
            is_responses: self.api.is_responses,
        }
    }

    /// Returns the number of the current turn, counted from 1.
    fn turn_number(&self, is_repair: bool) -> u32 {
        let before = self.tools.as_ref().map_or(0, ToolLoop::turns);
        (before + u32::from(!is_repair)).max(1)
    }

    /// Reports a turn to the observer of the run, if there is one.
    fn report_turn(&self, context: &Context, reply: &Reply, duration: Duration, is_repair: bool) {
        let Some(observer) = &context.observer else { return };
        let number = self.turn_number(is_repair);
        observer.on_turn(&Turn { number, is_repair, duration, reply });
    }

    /// Runs the tools that a reply calls, and adds the results to the messages. Returns the result
    /// of the request if calls are handed back.
    async fn run_tools(
        &mut self,
        context: &mut Context,
        reply: Reply,
    ) -> Result<Option<Value>, Error> {
        if reply.stop_reason == StopReason::Length {
            let text = "the calls of tools were cut off by maxTokens, so they do not run; raise \
                        maxTokens";
            return Err(Error::new(ErrorKind::OutputTruncated, text));
        }
        self.store_turn(context).await;
        let form = self.form();
        let Some(tools) = &mut self.tools else { return Ok(None) };
        let next = tools.run_calls(context, &self.chat.messages, &reply).await?;
        self.chat.messages.push(reply.to_message());
        match next {
            NextStep::HandBack { calls, results } => {
                context.report.handed_back = true;
                let target = (self.target, form);
                Ok(Some(tools.hand_back(target, &self.chat, &reply, calls, results)))
            }
            NextStep::Continue(results) => {
                self.chat.messages.push(results);
                // A choice that forces a call would force one in every turn.
                self.chat.tool_choice = match tools.plan.choice {
                    ToolChoice::None => ToolChoice::None,
                    _ => ToolChoice::Auto,
                };
                self.rebuild(context)?;
                Ok(None)
            }
        }
    }

    /// Calls the provider. If it rejects a part of the request that can be changed, the part is
    /// changed and the request is sent again. Also returns the duration of the calls, without the
    /// time that they wait for the limit of the cost.
    async fn call(
        &mut self,
        context: &mut Context,
    ) -> Result<(Reply, SecretsInUse, Duration), Error> {
        let mut duration = Duration::ZERO;
        loop {
            let reservation = match context.cost_limit.clone() {
                Some(limit) => Some(Box::pin(self.reserve_cost(context, &limit)).await?),
                None => None,
            };
            let reader = self.reader(false);
            let call = self.client.call(context, self.target, reader, &self.request);
            let started = Instant::now();
            let outcome = call.await;
            duration += started.elapsed();
            if let Some(reservation) = reservation {
                let cost = reservation.settle(&context.report);
                context.report.limited_cost = context.report.limited_cost.saturating_add(cost);
            }
            let failed = match outcome {
                Ok(CalledReply { reply, secrets, part }) => {
                    if self.unconfirmed_changes > 0 {
                        self.remember_changes(context);
                    }
                    let (reply, secrets) = match part {
                        None => (reply, secrets),
                        Some(part) => {
                            let continuation = self.continuation();
                            let called = (reply, secrets);
                            let run = continuation.run(context, called, *part, &mut duration);
                            Box::pin(run).await?
                        }
                    };
                    return Ok((reply, secrets, duration));
                }
                Err(failed) => failed,
            };
            if self.stop_streaming(context, &failed.error) {
                self.rebuild(context)?;
                continue;
            }
            let Some(rejection) = failed.rejection else { return Err(failed.error) };
            if !self.apply_rejection(context, rejection) {
                return Err(failed.error);
            }
            self.rebuild(context)?;
        }
    }

    /// Returns the reader of the responses.
    fn reader(&self, is_continuation: bool) -> ReplyReader<'_> {
        ReplyReader { dialect: self.api.dialect, chat: &self.chat, is_continuation }
    }

    /// Returns the continuation of a paused reply.
    fn continuation(&self) -> Continuation<'_> {
        let (client, target, reader) = (self.client, self.target, self.reader(true));
        Continuation { client, target, reader, max_tokens: self.output_limit() }
    }

    /// Changes the chat so that its reply is not streamed, if the provider rejected the stream.
    /// OpenAI streams some models only to verified organizations, and models on Bedrock can lack
    /// streams with tools. Returns false if the chat is not changed.
    fn stop_streaming(&mut self, context: &mut Context, error: &Error) -> bool {
        let has_text = context.events.as_ref().is_some_and(EventStream::has_text_of_turn);
        let is_rejected = matches!(error.provider_status(), Some(400 | 403 | 404 | 422));
        if !self.chat.stream || has_text || !is_rejected {
            return false;
        }
        let rejection = read_stream_rejection(error.message(), &self.target.model);
        let Some(rejection) = rejection else { return false };
        self.chat.stream = false;
        let change = Change::Unstreamed { with_tools: !self.chat.tools.is_empty() };
        let (provider, model) = (self.target.provider.name(), &*self.target.model);
        context.report.add_warnings(vec![change.warning(model)]);
        context.report.changed.push(change.report(provider, model));
        if let Some(evidence) = rejection.evidence.filter(|_| !context.is_strict) {
            let (is_responses, reasoning) = (self.api.is_responses, None);
            self.changes.push(NewChange { change, is_responses, reasoning, evidence });
            self.unconfirmed_changes += 1;
        }
        true
    }

    /// Reserves the highest cost of the next call. Lowers the output limit of the request to what
    /// the rest of the limit pays for.
    async fn reserve_cost(
        &mut self,
        context: &mut Context,
        limit: &Arc<CostLimit>,
    ) -> Result<Reservation, Error> {
        if let Some(max_tokens) = self.lowered_from.take() {
            self.chat.sampling.max_tokens = max_tokens;
            self.rebuild(context)?;
        }
        let max_tokens = self.output_limit();
        let call = (&self.chat, &self.request);
        let run = (context.deadline, &context.report);
        let target = (self.target, self.client.prices.own());
        let reservation = Reservation::new(limit, target, call, max_tokens, run).await?;
        if let Some(lowered) = reservation.lowered_to {
            // No model generates more, so that the limit would have no effect.
            if max_tokens.is_none() && lowered > MAX_OUTPUT_TOKENS {
                return Ok(reservation);
            }
            self.lowered_from = Some(self.chat.sampling.max_tokens);
            self.chat.sampling.max_tokens = Some(lowered);
            let text = "options.maxTokens is lowered to what the rest of options.maxCost pays for";
            context.report.add_warnings(vec![text.to_owned()]);
            // The warnings of the request are in the report already.
            self.request = build_request(self.api.dialect, &self.endpoint, &self.chat)?.request;
        }
        Ok(reservation)
    }

    /// Changes the part that the provider rejected. Returns false if it can't be changed, or if the
    /// request was sent again too often.
    fn apply_rejection(&mut self, context: &mut Context, rejection: Rejection) -> bool {
        let schema = self.plan.output.schema_for_model();
        // A completed turn depends on the messages and tools before it.
        let has_turns = self.tools.as_ref().is_some_and(ToolLoop::has_turns);
        let only_options = has_turns || context.report.repairs > 0;
        match rejection.part {
            RejectedPart::OutputLimit(limit) if !self.exceeds(limit) => return false,
            RejectedPart::ChatCompletions if self.api.alternative.is_none() => return false,
            _ => {}
        }
        let evidence = rejection.is_general.then(|| rejection.evidence.clone());
        let changes = Change::for_rejection(rejection, &self.chat, schema, only_options);
        // The rejection of another part confirms the changes before it.
        let first = self.changes.len().saturating_sub(self.unconfirmed_changes);
        let is_same = |change: &Change| {
            self.changes.iter().skip(first).any(|known| known.change.field() == change.field())
        };
        if !changes.is_empty() && !changes.iter().any(is_same) {
            self.remember_changes(context);
        }
        if changes.is_empty() || self.resent >= MAX_CHANGES {
            return false;
        }
        self.resent += 1;
        for change in changes {
            self.apply(context, change, evidence.clone());
        }
        true
    }

    /// Returns whether the output limit of the request, or its default, is above a limit.
    fn exceeds(&self, limit: u64) -> bool {
        self.output_limit().is_some_and(|sent| sent > limit)
    }

    /// Returns the output limit of the request, or its default.
    fn output_limit(&self) -> Option<u64> {
        self.chat.sampling.max_tokens.or_else(|| {
            // Anthropic's API requires the field, so its dialect has a default.
            self.request.body.to_value().get("max_tokens").and_then(Value::as_u64)
        })
    }

    /// Applies a change to the chat. With `evidence`, it is remembered.
    fn apply(&mut self, context: &mut Context, mut change: Change, evidence: Option<String>) {
        if matches!(change, Change::OutputLimit { .. }) {
            self.lowered_from = None;
        }
        let schema = self.plan.output.schema_for_model();
        let reasoning = learned::reasoning(&self.chat.sampling);
        let is_responses = self.api.is_responses;
        if let (Change::ResponsesApi { .. }, Some(dialect)) = (&change, self.api.alternative) {
            self.api = SelectedApi { dialect, is_responses: true, alternative: None };
        } else if let (Change::Structure { .. }, Some(schema)) = (&change, schema) {
            let (dialect, model) = (self.api.dialect, &self.target.model);
            let had_schema_in_prompt = needs_schema_in_prompt(&self.chat.structure);
            change.weaken(&mut self.chat.structure, |rejected| {
                dialect.weaker_structure(model, SCHEMA_NAME, schema, rejected)
            });
            if !dialect.allows_with_tools(&self.chat) {
                self.chat.structure = Structure::PromptOnly;
            }
            if needs_schema_in_prompt(&self.chat.structure) && !had_schema_in_prompt {
                schema_prompt::add_schema(&mut self.chat.messages, schema);
            }
        } else {
            change.apply(&mut self.chat);
        }
        ask_for_choice(&mut self.chat, self.api.dialect, &mut self.forced_choice);
        let warning = change.warning(&self.target.model);
        context.report.add_warnings(vec![warning]);
        let provider = self.target.provider.name();
        context.report.changed.push(change.report(provider, &self.target.model));
        if let Some(evidence) = evidence {
            self.changes.push(NewChange { change, is_responses, reasoning, evidence });
            self.unconfirmed_changes += 1;
        }
    }

    /// Remembers the changes that the provider accepted.
    fn remember_changes(&mut self, context: &mut Context) {
        let Some(learned) = &self.client.learned else { return };
        let first = self.changes.len().saturating_sub(self.unconfirmed_changes);
        for new in self.changes.iter().skip(first) {
            let NewChange { change, is_responses, reasoning, evidence } = new;
            let provider = self.target.provider.name();
            let api = Api { provider, is_responses: *is_responses };
            let added = learned.add(api, &self.chat.model, *reasoning, change.clone());
            let evidence = Some(evidence.clone());
            context.report.learned.extend(added.map(|added| RequestChange { evidence, ..added }));
        }
        self.unconfirmed_changes = 0;
    }

    fn rebuild(&mut self, context: &mut Context) -> Result<(), Error> {
        let built = build_request(self.api.dialect, &self.endpoint, &self.chat)?;
        context.report.add_warnings(built.warnings);
        self.request = built.request;
        Ok(())
    }
}

/// Returns whether a reply calls tools. The calls of a refused turn do not count.
fn calls_tools(reply: &Reply) -> bool {
    let is_refused = matches!(reply.stop_reason, StopReason::Refusal | StopReason::ContentFilter);
    !is_refused && reply.tool_calls().next().is_some()
}

/// Adds the tools of a plan to a chat.
fn add_tools(chat: &mut Chat, tools: &ToolPlan) {
    chat.tools = tools.tools.iter().map(|planned| planned.tool.clone()).collect();
    chat.tool_choice = match (&tools.continued, &tools.choice) {
        // A forced choice applies only to the first turn.
        (Some(_), choice) if *choice != ToolChoice::None => ToolChoice::Auto,
        (_, choice) => choice.clone(),
    };
    chat.parallel_tool_calls = tools.parallel;
}

/// Returns the tool choice of a chat if it forces a call.
fn forced_choice(chat: &Chat) -> Option<ToolChoice> {
    let choice = &chat.tool_choice;
    matches!(choice, ToolChoice::Required | ToolChoice::Named(_)).then(|| choice.clone())
}

/// Asks the model to call a tool if the request can't force it to. `forced` is the choice of the
/// plan, which is taken when the prompt asks for it.
fn ask_for_choice(chat: &mut Chat, dialect: &dyn Dialect, forced: &mut Option<ToolChoice>) {
    let supported = || dialect.supported_choice(chat);
    if let Some(choice) = forced.take_if(|choice| *choice != supported()) {
        schema_prompt::add_choice(&mut chat.messages, &choice);
    }
}

/// Returns whether a structure needs the schema in the prompt.
fn needs_schema_in_prompt(structure: &Structure) -> bool {
    matches!(structure, Structure::JsonMode | Structure::PromptOnly)
}

/// Chooses the structure of a chat for a schema: that of the conversation if it has started, or
/// else the strongest one that the provider is not known to reject. Returns the change because of
/// an earlier rejection.
fn choose_structure(
    chat: &mut Chat,
    schema: &Schema,
    learned: Option<&LearnedChanges>,
    (dialect, api): (&dyn Dialect, Api<'_>),
    form: Option<RequestForm>,
) -> Option<Change> {
    chat.structure = dialect.structure(&chat.model, SCHEMA_NAME, schema);
    let started = form.and_then(|form| find_structure(chat, dialect, schema, form.structure));
    let change = match (started, learned) {
        (Some(structure), _) => {
            chat.structure = structure;
            None
        }
        (None, Some(learned)) => skip_rejected_structures(chat, learned, api, dialect, schema),
        (None, None) => None,
    };
    if !dialect.allows_with_tools(chat) {
        chat.structure = Structure::PromptOnly;
    }
    change
}

/// Returns the structure of a chat, or a weaker one, that has a method. Returns `None` if the
/// dialect does not support the method for the model.
fn find_structure(
    chat: &Chat,
    dialect: &dyn Dialect,
    schema: &Schema,
    method: StructureMethod,
) -> Option<Structure> {
    let mut structure = chat.structure.clone();
    for _ in 0..MAX_METHODS {
        if StructureMethod::of(&structure) == method {
            return Some(structure);
        }
        structure = dialect.weaker_structure(&chat.model, SCHEMA_NAME, schema, &structure);
    }
    // Every model supports this method.
    (method == StructureMethod::PromptOnly).then_some(Structure::PromptOnly)
}

/// Replaces the structure of a chat with a weaker one as long as the provider is known to reject
/// it. Returns the last change.
fn skip_rejected_structures(
    chat: &mut Chat,
    learned: &LearnedChanges,
    api: Api<'_>,
    dialect: &dyn Dialect,
    schema: &Schema,
) -> Option<Change> {
    let mut last = None;
    for _ in 0..MAX_METHODS {
        let change = learned.rejected_structure(api, chat, schema);
        let Some(mut change) = change else { break };
        let Chat { model, structure, .. } = &mut *chat;
        change.weaken(structure, |rejected| {
            dialect.weaker_structure(model, SCHEMA_NAME, schema, rejected)
        });
        last = Some(change);
    }
    last
}

/// Prefixes an error with the provider and the model, unless the error is about the request itself.
pub(super) fn name_target(error: Error, target: &Target) -> Error {
    match error.kind() {
        ErrorKind::InvalidRequest | ErrorKind::PromptInvalid => error,
        _ => error.in_context(&format!("{} {}", target.provider.name(), target.model)),
    }
}

/// Changes a final system message to a user message if the chat has no user message. Most APIs
/// require one, and so do the chat templates of many models that OpenAI-compatible servers run.
fn convert_last_system(messages: &mut [Message]) {
    let has_user = messages.iter().any(|message| message.role == Role::User);
    if let Some(last) = messages.last_mut()
        && last.role == Role::System
        && !has_user
    {
        last.role = Role::User;
    }
}
