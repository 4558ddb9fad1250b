//! Calls a provider: gets the API key, sends the request, and converts a failure response into an
//! error.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::context::{Context, MAX_CALLS};
use super::events::{ReceivedParts, TextStreamer};
use super::learned::LearnedChanges;
use super::quote::{quote_body, quote_message};
use super::read_response::{ParsedResponse, ResponseFailure};
use super::report::Report;
use super::secrets::{SecretsInUse, scrub_reply};
use super::spans;
use super::step_queue::StepQueue;
use super::stored_prices::StoredPrices;
use crate::chat::{Chat, Reply, StopReason, Usage};
use crate::endpoints::Endpoints;
use crate::error::{Error, ErrorKind};
use crate::plan::{Plan, Target};
use crate::ports::{Keys, Secret};
use crate::providers::{
    ApiMode, Billing, CalledModel, Dialect, Failure, MANTLE, NAMED_RESOURCE, PriceBook, Provider,
    RejectedPart, Rejection, read_billing, read_rejection,
};
use crate::transport::{BodyReader, Policy, RetryAdvice, SendOutcome, Transport, retry_after};
use crate::wire::{Auth, WireReply, WireRequest};

/// Minimum size of a response that is parsed as a CPU-heavy step, in bytes. Parsing takes a few
/// milliseconds per megabyte.
const MIN_STEP_BYTES: usize = 256 * 1024;

/// A client for all providers. It knows their base URLs, gets their API keys, and owns the HTTP
/// connections.
#[derive(Clone)]
pub(super) struct ProviderClient {
    pub(super) endpoints: Endpoints,
    pub(super) keys: Arc<dyn Keys>,
    pub(super) transport: Transport,
    /// The changes after rejections, or `None` if a rejection is always an error.
    pub(super) learned: Option<Arc<LearnedChanges>>,
    pub(super) steps: StepQueue,
    pub(super) prices: Arc<PriceBook>,
    /// The operator's prices, if they are in a document.
    pub(super) stored_prices: Option<Arc<StoredPrices>>,
}

/// What reads a response: the dialect, and the chat that the request was built from.
#[derive(Clone, Copy)]
pub(super) struct ReplyReader<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) chat: &'a Chat,
    /// Whether the reply continues another one, with which it is joined.
    pub(super) is_continuation: bool,
}

/// The reply to a call.
pub(super) struct CalledReply {
    pub(super) reply: Reply,
    /// The secrets that the provider received and may quote.
    pub(super) secrets: SecretsInUse,
    /// The body of a reply that is joined with others. Boxed, because few replies are.
    pub(super) part: Option<Box<ReplyPart>>,
}

/// A response that contains a part of a reply.
pub(super) struct ReplyPart {
    pub(super) body: Bytes,
    /// The request for the next part, if there is one.
    pub(super) next: Option<WireRequest>,
}

/// A failed call.
pub(super) struct FailedCall {
    pub(super) error: Error,
    /// The part of the request that the provider rejected, if the response names one.
    pub(super) rejection: Option<Rejection>,
}

impl ReplyReader<'_> {
    /// Returns a response as a part of a reply, with the request for the next part, if it is one.
    fn read_part(&self, request: &WireRequest, response: &WireReply) -> Option<Box<ReplyPart>> {
        let next = self.dialect.continue_request(request, response);
        let is_part = self.is_continuation || next.is_some();
        // The copy gives up the space of the body, for which the next response may wait.
        let body = || Bytes::copy_from_slice(&response.body);
        is_part.then(|| Box::new(ReplyPart { body: body(), next }))
    }
}

impl From<Error> for FailedCall {
    fn from(error: Error) -> Self {
        FailedCall { error, rejection: None }
    }
}

impl ProviderClient {
    /// Connects to a provider and fetches its API key in the background, to speed up a later call.
    /// Errors are ignored, because the later call reports them.
    pub(super) fn preload(&self, provider: &Provider) {
        if let Some(name) = provider.key()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let base_url = self.endpoints.resolve(provider).base_url;
            if !base_url.contains(NAMED_RESOURCE) {
                self.transport.preconnect(&base_url);
            }
            let keys = Arc::clone(&self.keys);
            runtime.spawn(async move { drop(keys.get(&name).await) });
        }
    }

    /// Sends the request for a chat and parses the reply. Token usage is recorded even if the reply
    /// turns out to be unusable.
    pub(super) async fn call(
        &self,
        context: &mut Context,
        target: &Target,
        reader: ReplyReader<'_>,
        request: &WireRequest,
    ) -> Result<CalledReply, FailedCall> {
        if context.trace.is_none() {
            return self.send_and_check(context, target, reader, request).await;
        }
        let span = spans::start_chat(context, target, reader.chat, request);
        let call = Box::pin(self.send_and_check(context, target, reader, request));
        let outcome = call.await;
        let ended = outcome.as_ref().map(|called| &called.reply).map_err(|failed| &failed.error);
        spans::end_chat(span, context, reader.chat, ended);
        outcome
    }

    async fn send_and_check(
        &self,
        context: &mut Context,
        target: &Target,
        reader: ReplyReader<'_>,
        request: &WireRequest,
    ) -> Result<CalledReply, FailedCall> {
        let ReplyReader { chat, is_continuation, .. } = reader;
        context.record_target(target);
        let mut secret = self.get_secret(context, request).await?;
        context.add_secrets(&secret);
        let mut sent = self.send(context, target, reader, request, secret.as_ref()).await;
        if let Some(newer) = self.renew(context, request, secret.as_ref(), &sent).await? {
            // A large body occupies a part of the memory budget that the next response may wait
            // for.
            drop(sent);
            context.add_secrets([&newer]);
            sent = self.send(context, target, reader, request, Some(&newer)).await;
            secret = Some(newer);
        }
        let (response, read) = sent?;
        let secrets = self.secrets_in_use(request, secret).await;
        context.add_secrets(&secrets.signing);
        if let Some(prices) = self.stored_prices.as_ref().filter(|prices| prices.are_missing())
            && context.report.counts_cost
        {
            let loaded = Box::pin(prices.load(context.run_deadline)).await;
            // This is not an error, because the call is paid for. Its cost is null.
            context.report.prices_error = loaded.err().map(|error| error.message().to_owned());
        }
        let mut reply = match read {
            ParsedResponse::Reply(reply) => reply,
            ParsedResponse::Failed(failed) => {
                context.record(|report| report.add_usage(failed.usage.with_total()));
                if context.report.counts_cost {
                    self.add_failed_cost(context, target, &failed);
                }
                let time_left = context.deadline.left();
                let error = failure_error(&failed, &response, target, request, time_left);
                let error = quote_message(error, &failed.failure.message, &secrets.expose());
                let error = self.advise(error, &response, target, request);
                let is_changeable = self.learned.is_some() && !context.is_strict;
                let rejection =
                    is_changeable.then(|| read_rejected_part(&response, &failed.failure, chat));
                let rejection = rejection.flatten();
                return Err(FailedCall { error, rejection });
            }
            ParsedResponse::Unreadable(error) => {
                context.report.answered = true;
                if context.report.counts_cost {
                    context.record(Report::add_unknown_call);
                }
                return Err(quote_body(error, &response, &secrets.expose()).into());
            }
        };
        scrub_reply(&mut reply, &secrets);
        context.report.answered = true;
        context.record(|report| report.add_usage(reply.usage.with_total()));
        if context.report.counts_cost {
            let billing = read_billing(target.provider.name(), &response, reply.usage);
            self.add_cost(context, target, reply.model.as_deref(), reply.usage, &billing);
        }
        let report = &mut context.report;
        if chat.stream && reply.usage == Usage::default() && !report.warns_of_cost {
            let (provider, model) = (target.provider.name(), &target.model);
            let text = format!("the stream of {provider} {model} contains no token counts");
            report.add_warnings(vec![text]);
        }
        report.add_warnings(std::mem::take(&mut reply.warnings));
        report.answered_model = reply.model.take();
        report.stop_reason = Some(reply.stop_reason);
        report.provider_stop_reason.clone_from(&reply.provider_stop_reason);
        context.record_target(target);
        let is_part = is_continuation || reply.stop_reason == StopReason::Pause;
        let part = if is_part { reader.read_part(request, &response) } else { None };
        Ok(CalledReply { reply, secrets, part })
    }

    /// Gets the secrets with which a request would be sent, so that they can be removed from the
    /// results of tools although the request is not sent.
    ///
    /// # Errors
    /// The same as for the API key of a request that is sent.
    pub(super) async fn load_secrets(
        &self,
        context: &mut Context,
        request: &WireRequest,
    ) -> Result<SecretsInUse, Error> {
        let key = self.get_secret(context, request).await?;
        let secrets = self.secrets_in_use(request, key).await;
        context.add_secrets(secrets.key.iter().chain(&secrets.signing));
        Ok(secrets)
    }

    /// Adds to the context the secrets with which an earlier run can have called the targets of a
    /// plan. A key that can't be read is skipped, because no call with it succeeds.
    pub(super) async fn add_target_secrets(&self, context: &Context, plan: &Plan) {
        for target in std::iter::once(&plan.target).chain(&plan.fallbacks) {
            match target.provider.key() {
                Some(name) => {
                    let key = self.keys.get(&name).await.ok();
                    context.add_secrets(&key);
                }
                None => context.add_secrets(&self.transport.signing_secrets().await),
            }
        }
    }

    /// Adds the cost of a response with a failure, which can contain a part of a reply.
    fn add_failed_cost(&self, context: &mut Context, target: &Target, failed: &ResponseFailure) {
        if failed.usage != Usage::default() {
            self.add_cost(context, target, None, failed.usage, &Billing::default());
        } else if failed.may_be_billed {
            context.record(Report::add_unknown_call);
        }
    }

    /// Adds the cost of a call, which is an estimate if the server is not the provider's own.
    fn add_cost(
        &self,
        context: &mut Context,
        target: &Target,
        answered: Option<&str>,
        usage: Usage,
        billing: &Billing,
    ) {
        let provider = target.provider.name();
        let model = CalledModel { provider, requested: &target.model, answered };
        let is_default_server = || self.endpoints.is_default(&target.provider);
        let cost = self.prices.cost_of_call(model, usage, billing, is_default_server);
        context.record(|report| report.add_cost(&cost, model, usage));
    }

    async fn secrets_in_use(&self, request: &WireRequest, key: Option<Secret>) -> SecretsInUse {
        let signing = match request.auth {
            Auth::SigV4 { .. } => self.transport.signing_secrets().await,
            _ => Vec::new(),
        };
        SecretsInUse { key, signing }
    }

    /// Adds what to do to the error of a server that may not have the Responses API.
    fn advise(
        &self,
        error: Error,
        response: &WireReply,
        target: &Target,
        request: &WireRequest,
    ) -> Error {
        let is_missing = matches!(response.status, 404 | 405);
        // The endpoint of an Azure resource is always configured, and xAI ignores the setting.
        let provider = &target.provider;
        let is_own_server = provider.name() == "openai" && self.endpoints.has_own_url(provider);
        if !is_missing || !is_own_server || !request.url.ends_with("/responses") {
            return error;
        }
        let value = match self.endpoints.api_mode() {
            ApiMode::Responses => "chat or auto",
            _ => "chat",
        };
        error.with_suffix(&format!(
            "; if the server has only chat completions, set OPENAI_API_MODE to {value}"
        ))
    }

    async fn get_secret(
        &self,
        context: &mut Context,
        request: &WireRequest,
    ) -> Result<Option<Secret>, Error> {
        let Some(name) = request.auth.key() else {
            return Ok(None);
        };
        let started = Instant::now();
        let mut secret = self.keys.get(name);
        let secret = match poll_fn(|cx| Poll::Ready(secret.as_mut().poll(cx))).await {
            Poll::Ready(secret) => secret,
            // The connection is opened while the key is being fetched.
            Poll::Pending => {
                self.transport.preconnect(&request.url);
                secret.await
            }
        };
        context.report.durations.secrets += started.elapsed();
        secret.map(Some)
    }

    /// Sends the request with the target's retry policy, and reads the response. Each attempt
    /// counts toward [`MAX_CALLS`].
    async fn send(
        &self,
        context: &mut Context,
        target: &Target,
        reader: ReplyReader<'_>,
        request: &WireRequest,
        secret: Option<&Secret>,
    ) -> Result<(WireReply, ParsedResponse), Error> {
        let attempts = context.reserve_call(target.policy.attempts);
        if attempts == 0 {
            let text = format!("the request reached the limit of {MAX_CALLS} provider calls");
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        let policy = Policy { attempts, ..target.policy };
        let ReplyReader { dialect, chat, .. } = reader;
        let sent_parts = ReceivedParts::default();
        let events = context.events.clone().filter(|_| chat.stream);
        let mut streamer =
            events.map(|events| Box::new(TextStreamer::new((dialect, chat), events, &sent_parts)));
        let mut last_read = None;
        let mut read = |response: &WireReply| {
            if sent_parts.content.load(Ordering::Relaxed) {
                // A part of the reply was generated, and the caller may have received it.
                last_read = None;
                RetryAdvice::default()
            } else if response.body.len() < MIN_STEP_BYTES {
                let read = last_read.insert(ParsedResponse::new(dialect, chat, response));
                if chat.stream {
                    read.retry_as_without_reply();
                }
                read.retry_advice()
            } else {
                // The advice for a large error is read from its status and headers. Descriptions of
                // errors are much shorter.
                last_read = None;
                match (200..300).contains(&response.status) {
                    true => RetryAdvice::default(),
                    false => {
                        ParsedResponse::new(dialect, chat, &without_body(response)).retry_advice()
                    }
                }
            }
        };
        let started = Instant::now();
        let body_reader = streamer.as_deref_mut().map(|streamer| streamer as &mut dyn BodyReader);
        let readers = (&mut read as _, body_reader);
        let deadline = context.deadline;
        let sent = self.transport.send_and_read(request, secret, &policy, deadline, readers);
        context.record(|report| report.calls_in_progress += 1);
        let SendOutcome { outcome, attempts, may_be_billed } = sent.await;
        context.record(|report| report.calls_in_progress -= 1);
        drop(streamer);
        let ReceivedParts { text, content } = sent_parts;
        let (has_text, has_content) = (text.into_inner(), content.into_inner());
        if let Some(events) = context.events.as_mut().filter(|_| has_text) {
            events.record_text(true);
            // No other target is called, because its reply would continue the text.
            context.report.answered = true;
        }
        let duration = started.elapsed();
        context.record(|report| report.durations.provider += duration);
        context.add_calls(attempts);
        if may_be_billed && context.report.counts_cost {
            context.record(Report::add_unknown_call);
        }
        let response = outcome?;
        context.add_call_duration(started.elapsed());
        let mut read = match last_read {
            Some(read) => read,
            // The future is boxed because few calls need it, and it would make the future of every
            // call larger.
            None => {
                let parse = || ParsedResponse::new(dialect, chat, &response);
                Box::pin(self.steps.run(parse)).await
            }
        };
        if let ParsedResponse::Failed(failed) = &mut read
            && has_content
        {
            (failed.may_retry, failed.may_be_billed) = (false, true);
        }
        Ok((response, read))
    }

    /// Fetches a newer value of the API key if the provider rejected the value that was sent.
    async fn renew(
        &self,
        context: &mut Context,
        request: &WireRequest,
        secret: Option<&Secret>,
        sent: &Result<(WireReply, ParsedResponse), Error>,
    ) -> Result<Option<Secret>, Error> {
        let (Some(name), Some(secret), Ok((response, ParsedResponse::Failed(failed)))) =
            (request.auth.key(), secret, sent)
        else {
            return Ok(None);
        };
        // Status 403 means that the key lacks a permission. A newer value of the same key would
        // lack it, too.
        if response.status == 403 || failed.failure.kind != ErrorKind::ProviderAuthFailed {
            return Ok(None);
        }
        let started = Instant::now();
        let renewed = self.keys.renewed(name, secret).await;
        context.report.durations.secrets += started.elapsed();
        renewed
    }
}

/// Returns the part of the request that the provider rejected, if the response names one.
fn read_rejected_part(response: &WireReply, failure: &Failure, chat: &Chat) -> Option<Rejection> {
    let is_rejected = failure.kind == ErrorKind::ProviderRejected;
    let status = response.status;
    if !is_rejected || !matches!(status, 400 | 404 | 422) {
        return None;
    }
    let rejection = read_rejection(&failure.message, &response.body, chat)?;
    // OpenAI responds with status 404 if an API does not serve a model.
    let is_allowed = status != 404 || rejection.part == RejectedPart::ChatCompletions;
    is_allowed.then_some(rejection)
}

fn without_body(response: &WireReply) -> WireReply {
    let (status, headers) = (response.status, response.headers.clone());
    WireReply { status, headers, body: Bytes::new() }
}

/// Creates the error for a response that reports an error, without the provider's message.
fn failure_error(
    failed: &ResponseFailure,
    response: &WireReply,
    target: &Target,
    request: &WireRequest,
    time_left: Duration,
) -> Error {
    let ResponseFailure { failure, may_retry, status, .. } = failed;
    let mut message = summarize(failure, response.status, status, target, request);
    let wait = retry_after(response).or(failure.wait);
    if let Some(wait) = wait.filter(|wait| *may_retry && *wait >= time_left) {
        message.push_str(&format!(
            "; the provider asks for a wait of {} s, but only {} s are left",
            wait.as_secs_f64().ceil(),
            time_left.as_secs()
        ));
    }
    Error::new(failure.kind, message)
        .with_retry_after(wait)
        .with_provider_status(Some(response.status))
}

/// Describes the failure without quoting the provider's message. `status` is the description of the
/// status.
fn summarize(
    failure: &Failure,
    http_status: u16,
    status: &str,
    target: &Target,
    request: &WireRequest,
) -> String {
    match failure.kind {
        ErrorKind::AccessDenied => format!(
            "AWS denied {} on the model {} ({status}); allow it in the IAM policy",
            iam_action(request),
            target.model
        ),
        ErrorKind::ProviderAuthFailed if matches!(request.auth, Auth::SigV4 { .. }) => {
            format!("AWS rejected the credentials ({status})")
        }
        ErrorKind::ProviderAuthFailed if matches!(request.auth, Auth::None) => {
            format!("the provider requires an API key, and the request had none ({status})")
        }
        ErrorKind::ProviderAuthFailed => format!("the provider rejected the API key ({status})"),
        ErrorKind::ProviderRateLimited if !failure.retry => {
            format!("the quota or credit is used up ({status})")
        }
        ErrorKind::ProviderRateLimited => format!("too many requests ({status})"),
        ErrorKind::ProviderUnavailable => format!("the provider failed ({status})"),
        ErrorKind::OutputRefused => {
            format!("the provider does not allow the content of the request ({status})")
        }
        _ if (300..400).contains(&http_status) => {
            format!("the provider responded with a redirect ({status}); redirects are not followed")
        }
        _ => format!("the provider rejected the request ({status})"),
    }
}

/// Returns the IAM action that a call of a model on Bedrock needs.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference.html>
fn iam_action(request: &WireRequest) -> &'static str {
    match request.auth {
        Auth::SigV4 { service: MANTLE, .. } => "bedrock-mantle:CreateInference",
        // The operations for streams, such as `converse-stream`.
        _ if request.url.ends_with("-stream") => "bedrock:InvokeModelWithResponseStream",
        // This action covers all APIs of the Bedrock runtime that call a model.
        _ => "bedrock:InvokeModel",
    }
}
