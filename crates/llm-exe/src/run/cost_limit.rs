//! Limits the cost of a request: before each call, its highest cost is reserved.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::report::Report;
use crate::chat::{Chat, Part};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::plan::Target;
use crate::providers::{Cost, PriceList, TokenPrices, format_dollars, highest_prices};
use crate::wire::WireRequest;

/// A number of output tokens that no model reaches.
pub(super) const MAX_OUTPUT_TOKENS: u64 = 1_000_000;

/// Minimum number of output tokens for which a call is made, unless the request asks for fewer.
const MIN_OUTPUT_TOKENS: u64 = 256;
/// The number of tokens that are reserved for an image.
const TOKENS_PER_IMAGE: u64 = 5_000;
/// The number of bytes of text for which one token is reserved.
const BYTES_PER_TOKEN: usize = 2;

/// The limit of a request and of the requests inside of it, in 10^-18 dollars.
#[derive(Debug)]
pub(super) struct CostLimit {
    max: u128,
    used: Mutex<UsedCost>,
    /// The limit of the request around this one.
    outer: Option<Arc<CostLimit>>,
    /// Wakes the calls that wait until another one ends. Shared with the limits around this one.
    ended: Arc<Notify>,
}

#[derive(Debug, Default)]
struct UsedCost {
    /// The cost of the calls so far, and the highest cost of those that are running.
    amount: u128,
    running: u32,
}

/// A call whose highest cost is to be reserved.
struct PlannedCall<'a> {
    name: String,
    input_tokens: u64,
    prices: TokenPrices,
    /// The number of output tokens that the call can't exceed.
    max_tokens: u64,
    limit: &'a CostLimit,
}

/// The amount and the output tokens that a call may use.
struct Share {
    amount: u128,
    output_tokens: u64,
}

impl CostLimit {
    /// Creates a limit inside of another one.
    pub(super) fn new(max: u128, outer: Option<Arc<CostLimit>>) -> Self {
        let ended = outer.as_ref().map_or_else(Arc::default, |outer| Arc::clone(&outer.ended));
        CostLimit { max, used: Mutex::default(), outer, ended }
    }

    fn lock(&self) -> MutexGuard<'_, UsedCost> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the cost of calls that an earlier run made.
    pub(super) fn add(&self, cost: u128) {
        let mut used = self.lock();
        used.amount = used.amount.saturating_add(cost);
        drop(used);
        if let Some(outer) = &self.outer {
            outer.add(cost);
        }
    }

    /// Reserves a share of the rest of this limit and of those around it. Returns `Ok(None)` if the
    /// call must wait until another one ends.
    fn reserve(&self, call: &PlannedCall<'_>, inner: Rest) -> Result<Option<Share>, Error> {
        // Limits are locked from the inside to the outside, so that they can't wait for each other.
        let mut used = self.lock();
        let own = self.max.saturating_sub(used.amount);
        let rest = match used.running {
            0 => Rest { fixed: inner.fixed.min(own), ..inner },
            _ => Rest { growing: inner.growing.min(own), ..inner },
        };
        let share = match &self.outer {
            Some(outer) => outer.reserve(call, rest)?,
            None => call.share_of(rest)?,
        };
        if let Some(share) = &share {
            used.amount = used.amount.saturating_add(share.amount);
            used.running += 1;
        }
        Ok(share)
    }

    /// Replaces a reserved amount with the cost of the call.
    fn settle(&self, reserved: u128, cost: u128) {
        let mut used = self.lock();
        used.amount = used.amount.saturating_sub(reserved).saturating_add(cost);
        used.running = used.running.saturating_sub(1);
        drop(used);
        match &self.outer {
            Some(outer) => outer.settle(reserved, cost),
            None => self.ended.notify_waiters(),
        }
    }
}

/// The rest of a limit and of those inside of it.
#[derive(Clone, Copy)]
struct Rest {
    /// The lowest rest of the limits to which no running call belongs.
    fixed: u128,
    /// The lowest rest of the other limits. It can grow when one of the calls ends.
    growing: u128,
}

impl PlannedCall<'_> {
    /// Returns the number of output tokens that an amount pays for, or `None` if it does not pay
    /// for the input.
    fn affordable_output(&self, amount: u128) -> Option<u64> {
        let output = amount.checked_sub(self.input_cost())?.checked_div(self.prices.output);
        Some(output.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or(u64::MAX))
    }

    fn input_cost(&self) -> u128 {
        self.prices.input.saturating_mul(self.input_tokens.into())
    }

    /// Returns the share of the call, or `Ok(None)` if more is left when another call ends and the
    /// call can use it.
    fn share_of(&self, rest: Rest) -> Result<Option<Share>, Error> {
        let affordable = self.affordable_output(rest.fixed);
        let minimum = self.max_tokens.min(MIN_OUTPUT_TOKENS);
        let Some(affordable) = affordable.filter(|tokens| *tokens >= minimum) else {
            return Err(self.exceeded(rest.fixed));
        };
        let output_tokens = affordable.min(self.max_tokens);
        if self.affordable_output(rest.growing).is_none_or(|tokens| tokens < output_tokens) {
            return Ok(None);
        }
        let output = self.prices.output.saturating_mul(output_tokens.into());
        let amount = output.saturating_add(self.input_cost());
        Ok(Some(Share { amount, output_tokens }))
    }

    fn exceeded(&self, rest: u128) -> Error {
        let PlannedCall { name, input_tokens, limit, .. } = self;
        let (max, rest) = (format_dollars(limit.max), format_dollars(rest));
        let text = format!(
            "options.maxCost of {max} USD leaves {rest} USD, which does not pay for a call of \
             {name} with about {input_tokens} input tokens and {MIN_OUTPUT_TOKENS} output tokens"
        );
        Error::new(ErrorKind::LimitExceeded, text)
    }
}

/// The amount that is reserved for a call.
#[derive(Debug)]
pub(super) struct Reservation {
    limit: Arc<CostLimit>,
    amount: u128,
    /// The cost and the number of unknown calls of the run before the call.
    before: (Option<u128>, u32),
    /// The maximum number of output tokens, if it is below that of the request and of the model.
    pub(super) lowered_to: Option<u64>,
    is_settled: bool,
}

impl Reservation {
    /// Reserves the highest cost of a call, or a lower one if the rest of the limit does not pay
    /// for it. Waits for other calls of the same request if they can leave more. `max_tokens` is
    /// the output limit in the request.
    ///
    /// # Errors
    /// `LimitExceeded` if the rest does not pay for the input and a useful output, `Timeout` if the
    /// other calls take too long, and `InvalidRequest` if the price of the model is not known.
    pub(super) async fn new(
        limit: &Arc<CostLimit>,
        (target, prices): (&Target, &PriceList),
        (chat, request): (&Chat, &WireRequest),
        max_tokens: Option<u64>,
        (deadline, report): (Deadline, &Report),
    ) -> Result<Self, Error> {
        let input_tokens = estimate_input(chat, request);
        let (provider, model) = (target.provider.name(), &*target.model);
        let prices = highest_prices(prices, provider, model, input_tokens).ok_or_else(|| {
            let text = format!("the price of {model} of {provider} is not known");
            Error::invalid("options.maxCost", text)
        })?;
        let name = format!("{provider} {model}");
        let known = target.provider.dialect().max_output_tokens(model).unwrap_or(u64::MAX);
        let max_tokens = max_tokens.unwrap_or(u64::MAX).min(known);
        let call = PlannedCall { name, input_tokens, prices, max_tokens, limit };
        let unlimited = Rest { fixed: u128::MAX, growing: u128::MAX };
        let share = loop {
            // The call must be registered before the limit is read, so that no end is missed.
            let mut ended = std::pin::pin!(limit.ended.notified());
            ended.as_mut().enable();
            if let Some(share) = limit.reserve(&call, unlimited)? {
                break share;
            }
            tokio::time::timeout_at(deadline.instant().into(), ended).await.map_err(|_| {
                let text = "the call waited for others that use up options.maxCost until the time \
                            limit; set options.maxTokens, so that several calls fit into it";
                Error::new(ErrorKind::Timeout, text)
            })?;
        };
        let Share { amount, output_tokens } = share;
        let lowered_to = Some(output_tokens).filter(|tokens| *tokens < max_tokens);
        let before = counted_cost(report);
        let limit = Arc::clone(limit);
        Ok(Reservation { limit, amount, before, lowered_to, is_settled: false })
    }

    /// Ends the reservation with the cost that the call added to the report. If that is not known,
    /// the reserved amount counts. Returns what counts.
    pub(super) fn settle(mut self, report: &Report) -> u128 {
        let (before, after) = (self.before, counted_cost(report));
        let cost = match (before.0, after.0) {
            (Some(before), Some(after)) => Some(after.saturating_sub(before)),
            _ => None,
        };
        let unknown_calls = u128::from(after.1.saturating_sub(before.1));
        let unknown_cost = self.amount.saturating_mul(unknown_calls);
        let cost = cost.map_or(self.amount, |cost| cost.saturating_add(unknown_cost));
        self.is_settled = true;
        self.limit.settle(self.amount, cost);
        cost
    }
}

impl Drop for Reservation {
    /// Counts the reserved amount of a call that was cancelled, because it may be billed.
    fn drop(&mut self) {
        if !self.is_settled {
            self.limit.settle(self.amount, self.amount);
        }
    }
}

/// Returns the cost so far, if it is known, and the number of calls with an unknown cost.
fn counted_cost(report: &Report) -> (Option<u128>, u32) {
    let cost = report.cost().map_or(Some(0), Cost::total);
    (cost, report.unknown_calls)
}

/// Returns a number of input tokens that a call does not exceed in practice.
fn estimate_input(chat: &Chat, request: &WireRequest) -> u64 {
    let images =
        chat.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::Media(media) => Some(media.url.len()),
            _ => None,
        });
    let (count, image_bytes) =
        images.fold((0, 0), |(count, bytes), length| (count + 1, bytes + length));
    let bytes = request.body.to_bytes().map_or(0, |body| body.len());
    let text = bytes.saturating_sub(image_bytes) / BYTES_PER_TOKEN;
    u64::try_from(text).unwrap_or(u64::MAX).saturating_add(count * TOKENS_PER_IMAGE)
}
