//! One question to a provider: key, call, and what a refusal means.

use std::time::Instant;

use super::{Executor, Report};
use crate::chat::Reply;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::plan::Target;
use crate::ports::Secret;
use crate::providers::Failure;
use crate::scrub::scrub;
use crate::transport::{Policy, SendOutcome};
use crate::wire::{Auth, WireReply, WireRequest};

/// The most calls of one request, retries and re-asks counted in.
const MOST_CALLS: u32 = 500;

impl Executor {
    /// Asks; the answer's tokens are counted whatever becomes of it.
    pub(crate) async fn ask(
        &self,
        target: &Target,
        wire: &WireRequest,
        deadline: Deadline,
        report: &mut Report,
    ) -> Result<Reply, Error> {
        let secret = self.secret(wire, report).await?;
        let started = Instant::now();
        let mut sent = self.send(target, wire, secret.as_ref(), deadline, report).await;
        let mut used = secret;
        if let Some(newer) = self.renewed(target, wire, used.as_ref(), &sent.outcome).await? {
            sent = self.send(target, wire, Some(&newer), deadline, report).await;
            used = Some(newer);
        }
        report.durations.provider += started.elapsed();
        let answer = sent.outcome?;
        if !(200..300).contains(&answer.status) {
            let failure = target.provider.dialect.read_failure(&answer);
            return Err(refused(failure, &answer, wire, &target.model, used.as_ref()));
        }
        report.answered = true;
        let reply = target.provider.dialect.read_reply(&answer)?;
        report.usage.add(reply.usage);
        report.answered_model.clone_from(&reply.model);
        report.stop_reason = Some(reply.stop_reason);
        report.provider_stop_reason.clone_from(&reply.provider_stop_reason);
        Ok(reply)
    }

    async fn secret(
        &self,
        wire: &WireRequest,
        report: &mut Report,
    ) -> Result<Option<Secret>, Error> {
        let Some(name) = wire.auth.key() else {
            return Ok(None);
        };
        self.transport.preconnect(&wire.url);
        let started = Instant::now();
        let secret = self.keys.get(name).await;
        report.durations.secrets += started.elapsed();
        secret.map(Some)
    }

    async fn send(
        &self,
        target: &Target,
        wire: &WireRequest,
        secret: Option<&Secret>,
        deadline: Deadline,
        report: &mut Report,
    ) -> SendOutcome {
        let dialect = target.provider.dialect;
        let may_retry = |answer: &WireReply| dialect.read_failure(answer).retry;
        // What is asked of a request is bounded, whatever it says of attempts and fallbacks.
        let left = MOST_CALLS.saturating_sub(report.attempts);
        if left == 0 {
            let text = format!("this request has made {MOST_CALLS} calls, the most of any");
            let outcome = Err(Error::new(ErrorKind::LimitExceeded, text));
            return SendOutcome { outcome, attempts: 0 };
        }
        let policy = Policy { attempts: target.policy.attempts.min(left), ..target.policy };
        let sent = self.transport.send(wire, secret, &policy, deadline, &may_retry).await;
        report.attempts += sent.attempts;
        sent
    }

    /// A newer key, where the provider did not accept the one that was sent.
    async fn renewed(
        &self,
        target: &Target,
        wire: &WireRequest,
        used: Option<&Secret>,
        outcome: &Result<WireReply, Error>,
    ) -> Result<Option<Secret>, Error> {
        let (Some(name), Some(used), Ok(answer)) = (wire.auth.key(), used, outcome) else {
            return Ok(None);
        };
        // A 403 is about what the key may do, which no newer one of the same name changes.
        if matches!(answer.status, 200..300 | 403) {
            return Ok(None);
        }
        if target.provider.dialect.read_failure(answer).kind != ErrorKind::ProviderAuthFailed {
            return Ok(None);
        }
        self.keys.renewed(name, used).await
    }
}

fn refused(
    failure: Failure,
    answer: &WireReply,
    wire: &WireRequest,
    model: &str,
    used: Option<&Secret>,
) -> Error {
    let secrets: Vec<&str> = used.iter().map(|secret| secret.expose()).collect();
    let status = answer.status;
    let what = match failure.kind {
        // All of Bedrock's ways to ask a model are one action to IAM.
        ErrorKind::AccessDenied => format!(
            "AWS does not allow its caller bedrock:InvokeModel on the model {model} ({status})"
        ),
        ErrorKind::ProviderAuthFailed if matches!(wire.auth, Auth::SigV4 { .. }) => {
            format!("the AWS credentials were not accepted ({status})")
        }
        ErrorKind::ProviderAuthFailed => format!("the key was not accepted ({status})"),
        ErrorKind::ProviderRateLimited if !failure.retry => {
            format!("the quota or the credit is used up ({status})")
        }
        ErrorKind::ProviderRateLimited => format!("too many requests ({status})"),
        ErrorKind::ProviderUnavailable => format!("the provider failed ({status})"),
        _ if (300..400).contains(&status) => {
            format!("the provider answered with a redirect ({status}), which is never followed")
        }
        _ => format!("the provider refused the request ({status})"),
    };
    // The provider's own words may quote the prompt: the caller gets them, the log does not.
    let message = match scrub(&failure.message, &secrets) {
        told if told.is_empty() => what.clone(),
        told => format!("{what}: {told}"),
    };
    Error::new(failure.kind, message)
        .logged_as(what)
        .with_retry_after(crate::transport::retry_after(answer))
        .with_provider_status(Some(status))
}
