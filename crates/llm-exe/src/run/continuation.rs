//! Continues a reply that the provider paused before it was complete, because it limits the size of
//! a response.
//!
//! Each continuation is a call of its own: its tokens and its cost are added to the report, and it
//! counts toward the limits of the run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call_provider::{CalledReply, ProviderClient, ReplyPart, ReplyReader};
use super::context::Context;
use super::cost_limit::{CostLimit, MAX_OUTPUT_TOKENS, Reservation};
use super::secrets::{SecretsInUse, scrub_reply};
use crate::chat::{Reply, Usage};
use crate::error::{Error, ErrorKind};
use crate::plan::Target;
use crate::wire::{MAX_REPLY_BYTES, WireReply, WireRequest, too_large};

/// Maximum number of continuations of a reply. The longest reply of a known model needs 31.
const MAX_CONTINUATIONS: usize = 64;

/// The conversation to which a paused reply belongs.
pub(super) struct Continuation<'a> {
    pub(super) client: &'a ProviderClient,
    pub(super) target: &'a Target,
    pub(super) reader: ReplyReader<'a>,
    /// The output limit of the whole reply.
    pub(super) max_tokens: Option<u64>,
}

impl Continuation<'_> {
    /// Requests the other parts of a reply, and joins them. If a part can't be requested, the reply
    /// is returned without it, with a warning, because its other parts are paid for. Adds
    /// the time of the other calls to `duration`, the time of the first call.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the parts can't be joined.
    pub(super) async fn run(
        &self,
        context: &mut Context,
        (mut reply, mut secrets): (Reply, SecretsInUse),
        first: ReplyPart,
        duration: &mut Duration,
    ) -> Result<(Reply, SecretsInUse), Error> {
        let mut usage = reply.usage;
        let mut size = first.body.len();
        let mut bodies = vec![first.body];
        let mut next = first.next;
        let mut longest = *duration;
        while let Some(request) = next.take() {
            let started = Instant::now();
            let called = match self.check(context, bodies.len(), longest) {
                Ok(()) => self.call(context, &request, (usage, reply.usage)).await,
                Err(error) => Err(error),
            };
            *duration += started.elapsed();
            longest = longest.max(started.elapsed());
            let called = match called {
                Ok(called) => called,
                Err(error) => {
                    let text = format!("the reply is incomplete: {}", error.for_log());
                    context.report.add_warnings(vec![text]);
                    break;
                }
            };
            (reply, secrets) = (called.reply, called.secrets);
            usage.add(reply.usage);
            if let Some(part) = called.part {
                size += part.body.len();
                bodies.push(part.body);
                next = part.next;
            }
            if size > MAX_REPLY_BYTES {
                return Err(too_large());
            }
        }
        let ReplyReader { dialect, chat, .. } = self.reader;
        let join = || {
            let body = dialect.join_bodies(&bodies)?.into();
            let wire = WireReply { status: 200, headers: http::HeaderMap::new(), body };
            dialect.read_reply(&wire, chat)
        };
        let mut joined = self.client.steps.run(join).await?;
        scrub_reply(&mut joined, &secrets);
        context.report.add_warnings(std::mem::take(&mut joined.warnings));
        Ok((Reply { usage, model: None, ..joined }, secrets))
    }

    /// Checks that another call is allowed and likely to end before the deadline.
    fn check(&self, context: &Context, parts: usize, longest: Duration) -> Result<(), Error> {
        if parts > MAX_CONTINUATIONS {
            let text = format!("it was continued {MAX_CONTINUATIONS} times");
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        context.check_time_left(longest, ("reply", "part"))
    }

    /// Requests the next part. `usage` contains the token counts of all parts so far, and of the
    /// last one.
    async fn call(
        &self,
        context: &mut Context,
        request: &WireRequest,
        usage: (Usage, Usage),
    ) -> Result<CalledReply, Error> {
        let reservation = match context.cost_limit.clone() {
            Some(limit) => Some(self.reserve(context, &limit, request, usage).await?),
            None => None,
        };
        let called = self.client.call(context, self.target, self.reader, request).await;
        if let Some(reservation) = reservation {
            let cost = reservation.settle(&context.report);
            context.report.limited_cost = context.report.limited_cost.saturating_add(cost);
        }
        called.map_err(|failed| failed.error)
    }

    /// Reserves the highest cost of the next part. The provider ended the last part at the limit of
    /// a response, so the next one is not longer.
    async fn reserve(
        &self,
        context: &Context,
        limit: &Arc<CostLimit>,
        request: &WireRequest,
        (all, last): (Usage, Usage),
    ) -> Result<Reservation, Error> {
        let output = |usage: Usage| usage.output_tokens.saturating_add(usage.reasoning_tokens);
        let left = self.max_tokens.map(|max| max.saturating_sub(output(all)).max(1));
        let longest = Some(output(last)).filter(|tokens| *tokens > 0);
        let max_tokens = left.into_iter().chain(longest).min();
        let target = (self.target, self.client.prices.own());
        let run = (context.deadline, &context.report);
        let chat = (self.reader.chat, request);
        let reservation = Reservation::new(limit, target, chat, max_tokens, run).await?;
        if reservation
            .lowered_to
            .is_some_and(|tokens| max_tokens.is_some() || tokens < MAX_OUTPUT_TOKENS)
        {
            reservation.settle(&context.report);
            let text = "the rest of options.maxCost does not pay for its next part";
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        Ok(reservation)
    }
}
