//! Calls a provider: gets the API key, sends the request, and converts a failure response into an
//! error.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use super::context::Context;
use super::quote::quote_provider;
use crate::chat::{Chat, Reply};
use crate::endpoints::Endpoints;
use crate::error::{Error, ErrorKind};
use crate::plan::Target;
use crate::ports::{Keys, Secret};
use crate::providers::{Failure, Provider};
use crate::transport::{Policy, SendOutcome, Transport};
use crate::wire::{Auth, WireReply, WireRequest};

/// Maximum number of provider calls for one request, including retries, repairs and fallbacks.
const MAX_CALLS: u32 = 500;

/// A client for all providers. It knows their base URLs, gets their API keys, and owns the HTTP
/// connections.
#[derive(Clone)]
pub(super) struct ProviderClient {
    pub(super) endpoints: Endpoints,
    pub(super) keys: Arc<dyn Keys>,
    pub(super) transport: Transport,
}

impl ProviderClient {
    /// Connects to a provider and fetches its API key in the background, to speed up a later call.
    /// Errors are ignored, because the later call reports them.
    pub(super) fn preload(&self, provider: &Provider) {
        if let Some(name) = provider.key()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            self.transport.preconnect(&self.endpoints.resolve(provider).base_url);
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
        chat: &Chat,
        request: &WireRequest,
    ) -> Result<Reply, Error> {
        let mut secret = self.get_secret(context, request).await?;
        let started = Instant::now();
        let mut response = self.send(context, target, request, secret.as_ref()).await;
        if let Some(newer) = self.renew(target, request, secret.as_ref(), &response).await? {
            response = self.send(context, target, request, Some(&newer)).await;
            secret = Some(newer);
        }
        context.report.durations.provider += started.elapsed();
        let response = response?;
        if !(200..300).contains(&response.status) {
            return Err(failure_error(&response, target, request, secret.as_ref()));
        }
        let report = &mut context.report;
        report.answered = true;
        let dialect = target.provider.dialect();
        let mut reply = dialect.read_reply(&response, chat).map_err(|error| {
            // Gateways also send their errors with status 200.
            match dialect.read_failure(&response) {
                failure if failure.message.as_bytes() == response.body.trim_ascii() => error,
                failure => quote_provider(error, &failure.message, &secrets(secret.as_ref())),
            }
        })?;
        report.usage.add(reply.usage.with_total());
        report.add_warnings(std::mem::take(&mut reply.warnings));
        report.answered_model = reply.model.take();
        report.stop_reason = Some(reply.stop_reason);
        report.provider_stop_reason.clone_from(&reply.provider_stop_reason);
        Ok(reply)
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

    /// Sends the request with the target's retry policy. Each attempt counts toward [`MAX_CALLS`].
    async fn send(
        &self,
        context: &mut Context,
        target: &Target,
        request: &WireRequest,
        secret: Option<&Secret>,
    ) -> Result<WireReply, Error> {
        let calls_left = MAX_CALLS.saturating_sub(context.report.attempts);
        if calls_left == 0 {
            let text = format!("the request reached the limit of {MAX_CALLS} provider calls");
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        let policy = Policy { attempts: target.policy.attempts.min(calls_left), ..target.policy };
        let dialect = target.provider.dialect();
        let may_retry = |response: &WireReply| dialect.read_failure(response).retry;
        let sent = self.transport.send(request, secret, &policy, context.deadline, &may_retry);
        let SendOutcome { outcome, attempts } = sent.await;
        context.report.attempts += attempts;
        outcome
    }

    /// Fetches a newer value of the API key if the provider rejected the value that was sent.
    async fn renew(
        &self,
        target: &Target,
        request: &WireRequest,
        secret: Option<&Secret>,
        response: &Result<WireReply, Error>,
    ) -> Result<Option<Secret>, Error> {
        let (Some(name), Some(secret), Ok(response)) = (request.auth.key(), secret, response)
        else {
            return Ok(None);
        };
        // Status 403 means that the key lacks a permission. A newer value of the same key would
        // lack it, too.
        if matches!(response.status, 200..300 | 403) {
            return Ok(None);
        }
        if target.provider.dialect().read_failure(response).kind != ErrorKind::ProviderAuthFailed {
            return Ok(None);
        }
        self.keys.renewed(name, secret).await
    }
}

/// Creates the error for a response whose status is not 2xx.
fn failure_error(
    response: &WireReply,
    target: &Target,
    request: &WireRequest,
    secret: Option<&Secret>,
) -> Error {
    let failure = target.provider.dialect().read_failure(response);
    let summary = summarize(&failure, response.status, target, request);
    quote_provider(Error::new(failure.kind, summary), &failure.message, &secrets(secret))
        .with_retry_after(crate::transport::retry_after(response))
        .with_provider_status(Some(response.status))
}

/// Returns the secrets that must not appear in a message.
fn secrets(secret: Option<&Secret>) -> Vec<&str> {
    secret.iter().map(|secret| secret.expose()).collect()
}

/// Describes the failure without quoting the provider's message.
fn summarize(failure: &Failure, status: u16, target: &Target, request: &WireRequest) -> String {
    match failure.kind {
        // In IAM, the action bedrock:InvokeModel covers all Bedrock APIs that call a model.
        ErrorKind::AccessDenied => format!(
            "AWS denied bedrock:InvokeModel on the model {} ({status}); allow it in the IAM policy",
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
        _ if (300..400).contains(&status) => {
            format!("the provider responded with a redirect ({status}); redirects are not followed")
        }
        _ => format!("the provider rejected the request ({status})"),
    }
}
